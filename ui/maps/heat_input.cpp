// The view and the cursor of a HeatPlot: mouse, keys and wheel.

#include <algorithm>
#include <cmath>

#include <QContextMenuEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QWheelEvent>

#include "ui/maps/heat_overlay.h"
#include "ui/maps/heat_plot.h"

namespace kvasir {
namespace {

constexpr double kNearestColumns = 3;  // no zoom shows fewer columns
constexpr double kWheelStep = 1.25;    // a notch of the wheel
constexpr double kPanStep = 0.1;       // of the view
constexpr int kLongStep = 10;          // columns or rows, with Shift

}  // namespace

void HeatPlot::setView(double from, double to) {
  const BinnedGrid* grid = firstGrid();
  if (!grid || grid->columns() == 0) return;
  const double whole = grid->end() - grid->start();
  const double span = std::clamp(to - from, std::min(whole, kNearestColumns * whole / grid->columns()), whole);
  from_ = std::clamp(from, grid->start(), grid->end() - span);
  to_ = from_ + span;
  for (QCPAxisRect* rect : rects_) rect->axis(QCPAxis::atBottom)->setRange(from_, to_);
  if (profileRect_) profileRect_->axis(QCPAxis::atBottom)->setRange(from_, to_);
  replot(rpQueuedReplot);
}

void HeatPlot::zoom(double factor, double around) {
  const BinnedGrid* grid = firstGrid();
  if (!grid || grid->columns() == 0) return;
  const double whole = grid->end() - grid->start();
  const double nearest = std::min(whole, kNearestColumns * whole / grid->columns());
  const double span = std::clamp((to_ - from_) / factor, nearest, whole);
  const double part = (around - from_) / (to_ - from_);
  setView(around - part * span, around - part * span + span);
}

void HeatPlot::zoomAtCursor(double factor) {
  double around = (from_ + to_) / 2;
  if (cursor_ && firstGrid()) {
    const double middle =
        (firstGrid()->columnStart(cursor_->column) + firstGrid()->columnEnd(cursor_->column)) / 2;
    if (middle >= from_ && middle <= to_) around = middle;
  }
  zoom(factor, around);
}

void HeatPlot::pan(double partOfView) {
  const double step = partOfView * (to_ - from_);
  setView(from_ + step, to_ + step);
}

void HeatPlot::showAll() {
  if (firstGrid()) setView(firstGrid()->start(), firstGrid()->end());
  replot(rpQueuedReplot);
}

QRectF HeatPlot::cellRect(const HeatCell& cell) const {
  const auto map = static_cast<std::size_t>(cell.map);
  if (cell.map < 0 || map >= rects_.size()) return {};
  const BinnedGrid& grid = *sheet_.maps[map].grid;
  if (cell.column < 0 || cell.column >= grid.columns() || cell.row < 0 || cell.row >= grid.rows()) return {};
  const QCPAxis* columns = rects_[map]->axis(QCPAxis::atBottom);
  const QCPAxis* rows = rects_[map]->axis(QCPAxis::atLeft);
  const double left = columns->coordToPixel(grid.columnStart(cell.column));
  const double right = std::max(left + 3, columns->coordToPixel(grid.columnEnd(cell.column)));
  const QRectF place(QPointF(left, rows->coordToPixel(cell.row + 0.5)),
                     QPointF(right, rows->coordToPixel(cell.row - 0.5)));
  return place.intersected(rects_[map]->rect());
}

std::optional<HeatCell> HeatPlot::cellAt(const QPointF& point) const {
  for (std::size_t map = 0; map < rects_.size(); ++map) {
    if (!QRectF(rects_[map]->rect()).contains(point)) continue;
    const BinnedGrid& grid = *sheet_.maps[map].grid;
    if (grid.columns() == 0 || grid.rows() == 0) return std::nullopt;
    const double position = rects_[map]->axis(QCPAxis::atBottom)->pixelToCoord(point.x());
    const double row = rects_[map]->axis(QCPAxis::atLeft)->pixelToCoord(point.y());
    return HeatCell{static_cast<int>(map), std::clamp(static_cast<int>(std::lround(row)), 0, grid.rows() - 1),
                    grid.columnAt(position)};
  }
  if (!profileRect_ || !firstGrid() || !QRectF(profileRect_->rect()).contains(point)) return std::nullopt;
  if (firstGrid()->columns() == 0) return std::nullopt;
  return HeatCell{0, 0, firstGrid()->columnAt(profileRect_->axis(QCPAxis::atBottom)->pixelToCoord(point.x()))};
}

void HeatPlot::pointAt(std::optional<HeatCell> cell) {
  if (cell == cursor_) return;
  setCursorCell(cell);
  Q_EMIT pointed(cell);
}

void HeatPlot::moveCursor(int rows, int columns) {
  const BinnedGrid* grid = firstGrid();
  if (!grid || grid->columns() == 0 || grid->rows() == 0) return;
  HeatCell cell = cursor_.value_or(HeatCell{0, grid->rows() / 2, grid->columnAt((from_ + to_) / 2)});
  if (cursor_) {
    // Over the edge of one map lies the next.
    const int row = cell.row + rows, maps = static_cast<int>(sheet_.maps.size());
    if (row < 0 && cell.map + 1 < maps)
      cell = {cell.map + 1, grid->rows() - 1, cell.column};
    else if (row >= grid->rows() && cell.map > 0)
      cell = {cell.map - 1, 0, cell.column};
    else
      cell.row = std::clamp(row, 0, grid->rows() - 1);
    const double pixels = std::max(1, rects_[0]->width());
    const double columnsInView = grid->columns() * (to_ - from_) / (grid->end() - grid->start());
    const int step = std::max(1, static_cast<int>(std::ceil(columnsInView / pixels)));
    cell.column = std::clamp(cell.column + columns * step, 0, grid->columns() - 1);
  }
  const double start = grid->columnStart(cell.column), end = grid->columnEnd(cell.column), span = to_ - from_;
  if (start < from_)
    setView(start, start + span);
  else if (end > to_)
    setView(end - span, end);
  pointAt(cell);
}

bool HeatPlot::moveByKey(int key, int step) {
  switch (key) {
    case Qt::Key_Left:
      moveCursor(0, -step);
      return true;
    case Qt::Key_Right:
      moveCursor(0, step);
      return true;
    case Qt::Key_Up:
      moveCursor(step, 0);
      return true;
    case Qt::Key_Down:
      moveCursor(-step, 0);
      return true;
    default:
      return false;
  }
}

bool HeatPlot::panByKey(int key) {
  switch (key) {
    case Qt::Key_Left:
      pan(-kPanStep);
      return true;
    case Qt::Key_Right:
      pan(kPanStep);
      return true;
    default:
      return false;
  }
}

void HeatPlot::keyPressEvent(QKeyEvent* event) {
  const bool isPan = event->modifiers() & Qt::ControlModifier;
  if (isPan && panByKey(event->key())) return;
  if (!isPan && moveByKey(event->key(), event->modifiers() & Qt::ShiftModifier ? kLongStep : 1)) return;
  switch (event->key()) {
    case Qt::Key_Plus:
    case Qt::Key_Equal:
      zoomAtCursor(2);
      return;
    case Qt::Key_Minus:
      zoomAtCursor(0.5);
      return;
    case Qt::Key_PageUp:
      pan(-1);
      return;
    case Qt::Key_PageDown:
      pan(1);
      return;
    case Qt::Key_Home:
      showAll();
      return;
    case Qt::Key_Return:
    case Qt::Key_Enter:
      if (cursor_) Q_EMIT activated(*cursor_);
      return;
    default:
      QCustomPlot::keyPressEvent(event);
  }
}

void HeatPlot::mousePressEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton) return;
  pressed_ = event->position();
  pressedFrom_ = from_;
  isDragging_ = false;
}

void HeatPlot::mouseMoveEvent(QMouseEvent* event) {
  if (!pressed_ || !(event->buttons() & Qt::LeftButton)) {
    pointAt(cellAt(event->position()));
    return;
  }
  const double moved = event->position().x() - pressed_->x();
  if (!isDragging_ && std::abs(moved) < QApplication::startDragDistance()) return;
  isDragging_ = true;
  setCursor(Qt::ClosedHandCursor);
  if (rects_.empty()) return;
  const double span = to_ - from_;
  const double from = pressedFrom_ - moved * span / std::max(1, rects_[0]->width());
  setView(from, from + span);
}

void HeatPlot::mouseReleaseEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton) return;
  const bool isClick = pressed_ && !isDragging_;
  pressed_.reset();
  isDragging_ = false;
  unsetCursor();
  const std::optional<HeatCell> cell = cellAt(event->position());
  pointAt(cell);
  if (isClick && cell) Q_EMIT activated(*cell);
}

void HeatPlot::mouseDoubleClickEvent(QMouseEvent* event) {
  const std::optional<HeatCell> cell = cellAt(event->position());
  if (cell) pointAt(cell);
  zoomAtCursor(4);
}

void HeatPlot::wheelEvent(QWheelEvent* event) {
  event->accept();
  if (rects_.empty()) return;
  const QPoint turned = event->angleDelta();
  const bool isPan = (event->modifiers() & Qt::ShiftModifier) || std::abs(turned.x()) > std::abs(turned.y());
  const int delta = std::abs(turned.x()) > std::abs(turned.y()) ? turned.x() : turned.y();
  if (isPan) {
    pan(-kPanStep * delta / 120.0);
    return;
  }
  zoom(std::pow(kWheelStep, delta / 120.0),
       rects_[0]->axis(QCPAxis::atBottom)->pixelToCoord(event->position().x()));
}

/// Of the cell under the mouse; by key, of the cursor's.
void HeatPlot::contextMenuEvent(QContextMenuEvent* event) {
  const bool isByMouse = event->reason() == QContextMenuEvent::Mouse;
  const std::optional<HeatCell> cell = isByMouse ? cellAt(event->pos()) : cursor_;
  if (!cell) return;
  pointAt(cell);
  Q_EMIT menuWished(*cell, isByMouse ? event->globalPos() : mapToGlobal(cellRect(*cell).center().toPoint()));
}

void HeatPlot::leaveEvent(QEvent* event) {
  pointAt(std::nullopt);
  QCustomPlot::leaveEvent(event);
}

void HeatPlot::focusInEvent(QFocusEvent* event) {
  QCustomPlot::focusInEvent(event);
  redrawOverlay();
}

void HeatPlot::focusOutEvent(QFocusEvent* event) {
  QCustomPlot::focusOutEvent(event);
  redrawOverlay();
}

bool HeatPlot::event(QEvent* event) {
  if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) {
    const bool handled = QCustomPlot::event(event);
    applyColors();
    replot(rpQueuedReplot);
    return handled;
  }
  return QCustomPlot::event(event);
}

}  // namespace kvasir
