#pragma once

#include <cstdint>
#include <cstring>

/// Marks the arithmetic of a kernel, so that the same definition is compiled for the processor and for the
/// device. Headers that use it are C++17: nvcc reads them.
#ifdef __CUDACC__
#define KERNEL_FN __host__ __device__
#else
#define KERNEL_FN
#endif

namespace kvasir {

/// A value as it lies in memory: a float, or bf16 as its 16 bits.
KERNEL_FN inline float readValue(const float* from) { return *from; }
KERNEL_FN inline float readValue(const std::uint16_t* from) {
  const std::uint32_t bits = static_cast<std::uint32_t>(*from) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// Products of two rows' numbers, added up.
template <class A, class B>
KERNEL_FN float dotProduct(const A* a, const B* b, int count) {
  float sum = 0;
  for (int i = 0; i < count; ++i) sum += readValue(a + i) * readValue(b + i);
  return sum;
}

/// An IEEE half by its bits; finite.
KERNEL_FN inline float readHalf(std::uint16_t half) {
  const std::uint32_t magnitude = static_cast<std::uint32_t>(half & 0x7fffu) << 13;
  float value;
  std::memcpy(&value, &magnitude, sizeof value);
  value *=
      5.192296858534828e33f;  // 2¹¹², between the biases of the exponents; subnormal halves come out right too
  return half & 0x8000u ? -value : value;
}

/// bf16 is rounded to the nearest, ties to even; what rounds past the largest becomes infinity. Values are not
/// NaN.
KERNEL_FN inline void writeValue(float value, float* to) { *to = value; }
KERNEL_FN inline void writeValue(float value, std::uint16_t* to) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  *to = static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

}  // namespace kvasir
