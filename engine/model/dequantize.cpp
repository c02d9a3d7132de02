#include "engine/model/dequantize.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstring>

#include "engine/model/dequantize_blocks.h"

namespace kvasir {
namespace {

constexpr int kLargestBlock = 256;
constexpr int kMostGroups = 16;

constexpr std::array kFormats = {
    BlockFormat{TensorType::F32, "F32", 1, 4, 1, false, nullptr},
    BlockFormat{TensorType::F16, "F16", 1, 2, 1, false, nullptr},
    BlockFormat{TensorType::BF16, "BF16", 1, 2, 1, false, nullptr},
    BlockFormat{TensorType::Q4_0, "Q4_0", 32, 18, 32, false, decodeQ4_0},
    BlockFormat{TensorType::Q4_1, "Q4_1", 32, 20, 32, true, decodeQ4_1},
    BlockFormat{TensorType::Q5_0, "Q5_0", 32, 22, 32, false, decodeQ5_0},
    BlockFormat{TensorType::Q5_1, "Q5_1", 32, 24, 32, true, decodeQ5_1},
    BlockFormat{TensorType::Q8_0, "Q8_0", 32, 34, 32, false, decodeQ8_0},
    BlockFormat{TensorType::Q2_K, "Q2_K", 256, 84, 16, true, decodeQ2_K},
    BlockFormat{TensorType::Q3_K, "Q3_K", 256, 110, 16, false, decodeQ3_K},
    BlockFormat{TensorType::Q4_K, "Q4_K", 256, 144, 32, true, decodeQ4_K},
    BlockFormat{TensorType::Q5_K, "Q5_K", 256, 176, 32, true, decodeQ5_K},
    BlockFormat{TensorType::Q6_K, "Q6_K", 256, 210, 16, false, decodeQ6_K},
};

const BlockFormat& formatOf(const GgufTensor& tensor) {
  const BlockFormat* format = blockFormat(static_cast<std::uint32_t>(tensor.type));
  assert(format != nullptr && "opening a file lets no other type through");
  return *format;
}

/// Tensors start where the file says, so nothing is assumed about alignment.
template <typename Number>
Number load(const std::byte* from) {
  Number number;
  std::memcpy(&number, from, sizeof number);
  return number;
}

void copyNumbers(TensorType type, const std::byte* from, std::int64_t count, float* out) {
  if (type == TensorType::F32) {
    std::memcpy(out, from, static_cast<std::size_t>(count) * sizeof(float));
    return;
  }
  const auto convert = type == TensorType::F16 ? halfToFloat : bfloat16ToFloat;
  for (std::int64_t i = 0; i < count; ++i) out[i] = convert(load<std::uint16_t>(from + 2 * i));
}

}  // namespace

const BlockFormat* blockFormat(std::uint32_t type) {
  const auto found = std::find_if(kFormats.begin(), kFormats.end(), [type](const BlockFormat& format) {
    return static_cast<std::uint32_t>(format.type) == type;
  });
  return found == kFormats.end() ? nullptr : &*found;
}

const char* nameOf(TensorType type) {
  const BlockFormat* format = blockFormat(static_cast<std::uint32_t>(type));
  return format == nullptr ? "unknown" : format->name;
}

float bfloat16ToFloat(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

float halfToFloat(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
  const std::uint32_t magnitude = bits & 0x7fffu;
  if (magnitude >= 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13));
  // Read as a float of the wrong exponent bias, then mended by a power of two: exact, subnormal halves
  // included.
  const float shifted = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(shifted));
}

void dequantize(const GgufTensor& tensor, std::int64_t first, std::int64_t count, float* out) {
  const BlockFormat& format = formatOf(tensor);
  assert(first >= 0 && count >= 0 && first + count <= tensor.count() && "values outside the tensor");
  assert(first % format.blockValues == 0 && "values must start at a block");
  const std::byte* block = tensor.data.data() + first / format.blockValues * format.blockBytes;
  if (format.decode == nullptr) return copyNumbers(tensor.type, block, count, out);

  std::array<std::int8_t, kLargestBlock> levels;
  std::array<float, kMostGroups> scales;
  std::array<float, kMostGroups> offsets{};
  for (std::int64_t done = 0; done < count; done += format.blockValues, block += format.blockBytes) {
    format.decode(block, levels.data(), scales.data(), offsets.data());
    const int values = static_cast<int>(std::min<std::int64_t>(format.blockValues, count - done));
    for (int begin = 0; begin < values; begin += format.groupValues) {
      const float scale = scales[begin / format.groupValues], offset = offsets[begin / format.groupValues];
      const int end = std::min(values, begin + format.groupValues);
      if (format.hasOffsets) {
        for (int i = begin; i < end; ++i) out[done + i] = scale * levels[i] + offset;
      } else {  // adding zero would turn -0 into +0
        for (int i = begin; i < end; ++i) out[done + i] = scale * levels[i];
      }
    }
  }
}

std::optional<AffineBlocks> toAffineBlocks(const GgufTensor& tensor) {
  const BlockFormat& format = formatOf(tensor);
  if (format.decode == nullptr) return std::nullopt;

  AffineBlocks result;
  result.blockSize = format.groupValues;
  const auto count = static_cast<std::size_t>(tensor.count());
  const std::size_t blocks = count / format.blockValues, groups = format.blockValues / format.groupValues;
  result.levels.resize(count);
  result.scales.resize(blocks * groups);
  if (format.hasOffsets) result.offsets.resize(blocks * groups);
  for (std::size_t block = 0; block < blocks; ++block) {
    format.decode(tensor.data.data() + block * format.blockBytes,
                  result.levels.data() + block * format.blockValues, result.scales.data() + block * groups,
                  format.hasOffsets ? result.offsets.data() + block * groups : nullptr);
  }
  return result;
}

}  // namespace kvasir
