#include "app/window/preferences.h"

#include <algorithm>

#include <QDir>
#include <QSettings>

namespace kvasir {
namespace {

constexpr int kMostRecent = 10;

int numberIn(const QSettings& ini, const char* key, int least, int most, int otherwise) {
  bool isNumber = false;
  const int value = ini.value(QLatin1String(key), otherwise).toInt(&isNumber);
  return isNumber && value >= least && value <= most ? value : otherwise;
}

}  // namespace

PreferencesFile::PreferencesFile(const QString& folder) : file_(folder + QStringLiteral("/kvasir.ini")) {
  QDir().mkpath(folder);
}

Preferences PreferencesFile::load() const {
  const QSettings ini(file_, QSettings::IniFormat);
  const SettingsValues usual;
  Preferences preferences;
  SettingsValues& settings = preferences.settings;
  settings.model = ini.value(QStringLiteral("model/file")).toString();
  settings.modelsFolder = ini.value(QStringLiteral("model/folder")).toString();
  settings.threads = numberIn(ini, "model/threads", 0, 1024, usual.threads);
  settings.device = static_cast<Device>(numberIn(ini, "model/device", 0, 2, static_cast<int>(usual.device)));
  settings.method =
      ini.value(QStringLiteral("asking/method"), QString::fromStdString(AskSettings{}.method)).toString();
  settings.budgetTokens = numberIn(ini, "asking/budget", 256, 1 << 20, usual.budgetTokens);
  settings.answerTokens = numberIn(ini, "asking/answer", 16, 8192, usual.answerTokens);
  settings.readsInBackground = ini.value(QStringLiteral("asking/background"), usual.readsInBackground).toBool();
  settings.theme = static_cast<Theme>(numberIn(ini, "look/theme", 0, 2, static_cast<int>(usual.theme)));
  settings.fontPoints = numberIn(ini, "look/font", 0, 40, usual.fontPoints);
  preferences.isInverted = ini.value(QStringLiteral("look/inverted")).toBool();
  preferences.recent = ini.value(QStringLiteral("window/recent")).toStringList();
  preferences.lastDocument = ini.value(QStringLiteral("window/document")).toString();
  preferences.geometry = ini.value(QStringLiteral("window/geometry")).toByteArray();
  preferences.state = ini.value(QStringLiteral("window/state")).toByteArray();
  return preferences;
}

bool PreferencesFile::save(const Preferences& preferences) const {
  QSettings ini(file_, QSettings::IniFormat);
  const SettingsValues& settings = preferences.settings;
  ini.setValue(QStringLiteral("model/file"), settings.model);
  ini.setValue(QStringLiteral("model/folder"), settings.modelsFolder);
  ini.setValue(QStringLiteral("model/threads"), settings.threads);
  ini.setValue(QStringLiteral("model/device"), static_cast<int>(settings.device));
  ini.setValue(QStringLiteral("asking/method"), settings.method);
  ini.setValue(QStringLiteral("asking/budget"), settings.budgetTokens);
  ini.setValue(QStringLiteral("asking/answer"), settings.answerTokens);
  ini.setValue(QStringLiteral("asking/background"), settings.readsInBackground);
  ini.setValue(QStringLiteral("look/theme"), static_cast<int>(settings.theme));
  ini.setValue(QStringLiteral("look/font"), settings.fontPoints);
  ini.setValue(QStringLiteral("look/inverted"), preferences.isInverted);
  ini.setValue(QStringLiteral("window/recent"), preferences.recent);
  ini.setValue(QStringLiteral("window/document"), preferences.lastDocument);
  ini.setValue(QStringLiteral("window/geometry"), preferences.geometry);
  ini.setValue(QStringLiteral("window/state"), preferences.state);
  ini.sync();
  return ini.status() == QSettings::NoError;
}

QStringList withRecent(QStringList recent, const QString& file) {
  recent.removeAll(file);
  recent.prepend(file);
  while (recent.size() > kMostRecent) recent.removeLast();
  return recent;
}

}  // namespace kvasir
