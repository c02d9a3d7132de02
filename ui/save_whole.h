#pragma once

#include <QByteArray>
#include <QCoreApplication>
#include <QSaveFile>
#include <QString>

namespace kvasir {

/// Puts the bytes in the file's place. Returns why not, which may stand behind a colon: there are none, or they
/// cannot be written, on a full disk too; the file is then what it was. Empty: it is written.
inline QString saveWhole(const QByteArray& bytes, const QString& file) {
  if (bytes.isEmpty()) return QCoreApplication::translate("Files", "there is nothing to write");
  QSaveFile save(file);
  // What is small is written at the flush, whose failure commit() does not notice in every Qt.
  if (save.open(QIODevice::WriteOnly) && save.write(bytes) == bytes.size() && save.flush() && save.commit())
    return {};
  return save.errorString();
}

}  // namespace kvasir
