#pragma once

#include <QFile>
#include <QString>

namespace kvasir {

/// A text file of what happened, one line each with its time. When it grows large it becomes kvasir.1.log, and
/// that one kvasir.2.log. A log that cannot be written is done without.
class LogFile {
 public:
  explicit LogFile(const QString& folder, qint64 mostBytes = 1 << 20);
  void write(const QString& line);
  const QString& folder() const { return folder_; }

 private:
  void open();
  void rotate();

  QString folder_;
  qint64 mostBytes_;
  QFile file_;
};

/// A file that is there while the program runs: found at the start, the last run did not end by itself. For the
/// one alone who holds the folder (SingleInstance): any other would find the file of one that runs.
class RunMarker {
 public:
  explicit RunMarker(const QString& folder);
  ~RunMarker();
  RunMarker(const RunMarker&) = delete;
  RunMarker& operator=(const RunMarker&) = delete;
  bool wasLeft() const { return wasLeft_; }

 private:
  QString file_;
  bool wasLeft_ = false;
};

}  // namespace kvasir
