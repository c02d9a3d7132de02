#pragma once

#include <cstdint>

#include "kernels/kernel.h"

namespace kvasir {

/// y = W x for many rows x, weights as plain numbers, sums in float32. For devices: on the processor LibTorch
/// has it. Value: of all three, float or bf16 bits.
template <class Value>
struct DenseProduct {
  const Value* weights = nullptr;  ///< [rows, columns]
  std::int64_t rows = 0;
  int columns = 0;
  const Value* x = nullptr;  ///< [count, columns]
  int count = 0;
  Value* y = nullptr;  ///< [count, rows]
  bool adds = false;   ///< to what y holds

  /// The arithmetic: y[index, row].
  KERNEL_FN float entry(int index, std::int64_t row) const {
    const Value* weight = weights + row * columns;
    const Value* in = x + std::int64_t{index} * columns;
    float sum = 0;
    for (int i = 0; i < columns; ++i) sum += readValue(weight + i) * readValue(in + i);
    return withHeld(index, row, sum);
  }
  /// What y becomes there when its sum is found.
  KERNEL_FN float withHeld(int index, std::int64_t row, float sum) const {
    return adds ? readValue(y + index * rows + row) + sum : sum;
  }
};
/// Columns [begin, end) of y. Plain loops: nothing on the processor calls them but checks of devices.
void multiplyDense(const DenseProduct<float>& product, std::int64_t begin, std::int64_t end);
void multiplyDense(const DenseProduct<std::uint16_t>& product, std::int64_t begin, std::int64_t end);

/// y = W x for one vector, likewise. Value: of the weights; x and y are float32.
template <class Value>
struct VectorProduct {
  const Value* weights = nullptr;  ///< [rows, columns]
  std::int64_t rows = 0;
  int columns = 0;
  const float* x = nullptr;  ///< [columns]
  float* y = nullptr;        ///< [rows]
  bool adds = false;         ///< to what y holds

  /// The arithmetic. Products of every `step`-th column of a row, from `first` on, added up.
  KERNEL_FN float sum(std::int64_t row, int first = 0, int step = 1) const {
    float sum = 0;
    for (int i = first; i < columns; i += step) sum += readValue(weights + row * columns + i) * x[i];
    return sum;
  }
  KERNEL_FN float withHeld(std::int64_t row, float sum) const { return adds ? y[row] + sum : sum; }
};
void multiplyVector(const VectorProduct<float>& product, std::int64_t begin, std::int64_t end);
void multiplyVector(const VectorProduct<std::uint16_t>& product, std::int64_t begin, std::int64_t end);

}  // namespace kvasir
