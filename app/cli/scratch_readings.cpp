#include "app/cli/scratch_readings.h"

#include <random>
#include <stdexcept>

#include "app/text.h"

namespace kvasir {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "kvasir-eval-";
constexpr const char* kLockName = "lock";

void removeForsaken() {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fs::temp_directory_path(), error)) {
    const bool isOurs = utf8Of(entry.path().filename()).starts_with(kPrefix);
    // Without its lock file a folder is being made or taken away by another.
    if (!isOurs || !fs::exists(entry.path() / kLockName, error)) continue;
    try {
      if (!FileLock::tryLock(entry.path() / kLockName)) continue;
      fs::remove_all(entry.path(), error);
    } catch (const std::runtime_error&) {
      // Another user's: not ours to take away.
    }
  }
}

}  // namespace

ScratchFolder::ScratchFolder()
    : path_(fs::temp_directory_path() / (kPrefix + std::to_string(std::random_device{}()))) {
  removeForsaken();
  fs::create_directories(path_);
  lock_.emplace(FileLock::tryLock(path_ / kLockName).value());
}

ScratchFolder::~ScratchFolder() {
  std::error_code error;  // a folder that stays is no reason to fail
  lock_.reset();
  fs::remove_all(path_, error);
}

std::shared_ptr<const Reading> ScratchReadings::read(const std::string& text, const AskSettings& asking) {
  if (text != text_) {
    for (const auto& [key, file] : files_) fs::remove(file);
    files_.clear();
    text_ = text;
  }
  ReadSettings settings = engine_.readSettingsFor(asking);
  settings.stepTokens = stepTokens_;
  const auto [place, isNew] = files_.try_emplace(engine_.readingKey(settings));
  if (isNew) place->second = folder_.path() / (std::to_string(files_.size()) + ".kv");
  if (!isNew)
    if (auto reading = engine_.open(place->second, settings)) return reading;
  const auto dense = files_.find(engine_.denseKey(settings));
  return engine_.read(text, settings, place->second, console_,
                      dense == files_.end() ? fs::path() : dense->second);
}

}  // namespace kvasir
