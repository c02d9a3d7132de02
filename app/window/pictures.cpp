#include "app/cli/pictures.h"

#include <QApplication>
#include <clocale>

#include "app/text.h"
#include "app/window/evidence_of.h"
#include "ui/maps/curve_plot.h"
#include "ui/maps/grid_plot.h"
#include "ui/maps/map_file.h"
#include "ui/maps/map_sheets.h"
#include "ui/maps/plot_file.h"

namespace kvasir {
namespace {

constexpr double kMegabyte = 1e6;

/// Drawing into files needs an application, but no display.
class Studio {
 public:
  Studio() : isOffscreen_(qputenv("QT_QPA_PLATFORM", "offscreen")), application_(count_, words_) {
    std::setlocale(LC_NUMERIC, "C");  // Qt takes the user's, and figures that are written would have commas
  }

 private:
  bool isOffscreen_;
  int count_ = 1;
  char name_[11] = "kvasir-cli";
  char* words_[2] = {name_, nullptr};
  QApplication application_;
};

QString nameOf(const std::filesystem::path& file) { return QString::fromStdString(utf8Of(file)); }

void throwIfAny(const QString& problem) {
  if (!problem.isEmpty()) throw std::runtime_error(problem.toStdString());
}

CurvePanel panel(const std::vector<MethodCurve>& curves, const char* title, const char* axis,
                 const std::function<std::optional<double>(const LengthMeans&)>& valueOf) {
  CurvePanel panel{QObject::tr(title), QObject::tr("document, tokens"), QObject::tr(axis), true, false, {}};
  for (const MethodCurve& curve : curves) {
    PlotCurve& drawn = panel.curves.emplace_back(PlotCurve{QString::fromStdString(curve.name), {}});
    for (const LengthMeans& means : curve.points)
      if (const auto value = valueOf(means))
        drawn.points.emplace_back(static_cast<double>(means.tokens), *value);
    std::sort(drawn.points.begin(), drawn.points.end());
  }
  return panel;
}

CurvePanel panel(const std::vector<MethodCost>& costs, const char* title, const char* axis,
                 const std::function<double(const MethodCost&)>& valueOf) {
  CurvePanel panel{QObject::tr(title), QObject::tr("budget, tokens"), QObject::tr(axis), true, false, {}};
  for (const MethodCost& cost : costs) {
    const QString name = QString::fromStdString(cost.method);
    auto drawn = std::ranges::find(panel.curves, name, &PlotCurve::name);
    if (drawn == panel.curves.end()) drawn = panel.curves.insert(drawn, PlotCurve{name, {}});
    drawn->points.emplace_back(cost.budgetTokens, valueOf(cost));
  }
  for (PlotCurve& curve : panel.curves) std::sort(curve.points.begin(), curve.points.end());
  return panel;
}

CurvePanel panel(const std::vector<MethodSpeed>& speeds, const char* title, const char* kind, const char* axis,
                 const std::function<double(const BenchResult&)>& valueOf) {
  // Reading after so many tokens is another curve than from the beginning; generating goes by what stands
  // before.
  const bool isRead = std::string_view(kind) == "read";
  const QString length = isRead ? QObject::tr("tokens read") : QObject::tr("tokens, with those before");
  CurvePanel panel{QObject::tr(title), length, QObject::tr(axis), true, true, {}};
  for (const MethodSpeed& speed : speeds) {
    if (speed.result.kind != kind) continue;
    QString name = QString::fromStdString(speed.method);
    if (isRead && speed.result.depth > 0)
      name = QObject::tr("%1, after %2").arg(name, QString::fromStdString(withCommas(speed.result.depth)));
    auto drawn = std::ranges::find(panel.curves, name, &PlotCurve::name);
    if (drawn == panel.curves.end()) drawn = panel.curves.insert(drawn, PlotCurve{name, {}});
    drawn->points.emplace_back(speed.result.tokens + (isRead ? 0 : speed.result.depth), valueOf(speed.result));
  }
  for (PlotCurve& curve : panel.curves) std::sort(curve.points.begin(), curve.points.end());
  return panel;
}

/// Lengths from left to right, depths from top to bottom.
ShareGrid shareGrid(const NeedleGrid& grid, const QString& title, double NeedleCell::*share) {
  ShareGrid drawn{title, QObject::tr("text, tokens"), QObject::tr("depth"), {}, {}, {}};
  const std::vector<int> lengths = grid.lengths();
  const std::vector<double> depths = grid.depths();
  for (const int length : lengths) drawn.columns.push_back(QString::fromStdString(withCommas(length)));
  for (const double depth : depths) drawn.rows.push_back(QStringLiteral("%1 %").arg(depth));
  drawn.shares.resize(lengths.size() * depths.size());
  for (const NeedleCell& cell : grid.cells()) {
    const auto column = std::lower_bound(lengths.begin(), lengths.end(), cell.length) - lengths.begin();
    const auto row = std::lower_bound(depths.begin(), depths.end(), cell.depth) - depths.begin();
    drawn.shares[static_cast<std::size_t>(row) * lengths.size() + static_cast<std::size_t>(column)] =
        cell.*share;
  }
  return drawn;
}

}  // namespace

void checkPicture(const std::filesystem::path& file) {
  if (!file.empty()) throwIfAny(plotNameProblem(nameOf(file)));
}

void drawMap(const MapResult& result, const std::filesystem::path& file) {
  const Studio studio;
  const AskedDocument asked{{}, {}, std::make_shared<const Document>(result.document)};
  const std::shared_ptr<AnswerMaps> maps = mapsOf({asked}, result.reading, result.retrieved);
  maps->full = result.full;
  maps->goldChunks = result.marked;
  const MapGrids grids = gridsOf(maps);
  if (!grids.share) throw std::runtime_error("There is nothing to draw: the document has no chunks.");
  if (result.kind == MapKind::Retriever && !grids.score)
    throw std::runtime_error("The method " + maps->method.toStdString() +
                             " gives chunks no scores; choose --kind attention.");
  SheetChoice choice;
  choice.value = result.kind == MapKind::Attention || !grids.score ? MapValue::Share : MapValue::Score;
  HeatSheet sheet = attentionSheet(grids, choice);
  if (result.kind == MapKind::Attention) sheet.maps.resize(1);
  sheet.isBeside = result.isBeside;
  constexpr int kWidth = 1100, kWidthBeside = 1600, kMapHeight = 330, kAxesHeight = 90;
  HeatPlot plot;
  plot.resize(sheet.isBeside ? kWidthBeside : kWidth,
              kMapHeight * static_cast<int>(sheet.stacked()) + kAxesHeight);
  plot.setSheet(std::move(sheet));
  throwIfAny(writeMapFile(plot, attentionTable(grids, choice.value), nameOf(file)));
}

void drawCurves(const std::vector<MethodCurve>& curves, const std::filesystem::path& file) {
  const Studio studio;
  throwIfAny(writeCurves(
      {panel(curves, "Answers", "f1", [](const LengthMeans& means) { return std::optional(means.f1); }),
       panel(curves, "Evidence attended", "recall", [](const LengthMeans& means) { return means.recall; }),
       panel(curves, "First token", "seconds",
             [](const LengthMeans& means) { return std::optional(means.firstTokenSeconds); }),
       panel(curves, "Keys and values", "MB, on disk and in memory",
             [](const LengthMeans& means) { return std::optional(means.kvBytes / kMegabyte); })},
      nameOf(file)));
}

void drawCosts(const std::vector<MethodCost>& costs, const std::filesystem::path& file) {
  const Studio studio;
  throwIfAny(writeCurves(
      {panel(costs, "First token", "seconds", [](const MethodCost& cost) { return cost.firstTokenSeconds; }),
       panel(costs, "Keys and values", "MB, on disk and in memory",
             [](const MethodCost& cost) { return cost.kvBytes / kMegabyte; }),
       panel(costs, "Attended", "tokens, at most, of a layer",
             [](const MethodCost& cost) { return static_cast<double>(cost.attendedTokens); })},
      nameOf(file)));
}

void drawSpeeds(const std::vector<MethodSpeed>& speeds, const std::filesystem::path& file) {
  const Studio studio;
  const auto speed = [](const BenchResult& result) { return result.tokensPerSecond; };
  const auto seconds = [](const BenchResult& result) { return result.tokens / result.tokensPerSecond; };
  std::vector<CurvePanel> panels{panel(speeds, "Reading", "read", "tokens per second", speed),
                                 panel(speeds, "Time to read", "read", "seconds", seconds),
                                 panel(speeds, "Generating", "generate", "tokens per second", speed)};
  std::erase_if(panels, [](const CurvePanel& panel) { return panel.curves.empty(); });
  throwIfAny(writeCurves(panels, nameOf(file)));
}

void drawTraining(const std::vector<TrainingStep>& steps, const std::filesystem::path& file) {
  const Studio studio;
  PlotCurve loss{QObject::tr("texts learnt from"), {}}, heldOut{QObject::tr("texts held out"), {}};
  PlotCurve recall{heldOut.name, {}};
  for (const TrainingStep& step : steps) {
    if (step.loss) loss.points.emplace_back(step.step, *step.loss);
    if (step.heldOutLoss) heldOut.points.emplace_back(step.step, *step.heldOutLoss);
    if (step.heldOutRecall) recall.points.emplace_back(step.step, *step.heldOutRecall);
  }
  std::vector<CurvePanel> panels;
  panels.push_back(
      {QObject::tr("Loss"), QObject::tr("step"), QObject::tr("loss"), false, false, {loss, heldOut}});
  if (!recall.points.empty())
    panels.push_back(
        {QObject::tr("Evidence found"), QObject::tr("step"), QObject::tr("recall"), false, false, {recall}});
  throwIfAny(writeCurves(panels, nameOf(file)));
}

void drawNeedles(const std::vector<NeedleGrid>& grids, const std::filesystem::path& file) {
  const Studio studio;
  std::vector<ShareGrid> drawn;
  for (const NeedleGrid& grid : grids) {
    const QString name = QString::fromStdString(grid.name());
    drawn.push_back(shareGrid(grid, QObject::tr("%1: the answer holds it").arg(name), &NeedleCell::found));
    drawn.push_back(shareGrid(grid, QObject::tr("%1: its chunks are attended").arg(name), &NeedleCell::recall));
  }
  throwIfAny(writeShareGrids(drawn, nameOf(file)));
}

}  // namespace kvasir
