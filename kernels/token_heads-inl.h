// What attention of one token's query heads shares, once for each SIMD target. Included after <hwy/highway.h>.
#if defined(KVASIR_KERNELS_TOKEN_HEADS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KVASIR_KERNELS_TOKEN_HEADS_INL_H_
#undef KVASIR_KERNELS_TOKEN_HEADS_INL_H_
#else
#define KVASIR_KERNELS_TOKEN_HEADS_INL_H_
#endif

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <type_traits>

#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;

/// Query heads that share each load of a key or value.
constexpr int kHeads = 4;

/// One vector for each of up to four heads. They are variables of their own, not an array: compilers keep them
/// in registers only so.
template <int heads, class D = Floats>
struct HeadVectors {
  hn::Vec<D> v0, v1, v2, v3;

  static HWY_INLINE HeadVectors zero() {
    const auto none = hn::Zero(D());
    return {none, none, none, none};
  }

  /// Calls what(head, vector) for each.
  template <class What>
  HWY_INLINE void each(const What& what) {
    what(0, v0);
    if constexpr (heads > 1) what(1, v1);
    if constexpr (heads > 2) what(2, v2);
    if constexpr (heads > 3) what(3, v3);
  }
};

/// Calls what(first query head, std::integral_constant of the count) for heads that are taken together.
template <class What>
HWY_INLINE void byHeads(int group, const What& what) {
  int query = 0;
  for (; query + kHeads <= group; query += kHeads) what(query, std::integral_constant<int, kHeads>());
  switch (group - query) {
    case 3:
      return what(query, std::integral_constant<int, 3>());
    case 2:
      return what(query, std::integral_constant<int, 2>());
    case 1:
      return what(query, std::integral_constant<int, 1>());
  }
}

/// Weights of one query head, from its scores. Attention: TokenAttention or PackedAttention.
template <class Attention>
void weighKeys(const Attention& a, int query) {
  const Floats df;
  const int lanes = static_cast<int>(hn::Lanes(df));
  float* weights = a.weights + query * a.weightStride;
  const float largest = a.largest[query];
  auto sums = hn::Zero(df);
  int k = 0;
  for (; k + lanes <= a.count; k += lanes) {
    const auto e = hn::Exp(df, hn::Sub(hn::LoadU(df, weights + k), hn::Set(df, largest)));
    hn::StoreU(e, df, weights + k);
    sums = hn::Add(sums, e);
  }
  float sum = total(df, sums);
  for (; k < a.count; ++k) {
    weights[k] = a.weigh(weights[k], largest);
    sum += weights[k];
  }
  a.sum[query] = sum;
}

}  // namespace HWY_NAMESPACE
}  // namespace kvasir
HWY_AFTER_NAMESPACE();

#endif
