#include "kernels/rotate.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rotate.cpp"
#include <hwy/foreach_target.h>  // first: it includes this file again for each target

#include <hwy/highway.h>

#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D, class Value>
void rotatePairs(D df, const Rotation<Value>& r, int row, int i) {
  const std::int64_t at = static_cast<std::int64_t>(row) * 2 * r.half + i;
  const std::int64_t angle = static_cast<std::int64_t>(row) * r.tableStep + i;
  const auto first = load(df, r.in + at);
  const auto second = load(df, r.in + at + r.half);
  const auto c = hn::LoadU(df, r.cosines + angle);
  const auto s = hn::LoadU(df, r.sines + angle);
  store(df, hn::NegMulAdd(second, s, hn::Mul(first, c)), r.out + at);
  store(df, hn::MulAdd(first, s, hn::Mul(second, c)), r.out + at + r.half);
}

template <class Value>
void rotateAll(const Rotation<Value>& r) {
  const hn::CappedTag<float, 16> df;
  const int lanes = static_cast<int>(hn::Lanes(df));
  for (int row = 0; row < r.rows; ++row) {
    int i = 0;
    for (; i + lanes <= r.half; i += lanes) rotatePairs(df, r, row, i);
    for (; i < r.half; ++i) r.rotatePair(row, i);
  }
}

void RotateFloats(const Rotation<float>& r) { rotateAll(r); }
void RotateBfloats(const Rotation<std::uint16_t>& r) { rotateAll(r); }

}  // namespace HWY_NAMESPACE
}  // namespace kvasir
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kvasir {

HWY_EXPORT(RotateFloats);
HWY_EXPORT(RotateBfloats);

void rotateRows(const Rotation<float>& rotation) { HWY_DYNAMIC_DISPATCH(RotateFloats)(rotation); }
void rotateRows(const Rotation<std::uint16_t>& rotation) { HWY_DYNAMIC_DISPATCH(RotateBfloats)(rotation); }

}  // namespace kvasir
#endif
