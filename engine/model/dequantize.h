#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/model/gguf.h"

namespace kvasir {

/// One row of the table of tensor types. A block of `blockValues` weights takes `blockBytes` bytes in the file.
/// `decode` is null for types that are plain numbers; else it splits a block into exact integers with a scale
/// and an offset for each `groupValues` of them.
struct BlockFormat {
  TensorType type;
  const char* name;
  int blockValues;
  int blockBytes;
  int groupValues;
  bool hasOffsets;
  void (*decode)(const std::byte* block, std::int8_t* levels, float* scales, float* offsets);
};

/// Null for a number of the file format that we do not read.
const BlockFormat* blockFormat(std::uint32_t type);

/// IEEE half precision and bfloat16, by their bits.
float halfToFloat(std::uint16_t bits);
float bfloat16ToFloat(std::uint16_t bits);

}  // namespace kvasir
