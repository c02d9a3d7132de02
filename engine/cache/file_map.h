#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

namespace kvasir {

/// A file that grows and is mapped piece by piece. Pieces stay mapped, at their addresses, until the object
/// goes. Errors throw std::runtime_error with a sentence.
class FileMap {
 public:
  enum class Access { Read, Write };

  /// Write: makes the file if need be and locks it against other writers.
  FileMap(const std::filesystem::path& path, Access access);
  ~FileMap();

  std::uint64_t size() const;
  void resize(
      std::uint64_t bytes);  ///< grows with the disk's space reserved, or shrinks where nothing is mapped
  void read(std::uint64_t offset, void* to, std::size_t bytes) const;
  void write(std::uint64_t offset, const void* from, std::size_t bytes);
  /// offset: a multiple of 64 KiB
  std::byte* map(std::uint64_t offset, std::size_t bytes);
  void release();  ///< mapped pages may leave memory
  void flush();    ///< waits until everything written is on the disk

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace kvasir
