#pragma once

#include <QString>

class QCustomPlot;

namespace kvasir {

/// What is wrong with a plot's file name, as a sentence: only .png, .svg and .pdf are written. Empty: nothing.
QString plotNameProblem(const QString& file);

/// Writes a plot by the file's ending. Returns what went wrong as a sentence, empty when the file is written.
QString writePlot(QCustomPlot& plot, const QString& file);

}  // namespace kvasir
