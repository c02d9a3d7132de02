#pragma once

#include <QWidget>

class QLabel;

namespace kvasir {

/// Stands in the middle of the window while no document is open.
class StartPage : public QWidget {
  Q_OBJECT
 public:
  explicit StartPage(QWidget* parent = nullptr);
  /// What is being opened, or empty.
  void setBusy(const QString& sentence);

 Q_SIGNALS:
  void addWished();
  void sampleWished();

 private:
  QLabel* busy_;
};

}  // namespace kvasir
