#include "ui/maps/plot_file.h"

#include <QBuffer>
#include <QCoreApplication>
#include <QFile>
#include <QFileInfo>
#include <QImage>
#include <QSvgGenerator>
#include <QTemporaryDir>

#include "ui/maps/plot_library.h"
#include "ui/save_whole.h"

namespace kvasir {
namespace {

constexpr double kPngScale = 2;
constexpr int kPngDotsPerMetre = 7559;  // 192 an inch

struct Words {
  Q_DECLARE_TR_FUNCTIONS(Maps)
};

QString endingOf(const QString& file) { return QFileInfo(file).suffix().toLower(); }

QByteArray bytesOf(QCustomPlot& plot, const QString& ending) {
  if (ending == QLatin1String("png")) return pngOf(plot);
  return ending == QLatin1String("svg") ? svgOf(plot, Qt::white) : pdfOf(plot);
}

}  // namespace

QByteArray pngOf(QCustomPlot& plot) {
  QImage image = plot.toPixmap(plot.width(), plot.height(), kPngScale).toImage();
  image.setDotsPerMeterX(kPngDotsPerMetre);
  image.setDotsPerMeterY(kPngDotsPerMetre);
  QBuffer buffer;
  buffer.open(QIODevice::WriteOnly);
  return image.save(&buffer, "PNG") ? buffer.data() : QByteArray();
}

QByteArray svgOf(QCustomPlot& plot, const QColor& paper) {
  QBuffer buffer;
  buffer.open(QIODevice::WriteOnly);
  QSvgGenerator svg;
  svg.setOutputDevice(&buffer);
  svg.setSize(plot.size());
  svg.setViewBox(QRect(QPoint(0, 0), plot.size()));
  svg.setTitle(plot.windowTitle());
  QCPPainter painter;
  if (!painter.begin(&svg)) return {};
  painter.setMode(QCPPainter::pmVectorized);
  painter.fillRect(plot.rect(), paper);
  plot.toPainter(&painter, plot.width(), plot.height());
  painter.end();
  return buffer.data();
}

QByteArray pdfOf(QCustomPlot& plot) {
  // QCustomPlot draws a PDF into a file only, and tells nothing of a disk that is full.
  const QTemporaryDir folder;
  const QString name = folder.filePath(QStringLiteral("plot.pdf"));
  QFile file(name);
  if (!plot.savePdf(name, plot.width(), plot.height()) || !file.open(QIODevice::ReadOnly)) return {};
  const QByteArray bytes = file.readAll();
  return bytes.trimmed().endsWith("%%EOF") ? bytes : QByteArray();
}

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
  if (saveWhole(bytesOf(plot, endingOf(file)), file).isEmpty()) return {};
  return Words::tr("\"%1\" could not be written: check the folder and the free space.").arg(file);
}

}  // namespace kvasir
