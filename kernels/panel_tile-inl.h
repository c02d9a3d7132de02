// What products of many rows of x with unpacked tiles of W share, once for each SIMD target. Included after
// <hwy/highway.h>.
#if defined(KVASIR_KERNELS_PANEL_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KVASIR_KERNELS_PANEL_TILE_INL_H_
#undef KVASIR_KERNELS_PANEL_TILE_INL_H_
#else
#define KVASIR_KERNELS_PANEL_TILE_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "kernels/panel_lanes-inl.h"
#include "kernels/row_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR
constexpr int kPanelRows = PanelMatrix::kRows;

using VectorFloats = hn::CappedTag<float, 8>;  // two vectors are at most a panel

/// Calls what(first, std::integral_constant of the count) for the rows of x [first, count), as many at a time
/// as share each load of W, and for those that remain.
template <int kMost = kRowsAtOnce, class What>
HWY_INLINE void byGroups(int first, int count, const What& what) {
  for (; first + kMost <= count; first += kMost) what(first, std::integral_constant<int, kMost>());
  if constexpr (kMost > 1) byGroups<kMost - 1>(first, count, what);
}

constexpr int kTileRows = 2 * kPanelRows;
constexpr int kTileColumns = 256;
constexpr int kTileCount = 128;  // rows of x that meet a tile at a time

using TileFloats = hn::CappedTag<float, kPanelRows>;
using TileWords = hn::Rebind<std::int32_t, TileFloats>;

/// Entries of a panel's rows, those of them that there are. Product: with matrix, y and stride.
template <class Product>
void writePanel(const Product& p, int index, std::int64_t panel, const float* sums) {
  auto* y = p.y + index * p.stride + panel * kPanelRows;
  const int count = static_cast<int>(std::min<std::int64_t>(kPanelRows, p.matrix.rows - panel * kPanelRows));
  const TileFloats df;
  const int lanes = static_cast<int>(hn::Lanes(df));
  int i = 0;
  for (; i + lanes <= count; i += lanes) store(df, hn::LoadU(df, sums + i), y + i);
  for (; i < count; ++i) writeValue(sums[i], y + i);
}

/// Sums of kCount rows of x that meet a tile, kTileRows apart, two vectors a row; block by block, what a row's
/// products make of them is added.
template <int kCount>
class MeetingSums {
 public:
  using Floats = hn::Vec<TileFloats>;

#if HWY_CAP_GE512
  // There are registers for them beside those of a block.
  HWY_INLINE explicit MeetingSums(float* first) : first_(first) {
    sums_.each([&](int r, Floats& a, Floats& b) HWY_ATTR { load(r, a, b); });
  }
  /// Calls what(row, its sums of the first vector, of the second, its products of the first, of the second).
  template <class Sum, class What>
  HWY_INLINE void update(RowSums<kCount, Sum>& products, const What& what) {
    sums_.eachWith(products, what);
  }
  HWY_INLINE void keep() {
    sums_.each([&](int r, const Floats& a, const Floats& b) HWY_ATTR { store(r, a, b); });
  }
#else
  HWY_INLINE explicit MeetingSums(float* first) : first_(first) {}
  template <class Sum, class What>
  HWY_INLINE void update(RowSums<kCount, Sum>& products, const What& what) {
    products.each([&](int r, const Sum& a, const Sum& b) HWY_ATTR {
      Floats sumA, sumB;
      load(r, sumA, sumB);
      what(r, sumA, sumB, a, b);
      store(r, sumA, sumB);
    });
  }
  HWY_INLINE void keep() {}
#endif

 private:
  HWY_INLINE void load(int r, Floats& a, Floats& b) const {
    const TileFloats df;
    a = hn::Load(df, first_ + r * kTileRows);
    b = hn::Load(df, first_ + r * kTileRows + hn::Lanes(df));
  }
  HWY_INLINE void store(int r, Floats a, Floats b) const {
    const TileFloats df;
    hn::Store(a, df, first_ + r * kTileRows);
    hn::Store(b, df, first_ + r * kTileRows + hn::Lanes(df));
  }

  float* first_;
#if HWY_CAP_GE512
  RowSums<kCount, Floats> sums_ = noRowSums<kCount>(hn::Zero(TileFloats()));
#endif
};
#endif

}  // namespace HWY_NAMESPACE
}  // namespace kvasir
HWY_AFTER_NAMESPACE();

#endif
