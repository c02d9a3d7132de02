#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/gguf.h"

namespace kvasir {

/// Writes the bytes of a GGUF file piece by piece, for tests: it checks nothing, so that it can also write what
/// no sound file holds.
class GgufWriter {
 public:
  void integer(std::string_view key, std::int64_t value);  ///< as 64-bit
  void real(std::string_view key, float value);
  void flag(std::string_view key, bool value);
  void text(std::string_view key, std::string_view value);
  void texts(std::string_view key, const std::vector<std::string>& values);
  void reals(std::string_view key, const std::vector<float>& values);
  void integers(std::string_view key, const std::vector<std::int32_t>& values);
  /// A value whose type and bytes are given as they shall stand in the file.
  void raw(std::string_view key, std::uint32_t type, std::string_view bytes);

  /// shape as in GgufTensor, outermost first.
  void tensor(std::string_view name, TensorType type, const std::vector<std::int64_t>& shape,
              const std::vector<std::byte>& data);
  /// A tensor whose type and place are given as they shall stand in the file; it adds no data.
  void rawTensor(std::string_view name, std::uint32_t type, const std::vector<std::uint64_t>& innermostFirst,
                 std::uint64_t offset);

  std::vector<std::byte> bytes(std::uint32_t version = 3) const;

 private:
  std::string metadata_, tensors_, data_;
  std::uint64_t metadataCount_ = 0, tensorCount_ = 0;
};

}  // namespace kvasir
