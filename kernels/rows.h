#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/kernel.h"

namespace kvasir {

/// Root-mean-square norm of rows: out = in / sqrt(mean(in²) + epsilon) · weight. Out: float, or bf16 bits.
template <class Out>
struct RowNorm {
  const float* in = nullptr;      ///< [rows, width]
  const float* weight = nullptr;  ///< [width]
  Out* out = nullptr;             ///< [rows, width]; may be the same memory when float
  int width = 0;
  float epsilon = 0;

  /// The arithmetic. Squares of every `step`-th entry of a row, from `first` on, added up.
  KERNEL_FN float sumSquares(std::int64_t row, int first = 0, int step = 1) const {
    float sum = 0;
    for (int i = first; i < width; i += step) sum += in[row * width + i] * in[row * width + i];
    return sum;
  }
  /// What a row with that sum of squares is multiplied by, besides the weights.
  KERNEL_FN float factor(float squares) const {
    return 1.0f / std::sqrt(squares / static_cast<float>(width) + epsilon);
  }
  KERNEL_FN void writeEntry(std::int64_t row, int i, float factor) const {
    writeValue(in[row * width + i] * factor * weight[i], out + row * width + i);
  }
};
/// Rows [begin, end). Callers divide the rows among threads.
void normalizeRows(const RowNorm<float>& norm, std::int64_t begin, std::int64_t end);
void normalizeRows(const RowNorm<std::uint16_t>& norm, std::int64_t begin, std::int64_t end);

/// The gate of a feed-forward layer: out = activation(gate) · up.
template <class Value>
struct RowGate {
  enum class Activation { Silu, GeluTanh };
  const Value* in = nullptr;  ///< [rows, 2 · width]: gate, then up
  Value* out = nullptr;       ///< [rows, width]
  int width = 0;
  Activation activation = Activation::Silu;

  /// The arithmetic. x · sigmoid(2u) equals x / 2 · (1 + tanh u), u = sqrt(2 / pi) · (x + 0.044715 x³).
  KERNEL_FN float activate(float x) const {
    const float twice = activation == Activation::Silu ? x : 2 * 0.7978845608f * (x + 0.044715f * x * x * x);
    return x / (1.0f + std::exp(-twice));
  }
  KERNEL_FN void writeEntry(std::int64_t row, int i) const {
    const Value* gate = in + row * 2 * width + i;
    writeValue(activate(readValue(gate)) * readValue(gate + width), out + row * width + i);
  }
};
void gateRows(const RowGate<float>& gate, std::int64_t begin, std::int64_t end);
void gateRows(const RowGate<std::uint16_t>& gate, std::int64_t begin, std::int64_t end);

}  // namespace kvasir
