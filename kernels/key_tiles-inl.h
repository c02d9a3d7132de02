// A tile of keys and the queries that meet it, for attention of many rows, once for each SIMD target. Included
// after <hwy/highway.h>.
#if defined(KVASIR_KERNELS_KEY_TILES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KVASIR_KERNELS_KEY_TILES_INL_H_
#undef KVASIR_KERNELS_KEY_TILES_INL_H_
#else
#define KVASIR_KERNELS_KEY_TILES_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "kernels/lanes-inl.h"
#include "kernels/line_vector.h"
#include "kernels/row_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR
using Floats = hn::CappedTag<float, 16>;
using Words = hn::Rebind<std::int32_t, Floats>;

constexpr int kKeys = 64;           ///< of a tile
constexpr int kRows = kRowsAtOnce;  ///< queries that meet it at a time

using Levels = hn::Repartition<std::int16_t, Words>;

/// `count` numbers as floats, filled up with zeros to `width`, a multiple of a vector.
template <class Value>
HWY_INLINE void loadRow(const Value* from, int count, float* out, int width) {
  const Floats df;
  const int lanes = static_cast<int>(hn::Lanes(df));
  int i = 0;
  for (; i + lanes <= count; i += lanes) hn::Store(load(df, from + i), df, out + i);
  for (; i < width; ++i) out[i] = i < count ? readValue(from + i) : 0;
}

/// Four rows' words [0, 4) become four rows of one of them a lane. Rows of `out` are kKeys apart.
HWY_INLINE void turnFour(const float* rows, std::int64_t stride, float* out) {
  const hn::FixedTag<float, 4> df;
  const hn::Repartition<double, decltype(df)> dd;
  const auto a = hn::LoadU(df, rows), b = hn::LoadU(df, rows + stride), c = hn::LoadU(df, rows + 2 * stride),
             d = hn::LoadU(df, rows + 3 * stride);
  const auto lowAB = hn::BitCast(dd, hn::InterleaveLower(df, a, b));
  const auto lowCD = hn::BitCast(dd, hn::InterleaveLower(df, c, d));
  const auto highAB = hn::BitCast(dd, hn::InterleaveUpper(df, a, b));
  const auto highCD = hn::BitCast(dd, hn::InterleaveUpper(df, c, d));
  hn::Store(hn::BitCast(df, hn::InterleaveLower(dd, lowAB, lowCD)), df, out);
  hn::Store(hn::BitCast(df, hn::InterleaveUpper(dd, lowAB, lowCD)), df, out + kKeys);
  hn::Store(hn::BitCast(df, hn::InterleaveLower(dd, highAB, highCD)), df, out + 2 * kKeys);
  hn::Store(hn::BitCast(df, hn::InterleaveUpper(dd, highAB, highCD)), df, out + 3 * kKeys);
}

/// [kKeys, count] becomes [count, kKeys]; count is a multiple of 4.
HWY_INLINE void turn(const float* rows, int count, float* out) {
  for (int key = 0; key < kKeys; key += 4)
    for (int i = 0; i < count; i += 4) turnFour(rows + key * count + i, count, out + i * kKeys + key);
}

/// exp of numbers from 0 down, to a relative 2⁻²³ near 0 and 2⁻¹⁷ at −87, where so little is left; 0 below. 2
/// to the part between whole numbers is its Taylor polynomial.
template <class D>
HWY_INLINE hn::Vec<D> expBelowZero(D df, hn::Vec<D> x) {
  const hn::Rebind<std::int32_t, D> di;
  const auto least = hn::Set(df, -87.0f);
  const auto power = hn::Mul(hn::Max(x, least), hn::Set(df, 1.44269504f));
  const auto whole = hn::Round(power);
  const auto part = hn::Sub(power, whole);
  auto sum = hn::MulAdd(hn::Set(df, 1.54035304e-4f), part, hn::Set(df, 1.33335581e-3f));
  sum = hn::MulAdd(sum, part, hn::Set(df, 9.61812911e-3f));
  sum = hn::MulAdd(sum, part, hn::Set(df, 5.55041087e-2f));
  sum = hn::MulAdd(sum, part, hn::Set(df, 2.40226507e-1f));
  sum = hn::MulAdd(sum, part, hn::Set(df, 6.93147181e-1f));
  sum = hn::MulAdd(sum, part, hn::Set(df, 1.0f));
  const auto bits = hn::Add(hn::BitCast(di, sum), hn::ShiftLeft<23>(hn::ConvertTo(di, whole)));
  return hn::IfThenElseZero(hn::Gt(x, least), hn::BitCast(df, bits));
}

/// A dimension, filled up to whole vectors.
HWY_INLINE int filledUp(int dimension) {
  const int step = 2 * static_cast<int>(hn::Lanes(Floats()));
  return (dimension + step - 1) / step * step;
}

/// The keys of a tile that a row sees.
struct Sight {
  int from = 0, to = 0;

  bool seesAny() const { return from < to; }
};
/// Of the tile from key `first` on, of a row that sees [begin, end).
HWY_INLINE Sight sightOf(int begin, int end, int first) {
  const int from = std::clamp(begin - first, 0, kKeys), to = std::clamp(end - first, 0, kKeys);
  return from < to ? Sight{from, to} : Sight{};
}

/// Queries and the tile of keys they meet in float32, exact.
class FloatKeys {
 public:
  FloatKeys(int rows, int width) : width_(width) {
    queries_.resize(static_cast<std::size_t>(rows) * width);
    keys_.resize(static_cast<std::size_t>(width) * kKeys);
    row_.resize(static_cast<std::size_t>(width) * kKeys);
  }
  void setQuery(int row, const float* query, int dimension, float scale) {
    float* out = queries_.data() + std::int64_t{row} * width_;
    loadRow(query, dimension, out, width_);
    for (int i = 0; i < dimension; ++i) out[i] *= scale;
  }
  /// `count` keys; those that are not there are 0.
  void setKeys(const float* keys, int count, int dimension) {
    for (int key = 0; key < kKeys; ++key)
      loadRow(keys + std::int64_t{key} * dimension, key < count ? dimension : 0,
              row_.data() + std::int64_t{key} * width_, width_);
    turn(row_.data(), width_, keys_.data());
  }
  /// Scores of kRows queries from `row` on, [kRows, kKeys].
  HWY_INLINE void score(int row, float* scores) const {
    const Floats df;
    const int lanes = static_cast<int>(hn::Lanes(df));
    for (int key = 0; key < kKeys; key += 2 * lanes) {
      auto sums = noRowSums<kRows>(hn::Zero(df));
      addProducts(df, keys_.data() + key, kKeys, queries_.data() + std::int64_t{row} * width_, width_, width_,
                  sums);
      sums.each([&](int r, hn::Vec<Floats> a, hn::Vec<Floats> b) HWY_ATTR {
        hn::Store(a, df, scores + r * kKeys + key);
        hn::Store(b, df, scores + r * kKeys + key + lanes);
      });
    }
  }

 protected:
  int width_;

 private:
  LineVector<float> queries_;  ///< [rows, width], scaled
  LineVector<float> keys_;     ///< [width, kKeys]
  LineVector<float> row_;      ///< [kKeys, width], before they are turned
};

/// The same in 16-bit levels, whose products come two at a time: for numbers that are bf16 anyway, which are
/// rounded more coarsely. A query and a key have one scale each. Levels are as large as the sum of their
/// products lets them be.
class LevelKeys {
 public:
  LevelKeys(int rows, int width)
      : width_(width), most_(std::min(32767.0f, std::floor(std::sqrt(0x1p31f / width) - 1))) {
    const auto size = static_cast<std::size_t>(width) * kKeys;
    queries_.resize(static_cast<std::size_t>(rows) * width);
    queryScales_.resize(rows);
    keys_.resize(size);
    levels_.resize(size);
    row_.resize(width);
  }
  void setQuery(int row, const std::uint16_t* query, int dimension, float scale) {
    loadRow(query, dimension, row_.data(), width_);
    queryScales_[row] = scale * roundRow(queries_.data() + std::int64_t{row} * width_);
  }
  void setKeys(const std::uint16_t* keys, int count, int dimension) {
    for (int key = 0; key < kKeys; ++key) {
      loadRow(keys + std::int64_t{key} * dimension, key < count ? dimension : 0, row_.data(), width_);
      keyScales_[key] = roundRow(levels_.data() + std::int64_t{key} * width_);
    }
    turn(reinterpret_cast<const float*>(levels_.data()), width_ / 2, reinterpret_cast<float*>(keys_.data()));
  }
  HWY_INLINE void score(int row, float* scores) const {
    const Floats df;
    const Levels d16;
    const int lanes = static_cast<int>(hn::Lanes(df));
    for (int key = 0; key < kKeys; key += 2 * lanes) {
      auto sums = noRowSums<kRows>(noSums(Words()));
      addProducts(d16, keys_.data() + 2 * key, 2 * kKeys, queries_.data() + std::int64_t{row} * width_, width_,
                  width_ / 2, sums);
      const auto scaleA = hn::Load(df, keyScales_ + key), scaleB = hn::Load(df, keyScales_ + key + lanes);
      sums.each([&](int r, const PairSums<Words>& a, const PairSums<Words>& b) HWY_ATTR {
        const auto scale = hn::Set(df, queryScales_[row + r]);
        float* out = scores + r * kKeys + key;
        hn::Store(hn::Mul(hn::ConvertTo(df, a.total()), hn::Mul(scaleA, scale)), df, out);
        hn::Store(hn::Mul(hn::ConvertTo(df, b.total()), hn::Mul(scaleB, scale)), df, out + lanes);
      });
    }
  }

 protected:
  static HWY_INLINE void round(hn::Vec<Floats> values, std::int16_t* out) {
    hn::StoreU(hn::DemoteTo(hn::Rebind<std::int16_t, Floats>(), hn::NearestInt(values)),
               hn::Rebind<std::int16_t, Floats>(), out);
  }

  static constexpr float kTiny = 1e-30f;  ///< of less there is nothing left, and its factor would overflow
  int width_;

 private:
  /// Rounds row_; gives its scale.
  HWY_INLINE float roundRow(std::int16_t* out) const {
    const Floats df;
    const int lanes = static_cast<int>(hn::Lanes(df));
    auto most = hn::Zero(df);
    for (int i = 0; i < width_; i += lanes) most = hn::Max(most, hn::Abs(hn::Load(df, row_.data() + i)));
    const float largest = std::max(hn::GetLane(hn::MaxOfLanes(df, most)), kTiny);
    const auto factor = hn::Set(df, most_ / largest);
    for (int i = 0; i < width_; i += lanes) round(hn::Mul(hn::Load(df, row_.data() + i), factor), out + i);
    return largest / most_;
  }

  float most_;                        ///< level of a query or a key
  LineVector<std::int16_t> queries_;  ///< [rows, width]
  LineVector<float> queryScales_;     ///< [rows], with the scale of the products
  LineVector<std::int16_t> keys_;     ///< [width / 2, kKeys] pairs
  HWY_ALIGN float keyScales_[kKeys];
  LineVector<std::int16_t> levels_;  ///< keys before they are turned
  LineVector<float> row_;            ///< before it is rounded
};

/// How keys of a kind are met.
template <class Value>
struct KeysOf;
template <>
struct KeysOf<float> {
  using Tile = FloatKeys;
};
template <>
struct KeysOf<std::uint16_t> {
  using Tile = LevelKeys;
};
#endif

}  // namespace HWY_NAMESPACE
}  // namespace kvasir
HWY_AFTER_NAMESPACE();

#endif
