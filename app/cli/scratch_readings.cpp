#include "app/cli/scratch_readings.h"

#include <random>
#include <stdexcept>
#include <utility>

#include "app/cli/setup.h"
#include "app/stopwatch.h"
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

ScratchReadings::TimedReading ScratchReadings::read(const std::string& text, const AskSettings& asking) {
  if (text != text_) {
    for (const auto& [key, file] : files_) fs::remove(file.path);
    files_.clear();
    text_ = text;
  }
  const Stopwatch watch;
  const ReadSettings settings = readSettingsFor(engine_, asking, stepTokens_);
  const auto [place, isNew] = files_.try_emplace(engine_.readingKey(settings));
  File& file = place->second;
  if (isNew) file.path = folder_.path() / (std::to_string(files_.size()) + ".kv");
  std::shared_ptr<const Reading> reading;
  if (!isNew) reading = engine_.open(file.path, settings);
  if (!reading) {
    const auto dense = files_.find(engine_.denseKey(settings));
    reading = engine_.read(text, settings, file.path, console_,
                           dense == files_.end() ? fs::path() : dense->second.path);
  }
  return {std::move(reading), watch.seconds() + std::exchange(file.secondsAhead, 0.0)};
}

void ScratchReadings::readAhead(const std::string& text, const std::vector<AskSettings>& askings) {
  std::vector<ReadSettings> readings;
  for (const AskSettings& asking : askings) readings.push_back(readSettingsFor(engine_, asking, stepTokens_));
  for (const std::size_t place : readingsToMakeFirst(engine_, readings)) {
    const double seconds = read(text, askings[place]).seconds;
    files_.at(engine_.readingKey(readings[place])).secondsAhead = seconds;
  }
}

}  // namespace kvasir
