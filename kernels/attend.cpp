#include "kernels/attend.h"

#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attend.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>

#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;

template <class Value>
void scoreKeys(const TokenAttention<Value>& a) {
  const Floats df;
  for (int g = 0; g < a.group; ++g) a.largest[g] = -std::numeric_limits<float>::infinity();
  for (int k = 0; k < a.count; ++k) {
    const Value* key = a.keys + static_cast<std::int64_t>(k) * a.dimension;
    for (int g = 0; g < a.group; ++g) {
      const float score = dot(df, key, a.queries + g * a.dimension, a.dimension) * a.scale;
      a.weights[g * a.weightStride + k] = score;
      if (score > a.largest[g]) a.largest[g] = score;
    }
  }
}

template <class Value>
void exponentiate(const TokenAttention<Value>& a) {
  const Floats df;
  const hn::CappedTag<float, 1> one;
  const int lanes = static_cast<int>(hn::Lanes(df));
  for (int g = 0; g < a.group; ++g) {
    float* weights = a.weights + g * a.weightStride;
    const float largest = a.largest[g];
    auto sums = hn::Zero(df);
    int k = 0;
    for (; k + lanes <= a.count; k += lanes) {
      const auto e = hn::Exp(df, hn::Sub(hn::LoadU(df, weights + k), hn::Set(df, largest)));
      hn::StoreU(e, df, weights + k);
      sums = hn::Add(sums, e);
    }
    float sum = total(df, sums);
    for (; k < a.count; ++k) {
      weights[k] = hn::GetLane(hn::Exp(one, hn::Set(one, weights[k] - largest)));
      sum += weights[k];
    }
    a.sum[g] = sum;
  }
}

template <class D, class Value>
void sumValues(D df, const TokenAttention<Value>& a, int i) {
  for (int g = 0; g < a.group; ++g) {
    const float* weights = a.weights + g * a.weightStride;
    const Value* values = a.values + i;
    auto even = hn::Zero(df), odd = hn::Zero(df);  // two sums hide the latency of one
    int k = 0;
    for (; k + 2 <= a.count; k += 2, values += 2 * a.dimension) {
      even = hn::MulAdd(load(df, values), hn::Set(df, weights[k]), even);
      odd = hn::MulAdd(load(df, values + a.dimension), hn::Set(df, weights[k + 1]), odd);
    }
    if (k < a.count) even = hn::MulAdd(load(df, values), hn::Set(df, weights[k]), even);
    hn::StoreU(hn::Add(even, odd), df, a.output + g * a.dimension + i);
  }
}

template <class Value>
void attend(const TokenAttention<Value>& a) {
  const Floats df;
  const hn::CappedTag<float, 1> one;
  const int lanes = static_cast<int>(hn::Lanes(df));
  scoreKeys(a);
  exponentiate(a);
  int i = 0;
  for (; i + lanes <= a.dimension; i += lanes) sumValues(df, a, i);
  for (; i < a.dimension; ++i) sumValues(one, a, i);
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
void attendToken(const TokenAttention<std::uint16_t>& attention) { HWY_DYNAMIC_DISPATCH(AttendBfloats)(attention); }

}  // namespace kvasir
#endif
