#include "ui/maps/curve_plot.h"

#include <array>

#include "ui/maps/plot_file.h"
#include "ui/maps/plot_library.h"

namespace kvasir {
namespace {

// Okabe and Ito's colours, without the yellow that pale paper swallows.
constexpr std::array<QRgb, 7> kColors = {0xFF0072B2, 0xFFD55E00, 0xFF009E73, 0xFFCC79A7,
                                         0xFFE69F00, 0xFF56B4E9, 0xFF000000};
constexpr std::array<QCPScatterStyle::ScatterShape, 4> kShapes = {
    QCPScatterStyle::ssDisc, QCPScatterStyle::ssSquare, QCPScatterStyle::ssTriangle,
    QCPScatterStyle::ssDiamond};
constexpr int kPanelWidth = 460, kPanelHeight = 300;

void makeLogarithmic(QCPAxis* axis) {
  axis->setScaleType(QCPAxis::stLogarithmic);
  axis->setTicker(QSharedPointer<QCPAxisTickerLog>::create());
  axis->setNumberPrecision(6);
  axis->setNumberFormat(QStringLiteral("g"));
}

void addPanel(QCustomPlot& plot, const CurvePanel& panel, int row, int column, QCPLegend* legend) {
  const QCPAxisRect* rect = addTitledAxes(plot, panel.title, row, column);
  QCPAxis *x = rect->axis(QCPAxis::atBottom), *y = rect->axis(QCPAxis::atLeft);
  x->setLabel(panel.xAxis);
  y->setLabel(panel.yAxis);
  if (panel.hasLogarithmicX) makeLogarithmic(x);
  if (panel.hasLogarithmicY) makeLogarithmic(y);
  for (std::size_t i = 0; i < panel.curves.size(); ++i) {
    QCPGraph* graph = plot.addGraph(x, y);
    graph->removeFromLegend();
    const QColor color(kColors[i % kColors.size()]);
    graph->setName(panel.curves[i].name);
    graph->setPen(QPen(color, 2, i < kColors.size() ? Qt::SolidLine : Qt::DashLine));
    graph->setScatterStyle(QCPScatterStyle(kShapes[i % kShapes.size()], color, color, 7));
    for (const auto& [at, value] : panel.curves[i].points) graph->addData(at, value);
    if (legend) legend->addItem(new QCPPlottableLegendItem(legend, graph));
  }
  x->rescale();
  y->rescale();
  x->scaleRange(panel.hasLogarithmicX ? 1.2 : 1.1);
  if (panel.hasLogarithmicY) return y->scaleRange(1.5);
  y->setRange(0, std::max(1e-9, y->range().upper * 1.1));
}

}  // namespace

QString writeCurves(const std::vector<CurvePanel>& panels, const QString& file) {
  QCustomPlot plot;
  const int rows = (static_cast<int>(panels.size()) + 1) / 2;
  plot.resize(2 * kPanelWidth, rows * kPanelHeight + 60);
  plot.plotLayout()->clear();
  auto* foot = new QCPLayoutGrid;
  plot.plotLayout()->addElement(rows, 0, foot);
  auto* legend = new QCPLegend;
  foot->addElement(0, 0, legend);  // before its items, which belong to its plot
  legend->setLayer(QStringLiteral("legend"));
  legend->setFillOrder(QCPLayoutGrid::foColumnsFirst);
  legend->setWrap(4);
  legend->setBorderPen(Qt::NoPen);
  for (std::size_t i = 0; i < panels.size(); ++i)
    addPanel(plot, panels[i], static_cast<int>(i / 2), static_cast<int>(i % 2), i == 0 ? legend : nullptr);
  plot.plotLayout()->setRowStretchFactor(rows, 0.05);
  return writePlot(plot, file);
}

}  // namespace kvasir
