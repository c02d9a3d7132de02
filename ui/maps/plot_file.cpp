#include "ui/maps/plot_file.h"

#include <QCoreApplication>
#include <QFileInfo>
#include <QSvgGenerator>

#include "ui/maps/plot_library.h"

namespace kvasir {
namespace {

struct Words {
  Q_DECLARE_TR_FUNCTIONS(Maps)
};

QString endingOf(const QString& file) { return QFileInfo(file).suffix().toLower(); }

bool writeSvg(QCustomPlot& plot, const QString& file) {
  QSvgGenerator svg;
  svg.setFileName(file);
  svg.setSize(plot.size());
  svg.setViewBox(QRect(QPoint(0, 0), plot.size()));
  QCPPainter painter;
  if (!painter.begin(&svg)) return false;
  painter.setMode(QCPPainter::pmVectorized);
  painter.fillRect(plot.rect(), Qt::white);
  plot.toPainter(&painter, plot.width(), plot.height());
  painter.end();
  return true;
}

}  // namespace

QString plotNameProblem(const QString& file) {
  const QString ending = endingOf(file);
  if (ending == QLatin1String("png") || ending == QLatin1String("svg") || ending == QLatin1String("pdf"))
    return {};
  return Words::tr("A plot is written as .png, .svg or .pdf, not as \"%1\".").arg(QFileInfo(file).fileName());
}

QCPAxisRect* addTitledAxes(QCustomPlot& plot, const QString& title, int row, int column) {
  auto* part = new QCPLayoutGrid;
  plot.plotLayout()->addElement(row, column, part);
  part->addElement(0, 0, new QCPTextElement(&plot, title, plot.font()));
  auto* rect = new QCPAxisRect(&plot);
  part->addElement(1, 0, rect);
  part->setRowStretchFactor(0, 0.01);
  return rect;
}

QString writePlot(QCustomPlot& plot, const QString& file) {
  if (const QString problem = plotNameProblem(file); !problem.isEmpty()) return problem;
  const QString ending = endingOf(file);
  bool isWritten = false;
  if (ending == QLatin1String("png"))
    isWritten = plot.savePng(file, plot.width(), plot.height(), 2, -1, 192);
  else if (ending == QLatin1String("svg"))
    isWritten = writeSvg(plot, file);
  else
    isWritten = plot.savePdf(file, plot.width(), plot.height());
  if (isWritten && QFileInfo::exists(file)) return {};
  return Words::tr("\"%1\" could not be written: check the folder and the free space.").arg(file);
}

}  // namespace kvasir
