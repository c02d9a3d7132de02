#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/kernel.h"

namespace kvasir {

/// Rows of numbers rounded to 16-bit levels, one scale a row: number ≈ scale · level, within 2⁻¹⁶ of the row's
/// largest. For products with blocks of weights, the sums of the levels of each block stand beside them.
/// In: float, or bf16 bits as std::uint16_t.
template <class In>
struct RowRounding {
  static constexpr float kMostLevel = 32767;

  const In* in = nullptr;          ///< [rows, columns], finite
  std::int16_t* levels = nullptr;  ///< [rows, columns]
  float* scales = nullptr;         ///< [rows]
  float* sums = nullptr;           ///< [rows, columns / blockSize]: of a block's levels
  int columns = 0;                 ///< a multiple of blockSize
  int blockSize = 32;

  KERNEL_FN int blocks() const { return columns / blockSize; }

  /// The arithmetic. The largest magnitude of a row gives what its numbers are multiplied by; 0 gives 0.
  KERNEL_FN float largest(std::int64_t row) const {
    float most = 0;
    for (int i = 0; i < columns; ++i) most = std::fmax(most, std::fabs(readValue(in + row * columns + i)));
    return most;
  }
  KERNEL_FN static float factor(float largest) { return largest > kTiny ? kMostLevel / largest : 0; }
  KERNEL_FN static float scale(float largest) { return largest > kTiny ? largest / kMostLevel : 0; }
  KERNEL_FN void roundBlock(std::int64_t row, int block, float largest) const {
    const std::int64_t at = row * columns + block * blockSize;
    int sum = 0;
    for (int i = 0; i < blockSize; ++i) {
      const float level = std::nearbyint(readValue(in + at + i) * factor(largest));
      levels[at + i] = static_cast<std::int16_t>(level);
      sum += levels[at + i];
    }
    sums[row * blocks() + block] = static_cast<float>(sum);
  }
  KERNEL_FN void roundRow(std::int64_t row) const {
    const float most = largest(row);
    scales[row] = scale(most);
    for (int block = 0; block < blocks(); ++block) roundBlock(row, block, most);
  }

 private:
  static constexpr float kTiny = 1e-30f;  ///< a row of less than this is nothing, and its factor would overflow
};
/// Rows [begin, end). Callers divide the rows among threads.
void roundRows(const RowRounding<float>& rounding, std::int64_t begin, std::int64_t end);
void roundRows(const RowRounding<std::uint16_t>& rounding, std::int64_t begin, std::int64_t end);

}  // namespace kvasir
