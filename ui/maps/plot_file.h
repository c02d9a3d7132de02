#pragma once

#include <QByteArray>
#include <QString>

class QCPAxisRect;
class QColor;
class QCustomPlot;

namespace kvasir {

/// What is wrong with a plot's file name, as a sentence: only .png, .svg and .pdf are written. Empty: nothing.
QString plotNameProblem(const QString& file);

/// Axes of their own at a place of the plot's layout, the title above them. The plot owns them.
QCPAxisRect* addTitledAxes(QCustomPlot& plot, const QString& title, int row, int column);

/// A plot as a file holds it, of its size on the screen. Empty: it could not be drawn.
QByteArray pngOf(QCustomPlot& plot);
QByteArray svgOf(QCustomPlot& plot, const QColor& paper);
QByteArray pdfOf(QCustomPlot& plot);

/// Writes a plot by the file's ending. Returns what went wrong as a sentence, empty when the file is written.
QString writePlot(QCustomPlot& plot, const QString& file);

}  // namespace kvasir
