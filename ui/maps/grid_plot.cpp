#include "ui/maps/grid_plot.h"

#include <algorithm>
#include <limits>

#include "ui/maps/color_maps.h"
#include "ui/maps/plot_file.h"
#include "ui/maps/plot_library.h"

namespace kvasir {
namespace {

constexpr ColorMap kColors = ColorMap::Cividis;
constexpr int kGridWidth = 460, kGridHeight = 260;

QCPColorGradient gradient() {
  QCPColorGradient colors;
  colors.clearColorStops();
  const std::vector<QColor>& anchors = colorAnchors(kColors);
  for (std::size_t i = 0; i < anchors.size(); ++i)
    colors.setColorStopAt(static_cast<double>(i) / static_cast<double>(anchors.size() - 1), anchors[i]);
  colors.setNanHandling(QCPColorGradient::nhTransparent);
  return colors;
}

/// Black or white, whichever is read more easily on a colour.
QColor inkOn(const QColor& paper) { return qGray(paper.rgb()) > 128 ? Qt::black : Qt::white; }

void nameTicks(QCPAxis* axis, const std::vector<QString>& names, const QString& label) {
  const QSharedPointer<QCPAxisTickerText> ticker(new QCPAxisTickerText);
  for (std::size_t i = 0; i < names.size(); ++i) ticker->addTick(static_cast<double>(i), names[i]);
  axis->setTicker(ticker);
  axis->setLabel(label);
  axis->setTickLength(0);
  axis->grid()->setVisible(false);
  axis->setRange(-0.5, static_cast<double>(names.size()) - 0.5);
}

void addCell(QCustomPlot& plot, QCPAxisRect* rect, int column, int row, double share) {
  auto* label = new QCPItemText(&plot);
  label->setClipAxisRect(rect);
  label->position->setAxes(rect->axis(QCPAxis::atBottom), rect->axis(QCPAxis::atLeft));
  label->position->setCoords(column, row);
  label->setText(QString::number(share, 'f', 2));
  label->setColor(inkOn(colorAt(kColors, share)));
}

/// From the middle of the first cell to that of the last; of a single cell, its edges.
QCPRange spanOf(int cells) { return cells > 1 ? QCPRange(0, cells - 1) : QCPRange(-0.5, 0.5); }

void addGrid(QCustomPlot& plot, const ShareGrid& grid, int row, int column, QCPColorScale* scale) {
  QCPAxisRect* rect = addTitledAxes(plot, grid.title, row, column);
  QCPAxis *x = rect->axis(QCPAxis::atBottom), *y = rect->axis(QCPAxis::atLeft);
  nameTicks(x, grid.columns, grid.columnAxis);
  nameTicks(y, grid.rows, grid.rowAxis);
  y->setRangeReversed(true);

  const int columns = static_cast<int>(grid.columns.size()), rows = static_cast<int>(grid.rows.size());
  auto* map = new QCPColorMap(x, y);
  map->setInterpolate(false);
  map->setColorScale(scale);
  map->data()->setSize(columns, rows);
  map->data()->setRange(spanOf(columns), spanOf(rows));
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c) {
      const std::optional<double>& share = grid.shares[static_cast<std::size_t>(r * columns + c)];
      map->data()->setCell(c, r, share.value_or(std::numeric_limits<double>::quiet_NaN()));
      if (share) addCell(plot, rect, c, r, *share);
    }
}

}  // namespace

QString writeShareGrids(const std::vector<ShareGrid>& grids, const QString& file) {
  QCustomPlot plot;
  const int rows = (static_cast<int>(grids.size()) + 1) / 2;
  plot.resize(2 * kGridWidth + 80, std::max(1, rows) * kGridHeight);
  plot.plotLayout()->clear();
  auto* scale = new QCPColorScale(&plot);
  scale->setType(QCPAxis::atRight);
  for (std::size_t i = 0; i < grids.size(); ++i)
    addGrid(plot, grids[i], static_cast<int>(i / 2), static_cast<int>(i % 2), scale);
  plot.plotLayout()->addElement(0, 2, scale);
  plot.plotLayout()->setColumnStretchFactor(2, 0.05);
  scale->setGradient(gradient());
  scale->setDataRange(QCPRange(0, 1));
  return writePlot(plot, file);
}

}  // namespace kvasir
