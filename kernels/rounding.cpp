#include "kernels/rounding.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rounding.cpp"
#include <hwy/foreach_target.h>  // first: it includes this file again for each target

#include <hwy/highway.h>

#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;

template <class In>
HWY_INLINE float largestOf(const RowRounding<In>& r, std::int64_t row) {
  const Floats df;
  const int lanes = static_cast<int>(hn::Lanes(df));
  auto most = hn::Zero(df);
  for (int i = 0; i < r.columns; i += lanes)
    most = hn::Max(most, hn::Abs(load(df, r.in + row * r.columns + i)));
  return hn::GetLane(hn::MaxOfLanes(df, most));
}

template <class In>
void roundRow(const RowRounding<In>& r, std::int64_t row) {
  const Floats df;
  const hn::Rebind<std::int32_t, Floats> di;
  const hn::Rebind<std::int16_t, Floats> d16;
  const int lanes = static_cast<int>(hn::Lanes(df));
  const float largest = largestOf(r, row);
  r.scales[row] = r.scale(largest);
  const auto factor = hn::Set(df, r.factor(largest));
  for (int block = 0; block < r.blocks(); ++block) {
    const std::int64_t at = row * r.columns + std::int64_t{block} * r.blockSize;
    auto sums = hn::Zero(di);
    for (int i = 0; i < r.blockSize; i += lanes) {
      const auto levels = hn::NearestInt(hn::Mul(load(df, r.in + at + i), factor));
      sums = hn::Add(sums, levels);
      hn::StoreU(hn::DemoteTo(d16, levels), d16, r.levels + at + i);
    }
    r.sums[row * r.blocks() + block] = static_cast<float>(hn::GetLane(hn::SumOfLanes(di, sums)));
  }
}

template <class In>
void roundAll(const RowRounding<In>& r, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) roundRow(r, row);
}

void RoundFloats(const RowRounding<float>& r, std::int64_t begin, std::int64_t end) { roundAll(r, begin, end); }
void RoundBfloats(const RowRounding<std::uint16_t>& r, std::int64_t begin, std::int64_t end) {
  roundAll(r, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace kvasir
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kvasir {

HWY_EXPORT(RoundFloats);
HWY_EXPORT(RoundBfloats);

void roundRows(const RowRounding<float>& rounding, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(RoundFloats)(rounding, begin, end);
}
void roundRows(const RowRounding<std::uint16_t>& rounding, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(RoundBfloats)(rounding, begin, end);
}

}  // namespace kvasir
#endif
