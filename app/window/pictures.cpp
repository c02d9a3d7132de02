#include "app/cli/pictures.h"

#include <QApplication>

#include "app/text.h"
#include "app/window/evidence_of.h"
#include "ui/maps/curve_plot.h"
#include "ui/maps/map_file.h"
#include "ui/maps/map_sheets.h"

namespace kvasir {
namespace {

/// Drawing into files needs an application, but no display.
class Studio {
 public:
  Studio() : isOffscreen_(qputenv("QT_QPA_PLATFORM", "offscreen")), application_(count_, words_) {}

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

}  // namespace

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
  constexpr int kWidth = 1100, kMapHeight = 330, kAxesHeight = 90;
  HeatPlot plot;
  plot.resize(kWidth, kMapHeight * static_cast<int>(sheet.maps.size()) + kAxesHeight);
  plot.setSheet(std::move(sheet));
  throwIfAny(writeMapFile(plot, attentionTable(grids, choice.value), nameOf(file)));
}

void drawCurves(const std::vector<MethodCurve>& curves, const std::filesystem::path& file) {
  const Studio studio;
  constexpr double kMegabyte = 1e6;
  throwIfAny(writeCurves(
      {panel(curves, "Answers", "f1", [](const LengthMeans& means) { return std::optional(means.f1); }),
       panel(curves, "Evidence attended", "recall", [](const LengthMeans& means) { return means.recall; }),
       panel(curves, "First token", "seconds",
             [](const LengthMeans& means) { return std::optional(means.firstTokenSeconds); }),
       panel(curves, "Keys and values", "MB, on disk and in memory",
             [](const LengthMeans& means) { return std::optional(means.kvBytes / kMegabyte); })},
      nameOf(file)));
}

}  // namespace kvasir
