#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

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

  /// The text as the method and budget of a question read it.
  std::shared_ptr<const Reading> read(const std::string& text, const AskSettings& asking);

 private:
  Engine& engine_;
  int stepTokens_;
  Console& console_;
  ScratchFolder folder_;
  std::string text_;
  std::map<std::string, std::filesystem::path> files_;  ///< of this text, by the reading's key
};

}  // namespace kvasir
