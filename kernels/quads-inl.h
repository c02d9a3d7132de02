// Products of bytes, four at a time, once for each SIMD target. Included after <hwy/highway.h>.
#if defined(KVASIR_KERNELS_QUADS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KVASIR_KERNELS_QUADS_INL_H_
#undef KVASIR_KERNELS_QUADS_INL_H_
#else
#define KVASIR_KERNELS_QUADS_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>
#include <cstring>

/// Whether this target has them. Others would need as many operations as for 16-bit levels.
#undef KVASIR_HAS_QUADS
#define KVASIR_HAS_QUADS (HWY_ARCH_X86 && HWY_CAP_GE256)

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if KVASIR_HAS_QUADS
#if HWY_TARGET <= HWY_AVX3_DL
/// `sum` and the products of quads by VNNI, spelt out for the reason that addPairs gives.
template <class Sums, class Bytes>
HWY_INLINE Sums addQuads(Sums sum, Bytes levels, Bytes x) {
#if HWY_COMPILER_MSVC && !HWY_COMPILER_CLANGCL
  if constexpr (sizeof(sum.raw) == 64)
    sum.raw = _mm512_dpbusd_epi32(sum.raw, levels.raw, x.raw);
  else
    sum.raw = _mm256_dpbusd_epi32(sum.raw, levels.raw, x.raw);
#else
  asm("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(levels.raw), "v"(x.raw));
#endif
  return sum;
}
#endif

/// Sums of up to eight products of quads, one a lane of 32 bits: of levels from 0 to 15 with any.
template <class DI>
struct QuadSums {
  using Bytes = hn::Vec<hn::Repartition<std::int8_t, DI> >;

#if HWY_TARGET <= HWY_AVX3_DL
  hn::Vec<DI> sum;

  HWY_INLINE void add(Bytes levels, Bytes x) { sum = addQuads(sum, levels, x); }
  HWY_INLINE hn::Vec<DI> total() const { return sum; }
#else
  using Pairs = hn::Repartition<std::int16_t, DI>;
  hn::Vec<Pairs> sum;

  HWY_INLINE void add(Bytes levels, Bytes x) { sum = hn::Add(sum, addTwo(levels, x)); }
  HWY_INLINE hn::Vec<DI> total() const {
    auto rest = hn::Zero(DI());
    const auto pairs =
        hn::ReorderWidenMulAccumulate(DI(), sum, hn::Set(Pairs(), std::int16_t{1}), hn::Zero(DI()), rest);
    return hn::RearrangeToOddPlusEven(pairs, rest);
  }

  /// At most 2 · 15 · 128: eight of them stay below 2¹⁵.
  static HWY_INLINE hn::Vec<Pairs> addTwo(Bytes levels, Bytes x) {
    hn::Vec<Pairs> sums;
#if HWY_TARGET == HWY_AVX2
    sums.raw = _mm256_maddubs_epi16(levels.raw, x.raw);
#else
    if constexpr (sizeof(sums.raw) == 64)
      sums.raw = _mm512_maddubs_epi16(levels.raw, x.raw);
    else
      sums.raw = _mm256_maddubs_epi16(levels.raw, x.raw);
#endif
    return sums;
  }
#endif
};

template <class DI>
HWY_INLINE QuadSums<DI> noQuads(DI di) {
#if HWY_TARGET <= HWY_AVX3_DL
  return {hn::Zero(di)};
#else
  (void)di;
  return {hn::Zero(hn::Repartition<std::int16_t, DI>())};
#endif
}

/// Adds the products of vectors of quads of levels and one quad.
template <class V, class DI>
HWY_INLINE void addProducts(V vector, const std::int8_t* quad, QuadSums<DI>& sum) {
  std::uint32_t bytes;
  std::memcpy(&bytes, quad, sizeof bytes);
  const auto spread = hn::Set(hn::Rebind<std::uint32_t, DI>(), bytes);
  sum.add(vector, hn::BitCast(hn::DFromV<V>(), spread));
}
#endif

}  // namespace HWY_NAMESPACE
}  // namespace kvasir
HWY_AFTER_NAMESPACE();

#endif
