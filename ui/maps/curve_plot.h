#pragma once

#include <utility>
#include <vector>

#include <QString>

namespace kvasir {

/// One curve: ascending x, in the panel's units.
struct PlotCurve {
  QString name;
  std::vector<std::pair<double, double>> points;
};

/// Curves over one pair of axes.
struct CurvePanel {
  QString title, xAxis, yAxis;
  bool hasLogarithmicX = false, hasLogarithmicY = false;
  std::vector<PlotCurve> curves;
};

/// Draws panels two abreast, in colours that can be told apart by everybody, with one legend, and writes them
/// by the file's ending: .png, .svg or .pdf. Returns what went wrong as a sentence, empty when the file is
/// written.
QString writeCurves(const std::vector<CurvePanel>& panels, const QString& file);

}  // namespace kvasir
