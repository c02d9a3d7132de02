#include "kernels/rows.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rows.cpp"
#include <hwy/foreach_target.h>  // first: it includes this file again for each target

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;

template <class D, class Out>
void scaleAt(D df, const float* in, const float* weight, float factor, Out* out) {
  store(df, hn::Mul(hn::Mul(hn::LoadU(df, in), hn::Set(df, factor)), hn::LoadU(df, weight)), out);
}

template <class Out>
void normalize(const RowNorm<Out>& n, std::int64_t begin, std::int64_t end) {
  const Floats df;
  const int lanes = static_cast<int>(hn::Lanes(df));
  for (std::int64_t row = begin; row < end; ++row) {
    const float* in = n.in + row * n.width;
    Out* out = n.out + row * n.width;
    const float factor = n.factor(dot(df, in, in, n.width));
    int i = 0;
    for (; i + lanes <= n.width; i += lanes) scaleAt(df, in + i, n.weight + i, factor, out + i);
    for (; i < n.width; ++i) n.writeEntry(row, i, factor);
  }
}

template <class D>
HWY_INLINE hn::Vec<D> sigmoid(D df, hn::Vec<D> x) {
  const auto unit = hn::Set(df, 1.0f);
  // Beyond 104 Highway's Exp gives wrong numbers instead of infinity.
  const auto power = hn::Min(hn::Neg(x), hn::Set(df, 104.0f));
  return hn::Div(unit, hn::Add(unit, hn::Exp(df, power)));
}

struct Silu {
  template <class D>
  HWY_INLINE hn::Vec<D> operator()(D df, hn::Vec<D> x) const {
    return hn::Mul(x, sigmoid(df, x));
  }
};

struct GeluTanh {
  template <class D>
  HWY_INLINE hn::Vec<D> operator()(D df, hn::Vec<D> x) const {
    const auto cubic = hn::MulAdd(hn::Mul(hn::Mul(x, x), x), hn::Set(df, 0.044715f), x);
    return hn::Mul(x, sigmoid(df, hn::Mul(cubic, hn::Set(df, 2 * 0.7978845608f))));
  }
};

template <class Activation, class D, class Value>
void gateAt(D df, const Value* gate, const Value* up, Value* out) {
  store(df, hn::Mul(Activation()(df, load(df, gate)), load(df, up)), out);
}

template <class Activation, class Value>
void gateAll(const RowGate<Value>& g, std::int64_t begin, std::int64_t end) {
  const Floats df;
  const int lanes = static_cast<int>(hn::Lanes(df));
  for (std::int64_t row = begin; row < end; ++row) {
    const Value* in = g.in + row * 2 * g.width;
    Value* out = g.out + row * g.width;
    int i = 0;
    for (; i + lanes <= g.width; i += lanes) gateAt<Activation>(df, in + i, in + g.width + i, out + i);
    for (; i < g.width; ++i) g.writeEntry(row, i);
  }
}

template <class Value>
void gate(const RowGate<Value>& g, std::int64_t begin, std::int64_t end) {
  if (g.activation == RowGate<Value>::Activation::Silu) return gateAll<Silu>(g, begin, end);
  gateAll<GeluTanh>(g, begin, end);
}

void NormalizeFloats(const RowNorm<float>& n, std::int64_t begin, std::int64_t end) {
  normalize(n, begin, end);
}
void NormalizeBfloats(const RowNorm<std::uint16_t>& n, std::int64_t begin, std::int64_t end) {
  normalize(n, begin, end);
}
void GateFloats(const RowGate<float>& g, std::int64_t begin, std::int64_t end) { gate(g, begin, end); }
void GateBfloats(const RowGate<std::uint16_t>& g, std::int64_t begin, std::int64_t end) { gate(g, begin, end); }

}  // namespace HWY_NAMESPACE
}  // namespace kvasir
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kvasir {

HWY_EXPORT(NormalizeFloats);
HWY_EXPORT(NormalizeBfloats);
HWY_EXPORT(GateFloats);
HWY_EXPORT(GateBfloats);

void normalizeRows(const RowNorm<float>& norm, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(NormalizeFloats)(norm, begin, end);
}
void normalizeRows(const RowNorm<std::uint16_t>& norm, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(NormalizeBfloats)(norm, begin, end);
}
void gateRows(const RowGate<float>& gate, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(GateFloats)(gate, begin, end);
}
void gateRows(const RowGate<std::uint16_t>& gate, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(GateBfloats)(gate, begin, end);
}

}  // namespace kvasir
#endif
