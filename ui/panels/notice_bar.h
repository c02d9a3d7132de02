#pragma once

#include <QWidget>

class QLabel;
class QPushButton;

namespace kvasir {

/// A sentence across the window's top, with at most one thing to do about it, until it is closed.
class NoticeBar : public QWidget {
  Q_OBJECT
 public:
  explicit NoticeBar(QWidget* parent = nullptr);
  /// `action` empty: only closing is offered.
  void tell(const QString& sentence, const QString& action = {});
  QString sentence() const;

 Q_SIGNALS:
  void actionWished();

 private:
  QLabel* label_;
  QPushButton* action_;
};

}  // namespace kvasir
