#pragma once

#include <cstdint>

#include "kernels/panels.h"

namespace kvasir {

/// y = W x for rounded rows x, exact in W and in the sums over a block (integers), float32 in the rest.
/// Out: float, or bf16 bits.
template <class Out>
struct PanelProduct {
  PanelMatrix matrix;
  /// As RowRounding writes them with the matrix's blockSize, for `count` rows of matrix.columns.
  const std::int16_t* levels = nullptr;
  const float* scales = nullptr;
  const float* sums = nullptr;
  int count = 1;            ///< rows of x and y
  Out* y = nullptr;         ///< [count, stride]
  std::int64_t stride = 0;  ///< at least matrix.rows

  /// The arithmetic: y[index, row].
  KERNEL_FN float entry(int index, std::int64_t row) const {
    const std::int16_t* x = levels + static_cast<std::int64_t>(index) * matrix.columns;
    const float* blockSums = sums + static_cast<std::int64_t>(index) * matrix.blocks();
    float scaled = 0, offset = 0;
    for (int block = 0; block < matrix.blocks(); ++block) {
      std::int32_t products = 0;
      for (int i = block * matrix.blockSize; i < (block + 1) * matrix.blockSize; ++i)
        products += (matrix.storedLevel(row, i) - matrix.zero) * x[i];
      scaled += matrix.scale(row, block) * static_cast<float>(products);
      offset += matrix.offset(row, block) * blockSums[block];
    }
    return scales[index] * (scaled + offset);
  }
};
/// Columns of y of panels [begin, end). Callers divide the panels among threads. Each row gives, bit for bit,
/// what it gives alone.
void multiplyPanels(const PanelProduct<float>& product, std::int64_t begin, std::int64_t end);
void multiplyPanels(const PanelProduct<std::uint16_t>& product, std::int64_t begin, std::int64_t end);

}  // namespace kvasir
