#include "kernels/level_groups.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/level_groups.cpp"
#include <hwy/foreach_target.h>  // first: it includes this file again for each target

#include <hwy/highway.h>

#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <int kBits>
constexpr int kRows = LevelGroups::kNumbers* kBits / 8;
template <int kBits>
constexpr int kTop = (1 << kBits) - 1;

/// A vector of groups side by side.
using Side = hn::CappedTag<float, 16>;
/// A vector of a group's own numbers: of as many as it has rows of bytes, or fewer.
template <int kBits>
using Along = hn::CappedTag<float, kRows<kBits>>;

/// One vector of bytes, from the numbers that share them: row, row + rows, …, `step` apart.
template <int kBits, class D, class Value>
HWY_INLINE void packBytes(D df, const Value* from, std::int64_t step, int row, int count, hn::Vec<D> scale,
                          hn::Vec<D> least, std::uint8_t* to) {
  const hn::Rebind<std::int32_t, D> di;
  const hn::Rebind<std::uint8_t, D> d8;
  const auto top = hn::Set(df, static_cast<float>(kTop<kBits>));
  const auto divisor = hn::IfThenElse(hn::Gt(scale, hn::Zero(df)), scale, hn::Set(df, 1.0f));
  auto bytes = hn::Zero(di);
  for (int i = row + LevelGroups::kNumbers - kRows<kBits>; i >= 0;
       i -= kRows<kBits>) {  // what lies highest first
    bytes = hn::ShiftLeft<kBits>(bytes);
    if (i >= count) continue;
    const auto level = hn::Div(hn::Sub(load(df, from + i * step), least), divisor);
    bytes = hn::Or(bytes, hn::ConvertTo(di, hn::Min(hn::Add(level, hn::Set(df, 0.5f)), top)));
  }
  hn::StoreU(hn::DemoteTo(d8, bytes), d8, to);
}

/// The same, backwards.
template <int kBits, class D, class Value>
HWY_INLINE void unpackBytes(D df, const std::uint8_t* from, int row, int count, hn::Vec<D> scale,
                            hn::Vec<D> least, Value* to, std::int64_t step) {
  const hn::Rebind<std::int32_t, D> di;
  const hn::Rebind<std::uint8_t, D> d8;
  auto bytes = hn::PromoteTo(di, hn::LoadU(d8, from));
  for (int i = row; i < count; i += kRows<kBits>) {
    const auto level = hn::ConvertTo(df, hn::And(bytes, hn::Set(di, kTop<kBits>)));
    store(df, hn::MulAdd(level, scale, least), to + i * step);
    bytes = hn::ShiftRight<kBits>(bytes);
  }
}

/// As many groups of a band as df has lanes, from `lane` on.
template <int kBits, class D, class Value>
HWY_INLINE void packSide(D df, const Value* from, std::int64_t lanes, int count, int lane, std::uint8_t* band) {
  auto* ranges = reinterpret_cast<float*>(band);
  auto least = load(df, from + lane), most = least;
  for (int i = 1; i < count; ++i) {
    const auto numbers = load(df, from + i * lanes + lane);
    least = hn::Min(least, numbers);
    most = hn::Max(most, numbers);
  }
  const auto scale = hn::Div(hn::Sub(most, least), hn::Set(df, static_cast<float>(kTop<kBits>)));
  hn::StoreU(scale, df, ranges + lane);
  hn::StoreU(least, df, ranges + lanes + lane);
  auto* bytes = reinterpret_cast<std::uint8_t*>(ranges + 2 * lanes) + lane;
  for (int row = 0; row < kRows<kBits>; ++row)
    packBytes<kBits>(df, from + lane, lanes, row, count, scale, least, bytes + row * lanes);
}

/// One group, of whole vectors.
template <int kBits, class D, class Value>
HWY_INLINE void packAlong(D df, const Value* from, int count, std::uint8_t* band) {
  const int width = static_cast<int>(hn::Lanes(df));
  auto* ranges = reinterpret_cast<float*>(band);
  auto least = load(df, from), most = least;
  for (int i = width; i < count; i += width) {
    const auto numbers = load(df, from + i);
    least = hn::Min(least, numbers);
    most = hn::Max(most, numbers);
  }
  least = hn::MinOfLanes(df, least);
  most = hn::MaxOfLanes(df, most);
  const auto scale = hn::Div(hn::Sub(most, least), hn::Set(df, static_cast<float>(kTop<kBits>)));
  ranges[0] = hn::GetLane(scale);
  ranges[1] = hn::GetLane(least);
  auto* bytes = reinterpret_cast<std::uint8_t*>(ranges + 2);
  for (int row = 0; row < kRows<kBits>; row += width)
    packBytes<kBits>(df, from, 1, row, count, scale, least, bytes + row);
}

template <int kBits, class D, class Value>
HWY_INLINE void unpackSide(D df, const std::uint8_t* band, std::int64_t lanes, int count, int lane, Value* to) {
  const auto* ranges = reinterpret_cast<const float*>(band);
  const auto scale = hn::LoadU(df, ranges + lane), least = hn::LoadU(df, ranges + lanes + lane);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(ranges + 2 * lanes) + lane;
  for (int row = 0; row < kRows<kBits>; ++row)
    unpackBytes<kBits>(df, bytes + row * lanes, row, count, scale, least, to + lane, lanes);
}

template <int kBits, class D, class Value>
HWY_INLINE void unpackAlong(D df, const std::uint8_t* band, int count, Value* to) {
  const auto* ranges = reinterpret_cast<const float*>(band);
  const auto scale = hn::Set(df, ranges[0]), least = hn::Set(df, ranges[1]);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(ranges + 2);
  for (int row = 0; row < kRows<kBits>; row += static_cast<int>(hn::Lanes(df)))
    unpackBytes<kBits>(df, bytes + row, row, count, scale, least, to, 1);
}

template <int kBits, class Value>
void packBand(const LevelPacking<Value>& p, std::int64_t sheet, int band) {
  const Side side;
  const Along<kBits> along;
  const int lanes = p.groups.lanes, width = static_cast<int>(hn::Lanes(side)), count = p.groups.count(band);
  const Value* from = p.numbers + p.groups.firstNumber(sheet, band);
  std::uint8_t* to = p.packed + p.groups.firstByte(sheet, band);
  if (lanes == 1 && count % static_cast<int>(hn::Lanes(along)) == 0)
    return packAlong<kBits>(along, from, count, to);
  if (lanes < width) {
    for (int lane = 0; lane < lanes; ++lane) p.packGroup(sheet, band, lane);
    return;
  }
  // Where lanes do not fill the last vector, it begins earlier.
  for (int lane = 0; lane < lanes; lane += width)
    packSide<kBits>(side, from, lanes, count, std::min(lane, lanes - width), to);
}

template <int kBits, class Value>
void unpackBand(const LevelUnpacking<Value>& u, std::int64_t sheet, int band) {
  const Side side;
  const Along<kBits> along;
  const int lanes = u.groups.lanes, width = static_cast<int>(hn::Lanes(side)), count = u.groups.count(band);
  const std::uint8_t* from = u.packed + u.groups.firstByte(sheet, band);
  Value* to = u.numbers + u.groups.firstNumber(sheet, band);
  if (lanes == 1 && count % static_cast<int>(hn::Lanes(along)) == 0)
    return unpackAlong<kBits>(along, from, count, to);
  if (lanes < width) {
    for (int row = 0; row < u.groups.rows(); ++row)
      for (int lane = 0; lane < lanes; ++lane) u.unpackByte(sheet, band, row, lane);
    return;
  }
  for (int lane = 0; lane < lanes; lane += width)
    unpackSide<kBits>(side, from, lanes, count, std::min(lane, lanes - width), to);
}

template <int kBits, class Value>
void packAll(const LevelPacking<Value>& p) {
  for (std::int64_t sheet = 0; sheet < p.groups.sheets; ++sheet)
    for (int band = 0; band < p.groups.bands(); ++band) packBand<kBits>(p, sheet, band);
}
template <int kBits, class Value>
void unpackAll(const LevelUnpacking<Value>& u) {
  for (std::int64_t sheet = 0; sheet < u.groups.sheets; ++sheet)
    for (int band = 0; band < u.groups.bands(); ++band) unpackBand<kBits>(u, sheet, band);
}

void PackFloats(const LevelPacking<float>& p) { p.groups.bits == 4 ? packAll<4>(p) : packAll<2>(p); }
void PackBfloats(const LevelPacking<std::uint16_t>& p) { p.groups.bits == 4 ? packAll<4>(p) : packAll<2>(p); }
void UnpackFloats(const LevelUnpacking<float>& u) { u.groups.bits == 4 ? unpackAll<4>(u) : unpackAll<2>(u); }
void UnpackBfloats(const LevelUnpacking<std::uint16_t>& u) {
  u.groups.bits == 4 ? unpackAll<4>(u) : unpackAll<2>(u);
}

}  // namespace HWY_NAMESPACE
}  // namespace kvasir
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kvasir {

HWY_EXPORT(PackFloats);
HWY_EXPORT(PackBfloats);
HWY_EXPORT(UnpackFloats);
HWY_EXPORT(UnpackBfloats);

void packLevels(const LevelPacking<float>& packing) { HWY_DYNAMIC_DISPATCH(PackFloats)(packing); }
void packLevels(const LevelPacking<std::uint16_t>& packing) { HWY_DYNAMIC_DISPATCH(PackBfloats)(packing); }
void unpackLevels(const LevelUnpacking<float>& unpacking) { HWY_DYNAMIC_DISPATCH(UnpackFloats)(unpacking); }
void unpackLevels(const LevelUnpacking<std::uint16_t>& unpacking) {
  HWY_DYNAMIC_DISPATCH(UnpackBfloats)(unpacking);
}

}  // namespace kvasir
#endif
