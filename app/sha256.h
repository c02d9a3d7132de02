#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace kvasir {

/// SHA-256 (FIPS 180-4), to tell contents apart.
class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  std::string hex();  ///< 64 digits; the object is used up

 private:
  void addBlock(const unsigned char* block);

  std::array<std::uint32_t, 8> state_;
  std::array<unsigned char, 64> pending_{};
  std::uint64_t bytes_ = 0;
};

std::string sha256Of(std::string_view bytes);

/// Calls `progress(done, total)` every megabyte; it may throw to stop.
std::string sha256OfFile(const std::filesystem::path& file,
                         const std::function<void(std::int64_t done, std::int64_t total)>& progress);

}  // namespace kvasir
