#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kernel.h"
#include "kernels/line_vector.h"

namespace kvasir {

/// A matrix of quantised weights, weight = scale · level + offset with one scale and offset for `blockSize`
/// columns of a row, laid out for products: rows in panels of 16, side by side in the lanes of a vector. A word
/// has levels of one row: 8 of 4 bits or 4 of 8 bits, those of a pair of columns in its two halves, so that
/// a shift and a mask give what a product of pairs of 16 bits takes.
struct PanelMatrix {
  static constexpr int kRows = 16;

  const std::uint32_t* words = nullptr;  ///< [panels, columns / levels of a word, 16]
  /// [panels, columns / blockSize, 16], as float32 or, where that is exact, as IEEE halves: one of the two.
  const float* scales = nullptr;
  const std::uint16_t* halfScales = nullptr;
  const float* offsets = nullptr;  ///< as the scales; both null when all are zero
  const std::uint16_t* halfOffsets = nullptr;
  int rows = 0;
  int columns = 0;     ///< a multiple of blockSize
  int blockSize = 32;  ///< 16 or 32
  int bits = 8;        ///< 4: levels are 0 to 15, less zero; 8: −128 to 127, and zero is 0
  int zero = 0;

  KERNEL_FN int blocks() const { return columns / blockSize; }
  KERNEL_FN int panels() const { return (rows + kRows - 1) / kRows; }
  KERNEL_FN bool hasOffsets() const { return offsets != nullptr || halfOffsets != nullptr; }

  /// The arithmetic: a level as it is stored, before `zero` is taken off.
  KERNEL_FN int storedLevel(std::int64_t row, int column) const {
    const int inWord = 32 / bits, place = column % inWord;
    const std::int64_t word = row / kRows * (columns / inWord) + column / inWord;
    const std::uint32_t shifted = words[word * kRows + row % kRows] >> (bits * (place / 2) + 16 * (place % 2));
    return bits == 4 ? static_cast<int>(shifted & 15u) : static_cast<std::int8_t>(shifted & 255u);
  }
  KERNEL_FN std::int64_t blockAt(std::int64_t row, int block) const {
    return (row / kRows * blocks() + block) * kRows + row % kRows;
  }
  KERNEL_FN float scale(std::int64_t row, int block) const {
    return scales ? scales[blockAt(row, block)] : readHalf(halfScales[blockAt(row, block)]);
  }
  KERNEL_FN float offset(std::int64_t row, int block) const {
    if (!hasOffsets()) return 0;
    return offsets ? offsets[blockAt(row, block)] : readHalf(halfOffsets[blockAt(row, block)]);
  }
  KERNEL_FN float weight(std::int64_t row, int column) const {
    const int block = column / blockSize;
    return scale(row, block) * static_cast<float>(storedLevel(row, column) - zero) + offset(row, block);
  }
};

/// What a PanelMatrix points to.
struct PackedPanels {
  LineVector<std::uint32_t> words;
  LineVector<float> scales, offsets;
  LineVector<std::uint16_t> halfScales, halfOffsets;
  PanelMatrix shape;  ///< without pointers

  PanelMatrix matrix() const;
  std::size_t bytes() const;
};

/// Affine blocks row by row, as model files have them.
struct AffineRows {
  const std::int8_t* levels = nullptr;  ///< [rows, columns]
  const float* scales = nullptr;        ///< [rows, columns / blockSize]
  const float* offsets = nullptr;       ///< as scales; null when all are zero
  int rows = 0, columns = 0;
  int blockSize = 32;
};

/// Exact: weights come back bit for bit. Takes 4 bits a level where all levels fit into them.
PackedPanels packPanels(const AffineRows& rows);

/// y = W x for one vector in float32: exact in weights and x.
struct ExactProduct {
  PanelMatrix matrix;
  const float* x = nullptr;  ///< [matrix.columns]
  float* y = nullptr;        ///< [matrix.rows]

  /// The arithmetic: one entry of y.
  KERNEL_FN float entry(std::int64_t row) const {
    float sum = 0;
    for (int i = 0; i < matrix.columns; ++i) sum += matrix.weight(row, i) * x[i];
    return sum;
  }
};
/// Rows of panels [begin, end).
void multiplyExactly(const ExactProduct& product, std::int64_t begin, std::int64_t end);

/// Weights of rows [begin, end) as float32, or as bf16 bits: out[end − begin, columns].
void expandRows(const PanelMatrix& matrix, std::int64_t begin, std::int64_t end, float* out);
void expandRows(const PanelMatrix& matrix, std::int64_t begin, std::int64_t end, std::uint16_t* out);

/// Columns of y of panels [begin, end), entry by entry as the definition gives them. Product: of a matrix, with
/// entry(), count, y and stride.
template <class Product>
void multiplyByDefinition(const Product& product, std::int64_t begin, std::int64_t end) {
  const std::int64_t rows = product.matrix.rows, last = end * PanelMatrix::kRows;
  for (int index = 0; index < product.count; ++index)
    for (std::int64_t row = begin * PanelMatrix::kRows; row < (last < rows ? last : rows); ++row)
      writeValue(product.entry(index, row), product.y + index * product.stride + row);
}

}  // namespace kvasir
