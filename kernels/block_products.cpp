#include "kernels/block_products.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/block_products.cpp"
#include <hwy/foreach_target.h>  // first: it includes this file again for each target

#include <hwy/highway.h>

#include "kernels/panel_tile-inl.h"
#include "kernels/quads-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if KVASIR_HAS_QUADS

/// Weights of two panels, unpacked: a quad is four columns of a row, in the order of BlockRounding's levels.
struct ByteTile {
  HWY_ALIGN std::int8_t levels[kTileColumns / 4][kTileRows][4];  ///< as they are stored
  HWY_ALIGN float scales[kTileColumns / 16][kTileRows];
  HWY_ALIGN float offsets[kTileColumns / 16][kTileRows];  ///< less what levels are stored higher
  HWY_ALIGN float sums[kTileCount][kTileRows];
};

/// Columns [first, first + columns) of a panel into the rows of the tile from `row` on.
template <class Scale>
void unpackPanel(const PanelMatrix& m, std::int64_t panel, const PanelScales<Scale>& scales, int first,
                 int columns, ByteTile& tile, int row) {
  const TileFloats df;
  const hn::Rebind<std::uint32_t, TileFloats> d32;
  const hn::Repartition<std::int8_t, TileFloats> d8;
  const int lanes = static_cast<int>(hn::Lanes(df));
  const std::uint32_t* words = wordsOf(m, panel) + std::int64_t{first} / 8 * kPanelRows;
  const auto nibbles = hn::Set(d32, 0x0f0f0f0fu);
  for (int word = 0; word < columns / 8; ++word, words += kPanelRows)
    for (int i = 0; i < kPanelRows; i += lanes) {
      const auto eight = hn::LoadU(d32, words + i);
      hn::StoreU(hn::BitCast(d8, hn::And(eight, nibbles)), d8, tile.levels[2 * word][row + i]);
      hn::StoreU(hn::BitCast(d8, hn::And(hn::ShiftRight<4>(eight), nibbles)), d8,
                 tile.levels[2 * word + 1][row + i]);
    }
  const auto zero = hn::Set(df, static_cast<float>(m.zero));
  for (int block = 0; block < columns / m.blockSize; ++block)
    for (int i = 0; i < kPanelRows; i += lanes) {
      const std::int64_t at = std::int64_t{first / m.blockSize + block} * kPanelRows + i;
      const auto scale = loadScales(df, scales.scales + at);
      const auto offset = scales.offsets ? loadScales(df, scales.offsets + at) : hn::Zero(df);
      hn::StoreU(scale, df, tile.scales[block] + row + i);
      hn::StoreU(hn::NegMulAdd(zero, scale, offset), df, tile.offsets[block] + row + i);
    }
}

/// What rows of x bring to the tile: those from its first column of the first row that meets it on.
struct TileX {
  const std::int8_t *levels, *fine;
  std::int64_t columns;  ///< of a whole row
  const std::uint8_t* hasFine;
  const float *scales, *sums;
  std::int64_t blocks;  ///< of a whole row
};

/// The sums of products of one block's bytes, two vectors of rows of W from `row` on.
template <int kBlock, int kCount>
HWY_INLINE RowSums<kCount, QuadSums<TileWords> > multiplyBytes(const std::int8_t* x, std::int64_t columns,
                                                               const ByteTile& tile, int row, int block) {
  auto products = noRowSums<kCount>(noQuads(TileWords()));
  addProducts(hn::Repartition<std::int8_t, TileFloats>(), tile.levels[block * (kBlock / 4)][row], 4 * kTileRows,
              x + block * kBlock, columns, kBlock / 4, products);
  return products;
}

template <int kCount>
HWY_INLINE bool hasFine(const TileX& x, int index, int block) {
  int any = 0;
  for (int r = 0; r < kCount; ++r) any |= x.hasFine[(index + r) * x.blocks + block];
  return any != 0;
}

/// Rows [index, index + kCount) of those that meet the tile.
template <int kBlock, int kCount>
void multiplyRowsOfX(const TileX& x, int blocks, ByteTile& tile, int index) {
  const TileFloats df;
  const int lanes = static_cast<int>(hn::Lanes(df));
  using Floats = hn::Vec<TileFloats>;
  using Quads = QuadSums<TileWords>;
  const std::int8_t *levels = x.levels + index * x.columns, *fine = x.fine + index * x.columns;
  const float *xScales = x.scales + index * x.blocks, *xSums = x.sums + index * x.blocks;
  for (int row = 0; row < kTileRows; row += 2 * lanes) {
    MeetingSums<kCount> sums(tile.sums[index] + row);
    for (int block = 0; block < blocks; ++block) {
      const float *scales = tile.scales[block] + row, *offsets = tile.offsets[block] + row;
      const auto scaleA = hn::Load(df, scales), scaleB = hn::Load(df, scales + lanes);
      const auto offsetA = hn::Load(df, offsets), offsetB = hn::Load(df, offsets + lanes);
      const auto add = [&](int r, Floats a, Floats b, Floats xScale, Floats& sumA, Floats& sumB) HWY_ATTR {
        const auto xSum = hn::Set(df, xSums[r * x.blocks + block]);
        sumA = hn::MulAdd(offsetA, xSum, hn::MulAdd(hn::Mul(a, xScale), scaleA, sumA));
        sumB = hn::MulAdd(offsetB, xSum, hn::MulAdd(hn::Mul(b, xScale), scaleB, sumB));
      };
      auto products = multiplyBytes<kBlock, kCount>(levels, x.columns, tile, row, block);
      if (!hasFine<kCount>(x, index, block)) {
        sums.update(products, [&](int r, Floats& sumA, Floats& sumB, const Quads& a, const Quads& b) HWY_ATTR {
          const auto xScale = hn::Set(df, xScales[r * x.blocks + block]);
          add(r, hn::ConvertTo(df, a.total()), hn::ConvertTo(df, b.total()), xScale, sumA, sumB);
        });
        continue;
      }
      // 256 times as much, which is exact: a row without fine levels gets what it gets alone.
      auto finer = multiplyBytes<kBlock, kCount>(fine, x.columns, tile, row, block);
      auto all = noRowSums<kCount>(hn::Zero(TileWords()));
      using Words = hn::Vec<TileWords>;
      all.eachWith(products, [&](int, Words& sumA, Words& sumB, const Quads& a, const Quads& b) HWY_ATTR {
        sumA = hn::ShiftLeft<8>(a.total());
        sumB = hn::ShiftLeft<8>(b.total());
      });
      all.eachWith(finer, [&](int, Words& sumA, Words& sumB, const Quads& a, const Quads& b) HWY_ATTR {
        sumA = hn::Add(sumA, a.total());
        sumB = hn::Add(sumB, b.total());
      });
      sums.update(all, [&](int r, Floats& sumA, Floats& sumB, const Words& a, const Words& b) HWY_ATTR {
        const auto xScale = hn::Set(df, xScales[r * x.blocks + block] / BlockRounding<float>::kFineLevels);
        add(r, hn::ConvertTo(df, a), hn::ConvertTo(df, b), xScale, sumA, sumB);
      });
    }
    sums.keep();
  }
}

/// Rows [first, first + count) of x by the panels [panel, end), two at most.
template <class Out>
void multiplyPair(const BlockProduct<Out>& p, std::int64_t panel, std::int64_t end, int first, int count,
                  ByteTile& tile) {
  std::memset(tile.sums, 0, sizeof tile.sums);
  const PanelMatrix& m = p.matrix;
  const int panels = static_cast<int>(std::min<std::int64_t>(2, end - panel));
  for (int column = 0; column < m.columns; column += kTileColumns) {
    const int columns = std::min(kTileColumns, m.columns - column);
    for (int i = 0; i < panels; ++i)
      withPanel(m, panel + i, [&](const auto& scales, auto) HWY_ATTR {
        unpackPanel(m, panel + i, scales, column, columns, tile, i * kPanelRows);
      });
    const std::int64_t at = std::int64_t{first} * m.columns + column;
    const std::int64_t block = std::int64_t{first} * m.blocks() + column / m.blockSize;
    const TileX x{p.levels + at,    p.fine + at,    m.columns, p.hasFine + block,
                  p.scales + block, p.sums + block, m.blocks()};
    byGroups(0, count, [&](int index, auto rows) HWY_ATTR {
      constexpr int kCount = decltype(rows)::value;
      if (m.blockSize == 16)
        multiplyRowsOfX<16, kCount>(x, columns / 16, tile, index);
      else
        multiplyRowsOfX<32, kCount>(x, columns / 32, tile, index);
    });
  }
  for (int i = 0; i < panels; ++i)
    for (int index = 0; index < count; ++index)
      writePanel(p, first + index, panel + i, tile.sums[index] + i * kPanelRows);
}

template <class Out>
void multiply(const BlockProduct<Out>& p, std::int64_t begin, std::int64_t end) {
  ByteTile tile = {};
  for (int first = 0; first < p.count; first += kTileCount)
    for (std::int64_t panel = begin; panel < end; panel += 2)
      multiplyPair(p, panel, end, first, std::min(kTileCount, p.count - first), tile);
}

#else

template <class Out>
void multiply(const BlockProduct<Out>& p, std::int64_t begin, std::int64_t end) {
  multiplyByDefinition(p, begin, end);
}

#endif

void MultiplyToFloats(const BlockProduct<float>& p, std::int64_t begin, std::int64_t end) {
  multiply(p, begin, end);
}
void MultiplyToBfloats(const BlockProduct<std::uint16_t>& p, std::int64_t begin, std::int64_t end) {
  multiply(p, begin, end);
}
bool HasQuads() { return KVASIR_HAS_QUADS; }

}  // namespace HWY_NAMESPACE
}  // namespace kvasir
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kvasir {

HWY_EXPORT(MultiplyToFloats);
HWY_EXPORT(MultiplyToBfloats);
HWY_EXPORT(HasQuads);

void multiplyBlocks(const BlockProduct<float>& product, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(MultiplyToFloats)(product, begin, end);
}
void multiplyBlocks(const BlockProduct<std::uint16_t>& product, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(MultiplyToBfloats)(product, begin, end);
}

bool isFasterInBytes() { return HWY_DYNAMIC_DISPATCH(HasQuads)(); }

}  // namespace kvasir
#endif
