#pragma once

#include <cstdint>

namespace kvasir {

/// Root-mean-square norm of rows: out = in / sqrt(mean(in²) + epsilon) · weight. Out: float, or bf16 bits.
template <class Out>
struct RowNorm {
  const float* in = nullptr;      ///< [rows, width]
  const float* weight = nullptr;  ///< [width]
  Out* out = nullptr;             ///< [rows, width]; may be the same memory when float
  int width = 0;
  float epsilon = 0;
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
};
void gateRows(const RowGate<float>& gate, std::int64_t begin, std::int64_t end);
void gateRows(const RowGate<std::uint16_t>& gate, std::int64_t begin, std::int64_t end);

}  // namespace kvasir
