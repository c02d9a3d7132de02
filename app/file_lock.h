#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace kvasir {

/// Holds a lock file for this process while it lives; the system frees it when the process ends, however it
/// ends.
class FileLock {
 public:
  /// Nothing when another holder has it. Throws a sentence when the file cannot be made.
  static std::optional<FileLock> tryLock(const std::filesystem::path& file);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  FileLock(std::filesystem::path file, std::intptr_t handle);

  std::filesystem::path file_;
  std::intptr_t handle_;
};

}  // namespace kvasir
