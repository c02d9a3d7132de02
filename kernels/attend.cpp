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
    hn::Vec<Floats> sums[heads];
    for (int h = 0; h < heads; ++h) sums[h] = hn::Zero(df);
    int i = 0;
    for (; i + lanes <= a.dimension; i += lanes) {
      const auto part = load(df, key + i);
      for (int h = 0; h < heads; ++h)
        sums[h] = hn::MulAdd(part, hn::LoadU(df, queries + h * a.dimension + i), sums[h]);
    }
    for (int h = 0; h < heads; ++h) {
      float product = total(df, sums[h]);
      for (int rest = i; rest < a.dimension; ++rest)
        product += readValue(key + rest) * queries[h * a.dimension + rest];
      const float score = product * a.scale;
      weights[h * a.weightStride + k] = score;
      largest[h] = std::max(largest[h], score);
    }
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

/// Outputs of `heads` query heads from `query` on.
template <int heads, class Value>
void sumValues(const TokenAttention<Value>& a, int query) {
  const Floats df;
  const int lanes = static_cast<int>(hn::Lanes(df));
  const float* weights = a.weights + query * a.weightStride;
  float* output = a.output + query * a.dimension;
  int i = 0;
  for (; i + lanes <= a.dimension; i += lanes) {
    const Value* values = a.values + i;
    hn::Vec<Floats> even[heads], odd[heads];  // two sums hide the latency of one
    for (int h = 0; h < heads; ++h) even[h] = odd[h] = hn::Zero(df);
    int k = 0;
    for (; k + 2 <= a.count; k += 2, values += 2 * a.dimension) {
      const auto first = load(df, values), second = load(df, values + a.dimension);
      for (int h = 0; h < heads; ++h) {
        even[h] = hn::MulAdd(first, hn::Set(df, weights[h * a.weightStride + k]), even[h]);
        odd[h] = hn::MulAdd(second, hn::Set(df, weights[h * a.weightStride + k + 1]), odd[h]);
      }
    }
    for (int h = 0; h < heads; ++h) {
      if (k < a.count)
        even[h] = hn::MulAdd(load(df, values), hn::Set(df, weights[h * a.weightStride + k]), even[h]);
      hn::StoreU(hn::Add(even[h], odd[h]), df, output + h * a.dimension + i);
    }
  }
  for (; i < a.dimension; ++i)
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
