// Loads, stores and sums that several kernels share, once for each SIMD target. Included after <hwy/highway.h>.
#if defined(KVASIR_KERNELS_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KVASIR_KERNELS_LANES_INL_H_
#undef KVASIR_KERNELS_LANES_INL_H_
#else
#define KVASIR_KERNELS_LANES_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>

#include "kernels/kernel.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE hn::Vec<D> load(D df, const float* from) {
  return hn::LoadU(df, from);
}

/// bf16 bits as floats.
template <class D>
HWY_INLINE hn::Vec<D> load(D df, const std::uint16_t* from) {
  const hn::Rebind<std::uint32_t, D> du;
  const hn::Rebind<std::uint16_t, D> d16;
  return hn::BitCast(df, hn::ShiftLeft<16>(hn::PromoteTo(du, hn::LoadU(d16, from))));
}

template <class D>
HWY_INLINE void store(D df, hn::Vec<D> values, float* to) {
  hn::StoreU(values, df, to);
}

/// Rounds to the nearest bf16, ties to even. Values are finite.
template <class D>
HWY_INLINE void store(D df, hn::Vec<D> values, std::uint16_t* to) {
  const hn::Rebind<std::uint32_t, D> du;
  const hn::Rebind<std::int32_t, D> di;
  const hn::Rebind<std::uint16_t, D> d16;
  (void)df;
  const auto bits = hn::BitCast(du, values);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1u));
  const auto rounded = hn::ShiftRight<16>(hn::Add(bits, hn::Add(odd, hn::Set(du, 0x7fffu))));
  // Not TruncateTo, which mixes up lanes for AVX3_DL in Highway 1.0.3.
  hn::StoreU(hn::DemoteTo(d16, hn::BitCast(di, rounded)), d16, to);
}

template <class D>
HWY_INLINE float total(D df, hn::Vec<D> values) {
  return hn::GetLane(hn::SumOfLanes(df, values));
}

/// Sum of a[i] · b[i]; any length.
template <class D, class A>
HWY_INLINE float dot(D df, const A* a, const float* b, int length) {
  const int lanes = static_cast<int>(hn::Lanes(df));
  auto sum = hn::Zero(df);
  int i = 0;
  for (; i + lanes <= length; i += lanes) sum = hn::MulAdd(load(df, a + i), hn::LoadU(df, b + i), sum);
  float result = total(df, sum);
  for (; i < length; ++i) result += readValue(a + i) * b[i];
  return result;
}

}  // namespace HWY_NAMESPACE
}  // namespace kvasir
HWY_AFTER_NAMESPACE();

#endif
