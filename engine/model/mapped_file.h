#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace kvasir {

/// A whole file mapped read-only. The file may be renamed or removed while mapped, but must not be shortened:
/// reading past a new end raises a signal no program recovers from. Immutable; any thread may read it.
class MappedFile {
 public:
  /// Throws std::runtime_error with a sentence when the file cannot be opened, read or mapped.
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }

  /// A hint that these bytes are not needed soon, so that they stop counting as this program's memory. Only
  /// whole pages inside the range are dropped; reading them again is correct, only slower.
  void release(std::size_t offset, std::size_t length) const;

 private:
  void close() noexcept;

  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace kvasir
