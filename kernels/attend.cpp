#include "kernels/attend.h"

#include <algorithm>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attend.cpp"
#include <hwy/foreach_target.h>  // first: it includes this file again for each target

#include <hwy/highway.h>

#include "kernels/token_heads-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Scores of `heads` query heads from `query` on.
template <int heads, class Value>
void scoreKeys(const TokenAttention<Value>& a, int query) {
  const Floats df;
  const int lanes = static_cast<int>(hn::Lanes(df));
  const float* queries = a.queries + query * a.dimension;
  float* weights = a.weights + query * a.weightStride;
  float* largest = a.largest + query;
  for (int h = 0; h < heads; ++h) largest[h] = -std::numeric_limits<float>::infinity();
  for (int k = 0; k < a.count; ++k) {
    const Value* key = a.keys + static_cast<std::int64_t>(k) * a.dimension;
    auto sums = HeadVectors<heads>::zero();
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

/// Adds the values of keys [begin, end) to two vectors of the outputs of `heads` query heads.
template <int heads, class Value>
HWY_INLINE void addValues(const TokenAttention<Value>& a, const float* weights, int begin, int end, int i,
                          float* output) {
  const Floats df;
  const int lanes = static_cast<int>(hn::Lanes(df));
  auto lower = HeadVectors<heads>::zero(), upper = lower;
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

template <class Value>
void attend(const TokenAttention<Value>& a) {
  byHeads(a.group, [&](int query, auto count) HWY_ATTR {
    constexpr int heads = decltype(count)::value;
    scoreKeys<heads>(a, query);
    for (int h = 0; h < heads; ++h) weighKeys(a, query + h);
    sumValues<heads>(a, query);
  });
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
