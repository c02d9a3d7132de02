#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/console.h"
#include "app/file_lock.h"
#include "engine/engine.h"

namespace kvasir {

/// A folder of its own for readings that nobody will ask again; gone at the end. Those of programs that were
/// ended before they could do so go first: nobody holds their locks.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::optional<FileLock> lock_;
};

/// Readings of one text after the other, kept only while that text is asked; methods that read alike share one.
class ScratchReadings {
 public:
  ScratchReadings(Engine& engine, int stepTokens, Console& console)
      : engine_(engine), stepTokens_(stepTokens), console_(console) {}

  struct TimedReading {
    std::shared_ptr<const Reading> reading;
    double seconds = 0;  ///< that reading took, here or ahead; little where it had been read
  };
  /// The text as the method and budget of a question read it.
  TimedReading read(const std::string& text, const AskSettings& asking);

  /// Reads the text for those of the questions to come, in their order, whose reading spares others before them
  /// one of their own.
  void readAhead(const std::string& text, const std::vector<AskSettings>& askings);

 private:
  struct File {
    std::filesystem::path path;
    double secondsAhead = 0;  ///< of reading, not yet told
  };

  Engine& engine_;
  int stepTokens_;
  Console& console_;
  ScratchFolder folder_;
  std::string text_;
  std::map<std::string, File> files_;  ///< of this text, by the reading's key
};

}  // namespace kvasir
