#include "app/window/log_file.h"

#include <QDateTime>
#include <QDir>

namespace kvasir {

LogFile::LogFile(const QString& folder, qint64 mostBytes)
    : folder_(folder), mostBytes_(mostBytes), file_(folder + QStringLiteral("/kvasir.log")) {
  QDir().mkpath(folder);
  open();
}

void LogFile::open() { file_.open(QIODevice::Append | QIODevice::Text); }

void LogFile::write(const QString& line) {
  if (!file_.isOpen()) return;
  if (file_.size() > mostBytes_) rotate();
  QString oneLine = line;
  oneLine.replace(QLatin1Char('\n'), QLatin1Char(' '));
  file_.write((QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs) + QLatin1Char(' ') + oneLine +
               QLatin1Char('\n'))
                  .toUtf8());
  file_.flush();
}

void LogFile::rotate() {
  const QString first = folder_ + QStringLiteral("/kvasir.1.log");
  const QString second = folder_ + QStringLiteral("/kvasir.2.log");
  file_.close();
  QFile::remove(second);
  QFile::rename(first, second);
  QFile::rename(file_.fileName(), first);
  open();
}

RunMarker::RunMarker(const QString& folder) : file_(folder + QStringLiteral("/running")) {
  QDir().mkpath(folder);
  wasLeft_ = QFile::exists(file_);
  QFile marker(file_);
  if (marker.open(QIODevice::WriteOnly)) marker.write("This file is taken away when Kvasir ends.\n");
}

RunMarker::~RunMarker() { QFile::remove(file_); }

}  // namespace kvasir
