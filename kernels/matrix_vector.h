#pragma once

#include <cstdint>

#include "kernels/kernel.h"

namespace kvasir {

/// y = W x for one vector, W in affine blocks: weight = scale · level + offset, one scale and offset for
/// `blockSize` columns of a row. Exact in the weights, float32 in the sums.
struct AffineProduct {
  const std::int8_t* levels = nullptr;  ///< [rows, columns]
  const float* scales = nullptr;        ///< [rows, columns / blockSize]
  const float* offsets = nullptr;       ///< as scales; null when all are zero
  int columns = 0;                      ///< a multiple of blockSize
  int blockSize = 32;                   ///< 16 or 32
  const float* x = nullptr;             ///< [columns]
  const float* blockSums = nullptr;     ///< [columns / blockSize]: sums of x over each block
  float* y = nullptr;                   ///< [rows]

  /// The arithmetic: one entry of y.
  KERNEL_FN float entry(std::int64_t row) const {
    const int blocks = columns / blockSize;
    float sum = 0;
    for (int block = 0; block < blocks; ++block) {
      float products = 0;
      for (int i = block * blockSize; i < (block + 1) * blockSize; ++i)
        products += static_cast<float>(levels[row * columns + i]) * x[i];
      sum += scales[row * blocks + block] * products;
      if (offsets) sum += offsets[row * blocks + block] * blockSums[block];
    }
    return sum;
  }

  /// The arithmetic of expanding: one weight.
  KERNEL_FN float weight(std::int64_t row, int column) const {
    const std::int64_t block = row * (columns / blockSize) + column / blockSize;
    return scales[block] * static_cast<float>(levels[row * columns + column]) +
           (offsets ? offsets[block] : 0.0f);
  }
};

/// Rows [begin, end) of y. Callers divide the rows among threads.
void multiplyRows(const AffineProduct& product, std::int64_t begin, std::int64_t end);

/// The arithmetic of sumBlocks: one sum.
KERNEL_FN inline float sumBlock(const float* x, int blockSize, int block) {
  const float* in = x + static_cast<std::int64_t>(block) * blockSize;
  float sum = 0;
  for (int i = 0; i < blockSize; ++i) sum += in[i];
  return sum;
}

/// Sums of x over blocks of `blockSize`: sums[columns / blockSize].
void sumBlocks(const float* x, int columns, int blockSize, float* sums);

/// Weights of rows [begin, end) as float32, or as bf16 bits: out[end − begin, columns].
void expandRows(const AffineProduct& product, std::int64_t begin, std::int64_t end, float* out);
void expandRows(const AffineProduct& product, std::int64_t begin, std::int64_t end, std::uint16_t* out);

}  // namespace kvasir
