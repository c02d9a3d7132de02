#include "ui/panels/question_box.h"

#include <algorithm>

#include <QKeyEvent>
#include <QTextDocument>

namespace kvasir {
namespace {

constexpr int kFewestLines = 2;
constexpr int kMostLines = 8;

}  // namespace

QuestionBox::QuestionBox(QWidget* parent) : QPlainTextEdit(parent) {
  setPlaceholderText(tr("Ask the document. Enter asks, Shift+Enter begins a new line."));
  setAccessibleName(tr("Question"));
  setAccessibleDescription(tr("Enter asks, Shift+Enter begins a new line, Escape stops the answer."));
  setTabChangesFocus(true);
  setAcceptDrops(false);  // files belong to the window
  viewport()->setAcceptDrops(false);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  connect(this, &QPlainTextEdit::textChanged, this, &QWidget::updateGeometry);
}

int QuestionBox::heightFor(int lines) const {
  const int margins = 2 * (frameWidth() + static_cast<int>(document()->documentMargin()));
  return lines * fontMetrics().lineSpacing() + margins + 2;
}

QSize QuestionBox::sizeHint() const {
  const int lines = std::clamp(static_cast<int>(document()->size().height()), kFewestLines, kMostLines);
  return {fontMetrics().averageCharWidth() * 30, heightFor(lines)};
}

QSize QuestionBox::minimumSizeHint() const {
  return {fontMetrics().averageCharWidth() * 16, sizeHint().height()};
}

void QuestionBox::keyPressEvent(QKeyEvent* event) {
  const bool isEnter = event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter;
  if (isEnter && !event->modifiers().testFlag(Qt::ShiftModifier)) {
    Q_EMIT askWished();
    return;
  }
  if (event->key() == Qt::Key_Escape) {
    Q_EMIT stopWished();
    return;
  }
  QPlainTextEdit::keyPressEvent(event);
}

}  // namespace kvasir
