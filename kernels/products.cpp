#include "kernels/products.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/products.cpp"
#include <hwy/foreach_target.h>  // first: it includes this file again for each target

#include <hwy/highway.h>

#include <hwy/cache_control.h>

#include "kernels/pairs-inl.h"
#include "kernels/panel_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

// One lane, and no pairs: the definition.
template <class Out>
void multiply(const PanelProduct<Out>& p, std::int64_t begin, std::int64_t end) {
  const std::int64_t last = std::min<std::int64_t>(p.matrix.rows, end * PanelMatrix::kRows);
  for (int index = 0; index < p.count; ++index)
    for (std::int64_t row = begin * PanelMatrix::kRows; row < last; ++row)
      writeValue(p.entry(index, row), p.y + index * p.stride + row);
}

#else

constexpr int kPanelRows = PanelMatrix::kRows;

// ---- One row of x: weights are unpacked on the way ----

using VectorFloats = hn::CappedTag<float, 8>;  // two vectors are at most a panel

/// Pairs [kPair, all) of one word of two vectors of rows.
template <int kBits, int kPair, class D32, class DI>
HWY_INLINE void addWord(D32 d32, hn::Vec<D32> lower, hn::Vec<D32> upper, const std::int16_t* x, PairSums<DI>& a,
                        PairSums<DI>& b) {
  const auto pair = spreadPair(d32, x + 2 * kPair);
  a.add(unpackPair<kBits, kPair>(d32, lower), pair);
  b.add(unpackPair<kBits, kPair>(d32, upper), pair);
  if constexpr (kPair + 1 < 16 / kBits) addWord<kBits, kPair + 1>(d32, lower, upper, x, a, b);
}

/// Rows of a panel from `row` on, as many as two vectors have lanes.
template <int kBits, int kBlock, class Scale, class Out>
HWY_INLINE void multiplyVector(const PanelProduct<Out>& p, std::int64_t panel, const PanelScales<Scale>& scales,
                               int row, float* sums) {
  const VectorFloats df;
  const hn::Rebind<std::uint32_t, VectorFloats> d32;
  const hn::Rebind<std::int32_t, VectorFloats> di;
  const int lanes = static_cast<int>(hn::Lanes(df)), blocks = p.matrix.blocks();
  const std::uint32_t* words = wordsOf(p.matrix, panel) + row;
  auto sumA = hn::Zero(df), sumB = hn::Zero(df), offsetA = hn::Zero(df), offsetB = hn::Zero(df);
  for (int block = 0; block < blocks; ++block) {
    const std::int16_t* x = p.levels + block * kBlock;
    auto a = noSums(di), b = noSums(di);
    for (int word = 0; word < kBlock * kBits / 32; ++word, words += kPanelRows) {
      hwy::Prefetch(words + 1024);  // panels are one stretch of memory
      addWord<kBits, 0>(d32, hn::LoadU(d32, words), hn::LoadU(d32, words + lanes), x + word * (32 / kBits), a,
                        b);
    }
    const std::int64_t at = std::int64_t{block} * kPanelRows + row;
    const auto taken = hn::Set(di, p.matrix.zero * static_cast<std::int32_t>(p.sums[block]));
    sumA = hn::MulAdd(hn::ConvertTo(df, hn::Sub(a.total(), taken)), loadScales(df, scales.scales + at), sumA);
    sumB = hn::MulAdd(hn::ConvertTo(df, hn::Sub(b.total(), taken)), loadScales(df, scales.scales + at + lanes),
                      sumB);
    if (!scales.offsets) continue;
    const auto blockSum = hn::Set(df, p.sums[block]);
    offsetA = hn::MulAdd(loadScales(df, scales.offsets + at), blockSum, offsetA);
    offsetB = hn::MulAdd(loadScales(df, scales.offsets + at + lanes), blockSum, offsetB);
  }
  const auto scale = hn::Set(df, *p.scales);
  hn::StoreU(hn::Mul(hn::Add(sumA, offsetA), scale), df, sums + row);
  hn::StoreU(hn::Mul(hn::Add(sumB, offsetB), scale), df, sums + row + lanes);
}

/// Entries of a panel's rows, those of them that there are.
template <class Out>
void writePanel(const PanelProduct<Out>& p, int index, std::int64_t panel, const float* sums) {
  Out* y = p.y + index * p.stride + panel * kPanelRows;
  const int count = static_cast<int>(std::min<std::int64_t>(kPanelRows, p.matrix.rows - panel * kPanelRows));
  const VectorFloats df;
  const int lanes = static_cast<int>(hn::Lanes(df));
  int i = 0;
  for (; i + lanes <= count; i += lanes) store(df, hn::LoadU(df, sums + i), y + i);
  for (; i < count; ++i) writeValue(sums[i], y + i);
}

template <class Out>
void multiplyOne(const PanelProduct<Out>& p, std::int64_t begin, std::int64_t end) {
  const int step = 2 * static_cast<int>(hn::Lanes(VectorFloats()));
  for (std::int64_t panel = begin; panel < end; ++panel) {
    float sums[kPanelRows];
    withPanel(p.matrix, panel, [&](const auto& scales, auto bits) HWY_ATTR {
      constexpr int kBits = decltype(bits)::value;
      for (int row = 0; row < kPanelRows; row += step) {
        if (p.matrix.blockSize == 16)
          multiplyVector<kBits, 16>(p, panel, scales, row, sums);
        else
          multiplyVector<kBits, 32>(p, panel, scales, row, sums);
      }
    });
    writePanel(p, 0, panel, sums);
  }
}

// ---- Many rows of x: weights of two panels are unpacked into a tile first ----

constexpr int kTileRows = 2 * kPanelRows;
constexpr int kTileColumns = 256;
constexpr int kTileCount = 64;  // rows of x that meet a tile at a time

using TileFloats = hn::CappedTag<float, kPanelRows>;

struct Tile {
  HWY_ALIGN std::int16_t levels[kTileColumns / 2][kTileRows][2];  ///< zero taken off
  HWY_ALIGN float scales[kTileColumns / 16][kTileRows];
  HWY_ALIGN float sums[kTileCount][kTileRows];  ///< without offsets and the scales of x
};

template <int kBits, int kPair, class D32>
HWY_INLINE void unpackWord(D32 d32, hn::Vec<D32> words, hn::Vec<hn::Repartition<std::int16_t, D32> > zero,
                           std::int16_t (*out)[kTileRows][2], int row) {
  const hn::Repartition<std::int16_t, D32> d16;
  hn::StoreU(hn::Sub(unpackPair<kBits, kPair>(d32, words), zero), d16, out[kPair][row]);
  if constexpr (kPair + 1 < 16 / kBits) unpackWord<kBits, kPair + 1>(d32, words, zero, out, row);
}

/// Columns [first, first + columns) of a panel into the rows of the tile from `row` on.
template <int kBits, class Scale>
void unpackPanel(const PanelMatrix& m, std::int64_t panel, const PanelScales<Scale>& scales, int first,
                 int columns, Tile& tile, int row) {
  const TileFloats df;
  const hn::Rebind<std::uint32_t, TileFloats> d32;
  const int lanes = static_cast<int>(hn::Lanes(df));
  const std::uint32_t* words = wordsOf(m, panel) + std::int64_t{first} * kBits / 32 * kPanelRows;
  const auto zero = hn::Set(hn::Repartition<std::int16_t, TileFloats>(), static_cast<std::int16_t>(m.zero));
  for (int word = 0; word < columns * kBits / 32; ++word, words += kPanelRows)
    for (int i = 0; i < kPanelRows; i += lanes)
      unpackWord<kBits, 0>(d32, hn::LoadU(d32, words + i), zero, tile.levels + word * (16 / kBits), row + i);
  for (int block = 0; block < columns / m.blockSize; ++block)
    for (int i = 0; i < kPanelRows; i += lanes) {
      const std::int64_t at = std::int64_t{first / m.blockSize + block} * kPanelRows + i;
      hn::StoreU(loadScales(df, scales.scales + at), df, tile.scales[block] + row + i);
    }
}

/// One pair of columns of one row of x by two vectors of rows of W.
template <class DI>
HWY_INLINE void addPair(hn::Vec<hn::Repartition<std::int16_t, DI> > a,
                        hn::Vec<hn::Repartition<std::int16_t, DI> > b, const std::int16_t* x,
                        PairSums<DI>& sumA, PairSums<DI>& sumB) {
  const auto values = spreadPair(hn::Rebind<std::uint32_t, DI>(), x);
  sumA.add(a, values);
  sumB.add(b, values);
}

/// Adds one block of one row of x to its sums, for two vectors of rows of W.
template <class DI>
HWY_INLINE void addSums(const PairSums<DI>& a, const PairSums<DI>& b, const float* scales, float* sums) {
  const hn::Rebind<float, DI> df;
  const std::size_t lanes = hn::Lanes(df);
  const auto sumA = hn::MulAdd(hn::ConvertTo(df, a.total()), hn::Load(df, scales), hn::Load(df, sums));
  const auto sumB =
      hn::MulAdd(hn::ConvertTo(df, b.total()), hn::Load(df, scales + lanes), hn::Load(df, sums + lanes));
  hn::Store(sumA, df, sums);
  hn::Store(sumB, df, sums + lanes);
}

/// `kCount` rows of x, `columns` apart, one block, two vectors of rows of W from `row` on. The sums are
/// variables of their own, not an array: compilers keep them in registers only so.
template <int kBlock, int kCount>
HWY_INLINE void multiplyBlock(const std::int16_t* x, std::int64_t columns, Tile& tile, int index, int row,
                              int block) {
  const hn::Repartition<std::int16_t, TileFloats> d16;
  const hn::Rebind<std::int32_t, TileFloats> di;
  const std::size_t lanes = hn::Lanes(di);
  const std::int16_t* levels = tile.levels[block * (kBlock / 2)][row];
  auto a0 = noSums(di), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  HWY_UNROLL(4)
  for (int pair = 0; pair < kBlock / 2; ++pair) {
    const std::int16_t* here = levels + pair * 2 * kTileRows;
    const auto a = hn::Load(d16, here), b = hn::Load(d16, here + 2 * lanes);
    addPair(a, b, x + 2 * pair, a0, b0);
    if constexpr (kCount > 1) addPair(a, b, x + columns + 2 * pair, a1, b1);
    if constexpr (kCount > 2) addPair(a, b, x + 2 * columns + 2 * pair, a2, b2);
    if constexpr (kCount > 3) addPair(a, b, x + 3 * columns + 2 * pair, a3, b3);
  }
  const float* scales = tile.scales[block] + row;
  addSums(a0, b0, scales, tile.sums[index] + row);
  if constexpr (kCount > 1) addSums(a1, b1, scales, tile.sums[index + 1] + row);
  if constexpr (kCount > 2) addSums(a2, b2, scales, tile.sums[index + 2] + row);
  if constexpr (kCount > 3) addSums(a3, b3, scales, tile.sums[index + 3] + row);
}

/// Rows [index, index + kCount) of those that meet the tile; x: the tile's first column of the first of all.
template <int kBlock, int kCount>
void multiplyRowsOfX(const std::int16_t* x, std::int64_t columns, int tileColumns, Tile& tile, int index) {
  const int step = 2 * static_cast<int>(hn::Lanes(TileFloats()));
  for (int row = 0; row < kTileRows; row += step)
    for (int block = 0; block < tileColumns / kBlock; ++block)
      multiplyBlock<kBlock, kCount>(x + index * columns + block * kBlock, columns, tile, index, row, block);
}

/// Sums of offsets of one row of x, for two vectors of rows of W.
struct OffsetSums {
  hn::Vec<VectorFloats> first, second;

  HWY_INLINE void add(hn::Vec<VectorFloats> a, hn::Vec<VectorFloats> b, float blockSum) {
    const auto sum = hn::Set(VectorFloats(), blockSum);
    first = hn::MulAdd(a, sum, first);
    second = hn::MulAdd(b, sum, second);
  }
  /// Adds itself to sums of a tile and multiplies with the scale of the row of x.
  HWY_INLINE void finish(float scale, float* sums) const {
    const VectorFloats df;
    const std::size_t lanes = hn::Lanes(df);
    hn::StoreU(hn::Mul(hn::Add(hn::LoadU(df, sums), first), hn::Set(df, scale)), df, sums);
    hn::StoreU(hn::Mul(hn::Add(hn::LoadU(df, sums + lanes), second), hn::Set(df, scale)), df, sums + lanes);
  }
};

/// Makes entries of y of the tile's sums of `kCount` rows of x, [kCount, kTileRows], for one panel. index: of
/// the first row of x.
template <int kCount, class Scale, class Out>
void finishRows(const PanelProduct<Out>& p, int index, const PanelScales<Scale>& scales, float* sums) {
  const VectorFloats df;
  const int lanes = static_cast<int>(hn::Lanes(df)), blocks = p.matrix.blocks();
  const float* blockSums = p.sums + std::int64_t{index} * blocks;
  for (int row = 0; row < kPanelRows; row += 2 * lanes) {
    OffsetSums s0{hn::Zero(df), hn::Zero(df)}, s1 = s0, s2 = s0, s3 = s0;
    const Scale* offsets = scales.offsets + row;
    for (int block = 0; scales.offsets && block < blocks; ++block, offsets += kPanelRows) {
      const auto a = loadScales(df, offsets), b = loadScales(df, offsets + lanes);
      s0.add(a, b, blockSums[block]);
      if constexpr (kCount > 1) s1.add(a, b, blockSums[blocks + block]);
      if constexpr (kCount > 2) s2.add(a, b, blockSums[2 * blocks + block]);
      if constexpr (kCount > 3) s3.add(a, b, blockSums[3 * blocks + block]);
    }
    s0.finish(p.scales[index], sums + row);
    if constexpr (kCount > 1) s1.finish(p.scales[index + 1], sums + kTileRows + row);
    if constexpr (kCount > 2) s2.finish(p.scales[index + 2], sums + 2 * kTileRows + row);
    if constexpr (kCount > 3) s3.finish(p.scales[index + 3], sums + 3 * kTileRows + row);
  }
}

/// Calls what(first, std::integral_constant of the count) for rows of x four by four, and for those that
/// remain.
template <class What>
HWY_INLINE void byFours(int count, const What& what) {
  int first = 0;
  for (; first + 4 <= count; first += 4) what(first, std::integral_constant<int, 4>());
  if (count - first == 3) what(first, std::integral_constant<int, 3>());
  if (count - first == 2) what(first, std::integral_constant<int, 2>());
  if (count - first == 1) what(first, std::integral_constant<int, 1>());
}

/// Rows [first, first + count) of x by the panels [panel, end), two at most.
template <class Out>
void multiplyPair(const PanelProduct<Out>& p, std::int64_t panel, std::int64_t end, int first, int count,
                  Tile& tile) {
  std::memset(tile.sums, 0, sizeof tile.sums);
  const int panels = static_cast<int>(std::min<std::int64_t>(2, end - panel)), columns = p.matrix.columns;
  for (int column = 0; column < columns; column += kTileColumns) {
    const int tileColumns = std::min(kTileColumns, columns - column);
    for (int i = 0; i < panels; ++i)
      withPanel(p.matrix, panel + i, [&](const auto& scales, auto bits) HWY_ATTR {
        unpackPanel<decltype(bits)::value>(p.matrix, panel + i, scales, column, tileColumns, tile,
                                           i * kPanelRows);
      });
    const std::int16_t* x = p.levels + std::int64_t{first} * columns + column;
    byFours(count, [&](int index, auto four) HWY_ATTR {
      constexpr int kCount = decltype(four)::value;
      if (p.matrix.blockSize == 16)
        multiplyRowsOfX<16, kCount>(x, columns, tileColumns, tile, index);
      else
        multiplyRowsOfX<32, kCount>(x, columns, tileColumns, tile, index);
    });
  }
  for (int i = 0; i < panels; ++i) {
    withPanel(p.matrix, panel + i, [&](const auto& scales, auto) HWY_ATTR {
      byFours(count, [&](int index, auto four) HWY_ATTR {
        finishRows<decltype(four)::value>(p, first + index, scales, tile.sums[index] + i * kPanelRows);
      });
    });
    for (int index = 0; index < count; ++index)
      writePanel(p, first + index, panel + i, tile.sums[index] + i * kPanelRows);
  }
}

template <class Out>
void multiply(const PanelProduct<Out>& p, std::int64_t begin, std::int64_t end) {
  if (p.count == 1) return multiplyOne(p, begin, end);
  Tile tile = {};
  for (int first = 0; first < p.count; first += kTileCount)
    for (std::int64_t panel = begin; panel < end; panel += 2)
      multiplyPair(p, panel, end, first, std::min(kTileCount, p.count - first), tile);
}

#endif

void MultiplyToFloats(const PanelProduct<float>& p, std::int64_t begin, std::int64_t end) {
  multiply(p, begin, end);
}
void MultiplyToBfloats(const PanelProduct<std::uint16_t>& p, std::int64_t begin, std::int64_t end) {
  multiply(p, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace kvasir
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kvasir {

HWY_EXPORT(MultiplyToFloats);
HWY_EXPORT(MultiplyToBfloats);

void multiplyPanels(const PanelProduct<float>& product, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(MultiplyToFloats)(product, begin, end);
}
void multiplyPanels(const PanelProduct<std::uint16_t>& product, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(MultiplyToBfloats)(product, begin, end);
}

}  // namespace kvasir
#endif
