#include "ui/maps/heat_overlay.h"

#include <algorithm>

#include <QFontMetricsF>

#include "ui/maps/axis_marks.h"

namespace kvasir {
namespace {

constexpr double kLabelGap = 8;
constexpr double kLongestLabel = 190;
constexpr double kShortestLabel = 14;  // marks that stand nearer are not measured

// Seen on every colour map: white within black.
void drawOutline(QCPPainter* painter, const QRectF& rect, Qt::PenStyle style) {
  painter->setBrush(Qt::NoBrush);
  painter->setPen(QPen(Qt::black, 3));
  painter->drawRect(rect);
  painter->setPen(QPen(Qt::white, 1.4, style));
  painter->drawRect(rect);
}

void drawPointer(QCPPainter* painter, double x, double y, double size, const QColor& color) {
  painter->setPen(QPen(color, 1));
  painter->setBrush(color);
  painter->drawPolygon(QPolygonF({{x - size, y - size}, {x + size, y - size}, {x, y + size * 0.4}}));
}

}  // namespace

HeatOverlay::HeatOverlay(HeatPlot* plot) : QCPAbstractItem(plot), plot_(plot) {
  setClipToAxisRect(false);
  setSelectable(false);
}

double HeatOverlay::selectTest(const QPointF&, bool, QVariant*) const { return -1; }

double HeatOverlay::pixel(const QCPAxisRect& map, double position) {
  return map.axis(QCPAxis::atBottom)->coordToPixel(position);
}

double HeatOverlay::columnPixel(const QCPAxisRect& map, int column) const {
  const BinnedGrid& grid = *plot_->firstGrid();
  return pixel(map, column >= grid.columns() ? grid.end() : grid.columnStart(std::max(column, 0)));
}

void HeatOverlay::draw(QCPPainter* painter) {
  if (plot_->rects_.empty() || !plot_->firstGrid() || plot_->firstGrid()->columns() == 0) return;
  painter->setFont(plot_->font());
  if (plot_->hasFocus() && !plot_->isExporting_) {
    painter->setBrush(Qt::NoBrush);
    painter->setPen(QPen(plot_->palette().color(QPalette::Highlight), 2));
    painter->drawRect(QRectF(plot_->rect()).adjusted(1, 1, -1, -1));
  }
  for (std::size_t map = 0; map < plot_->sheet_.maps.size(); ++map) {
    const QCPAxisRect& rect = *plot_->rects_[map];
    if (plot_->sheet_.isUppermost(map)) drawHeader(painter, rect);
    painter->save();
    painter->setClipRect(QRectF(rect.rect()).adjusted(-1, -6, 1, 1));
    drawColumns(painter, rect);
    if (!plot_->isExporting_) drawCursor(painter, map);
    painter->restore();
  }
}

void HeatOverlay::drawHeader(QCPPainter* painter, const QCPAxisRect& map) const {
  double baseline = map.top() - 6;
  if (!plot_->sheet_.pages.empty()) {
    drawPages(painter, map, baseline);
    baseline -= QFontMetricsF(plot_->font()).lineSpacing() + 2;
  }
  if (!plot_->sheet_.sections.empty()) drawSections(painter, map, baseline);
}

// Where the next section of the same or a higher level begins.
double HeatOverlay::sectionEnd(const QCPAxisRect& map, std::size_t index) const {
  const double furthest = QRectF(map.rect()).right();
  const std::vector<AxisMark>& marks = plot_->sheet_.sections;
  for (std::size_t next = index + 1; next < marks.size(); ++next) {
    if (marks[next].level <= marks[index].level) return std::min(furthest, columnPixel(map, marks[next].chunk));
  }
  return furthest;
}

void HeatOverlay::drawSections(QCPPainter* painter, const QCPAxisRect& map, double baseline) const {
  const QRectF rect = map.rect();
  const QFontMetricsF metrics(painter->font());
  const std::vector<AxisMark>& marks = plot_->sheet_.sections;
  std::vector<MarkBox> boxes;
  QStringList texts;
  for (std::size_t index = 0; index < marks.size(); ++index) {
    const double start = columnPixel(map, marks[index].chunk);
    const bool isLast = index + 1 == marks.size();
    const double end = isLast ? rect.right() : std::max(start, columnPixel(map, marks[index + 1].chunk));
    if (start > rect.right() || end <= rect.left()) continue;
    const bool isNear =
        !boxes.empty() && marks[index].level >= boxes.back().rank && start - boxes.back().left < kShortestLabel;
    if (isNear) continue;
    // A section that began before the view keeps its name at the left edge.
    const double left = std::max(start, rect.left());
    const double room = std::min(kLongestLabel, sectionEnd(map, index) - left - kLabelGap);
    if (room < kShortestLabel) continue;
    const QString text = metrics.elidedText(marks[index].label, Qt::ElideRight, room);
    if (text.size() < std::min<qsizetype>(3, marks[index].label.size())) continue;
    boxes.push_back({left, left + metrics.horizontalAdvance(text), marks[index].level});
    texts.append(text);
  }
  const std::vector<bool> shown = thinByRank(boxes, kLabelGap);
  for (std::size_t index = 0; index < boxes.size(); ++index) {
    if (!shown[index]) continue;
    painter->setPen(plot_->palette().color(QPalette::Text));
    painter->drawText(QPointF(boxes[index].left, baseline - metrics.descent()),
                      texts[static_cast<qsizetype>(index)]);
    painter->setPen(plot_->palette().color(QPalette::Mid));
    painter->drawLine(QPointF(boxes[index].left, baseline), QPointF(boxes[index].left, rect.top()));
  }
}

void HeatOverlay::drawPages(QCPPainter* painter, const QCPAxisRect& map, double baseline) const {
  const QRectF rect = map.rect();
  const QFontMetricsF metrics(painter->font());
  const std::vector<AxisMark>& marks = plot_->sheet_.pages;
  const double whole = pixel(map, plot_->firstGrid()->end()) - pixel(map, plot_->firstGrid()->start());
  const double wanted = kShortestLabel * static_cast<double>(marks.size()) / std::max(1.0, whole);
  const auto step = static_cast<std::size_t>(std::max(1.0, roundStep(wanted)));
  std::vector<MarkBox> boxes;
  QStringList texts;
  std::size_t firstNumber = 1;
  for (std::size_t index = step - 1; index < marks.size(); index += step) {
    const double start = columnPixel(map, marks[index].chunk);
    if (start < rect.left() || start > rect.right() + kLabelGap) continue;
    if (boxes.empty()) firstNumber = (index + 1) / step;
    const double half = metrics.horizontalAdvance(marks[index].label) / 2;
    boxes.push_back({start - half, start + half, marks[index].level});
    texts.append(marks[index].label);
  }
  const std::vector<bool> shown = thinEvenly(boxes, kLabelGap, firstNumber);
  QColor faint = plot_->palette().color(QPalette::Text);
  faint.setAlphaF(0.75F);
  painter->setPen(faint);
  for (std::size_t index = 0; index < boxes.size(); ++index) {
    if (!shown[index] || boxes[index].right > rect.right() + kLabelGap) continue;
    const double start = (boxes[index].left + boxes[index].right) / 2;
    painter->drawText(QPointF(boxes[index].left, baseline - metrics.descent()),
                      texts[static_cast<qsizetype>(index)]);
    painter->drawLine(QPointF(start, baseline), QPointF(start, rect.top()));
  }
}

void HeatOverlay::drawColumns(QCPPainter* painter, const QCPAxisRect& map) const {
  const QRectF rect = map.rect();
  const auto box = [&](int column) {
    const double left = columnPixel(map, column), right = columnPixel(map, column + 1);
    return QRectF(QPointF(left, rect.top()), QPointF(std::max(right, left + 1.5), rect.bottom()));
  };
  const int columns = plot_->firstGrid()->columns();
  for (const int column : plot_->sheet_.outlined) {
    if (column < 0 || column >= columns) continue;
    const QRectF place = box(column);
    if (place.right() < rect.left() || place.left() > rect.right()) continue;
    if (place.width() > 4) drawOutline(painter, place.adjusted(0, 1, 0, -1), Qt::SolidLine);
    drawPointer(painter, place.center().x(), rect.top(), 5, plot_->palette().color(QPalette::Text));
  }
  if (!plot_->highlighted_ || *plot_->highlighted_ < 0 || *plot_->highlighted_ >= columns ||
      plot_->isExporting_)
    return;
  drawOutline(painter, box(*plot_->highlighted_).adjusted(-1, 1, 1, -1), Qt::DashLine);
}

void HeatOverlay::drawCursor(QCPPainter* painter, std::size_t map) const {
  if (!plot_->cursor_) return;
  HeatCell cell = *plot_->cursor_;
  const bool isHere = cell.map == static_cast<int>(map);
  cell.map = static_cast<int>(map);
  const QRectF place = plot_->cellRect(cell);
  if (place.isNull()) return;
  if (!isHere) {
    drawOutline(painter, place, Qt::SolidLine);
    return;
  }
  const QRectF rect = plot_->rects_[map]->rect();
  const QPointF middle = place.center();
  const bool hasRows = plot_->sheet_.maps[map].grid->rows() > 1;
  painter->setAntialiasing(false);
  for (const QPen& pen : {QPen(QColor(0, 0, 0, 130), 3), QPen(QColor(255, 255, 255, 210), 1)}) {
    painter->setPen(pen);
    if (hasRows) {
      painter->drawLine(QPointF(rect.left(), middle.y()), QPointF(place.left(), middle.y()));
      painter->drawLine(QPointF(place.right(), middle.y()), QPointF(rect.right(), middle.y()));
    }
    painter->drawLine(QPointF(middle.x(), rect.top()), QPointF(middle.x(), place.top()));
    painter->drawLine(QPointF(middle.x(), place.bottom()), QPointF(middle.x(), rect.bottom()));
  }
  drawOutline(painter, place, Qt::SolidLine);
}

}  // namespace kvasir
