#pragma once

#include <QPlainTextEdit>

namespace kvasir {

/// Where a question is typed: Enter asks, Shift+Enter begins a line, Esc stops. As high as its text, within
/// bounds.
class QuestionBox : public QPlainTextEdit {
  Q_OBJECT
 public:
  explicit QuestionBox(QWidget* parent = nullptr);
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 Q_SIGNALS:
  void askWished();
  void stopWished();

 protected:
  void keyPressEvent(QKeyEvent* event) override;

 private:
  int heightFor(int lines) const;
};

}  // namespace kvasir
