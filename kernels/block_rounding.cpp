#include "kernels/block_rounding.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/block_rounding.cpp"
#include <hwy/foreach_target.h>  // first: it includes this file again for each target

#include <hwy/highway.h>

#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_CAP_GE256

using Floats = hn::CappedTag<float, 16>;

/// Levels of a vector's numbers as bytes, each eight of them as placeOf has them.
HWY_INLINE void storeLevels(hn::Vec<hn::Rebind<std::int32_t, Floats> > levels, std::int8_t* out) {
  const hn::Rebind<std::int8_t, Floats> d8;
  HWY_ALIGN static constexpr std::uint8_t kOrder[16] = {0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15};
  const auto order = hn::BitCast(d8, hn::LoadU(hn::Rebind<std::uint8_t, Floats>(), kOrder));
  hn::StoreU(hn::TableLookupBytes(hn::DemoteTo(d8, levels), order), d8, out);
}

template <class In>
HWY_INLINE void roundBlock(const BlockRounding<In>& r, std::int64_t row, int block) {
  const Floats df;
  const hn::Rebind<std::int32_t, Floats> di;
  const int lanes = static_cast<int>(hn::Lanes(df));
  const std::int64_t at = row * r.columns + std::int64_t{block} * r.blockSize;
  auto most = hn::Zero(df), squares = hn::Zero(df);
  for (int i = 0; i < r.blockSize; i += lanes) {
    const auto numbers = load(df, r.in + at + i);
    most = hn::Max(most, hn::Abs(numbers));
    squares = hn::MulAdd(numbers, numbers, squares);
  }
  const float largest = hn::GetLane(hn::MaxOfLanes(df, most));
  const bool isFine = r.standsOut(largest, total(df, squares));
  auto sums = hn::Zero(di);
  if (isFine) {
    const auto factor = hn::Set(df, r.factor(largest) * r.kFineLevels);
    for (int i = 0; i < r.blockSize; i += lanes) {
      const auto all = hn::NearestInt(hn::Mul(load(df, r.in + at + i), factor));
      const auto whole = hn::ShiftRight<8>(hn::Add(all, hn::Set(di, r.kFineLevels / 2)));
      storeLevels(whole, r.levels + at + i);
      storeLevels(hn::Sub(all, hn::ShiftLeft<8>(whole)), r.fine + at + i);
      sums = hn::Add(sums, all);
    }
  } else {
    const auto factor = hn::Set(df, r.factor(largest));
    for (int i = 0; i < r.blockSize; i += lanes) {
      const auto whole = hn::NearestInt(hn::Mul(load(df, r.in + at + i), factor));
      storeLevels(whole, r.levels + at + i);
      storeLevels(hn::Zero(di), r.fine + at + i);
      sums = hn::Add(sums, whole);
    }
    sums = hn::ShiftLeft<8>(sums);
  }
  const std::int64_t own = row * r.blocks() + block;
  r.hasFine[own] = isFine;
  r.scales[own] = r.scale(largest);
  r.sums[own] = r.scales[own] * (static_cast<float>(hn::GetLane(hn::SumOfLanes(di, sums))) / r.kFineLevels);
}

template <class In>
void roundAll(const BlockRounding<In>& r, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row)
    for (int block = 0; block < r.blocks(); ++block) roundBlock(r, row, block);
}

#else

// Products in bytes are of no use here: the definition.
template <class In>
void roundAll(const BlockRounding<In>& r, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) r.roundRow(row);
}

#endif

void RoundFloats(const BlockRounding<float>& r, std::int64_t begin, std::int64_t end) {
  roundAll(r, begin, end);
}
void RoundBfloats(const BlockRounding<std::uint16_t>& r, std::int64_t begin, std::int64_t end) {
  roundAll(r, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace kvasir
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kvasir {

HWY_EXPORT(RoundFloats);
HWY_EXPORT(RoundBfloats);

void roundBlocks(const BlockRounding<float>& rounding, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(RoundFloats)(rounding, begin, end);
}
void roundBlocks(const BlockRounding<std::uint16_t>& rounding, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(RoundBfloats)(rounding, begin, end);
}

}  // namespace kvasir
#endif
