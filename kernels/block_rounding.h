#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/kernel.h"

namespace kvasir {

/// Rows of numbers rounded to 8-bit levels, one scale for each block of a row: number ≈ scale · (level + fine /
/// 256). Fine levels are 0, and a number is within 1/254 of its block's largest, but in blocks whose largest
/// stands out so far that the others would be lost beside it: there numbers are within 2⁻¹⁶ of it. What a row
/// is rounded to depends on nothing else. For products with weights of 4 bits. In: float, or bf16 bits as
/// std::uint16_t.
template <class In>
struct BlockRounding {
  static constexpr int kMostLevel = 127, kFineLevels = 256;
  /// A number stands out whose square is more than this of the sum of its block's squares.
  static constexpr float kStandsOut = 0.63f;

  const In* in = nullptr;           ///< [rows, columns], finite
  std::int8_t* levels = nullptr;    ///< [rows, columns], a row's columns as placeOf has them
  std::int8_t* fine = nullptr;      ///< the same
  std::uint8_t* hasFine = nullptr;  ///< [rows, blocks]: 1 where a block has fine levels, else 0
  float* scales = nullptr;          ///< [rows, blocks]
  float* sums = nullptr;            ///< [rows, blocks]: of what a block's numbers are rounded to
  int columns = 0;                  ///< a multiple of blockSize
  int blockSize = 32;               ///< 16 or 32

  KERNEL_FN int blocks() const { return columns / blockSize; }
  /// Where a column's level lies in its row: in the order in which words of 4-bit weights are unpacked to
  /// bytes.
  KERNEL_FN static int placeOf(int column) { return column / 8 * 8 + column % 4 * 2 + column % 8 / 4; }

  /// The arithmetic.
  KERNEL_FN static float factor(float largest) {
    return largest > kTiny ? static_cast<float>(kMostLevel) / largest : 0;
  }
  KERNEL_FN static float scale(float largest) {
    return largest > kTiny ? largest / static_cast<float>(kMostLevel) : 0;
  }
  KERNEL_FN static bool standsOut(float largest, float squares) {
    return largest * largest > kStandsOut * squares;
  }
  KERNEL_FN void roundBlock(std::int64_t row, int block) const {
    const In* from = in + row * columns + block * blockSize;
    float largest = 0, squares = 0;
    for (int i = 0; i < blockSize; ++i) {
      const float number = readValue(from + i);
      largest = std::fmax(largest, std::fabs(number));
      squares += number * number;
    }
    const bool isFine = standsOut(largest, squares);
    const int step = isFine ? 1 : kFineLevels;  // in fine levels
    const float levelsOfOne = factor(largest) * static_cast<float>(kFineLevels / step);
    int sum = 0;
    for (int i = 0; i < blockSize; ++i) {
      const int level = step * static_cast<int>(std::nearbyint(readValue(from + i) * levelsOfOne));
      const int whole = (level + kFineLevels / 2) >> 8;
      const std::int64_t at = row * columns + placeOf(block * blockSize + i);
      levels[at] = static_cast<std::int8_t>(whole);
      fine[at] = static_cast<std::int8_t>(level - whole * kFineLevels);
      sum += level;
    }
    const std::int64_t at = row * blocks() + block;
    hasFine[at] = isFine;
    scales[at] = scale(largest);
    sums[at] = scale(largest) * (static_cast<float>(sum) / kFineLevels);
  }
  KERNEL_FN void roundRow(std::int64_t row) const {
    for (int block = 0; block < blocks(); ++block) roundBlock(row, block);
  }

 private:
  static constexpr float kTiny = 1e-15f;  ///< a block of less than this is nothing, and squares are
};
/// Rows [begin, end). Callers divide the rows among threads.
void roundBlocks(const BlockRounding<float>& rounding, std::int64_t begin, std::int64_t end);
void roundBlocks(const BlockRounding<std::uint16_t>& rounding, std::int64_t begin, std::int64_t end);

}  // namespace kvasir
