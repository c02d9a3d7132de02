#include "ui/document/flow_view.h"

#include <QAbstractTextDocumentLayout>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QScopedValueRollback>
#include <QScrollBar>
#include <QTextBlock>
#include <QTextFrame>
#include <algorithm>
#include <cmath>

namespace kvasir {
namespace {

constexpr double kTextPoints = 12;  // at zoom 1
constexpr double kWidestLine = 38;  // em: longer lines are hard to follow
constexpr double kRevealAt = 0.25;
constexpr double kZoomAWheelUnit = 0.0015;

}  // namespace

FlowView::FlowView(const Highlights* highlights, QWidget* parent) : QTextEdit(parent), highlights_(highlights) {
  setReadOnly(true);
  setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  setFrameShape(QFrame::NoFrame);
  setAccessibleName(tr("Text"));
  setContextMenuPolicy(Qt::CustomContextMenu);
  setUndoRedoEnabled(false);
  setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOn);
  verticalScrollBar()->setAccessibleName(tr("Place in the section"));
  viewport()->setMouseTracking(true);
  setPaper(Paper::White);
  connect(verticalScrollBar(), &QScrollBar::valueChanged, this, [this] {
    if (isPlacing_) return;
    refresh();
    Q_EMIT placeChanged();
  });
}

void FlowView::showBook(std::shared_ptr<const Document> document) {
  document_ = std::move(document);
  parts_ = document_ == nullptr ? FlowParts() : FlowParts(*document_);
  part_ = -1;
  hovered_.reset();
  showPart(0);
  Q_EMIT placeChanged();
}

void FlowView::setPaper(Paper paper) {
  paper_ = paper;
  QPalette colours = palette();
  colours.setColor(QPalette::Base, paper == Paper::White ? Qt::white : Qt::black);
  colours.setColor(QPalette::Text, paper == Paper::White ? Qt::black : Qt::white);
  setPalette(colours);
  refresh();
}

void FlowView::showPart(int part) {
  part = std::clamp(part, 0, parts_.count() - 1);
  if (part == part_) return;
  const QScopedValueRollback placing(isPlacing_, true);
  part_ = part;
  setExtraSelections({});
  text_ = document_ == nullptr ? FlowText() : FlowText(document_->text, parts_.range(part));
  setPlainText(text_.text());
  formatHeadings();
  layOut();
  verticalScrollBar()->setValue(0);
  refresh();
}

void FlowView::formatHeadings() {
  QFont font = this->font();
  font.setPointSizeF(kTextPoints * zoom_);
  document()->setDefaultFont(font);
  setMargins();
  if (document_ == nullptr) return;
  const TextRange range = parts_.range(part_);
  const auto& sections = document_->sections;
  auto section = std::partition_point(sections.begin(), sections.end(),
                                      [&](const Section& each) { return each.start < range.start; });
  for (; section != sections.end() && section->start < range.end; ++section) {
    QTextCursor cursor(document());
    cursor.setPosition(text_.positionOf(section->start));
    cursor.movePosition(QTextCursor::EndOfBlock, QTextCursor::KeepAnchor);
    QTextCharFormat format;
    format.setFontWeight(QFont::Bold);
    format.setFontPointSize(kTextPoints * zoom_ * std::max(1.1, 1.7 - 0.2 * section->level));
    cursor.setCharFormat(format);
  }
}

void FlowView::setMargins() {
  QTextFrameFormat format = document()->rootFrame()->frameFormat();
  const double em = QFontMetricsF(document()->defaultFont()).height();
  const double side = std::max(em, (viewport()->width() - kWidestLine * em) / 2);
  if (format.leftMargin() == side) return;
  format.setLeftMargin(side);
  format.setRightMargin(side);
  format.setTopMargin(em);
  format.setBottomMargin(2 * em);
  document()->rootFrame()->setFrameFormat(format);
}

// Qt lays out in steps of its own; the scroll bar knows the whole length only after the last block.
void FlowView::layOut() { document()->documentLayout()->blockBoundingRect(document()->lastBlock()); }

// Positions in the text and places in the view.

QTextCursor FlowView::cursorOf(int start, int end) const {
  const int last = document()->characterCount() - 1;
  QTextCursor cursor(document());
  cursor.setPosition(std::min(start, last));
  cursor.setPosition(std::min(end, last), QTextCursor::KeepAnchor);
  return cursor;
}

void FlowView::scrollTo(int position, double shareOfView) {
  layOut();
  const QRect at = cursorRect(cursorOf(position, position));
  QScrollBar* bar = verticalScrollBar();
  bar->setValue(bar->value() + at.top() - static_cast<int>(shareOfView * viewport()->height()));
}

TextRange FlowView::inView() const {
  const int first = cursorForPosition({0, 0}).position();
  const int last = cursorForPosition({viewport()->width(), viewport()->height()}).position();
  return {text_.byteOf(first), text_.byteOf(last + 1)};
}

std::size_t FlowView::topByte() const { return inView().start; }

void FlowView::reveal(const TextRange& range) {
  if (document_ == nullptr || isInView(range)) return;
  {
    const QScopedValueRollback placing(isPlacing_, true);
    showPart(parts_.partOf(range.start));
    if (!isInView(range)) scrollTo(text_.positionOf(range.start), kRevealAt);
  }
  refresh();
  Q_EMIT placeChanged();
}

bool FlowView::isInView(const TextRange& range) const {
  if (document_ == nullptr || parts_.partOf(range.start) != part_) return false;
  const int position = text_.positionOf(range.start);
  return viewport()->rect().contains(cursorRect(cursorOf(position, position)));
}

std::vector<QRect> FlowView::boxesInView(const TextRange& range) const {
  const TextRange shown = inView();
  const int start = text_.positionOf(std::max(range.start, shown.start));
  const int end = text_.positionOf(std::min(range.end, shown.end));
  std::vector<QRect> boxes;
  for (int position = start; position < end; ++position) {
    const QRect here = cursorRect(cursorOf(position, position));
    const QRect next = cursorRect(cursorOf(position + 1, position + 1));
    const bool isSameLine = here.top() == next.top();
    const QRect box(here.topLeft(),
                    QSize(isSameLine ? next.left() - here.left() : here.width(), here.height()));
    if (!boxes.empty() && boxes.back().top() == box.top()) {
      boxes.back() = boxes.back().united(box);
    } else if (isSameLine) {
      boxes.push_back(box);
    }
  }
  return boxes;
}

DocumentPlace FlowView::place() const {
  const TextRange range = parts_.range(std::max(0, part_));
  const double size = static_cast<double>(std::max<std::size_t>(1, range.end - range.start));
  const bool isAtTop = verticalScrollBar()->value() == 0;
  return {std::max(0, part_), isAtTop ? 0 : static_cast<double>(topByte() - range.start) / size, zoom_,
          Fit::None};
}

void FlowView::goTo(const DocumentPlace& place) {
  if (document_ == nullptr) return;
  {
    const QScopedValueRollback placing(isPlacing_, true);
    if (place.fit == Fit::None && place.zoom > 0) setZoom(place.zoom);
    showPart(place.page);
    const TextRange range = parts_.range(part_);
    const double top = std::isfinite(place.top) ? std::clamp(place.top, 0.0, 1.0) : 0;
    const auto into = static_cast<std::size_t>(std::lround(top * static_cast<double>(range.end - range.start)));
    if (into == 0) {
      verticalScrollBar()->setValue(0);
    } else {
      scrollTo(text_.positionOf(range.start + into), 0);
    }
  }
  refresh();
  Q_EMIT placeChanged();
}

void FlowView::setZoom(double zoom) {
  zoom = std::clamp(zoom, kSmallestZoom, kLargestZoom);
  if (zoom == zoom_ || !std::isfinite(zoom)) return;
  const int top = cursorForPosition({0, 0}).position();
  const bool isAtTop = verticalScrollBar()->value() == 0;
  {
    const QScopedValueRollback placing(isPlacing_, true);
    zoom_ = zoom;
    formatHeadings();
    if (!isAtTop) scrollTo(top, 0);
  }
  refresh();
  Q_EMIT zoomChanged();
}

void FlowView::resizeEvent(QResizeEvent* event) {
  const int top = cursorForPosition({0, 0}).position();
  const bool isAtTop = verticalScrollBar()->value() == 0;
  const QScopedValueRollback placing(isPlacing_, true);
  QTextEdit::resizeEvent(event);
  setMargins();
  if (!isAtTop) scrollTo(top, 0);
  refresh();
}

// What is lit. Only what is in view is handed to Qt, which looks at every selection for every line.

void FlowView::addSelections(QList<ExtraSelection>& selections, const TextRange& range,
                             const QTextCharFormat& format) {
  const TextRange shown = inView();
  const std::size_t start = std::max(range.start, shown.start), end = std::min(range.end, shown.end);
  if (start >= end) return;
  ExtraSelection selection;
  selection.cursor = cursorOf(text_.positionOf(start), text_.positionOf(end));
  selection.format = format;
  selections.push_back(selection);
}

void FlowView::refresh() {
  if (document_ == nullptr) return setExtraSelections({});
  QList<ExtraSelection> selections;
  for (const Light light : kLights) {
    for (const TextRange& range : highlights_->of(light))
      addSelections(selections, range, textFormat(light, paper_));
  }
  if (highlights_->matches != nullptr) {
    const auto& matches = *highlights_->matches;
    const TextRange shown = inView();
    auto match = std::partition_point(matches.begin(), matches.end(),
                                      [&](const TextRange& range) { return range.end <= shown.start; });
    for (; match != matches.end() && match->start < shown.end; ++match) {
      const bool isCurrent = static_cast<std::size_t>(match - matches.begin()) == highlights_->currentMatch;
      addSelections(selections, *match, matchFormat(paper_, isCurrent));
    }
  }
  setExtraSelections(selections);
}

std::optional<TextRange> FlowView::selectedRange() const {
  const QTextCursor cursor = textCursor();
  if (!cursor.hasSelection() || document_ == nullptr) return std::nullopt;
  return TextRange{text_.byteOf(cursor.selectionStart()), text_.byteOf(cursor.selectionEnd())};
}

// Pointer, wheel and keys.

bool FlowView::viewportEvent(QEvent* event) {
  if (event->type() == QEvent::MouseMove) hover(static_cast<QMouseEvent*>(event)->position());
  if (event->type() == QEvent::Leave && hovered_) {
    hovered_.reset();
    Q_EMIT hovered(std::nullopt);
  }
  return QTextEdit::viewportEvent(event);
}

void FlowView::hover(QPointF position) {
  const QPointF inDocument = position + QPointF(horizontalScrollBar()->value(), verticalScrollBar()->value());
  const int at = document()->documentLayout()->hitTest(inDocument, Qt::ExactHit);
  std::optional<std::size_t> byte;
  if (at >= 0 && document_ != nullptr && at < text_.text().size()) byte = text_.byteOf(at);
  if (byte == hovered_) return;
  hovered_ = byte;
  Q_EMIT hovered(byte);
}

/// To the part before or after, when the view stands at this part's edge.
bool FlowView::turn(int direction) {
  const QScrollBar* bar = verticalScrollBar();
  const int next = part_ + direction;
  const bool isAtEdge = direction > 0 ? bar->value() >= bar->maximum() : bar->value() <= bar->minimum();
  if (!isAtEdge || next < 0 || next >= parts_.count()) return false;
  showPart(next);
  if (direction < 0) verticalScrollBar()->setValue(verticalScrollBar()->maximum());
  refresh();
  Q_EMIT placeChanged();
  return true;
}

void FlowView::wheelEvent(QWheelEvent* event) {
  const int turned = event->angleDelta().y();
  if (event->modifiers().testFlag(Qt::ControlModifier)) {
    setZoom(zoom_ * std::exp(kZoomAWheelUnit * turned));
    return event->accept();
  }
  if (turned != 0 && turn(turned < 0 ? 1 : -1)) return event->accept();
  QTextEdit::wheelEvent(event);
}

void FlowView::keyPressEvent(QKeyEvent* event) {
  const bool isSpace = event->key() == Qt::Key_Space;
  const bool isShifted = event->modifiers().testFlag(Qt::ShiftModifier);
  const bool isOn = event->key() == Qt::Key_PageDown || (isSpace && !isShifted);
  const bool isBack = event->key() == Qt::Key_PageUp || (isSpace && isShifted);
  if ((isOn && turn(1)) || (isBack && turn(-1))) return;
  if (isOn) return verticalScrollBar()->triggerAction(QScrollBar::SliderPageStepAdd);
  if (isBack) return verticalScrollBar()->triggerAction(QScrollBar::SliderPageStepSub);
  QTextEdit::keyPressEvent(event);
}

}  // namespace kvasir
