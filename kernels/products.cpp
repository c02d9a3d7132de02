#include "kernels/products.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/products.cpp"
#include <hwy/foreach_target.h>  // first: it includes this file again for each target

#include <hwy/highway.h>

#include <hwy/cache_control.h>

#include "kernels/pairs-inl.h"
#include "kernels/panel_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

// One lane, and no pairs: the definition.
template <class Out>
void multiply(const PanelProduct<Out>& p, std::int64_t begin, std::int64_t end) {
  multiplyByDefinition(p, begin, end);
}

#else

// ---- Few rows of x: weights are unpacked on the way ----

/// Pairs [kPair, all) of one word of two vectors of rows; rows of x lie `columns` apart.
template <int kBits, int kPair, class D32, int kCount, class DI>
HWY_INLINE void addWord(D32 d32, hn::Vec<D32> lower, hn::Vec<D32> upper, const std::int16_t* x,
                        std::int64_t columns, RowSums<kCount, PairSums<DI> >& sums) {
  const auto a = unpackPair<kBits, kPair>(d32, lower), b = unpackPair<kBits, kPair>(d32, upper);
  sums.each([&](int r, PairSums<DI>& sumA, PairSums<DI>& sumB) HWY_ATTR {
    const auto pair = spreadPair(d32, x + r * columns + 2 * kPair);
    sumA.add(a, pair);
    sumB.add(b, pair);
  });
  if constexpr (kPair + 1 < 16 / kBits) addWord<kBits, kPair + 1>(d32, lower, upper, x, columns, sums);
}

/// Rows of a panel from `row` on, as many as two vectors have lanes. sums: [kCount, 16].
template <int kBits, int kBlock, int kCount, class Scale, class Out>
HWY_INLINE void multiplyVectors(const PanelProduct<Out>& p, std::int64_t panel,
                                const PanelScales<Scale>& scales, int row, float* sums) {
  const VectorFloats df;
  const hn::Rebind<std::uint32_t, VectorFloats> d32;
  const hn::Rebind<std::int32_t, VectorFloats> di;
  using Floats = hn::Vec<VectorFloats>;
  using Pairs = PairSums<hn::Rebind<std::int32_t, VectorFloats> >;
  const int lanes = static_cast<int>(hn::Lanes(df)), blocks = p.matrix.blocks();
  const std::uint32_t* words = wordsOf(p.matrix, panel) + row;
  auto scaled = noRowSums<kCount>(hn::Zero(df)), offset = noRowSums<kCount>(hn::Zero(df));
  for (int block = 0; block < blocks; ++block) {
    const std::int16_t* x = p.levels + block * kBlock;
    auto products = noRowSums<kCount>(noSums(di));
    for (int word = 0; word < kBlock * kBits / 32; ++word, words += kPanelRows) {
      hwy::Prefetch(words + 1024);  // panels are one stretch of memory
      addWord<kBits, 0>(d32, hn::LoadU(d32, words), hn::LoadU(d32, words + lanes), x + word * (32 / kBits),
                        p.matrix.columns, products);
    }
    const std::int64_t at = std::int64_t{block} * kPanelRows + row;
    const float* blockSums = p.sums + block;
    const auto scaleA = loadScales(df, scales.scales + at), scaleB = loadScales(df, scales.scales + at + lanes);
    scaled.eachWith(products, [&](int r, Floats& sumA, Floats& sumB, const Pairs& a, const Pairs& b) HWY_ATTR {
      const auto taken = hn::Set(di, p.matrix.zero * static_cast<std::int32_t>(blockSums[r * blocks]));
      sumA = hn::MulAdd(hn::ConvertTo(df, hn::Sub(a.total(), taken)), scaleA, sumA);
      sumB = hn::MulAdd(hn::ConvertTo(df, hn::Sub(b.total(), taken)), scaleB, sumB);
    });
    if (!scales.offsets) continue;
    const auto offsetA = loadScales(df, scales.offsets + at),
               offsetB = loadScales(df, scales.offsets + at + lanes);
    offset.each([&](int r, Floats& sumA, Floats& sumB) HWY_ATTR {
      const auto blockSum = hn::Set(df, blockSums[r * blocks]);
      sumA = hn::MulAdd(offsetA, blockSum, sumA);
      sumB = hn::MulAdd(offsetB, blockSum, sumB);
    });
  }
  scaled.eachWith(offset, [&](int r, const Floats& sumA, const Floats& sumB, const Floats& offsetA,
                              const Floats& offsetB) HWY_ATTR {
    const auto scale = hn::Set(df, p.scales[r]);
    hn::StoreU(hn::Mul(hn::Add(sumA, offsetA), scale), df, sums + r * kPanelRows + row);
    hn::StoreU(hn::Mul(hn::Add(sumB, offsetB), scale), df, sums + r * kPanelRows + row + lanes);
  });
}

template <int kCount, class Out>
void multiplyFew(const PanelProduct<Out>& p, std::int64_t begin, std::int64_t end) {
  const int step = 2 * static_cast<int>(hn::Lanes(VectorFloats()));
  for (std::int64_t panel = begin; panel < end; ++panel) {
    float sums[kCount * kPanelRows];
    withPanel(p.matrix, panel, [&](const auto& scales, auto bits) HWY_ATTR {
      constexpr int kBits = decltype(bits)::value;
      for (int row = 0; row < kPanelRows; row += step) {
        if (p.matrix.blockSize == 16)
          multiplyVectors<kBits, 16, kCount>(p, panel, scales, row, sums);
        else
          multiplyVectors<kBits, 32, kCount>(p, panel, scales, row, sums);
      }
    });
    for (int index = 0; index < kCount; ++index) writePanel(p, index, panel, sums + index * kPanelRows);
  }
}

// ---- Many rows of x: weights of two panels are unpacked into a tile first ----

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

/// Rows [index, index + kCount) of those that meet the tile; x: the tile's first column of the first of all.
template <int kBlock, int kCount>
void multiplyRowsOfX(const std::int16_t* x, std::int64_t columns, int tileColumns, Tile& tile, int index) {
  const TileFloats df;
  const hn::Repartition<std::int16_t, TileFloats> d16;
  const int lanes = static_cast<int>(hn::Lanes(df));
  using Floats = hn::Vec<TileFloats>;
  using Pairs = PairSums<TileWords>;
  for (int row = 0; row < kTileRows; row += 2 * lanes) {
    MeetingSums<kCount> sums(tile.sums[index] + row);
    for (int block = 0; block < tileColumns / kBlock; ++block) {
      auto products = noRowSums<kCount>(noSums(TileWords()));
      addProducts(d16, tile.levels[block * (kBlock / 2)][row], 2 * kTileRows,
                  x + index * columns + block * kBlock, columns, kBlock / 2, products);
      const float* scales = tile.scales[block] + row;
      const auto scaleA = hn::Load(df, scales), scaleB = hn::Load(df, scales + lanes);
      sums.update(products, [&](int, Floats& sumA, Floats& sumB, const Pairs& a, const Pairs& b) HWY_ATTR {
        sumA = hn::MulAdd(hn::ConvertTo(df, a.total()), scaleA, sumA);
        sumB = hn::MulAdd(hn::ConvertTo(df, b.total()), scaleB, sumB);
      });
    }
    sums.keep();
  }
}

/// Makes entries of y of the tile's sums of `kCount` rows of x, [kCount, kTileRows], for one panel. index: of
/// the first row of x.
template <int kCount, class Scale, class Out>
void finishRows(const PanelProduct<Out>& p, int index, const PanelScales<Scale>& scales, float* sums) {
  const VectorFloats df;
  const int lanes = static_cast<int>(hn::Lanes(df)), blocks = p.matrix.blocks();
  const float* blockSums = p.sums + std::int64_t{index} * blocks;
  for (int row = 0; row < kPanelRows; row += 2 * lanes) {
    auto offsetSums = noRowSums<kCount>(hn::Zero(df));
    const Scale* offsets = scales.offsets + row;
    for (int block = 0; scales.offsets && block < blocks; ++block, offsets += kPanelRows) {
      const auto a = loadScales(df, offsets), b = loadScales(df, offsets + lanes);
      offsetSums.each([&](int r, hn::Vec<VectorFloats>& sumA, hn::Vec<VectorFloats>& sumB) HWY_ATTR {
        const auto blockSum = hn::Set(df, blockSums[r * blocks + block]);
        sumA = hn::MulAdd(a, blockSum, sumA);
        sumB = hn::MulAdd(b, blockSum, sumB);
      });
    }
    offsetSums.each([&](int r, hn::Vec<VectorFloats> a, hn::Vec<VectorFloats> b) HWY_ATTR {
      const auto scale = hn::Set(df, p.scales[index + r]);
      float* entries = sums + r * kTileRows + row;
      hn::StoreU(hn::Mul(hn::Add(hn::LoadU(df, entries), a), scale), df, entries);
      hn::StoreU(hn::Mul(hn::Add(hn::LoadU(df, entries + lanes), b), scale), df, entries + lanes);
    });
  }
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
    byGroups(0, count, [&](int index, auto rows) HWY_ATTR {
      constexpr int kCount = decltype(rows)::value;
      if (p.matrix.blockSize == 16)
        multiplyRowsOfX<16, kCount>(x, columns, tileColumns, tile, index);
      else
        multiplyRowsOfX<32, kCount>(x, columns, tileColumns, tile, index);
    });
  }
  for (int i = 0; i < panels; ++i) {
    withPanel(p.matrix, panel + i, [&](const auto& scales, auto) HWY_ATTR {
      byGroups(0, count, [&](int index, auto rows) HWY_ATTR {
        finishRows<decltype(rows)::value>(p, first + index, scales, tile.sums[index] + i * kPanelRows);
      });
    });
    for (int index = 0; index < count; ++index)
      writePanel(p, first + index, panel + i, tile.sums[index] + i * kPanelRows);
  }
}

template <class Out>
void multiply(const PanelProduct<Out>& p, std::int64_t begin, std::int64_t end) {
  if (p.count <= kRowsAtOnce)
    return byGroups(0, p.count,
                    [&](int, auto rows) HWY_ATTR { multiplyFew<decltype(rows)::value>(p, begin, end); });
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
