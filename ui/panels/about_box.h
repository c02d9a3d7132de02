#pragma once

#include <string>
#include <vector>

#include <QDialog>

#include "engine/devices.h"

class QLabel;
class QPushButton;

namespace kvasir {

/// What the program is, what it computes on, and how its kernels did when they were checked.
class AboutBox : public QDialog {
  Q_OBJECT
 public:
  explicit AboutBox(const QString& version, QWidget* parent = nullptr);

  void setDevices(const Devices& devices);
  /// `complaint`: complaintOf(checks).
  void setChecks(const std::vector<DeviceCheck>& checks, const std::string& complaint);

  QString devicesText() const;
  QString checkText() const;

 Q_SIGNALS:
  void checkWished();

 private:
  QLabel *devices_, *check_;
  QPushButton* button_;
};

}  // namespace kvasir
