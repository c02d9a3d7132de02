#include "kernels/attend.h"

#include <algorithm>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attend.cpp"
#include <hwy/foreach_target.h>  // first: it includes this file again for each target

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

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
template <int heads>
struct HeadVectors {
  hn::Vec<Floats> v0, v1, v2, v3;

  /// Calls what(head, vector) for each.
  template <class What>
  HWY_INLINE void each(const What& what) {
    what(0, v0);
    if constexpr (heads > 1) what(1, v1);
    if constexpr (heads > 2) what(2, v2);
    if constexpr (heads > 3) what(3, v3);
  }
};

/// Scores of `heads` query heads from `query` on.
template <int heads, class Value>
void scoreKeys(const TokenAttention<Value>& a, int query) {
  const Floats df;
  const int lanes = static_cast<int>(hn::Lanes(df));
  const float* queries = a.queries + query * a.dimension;
  float* weights = a.weights + query * a.weightStride;
  float* largest = a.largest + query;
  for (int h = 0; h < heads; ++h) largest[h] = -std::numeric_limits<float>::infinity();
  const auto none = hn::Zero(df);
  for (int k = 0; k < a.count; ++k) {
    const Value* key = a.keys + static_cast<std::int64_t>(k) * a.dimension;
    HeadVectors<heads> sums = {none, none, none, none};
    int i = 0;
    for (; i + lanes <= a.dimension; i += lanes) {
      const auto part = load(df, key + i);
      sums.each([&](int h, hn::Vec<Floats>& sum)
                    HWY_ATTR { sum = hn::MulAdd(part, hn::LoadU(df, queries + h * a.dimension + i), sum); });
    }
    sums.each([&](int h, hn::Vec<Floats>& sum) HWY_ATTR {
      float product = total(df, sum);
      for (int rest = i; rest < a.dimension; ++rest)
        product += readValue(key + rest) * queries[h * a.dimension + rest];
      const float score = product * a.scale;
      weights[h * a.weightStride + k] = score;
      largest[h] = std::max(largest[h], score);
    });
  }
}

/// Weights of one query head, from its scores.
template <class Value>
void weighKeys(const TokenAttention<Value>& a, int query) {
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

/// Adds the values of keys [begin, end) to two vectors of the outputs of `heads` query heads.
template <int heads, class Value>
HWY_INLINE void addValues(const TokenAttention<Value>& a, const float* weights, int begin, int end, int i,
                          float* output) {
  const Floats df;
  const int lanes = static_cast<int>(hn::Lanes(df));
  const auto none = hn::Zero(df);
  HeadVectors<heads> lower = {none, none, none, none}, upper = lower;
  const auto at = [&](int h) { return output + h * a.dimension + i; };
  lower.each([&](int h, hn::Vec<Floats>& sum) HWY_ATTR { sum = hn::LoadU(df, at(h)); });
  upper.each([&](int h, hn::Vec<Floats>& sum) HWY_ATTR { sum = hn::LoadU(df, at(h) + lanes); });
  const Value* values = a.values + static_cast<std::int64_t>(begin) * a.dimension + i;
  for (int k = begin; k < end; ++k, values += a.dimension) {
    const auto first = load(df, values), second = load(df, values + lanes);
    const auto weightOf = [&](int h) HWY_ATTR { return hn::Set(df, weights[h * a.weightStride + k]); };
    lower.each([&](int h, hn::Vec<Floats>& sum) HWY_ATTR { sum = hn::MulAdd(first, weightOf(h), sum); });
    upper.each([&](int h, hn::Vec<Floats>& sum) HWY_ATTR { sum = hn::MulAdd(second, weightOf(h), sum); });
  }
  lower.each([&](int h, hn::Vec<Floats>& sum) HWY_ATTR { hn::StoreU(sum, df, at(h)); });
  upper.each([&](int h, hn::Vec<Floats>& sum) HWY_ATTR { hn::StoreU(sum, df, at(h) + lanes); });
}

/// Outputs of `heads` query heads from `query` on. Keys are taken in stretches whose values stay in the first
/// cache while all parts of the outputs are summed.
template <int heads, class Value>
void sumValues(const TokenAttention<Value>& a, int query) {
  constexpr int kStretch = 64;
  const int step = 2 * static_cast<int>(hn::Lanes(Floats())), whole = a.dimension / step * step;
  const float* weights = a.weights + query * a.weightStride;
  float* output = a.output + query * a.dimension;
  std::fill_n(output, heads * a.dimension, 0.0f);
  for (int begin = 0; begin < a.count; begin += kStretch)
    for (int i = 0; i < whole; i += step)
      addValues<heads>(a, weights, begin, std::min(a.count, begin + kStretch), i, output);
  for (int i = whole; i < a.dimension; ++i)
    for (int h = 0; h < heads; ++h) output[h * a.dimension + i] = a.sumValue(query + h, i);
}

template <int heads, class Value>
void attendHeads(const TokenAttention<Value>& a, int query) {
  scoreKeys<heads>(a, query);
  for (int h = 0; h < heads; ++h) weighKeys(a, query + h);
  sumValues<heads>(a, query);
}

template <class Value>
void attend(const TokenAttention<Value>& a) {
  int query = 0;
  for (; query + kHeads <= a.group; query += kHeads) attendHeads<kHeads>(a, query);
  switch (a.group - query) {
    case 3:
      return attendHeads<3>(a, query);
    case 2:
      return attendHeads<2>(a, query);
    case 1:
      return attendHeads<1>(a, query);
  }
}

void AttendFloats(const TokenAttention<float>& a) { attend(a); }
void AttendBfloats(const TokenAttention<std::uint16_t>& a) { attend(a); }

}  // namespace HWY_NAMESPACE
}  // namespace kvasir
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kvasir {

HWY_EXPORT(AttendFloats);
HWY_EXPORT(AttendBfloats);

void attendToken(const TokenAttention<float>& attention) { HWY_DYNAMIC_DISPATCH(AttendFloats)(attention); }
void attendToken(const TokenAttention<std::uint16_t>& attention) {
  HWY_DYNAMIC_DISPATCH(AttendBfloats)(attention);
}

}  // namespace kvasir
#endif
