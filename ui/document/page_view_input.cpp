#include <QApplication>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QScrollBar>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

#include "ui/document/page_view.h"
#include "ui/document/page_words.h"

namespace kvasir {
namespace {

constexpr int kAutoScrollEvery = 30;  // milliseconds
constexpr double kZoomAWheelUnit = 0.0015;

}  // namespace

bool PageView::viewportEvent(QEvent* event) {
  if (event->type() == QEvent::Leave && hovered_) {
    hovered_.reset();
    Q_EMIT hovered(std::nullopt);
  }
  return QAbstractScrollArea::viewportEvent(event);
}

void PageView::wheelEvent(QWheelEvent* event) {
  if (!event->modifiers().testFlag(Qt::ControlModifier)) return QAbstractScrollArea::wheelEvent(event);
  setScale(scale_ * std::exp(kZoomAWheelUnit * event->angleDelta().y()), event->position());
  event->accept();
}

void PageView::keyPressEvent(QKeyEvent* event) {
  QScrollBar* bar = verticalScrollBar();
  const bool isBack = event->modifiers().testFlag(Qt::ShiftModifier);
  switch (event->key()) {
    case Qt::Key_Home:
      return bar->setValue(bar->minimum());
    case Qt::Key_End:
      return bar->setValue(bar->maximum());
    case Qt::Key_Space:
      return bar->triggerAction(isBack ? QScrollBar::SliderPageStepSub : QScrollBar::SliderPageStepAdd);
    default:
      QAbstractScrollArea::keyPressEvent(event);
  }
}

// The text under the pointer.

void PageView::hover(QPointF position) {
  std::optional<std::size_t> byte;
  if (stack_.count() > 0) {
    const PagePoint at = pagePointAt(position);
    byte = byteAt(*document_, at.page, at.point);
  }
  viewport()->setCursor(byte ? Qt::IBeamCursor : Qt::ArrowCursor);
  if (byte == hovered_) return;
  hovered_ = byte;
  Q_EMIT hovered(byte);
}

std::optional<std::size_t> PageView::caretNear(QPointF position) const {
  if (stack_.count() == 0) return std::nullopt;
  const PagePoint at = pagePointAt(position);
  if (const auto caret = caretAt(*document_, at.page, at.point)) return caret;
  const TextRange text = textOf(at.page);
  return at.point.y() * 2 < stack_.points(at.page).height() ? text.start : text.end;
}

// Selecting.

std::optional<TextRange> PageView::selection() const {
  return selection_.start < selection_.end ? std::optional(selection_) : std::nullopt;
}

void PageView::clearSelection() { select({}); }

void PageView::select(const TextRange& range) {
  if (range == selection_) return;
  selection_ = range;
  viewport()->update();
  Q_EMIT selectionChanged();
}

void PageView::extendSelection(QPointF position) {
  const auto caret = caretNear(position);
  if (!caret || !anchor_) return;
  select({std::min(anchorRange_.start, *caret), std::max(anchorRange_.end, *caret)});
}

void PageView::mousePressEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton) return;
  const auto caret = caretNear(event->position());
  if (!caret) return;
  const bool isTriple =
      sinceDoubleClick_.isValid() && sinceDoubleClick_.elapsed() < QApplication::doubleClickInterval();
  sinceDoubleClick_.invalidate();
  if (event->modifiers().testFlag(Qt::ShiftModifier) && anchor_) return extendSelection(event->position());
  anchor_ = caret;
  anchorRange_ = isTriple ? paragraphAround(*document_, *caret) : TextRange{*caret, *caret};
  select(anchorRange_);
}

void PageView::mouseDoubleClickEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton || stack_.count() == 0) return;
  const PagePoint at = pagePointAt(event->position());
  const auto byte = byteAt(*document_, at.page, at.point);
  if (!byte) return;
  anchor_ = byte;
  anchorRange_ = wordAround(*document_, *byte);
  select(anchorRange_);
  sinceDoubleClick_.start();
}

void PageView::mouseMoveEvent(QMouseEvent* event) {
  pointer_ = event->position();
  if (!event->buttons().testFlag(Qt::LeftButton)) return hover(pointer_);
  extendSelection(pointer_);
  const bool isOutside = pointer_.y() < 0 || pointer_.y() > viewport()->height();
  if (!isOutside) {
    autoScroll_.stop();
  } else if (!autoScroll_.isActive()) {
    autoScroll_.start(kAutoScrollEvery, this);
  }
}

void PageView::mouseReleaseEvent(QMouseEvent* event) {
  if (event->button() == Qt::LeftButton) autoScroll_.stop();
}

void PageView::timerEvent(QTimerEvent* event) {
  if (event->timerId() != autoScroll_.timerId()) return QAbstractScrollArea::timerEvent(event);
  const double beyond = pointer_.y() < 0 ? pointer_.y() : pointer_.y() - viewport()->height();
  verticalScrollBar()->setValue(verticalScrollBar()->value() + static_cast<int>(beyond));
  extendSelection(pointer_);
}

}  // namespace kvasir
