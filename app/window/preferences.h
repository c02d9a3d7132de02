#pragma once

#include <QByteArray>
#include <QStringList>

#include "ui/panels/settings_dialog.h"

namespace kvasir {

/// What is remembered from start to start, beside the library.
struct Preferences {
  SettingsValues settings;
  QStringList recent;    ///< files, the last one first
  QString lastDocument;  ///< id
  QByteArray geometry, state;
  bool isInverted = false;
};

/// The preferences' file, kvasir.ini. Values that are missing or out of range are the defaults.
class PreferencesFile {
 public:
  explicit PreferencesFile(const QString& folder);
  Preferences load() const;
  /// False where the file cannot be written.
  bool save(const Preferences& preferences) const;
  const QString& file() const { return file_; }

 private:
  QString file_;
};

/// `file` put first, at most ten of them.
QStringList withRecent(QStringList recent, const QString& file);

}  // namespace kvasir
