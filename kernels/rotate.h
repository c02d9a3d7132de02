#pragma once

#include <cstdint>

#include "kernels/kernel.h"

namespace kvasir {

/// Rotary position embedding of rows of one head: dimension i is paired with i + half.
template <class Value>
struct Rotation {
  const Value* in = nullptr;       ///< [rows, 2 · half]
  Value* out = nullptr;            ///< as in; may be the same memory
  const float* cosines = nullptr;  ///< [.., half]: of the first row's position
  const float* sines = nullptr;
  int rows = 0;
  int half = 0;
  int tableStep = 0;  ///< floats from one row's angles to the next: half, or 0 to give all rows one angle

  /// The arithmetic: both members of pair i of a row.
  KERNEL_FN void rotate(int row, int i, float first, float second, float& outFirst, float& outSecond) const {
    const float c = cosines[static_cast<std::int64_t>(row) * tableStep + i];
    const float s = sines[static_cast<std::int64_t>(row) * tableStep + i];
    outFirst = first * c - second * s;
    outSecond = second * c + first * s;
  }

  /// The same, from `in` to `out`.
  KERNEL_FN void rotatePair(int row, int i) const {
    const std::int64_t at = static_cast<std::int64_t>(row) * 2 * half + i;
    float first, second;
    rotate(row, i, readValue(in + at), readValue(in + at + half), first, second);
    writeValue(first, out + at);
    writeValue(second, out + at + half);
  }
};

/// Value: float, or bf16 bits as std::uint16_t.
void rotateRows(const Rotation<float>& rotation);
void rotateRows(const Rotation<std::uint16_t>& rotation);

}  // namespace kvasir
