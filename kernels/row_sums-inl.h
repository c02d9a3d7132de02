// Sums of several rows at once, kept in registers, once for each SIMD target. Included after <hwy/highway.h>.
#if defined(KVASIR_KERNELS_ROW_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KVASIR_KERNELS_ROW_SUMS_INL_H_
#undef KVASIR_KERNELS_ROW_SUMS_INL_H_
#else
#define KVASIR_KERNELS_ROW_SUMS_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>

#include "kernels/pairs-inl.h"
#include "kernels/quads-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR
/// Rows that share each load of two vectors. Six would fill 16 registers, yet compilers no longer keep them
/// there.
constexpr int kRowsAtOnce = 4;

/// Sums of kCount rows and two vectors of columns. They are variables of their own, not an array: compilers
/// keep them in registers only so. Sum: a vector of floats, or PairSums.
template <int kCount, class Sum>
struct RowSums {
  static_assert(kCount >= 1 && kCount <= kRowsAtOnce);
  Sum a0, a1, a2, a3, b0, b1, b2, b3;

  /// Calls what(row, its sums of the first vector, of the second).
  template <class What>
  HWY_INLINE void each(const What& what) {
    what(0, a0, b0);
    if constexpr (kCount > 1) what(1, a1, b1);
    if constexpr (kCount > 2) what(2, a2, b2);
    if constexpr (kCount > 3) what(3, a3, b3);
  }
  /// The same with the sums of another kind: what(row, a, b, the other's a, its b).
  template <class Other, class What>
  HWY_INLINE void eachWith(RowSums<kCount, Other>& other, const What& what) {
    what(0, a0, b0, other.a0, other.b0);
    if constexpr (kCount > 1) what(1, a1, b1, other.a1, other.b1);
    if constexpr (kCount > 2) what(2, a2, b2, other.a2, other.b2);
    if constexpr (kCount > 3) what(3, a3, b3, other.a3, other.b3);
  }
};

template <int kCount, class Sum>
HWY_INLINE RowSums<kCount, Sum> noRowSums(Sum none) {
  return {none, none, none, none, none, none, none, none};
}

/// Adds the products of a vector and one number, or one pair of levels.
template <class V>
HWY_INLINE void addProducts(V vector, const float* number, V& sum) {
  sum = hn::MulAdd(vector, hn::Set(hn::DFromV<V>(), *number), sum);
}
template <class V, class DI>
HWY_INLINE void addProducts(V vector, const std::int16_t* pair, PairSums<DI>& sum) {
  sum.add(vector, spreadPair(hn::Rebind<std::uint32_t, DI>(), pair));
}

/// Adds, to the sums of each row, the products of its numbers with two vectors each: `steps` of them, where a
/// step is one float or one pair of levels. The vectors of a step lie `stride` behind those of the one before,
/// the numbers of a row `rowStride` behind those of the row before.
template <class D, class Number, int kCount, class Sum>
HWY_INLINE void addProducts(D d, const Number* vectors, std::int64_t stride, const Number* numbers,
                            std::int64_t rowStride, int steps, RowSums<kCount, Sum>& sums) {
  constexpr int kNumbers = sizeof(float) / sizeof(Number);
  const std::size_t lanes = hn::Lanes(d);
  HWY_UNROLL(4)
  for (int step = 0; step < steps; ++step, vectors += stride, numbers += kNumbers) {
    const auto a = hn::Load(d, vectors), b = hn::Load(d, vectors + lanes);
    sums.each([&](int row, Sum& sumA, Sum& sumB) HWY_ATTR {
      addProducts(a, numbers + row * rowStride, sumA);
      addProducts(b, numbers + row * rowStride, sumB);
    });
  }
}
#endif

}  // namespace HWY_NAMESPACE
}  // namespace kvasir
HWY_AFTER_NAMESPACE();

#endif
