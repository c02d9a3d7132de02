#include "kernels/attend_block.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "kernels/line_vector.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attend_block.cpp"
#include <hwy/foreach_target.h>  // first: it includes this file again for each target

#include <hwy/highway.h>

#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

template <class Value>
void attend(const BlockAttention<Value>& a, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) a.attendRow(row);
}

#else

using Floats = hn::CappedTag<float, 16>;

constexpr int kKeys = 32;  ///< of a tile
constexpr int kRows = 6;   ///< queries that share each load of a key or value

/// Rows of a strip and the tile of keys they meet, all in float32. Rows are filled up to a multiple of kRows;
/// dimensions to one of two vectors.
struct Strip {
  int rows, dimension, width;  ///< width: the dimension, filled up
  LineVector<float> queries;   ///< [rows, dimension], scaled
  LineVector<float> output;    ///< [rows, width]
  LineVector<float> keys;      ///< [dimension, kKeys]
  LineVector<float> values;    ///< [kKeys, width]
  LineVector<float> largest, sum;
  HWY_ALIGN float weights[kRows][kKeys];
};

/// Four keys' dimensions [i, i + 4) become four rows of one key a lane.
template <class Value>
HWY_INLINE void turnFour(const Value* keys, std::int64_t dimension, float* out) {
  const hn::FixedTag<float, 4> df;
  const hn::Repartition<double, decltype(df)> dd;
  const auto a = load(df, keys), b = load(df, keys + dimension), c = load(df, keys + 2 * dimension),
             d = load(df, keys + 3 * dimension);
  const auto lowAB = hn::BitCast(dd, hn::InterleaveLower(df, a, b));
  const auto lowCD = hn::BitCast(dd, hn::InterleaveLower(df, c, d));
  const auto highAB = hn::BitCast(dd, hn::InterleaveUpper(df, a, b));
  const auto highCD = hn::BitCast(dd, hn::InterleaveUpper(df, c, d));
  hn::Store(hn::BitCast(df, hn::InterleaveLower(dd, lowAB, lowCD)), df, out);
  hn::Store(hn::BitCast(df, hn::InterleaveUpper(dd, lowAB, lowCD)), df, out + kKeys);
  hn::Store(hn::BitCast(df, hn::InterleaveLower(dd, highAB, highCD)), df, out + 2 * kKeys);
  hn::Store(hn::BitCast(df, hn::InterleaveUpper(dd, highAB, highCD)), df, out + 3 * kKeys);
}

template <class Value>
void loadTile(const BlockAttention<Value>& a, int first, Strip& strip) {
  const Floats df;
  const int lanes = static_cast<int>(hn::Lanes(df)), dimension = a.dimension;
  const int count = std::min(kKeys, a.count - first);
  const Value* keys = a.keys + std::int64_t{first} * dimension;
  const Value* values = a.values + std::int64_t{first} * dimension;
  int key = 0;
  for (; key + 4 <= count; key += 4) {
    const Value* four = keys + std::int64_t{key} * dimension;
    int i = 0;
    for (; i + 4 <= dimension; i += 4) turnFour(four + i, dimension, strip.keys.data() + i * kKeys + key);
    for (; i < dimension; ++i)
      for (int k = 0; k < 4; ++k) strip.keys[i * kKeys + key + k] = readValue(four + k * dimension + i);
  }
  for (; key < kKeys; ++key)  // keys that are not there get no weight, but they are multiplied
    for (int i = 0; i < dimension; ++i)
      strip.keys[i * kKeys + key] = key < count ? readValue(keys + key * dimension + i) : 0;
  for (int k = 0; k < kKeys; ++k) {
    float* out = strip.values.data() + k * strip.width;
    int i = 0;
    if (k < count)
      for (; i + lanes <= dimension; i += lanes) hn::Store(load(df, values + k * dimension + i), df, out + i);
    for (; i < dimension; ++i) out[i] = k < count ? readValue(values + k * dimension + i) : 0;
  }
}

/// Sums of kRows rows and two vectors of columns. They are variables of their own, not an array: compilers keep
/// them in registers only so.
struct Sums {
  hn::Vec<Floats> a0, a1, a2, a3, a4, a5, b0, b1, b2, b3, b4, b5;

  /// Adds the products of two vectors and one number of each row.
  HWY_INLINE void add(hn::Vec<Floats> a, hn::Vec<Floats> b, const float* numbers, std::int64_t stride) {
    const Floats df;
    const auto n0 = hn::Set(df, numbers[0]);
    a0 = hn::MulAdd(a, n0, a0);
    b0 = hn::MulAdd(b, n0, b0);
    const auto n1 = hn::Set(df, numbers[stride]);
    a1 = hn::MulAdd(a, n1, a1);
    b1 = hn::MulAdd(b, n1, b1);
    const auto n2 = hn::Set(df, numbers[2 * stride]);
    a2 = hn::MulAdd(a, n2, a2);
    b2 = hn::MulAdd(b, n2, b2);
    const auto n3 = hn::Set(df, numbers[3 * stride]);
    a3 = hn::MulAdd(a, n3, a3);
    b3 = hn::MulAdd(b, n3, b3);
    const auto n4 = hn::Set(df, numbers[4 * stride]);
    a4 = hn::MulAdd(a, n4, a4);
    b4 = hn::MulAdd(b, n4, b4);
    const auto n5 = hn::Set(df, numbers[5 * stride]);
    a5 = hn::MulAdd(a, n5, a5);
    b5 = hn::MulAdd(b, n5, b5);
  }
  HWY_INLINE void store(float* out, std::int64_t stride) const {
    const Floats df;
    const std::size_t lanes = hn::Lanes(df);
    hn::Store(a0, df, out);
    hn::Store(b0, df, out + lanes);
    hn::Store(a1, df, out + stride);
    hn::Store(b1, df, out + stride + lanes);
    hn::Store(a2, df, out + 2 * stride);
    hn::Store(b2, df, out + 2 * stride + lanes);
    hn::Store(a3, df, out + 3 * stride);
    hn::Store(b3, df, out + 3 * stride + lanes);
    hn::Store(a4, df, out + 4 * stride);
    hn::Store(b4, df, out + 4 * stride + lanes);
    hn::Store(a5, df, out + 5 * stride);
    hn::Store(b5, df, out + 5 * stride + lanes);
  }
};

HWY_INLINE Sums loadSums(const float* from, std::int64_t stride) {
  const Floats df;
  const std::size_t lanes = hn::Lanes(df);
  const auto at = [&](int row, std::size_t part)
                      HWY_ATTR { return hn::Load(df, from + row * stride + part * lanes); };
  return {at(0, 0), at(1, 0), at(2, 0), at(3, 0), at(4, 0), at(5, 0),
          at(0, 1), at(1, 1), at(2, 1), at(3, 1), at(4, 1), at(5, 1)};
}

/// Scores of kRows queries and a tile's keys.
HWY_INLINE void scoreTile(Strip& strip, int row) {
  const Floats df;
  const int lanes = static_cast<int>(hn::Lanes(df)), dimension = strip.dimension;
  const auto none = hn::Zero(df);
  for (int key = 0; key < kKeys; key += 2 * lanes) {
    Sums sums = {none, none, none, none, none, none, none, none, none, none, none, none};
    const float *keys = strip.keys.data() + key, *queries = strip.queries.data() + row * dimension;
    for (int i = 0; i < dimension; ++i, keys += kKeys)
      sums.add(hn::Load(df, keys), hn::Load(df, keys + lanes), queries + i, dimension);
    sums.store(strip.weights[0] + key, kKeys);
  }
}

/// Adds a tile's values to kRows outputs, by their weights.
HWY_INLINE void addValues(Strip& strip, int row) {
  const Floats df;
  const int lanes = static_cast<int>(hn::Lanes(df)), width = strip.width;
  for (int i = 0; i < width; i += 2 * lanes) {
    float* out = strip.output.data() + row * width + i;
    Sums sums = loadSums(out, width);
    const float* values = strip.values.data() + i;
    for (int key = 0; key < kKeys; ++key, values += width)
      sums.add(hn::Load(df, values), hn::Load(df, values + lanes), strip.weights[0] + key, kKeys);
    sums.store(out, width);
  }
}

/// exp of numbers from 0 down, to a relative 2⁻²³ near 0 and 2⁻¹⁷ at −87, where so little is left; 0 below. 2
/// to the part between whole numbers is its Taylor polynomial.
HWY_INLINE hn::Vec<Floats> expBelowZero(hn::Vec<Floats> x) {
  const Floats df;
  const hn::Rebind<std::int32_t, Floats> di;
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

/// Scores become weights; what the row has so far is made smaller where a score is the largest yet. It sees
/// keys [from, to) of the tile.
HWY_INLINE void weighRow(Strip& strip, int row, int from, int to, float* scores) {
  const Floats df;
  const int lanes = static_cast<int>(hn::Lanes(df));
  if (from >= to) {
    std::memset(scores, 0, sizeof(float) * kKeys);
    return;
  }
  constexpr float kHidden = -1e30f;
  for (int key = 0; key < from; ++key) scores[key] = kHidden;
  for (int key = to; key < kKeys; ++key) scores[key] = kHidden;
  auto most = hn::Load(df, scores);
  for (int key = lanes; key < kKeys; key += lanes) most = hn::Max(most, hn::Load(df, scores + key));
  const float before = strip.largest[row], largest = std::max(before, hn::GetLane(hn::MaxOfLanes(df, most)));
  if (largest > before) {
    const float factor = std::exp(before - largest);
    strip.largest[row] = largest;
    strip.sum[row] *= factor;
    float* out = strip.output.data() + row * strip.width;
    for (int i = 0; i < strip.width; i += lanes)
      hn::Store(hn::Mul(hn::Load(df, out + i), hn::Set(df, factor)), df, out + i);
  }
  auto sums = hn::Zero(df);
  HWY_UNROLL(4)
  for (int key = 0; key < kKeys; key += lanes) {
    const auto weights = expBelowZero(hn::Sub(hn::Load(df, scores + key), hn::Set(df, largest)));
    hn::Store(weights, df, scores + key);
    sums = hn::Add(sums, weights);
  }
  strip.sum[row] += total(df, sums);
}

/// A tile of keys from `first` on and all rows of the strip, the first of which is `firstRow`.
template <class Value>
void attendTile(const BlockAttention<Value>& a, std::int64_t firstRow, int rows, int first, Strip& strip) {
  for (int row = 0; row < rows; row += kRows) {
    const int count = std::min(kRows, rows - row);
    const int *begins = a.begins + firstRow + row, *ends = a.ends + firstRow + row;
    const int least = *std::min_element(begins, begins + count), most = *std::max_element(ends, ends + count);
    if (std::min(most, a.count) <= first || least >= first + kKeys) continue;
    scoreTile(strip, row);
    for (int i = 0; i < kRows; ++i) {
      const int last = i < count ? std::min(ends[i], a.count) : 0;
      weighRow(strip, row + i, i < count ? std::clamp(begins[i] - first, 0, kKeys) : 0,
               std::clamp(last - first, 0, kKeys), strip.weights[i]);
    }
    addValues(strip, row);
  }
}

template <class Value>
void attendStrip(const BlockAttention<Value>& a, std::int64_t firstRow, int rows, Strip& strip) {
  const int dimension = a.dimension;
  for (int row = 0; row < rows; ++row) {
    const std::int64_t from = (firstRow + row) * dimension;
    for (int i = 0; i < dimension; ++i)
      strip.queries[row * dimension + i] = readValue(a.queries + from + i) * a.scale;
    std::copy_n(a.output + from, dimension, strip.output.data() + row * strip.width);
    strip.largest[row] = a.largest[firstRow + row];
    strip.sum[row] = a.sum[firstRow + row];
  }
  const int least = *std::min_element(a.begins + firstRow, a.begins + firstRow + rows);
  const int most = std::min(a.count, *std::max_element(a.ends + firstRow, a.ends + firstRow + rows));
  for (int first = least; first < most; first += kKeys) {
    loadTile(a, first, strip);
    attendTile(a, firstRow, rows, first, strip);
  }
  for (int row = 0; row < rows; ++row) {
    std::copy_n(strip.output.data() + row * strip.width, dimension, a.output + (firstRow + row) * dimension);
    a.largest[firstRow + row] = strip.largest[row];
    a.sum[firstRow + row] = strip.sum[row];
  }
}

template <class Value>
void attend(const BlockAttention<Value>& a, std::int64_t begin, std::int64_t end) {
  if (begin >= end) return;
  constexpr std::int64_t kStripFloats =
      12288;  // so that queries and outputs of a strip stay in the second cache
  const int step = 2 * static_cast<int>(hn::Lanes(Floats()));
  const auto most = std::max<std::int64_t>(32, kStripFloats / a.dimension / kRows * kRows);
  const auto rows = static_cast<int>(std::min(most, (end - begin + kRows - 1) / kRows * kRows));
  Strip strip;
  strip.rows = rows;
  strip.dimension = a.dimension;
  strip.width = (a.dimension + step - 1) / step * step;
  strip.queries.resize(rows * a.dimension);
  strip.output.resize(rows * strip.width);
  strip.keys.resize(a.dimension * kKeys);
  strip.values.resize(kKeys * strip.width);
  strip.largest.resize(rows);
  strip.sum.resize(rows);
  for (std::int64_t row = begin; row < end; row += rows)
    attendStrip(a, row, static_cast<int>(std::min<std::int64_t>(rows, end - row)), strip);
}

#endif

void AttendFloatRows(const BlockAttention<float>& a, std::int64_t begin, std::int64_t end) {
  attend(a, begin, end);
}
void AttendBfloatRows(const BlockAttention<std::uint16_t>& a, std::int64_t begin, std::int64_t end) {
  attend(a, begin, end);
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
