#include "ui/panels/library_rows.h"

#include <cmath>

#include <QCoreApplication>
#include <QLocale>

namespace kvasir {
namespace {

struct Words {
  Q_DECLARE_TR_FUNCTIONS(LibraryRow)
};

QString withShare(const QString& doing, const LibraryRow& row) {
  if (row.share <= 0 && row.secondsLeft < 0) return doing;
  const int percent = static_cast<int>(std::floor(row.share * 100));
  const QString shown = Words::tr("%1 %2 %").arg(doing).arg(percent);
  if (row.secondsLeft < 0) return shown;
  return Words::tr("%1, %2 left").arg(shown, asClock(row.secondsLeft));
}

}  // namespace

QString asClock(double seconds) {
  const auto whole = static_cast<long long>(std::llround(std::max(seconds, 0.0)));
  const QString rest = QStringLiteral("%1").arg(whole % 60, 2, 10, QLatin1Char('0'));
  if (whole < 3600) return QStringLiteral("%1:%2").arg(whole / 60).arg(rest);
  const QString minutes = QStringLiteral("%1").arg(whole / 60 % 60, 2, 10, QLatin1Char('0'));
  return QStringLiteral("%1:%2:%3").arg(whole / 3600).arg(minutes, rest);
}

QString describeState(const LibraryRow& row) {
  switch (row.state) {
    case DocumentState::Waiting:
      if (row.isImported && row.share > 0)
        return Words::tr("Waiting, %1 % read").arg(static_cast<int>(std::floor(row.share * 100)));
      return row.isImported ? Words::tr("Waiting to be read") : Words::tr("Waiting");
    case DocumentState::Importing:
      return withShare(Words::tr("Importing"), row);
    case DocumentState::Reading:
      return withShare(Words::tr("Reading"), row);
    case DocumentState::Stopped:
      return Words::tr("Stopped at %1 %").arg(static_cast<int>(std::floor(row.share * 100)));
    case DocumentState::Ready:
      return Words::tr("Ready");
    case DocumentState::Failed:
      return Words::tr("Failed: %1").arg(row.reason);
  }
  return {};
}

QString describeRow(const LibraryRow& row) {
  if (row.pages <= 0) return describeState(row);
  const QString pages =
      row.pages == 1 ? Words::tr("1 page") : Words::tr("%1 pages").arg(QLocale().toString(row.pages));
  return pages + QStringLiteral(" · ") + describeState(row);
}

QString describeRowWithin(const LibraryRow& row, const std::function<bool(const QString&)>& fits) {
  LibraryRow untimed = row;
  untimed.secondsLeft = -1;
  for (const QString& description : {describeRow(row), describeState(row)})
    if (fits(description)) return description;
  return describeState(untimed);
}

}  // namespace kvasir
