#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/kernel.h"

namespace kvasir {

/// Rows of numbers rounded to 16-bit levels, one scale for `blockSize` columns: number ≈ scale · level, within
/// 2⁻¹⁶ of the largest of its block.
/// In: float, or bf16 bits as std::uint16_t.
template <class In>
struct RowRounding {
  static constexpr float kMostLevel = 32767;

  const In* in = nullptr;          ///< [rows, columns], finite
  std::int16_t* levels = nullptr;  ///< [rows, columns]
  float* scales = nullptr;         ///< [rows, columns / blockSize]
  float* sums = nullptr;           ///< as scales: scale · sum of the block's levels
  int columns = 0;                 ///< a multiple of blockSize
  int blockSize = 32;

  /// The arithmetic. The largest magnitude of a block gives what its numbers are multiplied by; 0 gives 0.
  KERNEL_FN float largest(std::int64_t row, int block) const {
    float most = 0;
    for (int i = 0; i < blockSize; ++i)
      most = std::fmax(most, std::fabs(readValue(in + row * columns + block * blockSize + i)));
    return most;
  }
  KERNEL_FN static float factor(float largest) { return largest > kTiny ? kMostLevel / largest : 0; }
  KERNEL_FN void roundBlock(std::int64_t row, int block) const {
    const float most = largest(row, block), multiplier = factor(most);
    const std::int64_t at = row * columns + block * blockSize;
    int sum = 0;
    for (int i = 0; i < blockSize; ++i) {
      const float level = std::nearbyint(readValue(in + at + i) * multiplier);
      levels[at + i] = static_cast<std::int16_t>(level);
      sum += levels[at + i];
    }
    finishBlock(row, block, most, sum);
  }
  KERNEL_FN void finishBlock(std::int64_t row, int block, float most, int sum) const {
    const std::int64_t at = row * (columns / blockSize) + block;
    scales[at] = most > kTiny ? most / kMostLevel : 0;
    sums[at] = scales[at] * static_cast<float>(sum);
  }

 private:
  static constexpr float kTiny =
      1e-30f;  ///< a block of less than this is nothing, and its factor would overflow
};
/// Rows [begin, end). Callers divide the rows among threads.
void roundRows(const RowRounding<float>& rounding, std::int64_t begin, std::int64_t end);
void roundRows(const RowRounding<std::uint16_t>& rounding, std::int64_t begin, std::int64_t end);

}  // namespace kvasir
