#pragma once

#include <cstdint>

#include "kernels/panels.h"

namespace kvasir {

/// y = W x for rounded rows x, exact in W and in the sums over a block (integers), float32 in the rest.
/// Out: float, or bf16 bits.
template <class Out>
struct PanelProduct {
  PanelMatrix matrix;
  const std::int16_t* levels =
      nullptr;                    ///< [count, matrix.columns], and so on: as RowRounding writes them, with
  const float* scales = nullptr;  ///< the matrix's blockSize
  const float* sums = nullptr;
  int count = 1;            ///< rows of x and y
  Out* y = nullptr;         ///< [count, stride]
  std::int64_t stride = 0;  ///< at least matrix.rows

  /// The arithmetic: y[index, row].
  KERNEL_FN float entry(int index, std::int64_t row) const {
    float total = 0;
    for (int block = 0; block < matrix.blocks(); ++block) {
      const std::int64_t at = static_cast<std::int64_t>(index) * matrix.blocks() + block;
      std::int32_t products = 0;
      for (int i = block * matrix.blockSize; i < (block + 1) * matrix.blockSize; ++i)
        products += matrix.storedLevel(row, i) * levels[static_cast<std::int64_t>(index) * matrix.columns + i];
      const float scaled =
          static_cast<float>(products) * scales[at] - static_cast<float>(matrix.zero) * sums[at];
      total += matrix.scale(row, block) * scaled + matrix.offset(row, block) * sums[at];
    }
    return total;
  }
};
/// Columns of y of panels [begin, end). Callers divide the panels among threads.
void multiplyPanels(const PanelProduct<float>& product, std::int64_t begin, std::int64_t end);
void multiplyPanels(const PanelProduct<std::uint16_t>& product, std::int64_t begin, std::int64_t end);

}  // namespace kvasir
