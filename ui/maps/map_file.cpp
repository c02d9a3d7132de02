#include "ui/maps/map_file.h"

#include <QBuffer>
#include <QCoreApplication>
#include <QFileInfo>

#include "ui/save_whole.h"

namespace kvasir {
namespace {

struct Words {
  Q_DECLARE_TR_FUNCTIONS(Maps)
};

bool writeTable(const NumberTable& table, const QString& file) {
  QBuffer csv;
  csv.open(QIODevice::WriteOnly);
  return writeCsv(table, csv) && saveWhole(csv.data(), file).isEmpty();
}

}  // namespace

QString writeMapFile(HeatPlot& plot, const NumberTable& table, const QString& file) {
  const QString ending = QFileInfo(file).suffix().toLower();
  bool isWritten = false;
  if (ending == QLatin1String("png"))
    isWritten = plot.writePng(file);
  else if (ending == QLatin1String("svg"))
    isWritten = plot.writeSvg(file);
  else if (ending == QLatin1String("pdf"))
    isWritten = plot.writePdf(file);
  else if (ending == QLatin1String("csv"))
    isWritten = writeTable(table, file);
  else
    return Words::tr("A map is written as .png, .svg, .pdf or .csv, not as \"%1\".")
        .arg(QFileInfo(file).fileName());
  if (isWritten && QFileInfo::exists(file)) return {};
  return Words::tr("\"%1\" could not be written: check the folder and the free space.").arg(file);
}

}  // namespace kvasir
