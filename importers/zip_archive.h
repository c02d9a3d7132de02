#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace kvasir {

/// The entries of a zip file held in memory. What is unpacked is bounded, whatever the file claims.
class ZipArchive {
 public:
  /// `bytes` must outlive the archive. Throws a sentence about `name` when it is no zip file.
  ZipArchive(const std::string& bytes, std::string name);
  ~ZipArchive();
  ZipArchive(const ZipArchive&) = delete;
  ZipArchive& operator=(const ZipArchive&) = delete;

  /// Nothing when there is no such entry. Throws a sentence when it is damaged, or unpacks to more than the
  /// limits.
  std::optional<std::string> read(const std::string& entry);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
  std::string name_;
  std::size_t unpacked_ = 0;
};

}  // namespace kvasir
