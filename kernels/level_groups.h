#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/kernel.h"

namespace kvasir {

/// Numbers in groups of 32, kept as levels of 4 or 2 bits between the least and the greatest of their group.
/// They lie as [sheets, length, lanes], and groups run along the length; the last ones may be shorter. Keys of
/// a head, [tokens, dimension], are {1, tokens, dimension}: groups along the tokens of a channel. Its values
/// are {tokens, dimension, 1}: groups along the channels of a token.
///
/// What is kept are [sheets, bands()] bands: a group of every lane, which unpack as they lie. A band is the
/// scales, floats [lanes], the least numbers, floats [lanes], and the levels, bytes [rows(), lanes]. Byte (row,
/// lane) holds numbers row, row + rows(), … of the lane's group, the first in the lowest bits; past a group's
/// end are zeros.
struct LevelGroups {
  static constexpr int kNumbers = 32;

  std::int64_t sheets = 0;
  int length = 0;
  int lanes = 1;
  int bits = 4;  ///< 4 or 2

  KERNEL_FN int bands() const { return (length + kNumbers - 1) / kNumbers; }  ///< of a sheet
  KERNEL_FN int rows() const { return kNumbers * bits / 8; }                  ///< of a band's bytes
  KERNEL_FN int top() const { return (1 << bits) - 1; }
  KERNEL_FN std::int64_t bandBytes() const {
    return static_cast<std::int64_t>(lanes) * (2 * static_cast<int>(sizeof(float)) + rows());
  }
  KERNEL_FN std::int64_t bytes() const { return sheets * bands() * bandBytes(); }
  /// Numbers in each group of a band.
  KERNEL_FN int count(int band) const {
    const int left = length - band * kNumbers;
    return left < kNumbers ? left : kNumbers;
  }
  KERNEL_FN std::int64_t firstNumber(std::int64_t sheet, int band) const {
    return (sheet * length + band * kNumbers) * lanes;
  }
  KERNEL_FN std::int64_t firstByte(std::int64_t sheet, int band) const {
    return (sheet * bands() + band) * bandBytes();
  }

  /// The arithmetic. Halves are rounded up; a group of equal numbers has no scale, and all its levels are 0.
  KERNEL_FN float scale(float least, float most) const { return (most - least) / static_cast<float>(top()); }
  KERNEL_FN int level(float number, float scale, float least) const {
    const float level = (number - least) / (scale > 0 ? scale : 1.0f) + 0.5f;
    return level < static_cast<float>(top()) ? static_cast<int>(level) : top();
  }
  KERNEL_FN float number(int level, float scale, float least) const {
    return least + scale * static_cast<float>(level);
  }
  /// One number of what is kept: `at` along the length.
  KERNEL_FN float unpacked(const std::uint8_t* packed, std::int64_t sheet, int at, int lane) const {
    const auto* ranges = reinterpret_cast<const float*>(packed + firstByte(sheet, at / kNumbers));
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(ranges + 2 * lanes);
    const int place = at % kNumbers, row = place % rows(), shift = place / rows() * bits;
    return number(bytes[row * lanes + lane] >> shift & top(), ranges[lane], ranges[lanes + lane]);
  }
};

template <class Value>
struct LevelPacking {
  LevelGroups groups;
  const Value* numbers = nullptr;  ///< finite
  std::uint8_t* packed = nullptr;  ///< groups.bytes(), at a multiple of 4

  KERNEL_FN void packGroup(std::int64_t sheet, int band, int lane) const {
    const Value* from = numbers + groups.firstNumber(sheet, band) + lane;
    const std::int64_t step = groups.lanes;
    const int count = groups.count(band), rows = groups.rows();
    float least = readValue(from), most = least;
    for (int i = 1; i < count; ++i) {
      least = std::fmin(least, readValue(from + i * step));
      most = std::fmax(most, readValue(from + i * step));
    }
    auto* ranges = reinterpret_cast<float*>(packed + groups.firstByte(sheet, band));
    const float scale = groups.scale(least, most);
    ranges[lane] = scale;
    ranges[step + lane] = least;
    auto* bytes = reinterpret_cast<std::uint8_t*>(ranges + 2 * step) + lane;
    for (int row = 0; row < rows; ++row) {
      int byte = 0;
      for (int i = row, shift = 0; i < count; i += rows, shift += groups.bits)
        byte |= groups.level(readValue(from + i * step), scale, least) << shift;
      bytes[row * step] = static_cast<std::uint8_t>(byte);
    }
  }
};

template <class Value>
struct LevelUnpacking {
  LevelGroups groups;
  const std::uint8_t* packed = nullptr;  ///< groups.bytes(), at a multiple of 4
  Value* numbers = nullptr;

  /// All numbers that share a byte.
  KERNEL_FN void unpackByte(std::int64_t sheet, int band, int row, int lane) const {
    const std::int64_t step = groups.lanes;
    const auto* ranges = reinterpret_cast<const float*>(packed + groups.firstByte(sheet, band));
    const float scale = ranges[lane], least = ranges[step + lane];
    int levels = reinterpret_cast<const std::uint8_t*>(ranges + 2 * step)[row * step + lane];
    Value* to = numbers + groups.firstNumber(sheet, band) + lane;
    for (int i = row; i < groups.count(band); i += groups.rows(), levels >>= groups.bits)
      writeValue(groups.number(levels & groups.top(), scale, least), to + i * step);
  }
};

/// Value: float, or bf16 bits as std::uint16_t.
void packLevels(const LevelPacking<float>& packing);
void packLevels(const LevelPacking<std::uint16_t>& packing);
void unpackLevels(const LevelUnpacking<float>& unpacking);
void unpackLevels(const LevelUnpacking<std::uint16_t>& unpacking);

}  // namespace kvasir
