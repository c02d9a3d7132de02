// Products of 16-bit levels, a pair at a time, once for each SIMD target. Included after <hwy/highway.h>.
#if defined(KVASIR_KERNELS_PAIRS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KVASIR_KERNELS_PAIRS_INL_H_
#undef KVASIR_KERNELS_PAIRS_INL_H_
#else
#define KVASIR_KERNELS_PAIRS_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR
/// One pair of levels in every lane of 32 bits.
template <class D32>
HWY_INLINE hn::Vec<hn::Repartition<std::int16_t, D32> > spreadPair(D32 d32, const std::int16_t* levels) {
  std::uint32_t pair;
  std::memcpy(&pair, levels, sizeof pair);
  return hn::BitCast(hn::Repartition<std::int16_t, D32>(), hn::Set(d32, pair));
}

#if HWY_TARGET == HWY_AVX3_DL
/// `sum` and the products of pairs, by AVX-512's VNNI. Highway 1.0 does not use it, and compiles this target
/// for AVX-VNNI in its place, which processors with AVX-512 need not have: so the instruction is spelt out.
template <class Sums, class Levels>
HWY_INLINE Sums addPairs(Sums sum, Levels a, Levels b) {
#if HWY_COMPILER_MSVC && !HWY_COMPILER_CLANGCL
  if constexpr (sizeof(sum.raw) == 64)
    sum.raw = _mm512_dpwssd_epi32(sum.raw, a.raw, b.raw);
  else
    sum.raw = _mm256_dpwssd_epi32(sum.raw, a.raw, b.raw);
#else
  asm("vpdpwssd %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
#endif
  return sum;
}
#endif

/// Sums of products of pairs, one a lane of 32 bits. Two, because some processors keep halves apart.
template <class DI>
struct PairSums {
  hn::Vec<DI> first, second;

  HWY_INLINE void add(hn::Vec<hn::Repartition<std::int16_t, DI> > a,
                      hn::Vec<hn::Repartition<std::int16_t, DI> > b) {
#if HWY_TARGET == HWY_AVX3_DL
    first = addPairs(first, a, b);
#else
    first = hn::ReorderWidenMulAccumulate(DI(), a, b, first, second);
#endif
  }
  HWY_INLINE hn::Vec<DI> total() const { return hn::RearrangeToOddPlusEven(first, second); }
};

template <class DI>
HWY_INLINE PairSums<DI> noSums(DI di) {
  return {hn::Zero(di), hn::Zero(di)};
}
#endif

}  // namespace HWY_NAMESPACE
}  // namespace kvasir
HWY_AFTER_NAMESPACE();

#endif
