#include "kernels/attend_block.h"

#include <algorithm>
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attend_block.cpp"
#include <hwy/foreach_target.h>  // first: it includes this file again for each target

#include <hwy/highway.h>

#include "kernels/key_tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

struct FloatTile;
struct LevelTile;
template <class Tile, class Value>
void attend(const BlockAttention<Value>& a, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) a.attendRow(row);
}

#else

/// Weights of a tile's keys: exp(score − the row's largest of the tile), from 0 to what its Tile gives the
/// largest, and what a row's are multiplied by to be relative to the row's largest of all.
template <class Weight>
struct Weights {
  HWY_ALIGN Weight rows[kRows][kKeys];
  float factors[kRows];
};

/// The rows of a strip, the tile of keys they meet and its values in float32, exact.
class FloatTile : public FloatKeys {
 public:
  using Weight = float;
  static constexpr float kMostWeight = 1;

  FloatTile(int rows, int width) : FloatKeys(rows, width) {
    values_.resize(static_cast<std::size_t>(width) * kKeys);
  }
  /// `count` values; those that are not there are 0.
  void setValues(const float* values, int count, int dimension) {
    for (int key = 0; key < kKeys; ++key)
      loadRow(values + std::int64_t{key} * dimension, key < count ? dimension : 0,
              values_.data() + std::int64_t{key} * width_, width_);
  }
  /// Weights of one row's keys; gives sums of them.
  static HWY_INLINE hn::Vec<Floats> weigh(const float* scores, float largest, float* weights) {
    const Floats df;
    const int lanes = static_cast<int>(hn::Lanes(df));
    auto sums = hn::Zero(df);
    HWY_UNROLL(4)
    for (int key = 0; key < kKeys; key += lanes) {
      const auto own = expBelowZero(df, hn::Sub(hn::Load(df, scores + key), hn::Set(df, largest)));
      hn::Store(own, df, weights + key);
      sums = hn::Add(sums, own);
    }
    return sums;
  }
  /// Adds the values to kRows outputs, [kRows, width].
  HWY_INLINE void addValues(const Weights<float>& weights, float* output) const {
    const Floats df;
    const int lanes = static_cast<int>(hn::Lanes(df));
    for (int i = 0; i < width_; i += 2 * lanes) {
      auto sums = noRowSums<kRows>(hn::Zero(df));
      addProducts(df, values_.data() + i, width_, weights.rows[0], kKeys, kKeys, sums);
      sums.each([&](int r, hn::Vec<Floats> a, hn::Vec<Floats> b) HWY_ATTR {
        const auto factor = hn::Set(df, weights.factors[r]);
        float* out = output + r * width_ + i;
        hn::Store(hn::MulAdd(a, factor, hn::Load(df, out)), df, out);
        hn::Store(hn::MulAdd(b, factor, hn::Load(df, out + lanes)), df, out + lanes);
      });
    }
  }

 private:
  LineVector<float> values_;  ///< [kKeys, width]
};

/// The same in 16-bit levels: values have one scale a dimension of a tile, weights one a row of a tile.
class LevelTile : public LevelKeys {
 public:
  using Weight = std::int16_t;
  static constexpr float kMostWeight = 5792, kMostValue = 5791;  // kKeys products of the two stay below 2³¹

  LevelTile(int rows, int width) : LevelKeys(rows, width) {
    const auto size = static_cast<std::size_t>(width) * kKeys;
    values_.resize(size);
    valueScales_.resize(width);
    row_.resize(size);
  }
  void setValues(const std::uint16_t* values, int count, int dimension) {
    for (int key = 0; key < kKeys; ++key)
      loadRow(values + std::int64_t{key} * dimension, key < count ? dimension : 0,
              row_.data() + std::int64_t{key} * width_, width_);
    roundValues();
  }
  static HWY_INLINE hn::Vec<Floats> weigh(const float* scores, float largest, std::int16_t* weights) {
    const Floats df;
    const int lanes = static_cast<int>(hn::Lanes(df));
    const auto most = hn::Set(df, largest);
    auto sums = hn::Zero(df);
    HWY_UNROLL(4)
    for (int key = 0; key < kKeys; key += lanes) {
      const auto own = levelsOfExp(hn::Sub(hn::Load(df, scores + key), most));
      round(own, weights + key);
      sums = hn::Add(sums, own);
    }
    return sums;
  }
  HWY_INLINE void addValues(const Weights<std::int16_t>& weights, float* output) const {
    const Floats df;
    const Levels d16;
    const int lanes = static_cast<int>(hn::Lanes(df));
    for (int i = 0; i < width_; i += 2 * lanes) {
      auto sums = noRowSums<kRows>(noSums(Words()));
      addProducts(d16, values_.data() + 2 * i, 2 * width_, weights.rows[0], kKeys, kKeys / 2, sums);
      const auto scaleA = hn::Load(df, valueScales_.data() + i),
                 scaleB = hn::Load(df, valueScales_.data() + i + lanes);
      sums.each([&](int r, const PairSums<Words>& a, const PairSums<Words>& b) HWY_ATTR {
        const auto factor = hn::Set(df, weights.factors[r]);
        float* out = output + r * width_ + i;
        hn::Store(hn::MulAdd(hn::ConvertTo(df, a.total()), hn::Mul(scaleA, factor), hn::Load(df, out)), df,
                  out);
        hn::Store(hn::MulAdd(hn::ConvertTo(df, b.total()), hn::Mul(scaleB, factor), hn::Load(df, out + lanes)),
                  df, out + lanes);
      });
    }
  }

 private:
  /// exp of numbers from 0 down, of kMostWeight: 2 to a power, with the best polynomial of its degree for the
  /// part between whole numbers, to 3·10⁻⁶, where half a level is 9·10⁻⁵. What is as good as 0 may come out as
  /// 2⁻³⁰.
  static HWY_INLINE hn::Vec<Floats> levelsOfExp(hn::Vec<Floats> x) {
    const Floats df;
    const Words di;
    const auto log2e = hn::Set(df, 1.44269504f);
    const auto rounding = hn::Set(df, 0x1.8p23f);  // what is added to it loses its fraction
    const auto bounded = hn::Max(x, hn::Set(df, -30 / 1.44269504f));
    const auto shifted = hn::MulAdd(bounded, log2e, rounding);
    const auto part = hn::MulSub(bounded, log2e, hn::Sub(shifted, rounding));
    auto sum =
        hn::MulAdd(hn::Set(df, kMostWeight * 9.57010191e-3f), part, hn::Set(df, kMostWeight * 5.59178603e-2f));
    sum = hn::MulAdd(sum, part, hn::Set(df, kMostWeight * 2.40247448e-1f));
    sum = hn::MulAdd(sum, part, hn::Set(df, kMostWeight * 6.93121815e-1f));
    sum = hn::MulAdd(sum, part, hn::Set(df, kMostWeight * 9.99999261e-1f));
    return hn::BitCast(df, hn::Add(hn::BitCast(di, sum), hn::ShiftLeft<23>(hn::BitCast(di, shifted))));
  }
  /// All of row_: pairs of keys become neighbours.
  HWY_INLINE void roundValues() {
    const Floats df;
    const int lanes = static_cast<int>(hn::Lanes(df));
    const Words di;
    for (int i = 0; i < width_; i += lanes) {
      const float* from = row_.data() + i;
      auto most = hn::Set(df, kTiny);
      for (int key = 0; key < kKeys; ++key) most = hn::Max(most, hn::Abs(hn::Load(df, from + key * width_)));
      hn::Store(hn::Mul(most, hn::Set(df, 1 / kMostValue)), df, valueScales_.data() + i);
      const auto factor = hn::Div(hn::Set(df, kMostValue), most);
      for (int key = 0; key < kKeys; key += 2, from += 2 * width_) {
        const auto first = hn::NearestInt(hn::Mul(hn::Load(df, from), factor));
        const auto second = hn::NearestInt(hn::Mul(hn::Load(df, from + width_), factor));
        const auto pair = hn::Or(hn::And(first, hn::Set(di, 0xffff)), hn::ShiftLeft<16>(second));
        hn::Store(hn::BitCast(Levels(), pair), Levels(), values_.data() + key * width_ + 2 * i);
      }
    }
  }

  LineVector<std::int16_t> values_;  ///< [kKeys / 2, width] pairs
  LineVector<float> valueScales_;    ///< [width]
  LineVector<float> row_;            ///< values before they are rounded
};

/// What the rows of a strip have so far.
struct Strip {
  int width;                 ///< the dimension, filled up
  LineVector<float> output;  ///< [rows, width]
  LineVector<float> largest, sum;
};

/// Scores of kRows rows from `row` on become weights; what the rows have is made smaller where a score is the
/// largest yet.
template <class Tile>
HWY_INLINE void weigh(Strip& strip, int row, const Sight* sights, float (*scores)[kKeys],
                      Weights<typename Tile::Weight>& weights) {
  constexpr float kHidden = -1e30f;
  const Floats df;
  const hn::CappedTag<float, kRows> dr;
  const int lanes = static_cast<int>(hn::Lanes(df));
  HWY_ALIGN float most[kRows], before[kRows], after[kRows], shrinks[kRows], factors[kRows];
  for (int r = 0; r < kRows; ++r) {
    const auto [from, to] = sights[r];
    if (from > 0) std::fill_n(scores[r], from, kHidden);
    if (to < kKeys) std::fill(scores[r] + to, scores[r] + kKeys, kHidden);
    auto largest = hn::Load(df, scores[r]);
    for (int key = lanes; key < kKeys; key += lanes) largest = hn::Max(largest, hn::Load(df, scores[r] + key));
    most[r] = hn::GetLane(hn::MaxOfLanes(df, largest));
    before[r] = strip.largest[row + r];
  }
  for (int r = 0; r < kRows; r += static_cast<int>(hn::Lanes(dr))) {
    const auto old = hn::Load(dr, before + r), own = hn::Load(dr, most + r);
    const auto largest = hn::Max(old, own);
    const auto isHidden = hn::Eq(own, hn::Set(dr, kHidden));
    hn::Store(hn::IfThenElse(isHidden, old, largest), dr, after + r);
    hn::Store(hn::IfThenElse(isHidden, hn::Set(dr, 1.0f), expBelowZero(dr, hn::Sub(old, largest))), dr,
              shrinks + r);
    hn::Store(hn::IfThenZeroElse(isHidden, expBelowZero(dr, hn::Sub(own, largest))), dr, factors + r);
  }
  for (int r = 0; r < kRows; ++r) {
    if (after[r] > before[r]) {
      strip.largest[row + r] = after[r];
      strip.sum[row + r] *= shrinks[r];
      float* out = strip.output.data() + std::int64_t{row + r} * strip.width;
      for (int i = 0; i < strip.width; i += lanes)
        hn::Store(hn::Mul(hn::Load(df, out + i), hn::Set(df, shrinks[r])), df, out + i);
    }
    weights.factors[r] = factors[r] / Tile::kMostWeight;
    strip.sum[row + r] += weights.factors[r] * total(df, Tile::weigh(scores[r], most[r], weights.rows[r]));
  }
}

/// The tile of keys from `first` on and all rows of the strip, the first of which is `firstRow`.
template <class Value, class Tile>
void attendTile(const BlockAttention<Value>& a, std::int64_t firstRow, int rows, int first, const Tile& tile,
                Strip& strip) {
  HWY_ALIGN float scores[kRows][kKeys];
  Weights<typename Tile::Weight> weights;
  for (int row = 0; row < rows; row += kRows) {
    Sight sights[kRows] = {};
    bool seesAny = false;
    for (int r = 0; r < std::min(kRows, rows - row); ++r) {
      const std::int64_t at = firstRow + row + r;
      sights[r] = sightOf(a.begins[at], std::min(a.ends[at], a.count), first);
      seesAny = seesAny || sights[r].seesAny();
    }
    if (!seesAny) continue;
    tile.score(row, scores[0]);
    weigh<Tile>(strip, row, sights, scores, weights);
    tile.addValues(weights, strip.output.data() + std::int64_t{row} * strip.width);
  }
}

template <class Value, class Tile>
void attendStrip(const BlockAttention<Value>& a, std::int64_t firstRow, int rows, Tile& tile, Strip& strip) {
  const int dimension = a.dimension;
  for (int row = 0; row < rows; ++row) {
    const std::int64_t from = (firstRow + row) * dimension;
    tile.setQuery(row, a.queries + from, dimension, a.scale);
    std::copy_n(a.output + from, dimension, strip.output.data() + std::int64_t{row} * strip.width);
    strip.largest[row] = a.largest[firstRow + row];
    strip.sum[row] = a.sum[firstRow + row];
  }
  const int least = *std::min_element(a.begins + firstRow, a.begins + firstRow + rows);
  const int most = std::min(a.count, *std::max_element(a.ends + firstRow, a.ends + firstRow + rows));
  for (int first = least; first < most; first += kKeys) {
    const std::int64_t at = std::int64_t{first} * dimension;
    tile.setKeys(a.keys + at, std::min(kKeys, a.count - first), dimension);
    tile.setValues(a.values + at, std::min(kKeys, a.count - first), dimension);
    attendTile(a, firstRow, rows, first, tile, strip);
  }
  for (int row = 0; row < rows; ++row) {
    std::copy_n(strip.output.data() + std::int64_t{row} * strip.width, dimension,
                a.output + (firstRow + row) * dimension);
    a.largest[firstRow + row] = strip.largest[row];
    a.sum[firstRow + row] = strip.sum[row];
  }
}

template <class Tile, class Value>
void attend(const BlockAttention<Value>& a, std::int64_t begin, std::int64_t end) {
  if (begin >= end) return;
  // So that queries and outputs of a strip stay in the second cache.
  constexpr std::int64_t kStripFloats = 24576;
  const auto most = std::max<std::int64_t>(32, kStripFloats / a.dimension / kRows * kRows);
  const auto rows = static_cast<int>(std::min(most, (end - begin + kRows - 1) / kRows * kRows));
  const auto filled = (rows + kRows - 1) / kRows * kRows;
  Strip strip;
  strip.width = filledUp(a.dimension);
  strip.output.resize(static_cast<std::size_t>(filled) * strip.width);
  strip.largest.resize(filled);
  strip.sum.resize(filled);
  Tile tile(filled, strip.width);
  for (std::int64_t row = begin; row < end; row += rows)
    attendStrip(a, row, static_cast<int>(std::min<std::int64_t>(rows, end - row)), tile, strip);
}

#endif

void AttendFloatRows(const BlockAttention<float>& a, std::int64_t begin, std::int64_t end) {
  attend<FloatTile>(a, begin, end);
}
void AttendBfloatRows(const BlockAttention<std::uint16_t>& a, std::int64_t begin, std::int64_t end) {
  attend<LevelTile>(a, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace kvasir
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kvasir {

HWY_EXPORT(AttendFloatRows);
HWY_EXPORT(AttendBfloatRows);

void attendRows(const BlockAttention<float>& attention, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(AttendFloatRows)(attention, begin, end);
}
void attendRows(const BlockAttention<std::uint16_t>& attention, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(AttendBfloatRows)(attention, begin, end);
}

}  // namespace kvasir
#endif
