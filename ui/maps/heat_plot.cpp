#include "ui/maps/heat_plot.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <QFontMetrics>

#include "ui/maps/heat_overlay.h"
#include "ui/maps/plot_file.h"
#include "ui/save_whole.h"

namespace kvasir {
namespace {

constexpr unsigned char kDimmed = 70;           // of 255, where a chunk was not attended
constexpr double kVectorBins = 2;               // bins a point in SVG and PDF
constexpr QColor kNothingThere(110, 110, 110);  // behind a map: where there is no value, or little weight
const char* const kOverlayLayer = "kvasir overlay";

/// Marks rows as densely as a map is high: the numbers of a low map do not run into each other. Marks are set
/// before the plot is laid out, so the height is reckoned from the plot's. maps: that stand one above the
/// other.
class RowTicker : public QCPAxisTickerFixed {
 public:
  RowTicker(const QCPAxis* axis, std::size_t maps) : axis_(axis), maps_(static_cast<double>(maps)) {}

 protected:
  double getTickStep(const QCPRange& range) override {
    const double line = QFontMetrics(axis_->tickLabelFont()).height();
    const double height = axis_->parentPlot()->viewport().height() / maps_ - 3 * line;
    return std::max(1.0, roundStep(range.size() / std::clamp(height / (1.6 * line), 1.0, 7.0)));
  }

 private:
  const QCPAxis* axis_;
  double maps_;
};

}  // namespace

HeatPlot::HeatPlot(QWidget* parent) : QCustomPlot(parent) {
  setFocusPolicy(Qt::StrongFocus);
  setMouseTracking(true);
  setAccessibleName(tr("Map"));
  setAutoAddPlottableToLegend(false);
  setInteractions(QCP::iNone);
  setLocale(QLocale());
  addLayer(QLatin1String(kOverlayLayer));
  layer(QLatin1String(kOverlayLayer))->setMode(QCPLayer::lmBuffered);
  overlay_ = new HeatOverlay(this);
  overlay_->setLayer(QLatin1String(kOverlayLayer));
  margins_ = new QCPMarginGroup(this);
  plotLayout()->clear();
  connect(this, &QCustomPlot::afterLayout, this, &HeatPlot::fillMaps);
  applyColors();
}

const BinnedGrid* HeatPlot::firstGrid() const {
  return sheet_.maps.empty() ? nullptr : sheet_.maps[0].grid.get();
}

void HeatPlot::setSheet(HeatSheet sheet) {
  const BinnedGrid* before = firstGrid();
  const int columns = before ? before->columns() : -1;
  const double start = before ? before->start() : 0, end = before ? before->end() : 0;
  sheet_ = std::move(sheet);
  buildLayout();
  const BinnedGrid* grid = firstGrid();
  const bool isSame = grid && grid->columns() == columns && grid->start() == start && grid->end() == end;
  if (!isSame) cursor_.reset();
  if (cursor_) {
    cursor_->map = std::min(cursor_->map, static_cast<int>(sheet_.maps.size()) - 1);
    cursor_->row = std::min(cursor_->row, grid->rows() - 1);
  }
  if (grid && isSame)
    setView(from_, to_);
  else
    showAll();
}

void HeatPlot::setLook(const HeatLook& look) {
  look_ = look;
  applyGradient();
  replot(rpQueuedReplot);
}

void HeatPlot::highlight(std::optional<int> column) {
  if (column == highlighted_) return;
  highlighted_ = column;
  redrawOverlay();
}

void HeatPlot::setCursorCell(std::optional<HeatCell> cell) {
  if (cell == cursor_) return;
  cursor_ = cell;
  redrawOverlay();
}

void HeatPlot::redrawOverlay() {
  if (isVisible()) layer(QLatin1String(kOverlayLayer))->replot();
}

// A column of maps, or a row of them, each under its title, and the colour scale at the right of them all.
void HeatPlot::buildLayout() {
  clearPlottables();
  colorMaps_.clear();
  windows_.assign(sheet_.maps.size(), {});
  rects_.clear();
  profile_ = nullptr;
  profileRect_ = nullptr;
  scale_ = nullptr;
  plotLayout()->clear();
  plotLayout()->simplify();
  if (sheet_.maps.empty()) return;
  auto* grid = new QCPLayoutGrid;
  grid->setRowSpacing(2);
  plotLayout()->addElement(0, 0, grid);
  for (std::size_t index = 0; index < sheet_.maps.size(); ++index) addRect(grid, index);
  if (sheet_.hasProfile) addProfile(grid);
  addScale();
  for (QCPAxisRect* rect : axisRects()) {
    if (rect != scale_->axis()->axisRect()) rect->setMarginGroup(QCP::msLeft | QCP::msRight, margins_);
  }
  if (profileRect_) profileRect_->setMarginGroup(QCP::msBottom, margins_);
  for (std::size_t index = 0; index < rects_.size(); ++index)
    if (hasPositions(index)) rects_[index]->setMarginGroup(QCP::msBottom, margins_);
  scale_->setMarginGroup(QCP::msBottom, margins_);
  applyColors();
  applyGradient();
}

bool HeatPlot::hasPositions(std::size_t index) const {
  return sheet_.isBeside || (index + 1 == sheet_.maps.size() && !sheet_.hasProfile);
}

void HeatPlot::addRect(QCPLayoutGrid* grid, std::size_t index) {
  const bool isUppermost = sheet_.isUppermost(index);
  const int row = sheet_.isBeside ? 0 : grid->rowCount(), column = sheet_.isBeside ? grid->columnCount() : 0;
  const int rows = sheet_.maps[index].grid->rows();
  auto* title = new QCPTextElement(this, sheet_.maps[index].title, font());
  title->setTextFlags(Qt::AlignLeft | Qt::AlignVCenter);
  title->setMargins(QMargins(4, isUppermost ? 2 : 6, 0, 0));
  grid->addElement(row, column, title);
  auto* rect = new QCPAxisRect(this, true);
  if (isUppermost)
    rect->setMinimumMargins(QMargins(0, headerHeight(), 8, 0));
  else
    rect->setMinimumMargins(QMargins(0, 6, 8, 0));
  rect->setMinimumSize(60, 24);
  grid->addElement(row + 1, column, rect);
  rects_.push_back(rect);
  QCPAxis* rowsAxis = rect->axis(QCPAxis::atLeft);
  rowsAxis->setRange(-0.5, rows - 0.5);
  rowsAxis->setLabel(rows > 1 ? sheet_.rowAxis : QString());
  rowsAxis->setTicks(rows > 1);
  rowsAxis->setTickLabels(rows > 1);
  rowsAxis->setSubTicks(false);
  rowsAxis->setTicker(QSharedPointer<RowTicker>::create(rowsAxis, sheet_.stacked()));
  QCPAxis* columnsAxis = rect->axis(QCPAxis::atBottom);
  columnsAxis->setTickLabels(hasPositions(index));
  columnsAxis->setLabel(hasPositions(index) ? sheet_.columnAxis : QString());
  columnsAxis->setSubTicks(false);
  columnsAxis->setNumberFormat(QStringLiteral("f"));
  columnsAxis->setNumberPrecision(0);
  if (sheet_.numbersColumns) numberColumns(columnsAxis);
  for (QCPAxis* axis : rect->axes()) axis->grid()->setVisible(false);
  auto* map = new QCPColorMap(columnsAxis, rowsAxis);
  map->setInterpolate(false);
  map->setTightBoundary(false);
  colorMaps_.push_back(map);
}

void HeatPlot::numberColumns(QCPAxis* axis) {
  const BinnedGrid& grid = *firstGrid();
  const int step = static_cast<int>(std::max(1.0, roundStep(grid.columns() / 16.0)));
  const auto ticker = QSharedPointer<QCPAxisTickerText>::create();
  for (int column = 0; column < grid.columns(); column += step) {
    ticker->addTick((grid.columnStart(column) + grid.columnEnd(column)) / 2, QString::number(column));
  }
  axis->setTicker(ticker);
}

void HeatPlot::addProfile(QCPLayoutGrid* grid) {
  profileRect_ = new QCPAxisRect(this, true);
  profileRect_->setMinimumMargins(QMargins(0, 8, 8, 0));
  grid->addElement(grid->rowCount(), 0, profileRect_);
  grid->setRowStretchFactor(grid->rowCount() - 1, 2);
  QCPAxis* columnsAxis = profileRect_->axis(QCPAxis::atBottom);
  columnsAxis->setLabel(sheet_.columnAxis);
  columnsAxis->setSubTicks(false);
  columnsAxis->setNumberFormat(QStringLiteral("f"));
  columnsAxis->setNumberPrecision(0);
  columnsAxis->grid()->setVisible(false);
  QCPAxis* values = profileRect_->axis(QCPAxis::atLeft);
  values->setRange(0, 1.02);
  values->setSubTicks(false);
  const auto ticker = QSharedPointer<QCPAxisTickerText>::create();
  for (const ScaleMark& mark : sheet_.scaleMarks) ticker->addTick(mark.position, mark.text);
  values->setTicker(ticker);
  profile_ = addGraph(columnsAxis, values);
  profile_->setLineStyle(QCPGraph::lsStepLeft);
  profile_->setAdaptiveSampling(false);
}

void HeatPlot::addScale() {
  scale_ = new QCPColorScale(this);
  scale_->setType(QCPAxis::atRight);
  scale_->setBarWidth(12);
  scale_->setLabel(sheet_.scaleTitle);
  const int title = QFontMetrics(font()).height() + 4;
  scale_->setMinimumMargins(QMargins(0, headerHeight() + title, 2, 0));
  const auto ticker = QSharedPointer<QCPAxisTickerText>::create();
  for (const ScaleMark& mark : sheet_.scaleMarks) ticker->addTick(mark.position, mark.text);
  scale_->axis()->setTicker(ticker);
  scale_->axis()->setSubTicks(false);
  scale_->setDataRange(QCPRange(0, 1));
  scale_->setRangeDrag(false);
  scale_->setRangeZoom(false);
  plotLayout()->addElement(0, 1, scale_);
  plotLayout()->setColumnStretchFactor(1, 0.001);
  for (QCPColorMap* map : colorMaps_) map->setColorScale(scale_);
}

int HeatPlot::headerHeight() const {
  const int lines = (sheet_.sections.empty() ? 0 : 1) + (sheet_.pages.empty() ? 0 : 1);
  return 8 + lines * (QFontMetrics(font()).lineSpacing() + 2);
}

void HeatPlot::colorAxis(QCPAxis* axis) {
  const QColor text = palette().color(QPalette::Text);
  axis->setBasePen(QPen(text));
  axis->setTickPen(QPen(text));
  axis->setSubTickPen(QPen(text));
  axis->setTickLabelColor(text);
  axis->setLabelColor(text);
  axis->setTickLabelFont(font());
  axis->setLabelFont(font());
}

void HeatPlot::applyColors() {
  setBackground(QBrush(palette().color(QPalette::Base)));
  for (QCPAxisRect* rect : axisRects()) {
    rect->setBackground(QBrush(rect == profileRect_ ? palette().color(QPalette::Base) : kNothingThere));
    for (QCPAxis* axis : rect->axes()) colorAxis(axis);
  }
  if (scale_) colorAxis(scale_->axis());
  if (profile_) {
    QColor fill = palette().color(QPalette::Highlight);
    profile_->setPen(QPen(fill, 1));
    fill.setAlphaF(0.35F);
    profile_->setBrush(fill);
  }
  if (sheet_.maps.empty()) return;
  auto* grid = qobject_cast<QCPLayoutGrid*>(plotLayout()->element(0, 0));
  for (int at = 0; grid && at < grid->elementCount(); ++at) {
    auto* title = qobject_cast<QCPTextElement*>(grid->elementAt(at));
    if (!title) continue;
    QFont strong = font();
    strong.setBold(true);
    title->setFont(strong);
    title->setTextColor(palette().color(QPalette::Text));
  }
}

void HeatPlot::applyGradient() {
  if (!scale_) return;
  QCPColorGradient gradient;
  gradient.clearColorStops();
  const std::vector<QColor>& anchors = colorAnchors(look_.colors);
  for (std::size_t index = 0; index < anchors.size(); ++index) {
    gradient.setColorStopAt(static_cast<double>(index) / static_cast<double>(anchors.size() - 1),
                            anchors[index]);
  }
  gradient.setNanHandling(QCPColorGradient::nhTransparent);
  scale_->setGradient(gradient);
}

int HeatPlot::binCount(const QCPAxisRect& rect) const {
  double ratio = exportBins_ > 0 ? exportBins_ : bufferDevicePixelRatio();
  // Where columns are finer than points, finer bins would show nothing more.
  const BinnedGrid& grid = *firstGrid();
  const double columnsInView = grid.columns() * (to_ - from_) / (grid.end() - grid.start());
  if (columnsInView > rect.width()) ratio = std::min(ratio, 1.0);
  return std::clamp(static_cast<int>(std::lround(rect.width() * ratio)), 2, 8192);
}

void HeatPlot::fillMaps() {
  for (std::size_t index = 0; index < colorMaps_.size(); ++index) fillMap(index);
}

void HeatPlot::fillMap(std::size_t index) {
  const HeatMap& map = sheet_.maps[index];
  const int wanted = binCount(*rects_[index]), rows = map.grid->rows();
  const int first = look_.hidesFirst ? 1 : 0;
  BinWindow& window = windows_[index].values;
  const std::vector<float>& values = window.move(map.grid, from_, to_, wanted, look_.rule, first, map.scale);
  const std::vector<float>* attended = nullptr;
  if (map.attended) {
    attended =
        &windows_[index].attended.move(map.attended, from_, to_, wanted, BinRule::Maximum, first, ValueScale());
  }
  const int bins = window.count();
  const double start = window.start() + window.width() / 2;
  // A map of one row is drawn as two equal rows: QCPColorMap knows a row's height only from the next one.
  const int drawn = rows == 1 ? 2 : rows;
  const QCPRange rowRange = rows == 1 ? QCPRange(-0.25, 0.25) : QCPRange(0, rows - 1);
  QCPColorMapData* data = colorMaps_[index]->data();
  data->setSize(bins, drawn);
  data->setRange(QCPRange(start, start + window.width() * (bins - 1)), rowRange);
  if (!attended) data->clearAlpha();
  for (int row = 0; row < drawn; ++row) {
    const std::size_t offset =
        static_cast<std::size_t>(std::min(row, rows - 1)) * static_cast<std::size_t>(bins);
    for (int bin = 0; bin < bins; ++bin) {
      const std::size_t at = offset + static_cast<std::size_t>(bin);
      data->setCell(bin, row, static_cast<double>(values[at]));
      if (attended) data->setAlpha(bin, row, (*attended)[at] > 0 ? 255 : kDimmed);
    }
  }
  if (profile_ && index == 0) fillProfile(values, window);
}

void HeatPlot::fillProfile(const std::vector<float>& values, const BinWindow& window) {
  const auto points = QSharedPointer<QCPGraphDataContainer>::create();
  QVector<QCPGraphData> added;
  for (std::size_t bin = 0; bin < values.size(); ++bin) {
    const double start = window.start() + static_cast<double>(bin) * window.width();
    added.append(QCPGraphData(start, static_cast<double>(values[bin])));
  }
  points->add(added, true);
  profile_->setData(points);
}

bool HeatPlot::writePng(const QString& file) {
  isExporting_ = true;
  const QByteArray bytes = pngOf(*this);
  isExporting_ = false;
  replot(rpQueuedReplot);
  return saveWhole(bytes, file).isEmpty();
}

bool HeatPlot::writeSvg(const QString& file) {
  isExporting_ = true;
  exportBins_ = kVectorBins;
  const QByteArray bytes = svgOf(*this, palette().color(QPalette::Base));
  exportBins_ = 0;
  isExporting_ = false;
  replot(rpQueuedReplot);
  return saveWhole(bytes, file).isEmpty();
}

bool HeatPlot::writePdf(const QString& file) {
  isExporting_ = true;
  exportBins_ = kVectorBins;
  const QByteArray bytes = pdfOf(*this);
  exportBins_ = 0;
  isExporting_ = false;
  replot(rpQueuedReplot);
  return saveWhole(bytes, file).isEmpty();
}

}  // namespace kvasir
