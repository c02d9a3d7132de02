#include "app/window/window_folders.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include <QStandardPaths>

#include "app/places.h"
#include "app/text.h"

namespace kvasir {
namespace {

QString sampleFolder() {
  std::vector<std::filesystem::path> folders = installedFolders(programFolder());
  for (std::filesystem::path& folder : folders) folder /= "sample";
  folders.push_back(pathOf(KVASIR_RESOURCES "/sample"));
  std::error_code error;
  for (const std::filesystem::path& folder : folders)
    if (std::filesystem::exists(folder / "sample.json", error)) return QString::fromStdString(utf8Of(folder));
  return {};
}

/// A value of sample.json; empty where it is not there.
QString sampleValue(const char* name) {
  const QString folder = sampleFolder();
  if (folder.isEmpty()) return {};
  std::ifstream stream(pathOf((folder + QStringLiteral("/sample.json")).toStdString()));
  const auto json = nlohmann::json::parse(stream, nullptr, false);
  if (!json.is_object() || !json.contains(name) || !json[name].is_string()) return {};
  return QString::fromStdString(json[name].get<std::string>());
}

}  // namespace

WindowFolders windowFolders(const QString& dataFolder) {
  if (!dataFolder.isEmpty()) {
    return {pathOf((dataFolder + QStringLiteral("/library")).toStdString()),
            dataFolder + QStringLiteral("/config"), dataFolder + QStringLiteral("/logs")};
  }
  return {defaultLibraryFolder(), QStandardPaths::writableLocation(QStandardPaths::AppConfigLocation),
          QStandardPaths::writableLocation(QStandardPaths::AppLocalDataLocation) + QStringLiteral("/logs")};
}

QString sampleFile() {
  const QString name = sampleValue("file");
  return name.isEmpty() ? QString() : sampleFolder() + QLatin1Char('/') + name;
}

QString sampleQuestion() { return sampleValue("question"); }

}  // namespace kvasir
