#include "ui/maps/csv.h"

#include <cmath>

namespace kvasir {
namespace {

bool needsQuotes(const QString& field) {
  return field.contains(QLatin1Char(',')) || field.contains(QLatin1Char('"')) ||
         field.contains(QLatin1Char('\n')) || field.contains(QLatin1Char('\r'));
}

QString quoted(QString field) {
  field.replace(QLatin1String("\""), QLatin1String("\"\""));
  return QLatin1Char('"') + field + QLatin1Char('"');
}

}  // namespace

QByteArray csvRecord(const QStringList& fields) {
  QStringList written;
  for (const QString& field : fields) written.append(needsQuotes(field) ? quoted(field) : field);
  return written.join(QLatin1Char(',')).toUtf8() + "\r\n";
}

QString csvNumber(double value) { return std::isfinite(value) ? QString::number(value, 'g', 9) : QString(); }

}  // namespace kvasir
