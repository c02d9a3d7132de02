#pragma once

#include <cstdint>

#include "kernels/block_rounding.h"
#include "kernels/panels.h"

namespace kvasir {

/// y = W x for weights of 4 bits and rows x as BlockRounding rounds them, exact in W and in the sums over a
/// block (integers), float32 in the rest. Twice as many products at a time as of 16-bit levels (PanelProduct).
/// Out: float, or bf16 bits.
template <class Out>
struct BlockProduct {
  PanelMatrix matrix;  ///< of 4 bits
  /// As BlockRounding writes them with the matrix's blockSize, for `count` rows of matrix.columns.
  const std::int8_t* levels = nullptr;
  const std::int8_t* fine = nullptr;
  const std::uint8_t* hasFine = nullptr;
  const float* scales = nullptr;
  const float* sums = nullptr;
  int count = 1;            ///< rows of x and y
  Out* y = nullptr;         ///< [count, stride]
  std::int64_t stride = 0;  ///< at least matrix.rows

  /// The arithmetic: y[index, row].
  KERNEL_FN float entry(int index, std::int64_t row) const {
    using Rounding = BlockRounding<float>;
    const std::int64_t first = static_cast<std::int64_t>(index) * matrix.columns;
    float result = 0;
    for (int block = 0; block < matrix.blocks(); ++block) {
      std::int32_t products = 0;
      for (int i = block * matrix.blockSize; i < (block + 1) * matrix.blockSize; ++i) {
        const std::int64_t at = first + Rounding::placeOf(i);
        products += matrix.storedLevel(row, i) * (Rounding::kFineLevels * levels[at] + fine[at]);
      }
      const std::int64_t at = static_cast<std::int64_t>(index) * matrix.blocks() + block;
      const float scale = matrix.scale(row, block);
      result += scale * (scales[at] / Rounding::kFineLevels * static_cast<float>(products));
      result += (matrix.offset(row, block) - static_cast<float>(matrix.zero) * scale) * sums[at];
    }
    return result;
  }
};
/// Columns of y of panels [begin, end). Callers divide the panels among threads. Each row gives, bit for bit,
/// what it gives alone.
void multiplyBlocks(const BlockProduct<float>& product, std::int64_t begin, std::int64_t end);
void multiplyBlocks(const BlockProduct<std::uint16_t>& product, std::int64_t begin, std::int64_t end);

/// Whether this processor multiplies bytes faster than 16-bit levels.
bool isFasterInBytes();

}  // namespace kvasir
