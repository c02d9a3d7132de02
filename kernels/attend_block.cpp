#include "kernels/attend_block.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "kernels/line_vector.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attend_block.cpp"
#include <hwy/foreach_target.h>  // first: it includes this file again for each target

#include <hwy/contrib/math/math-inl.h>
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
constexpr int kRows = 4;   ///< queries that share each load of a key or value

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

/// Scores of kRows queries and a tile's keys. The sums are variables of their own, not an array: compilers keep
/// them in registers only so.
HWY_INLINE void scoreTile(const Strip& strip, int row, float (*scores)[kKeys]) {
  const Floats df;
  const int lanes = static_cast<int>(hn::Lanes(df)), dimension = strip.dimension;
  const float* q0 = strip.queries.data() + row * dimension;
  const float *q1 = q0 + dimension, *q2 = q1 + dimension, *q3 = q2 + dimension;
  for (int key = 0; key < kKeys; key += 2 * lanes) {
    auto a0 = hn::Zero(df), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    const float* keys = strip.keys.data() + key;
    for (int i = 0; i < dimension; ++i, keys += kKeys) {
      const auto a = hn::Load(df, keys), b = hn::Load(df, keys + lanes);
      const auto v0 = hn::Set(df, q0[i]), v1 = hn::Set(df, q1[i]), v2 = hn::Set(df, q2[i]), v3 = hn::Set(df, q3[i]);
      a0 = hn::MulAdd(a, v0, a0);
      b0 = hn::MulAdd(b, v0, b0);
      a1 = hn::MulAdd(a, v1, a1);
      b1 = hn::MulAdd(b, v1, b1);
      a2 = hn::MulAdd(a, v2, a2);
      b2 = hn::MulAdd(b, v2, b2);
      a3 = hn::MulAdd(a, v3, a3);
      b3 = hn::MulAdd(b, v3, b3);
    }
    hn::Store(a0, df, scores[0] + key);
    hn::Store(b0, df, scores[0] + key + lanes);
    hn::Store(a1, df, scores[1] + key);
    hn::Store(b1, df, scores[1] + key + lanes);
    hn::Store(a2, df, scores[2] + key);
    hn::Store(b2, df, scores[2] + key + lanes);
    hn::Store(a3, df, scores[3] + key);
    hn::Store(b3, df, scores[3] + key + lanes);
  }
}

/// Adds a tile's values to kRows outputs, by their weights.
HWY_INLINE void addValues(Strip& strip, int row) {
  const Floats df;
  const int lanes = static_cast<int>(hn::Lanes(df)), width = strip.width;
  float* out = strip.output.data() + row * width;
  for (int i = 0; i < width; i += 2 * lanes, out += 2 * lanes) {
    auto a0 = hn::Load(df, out), b0 = hn::Load(df, out + lanes);
    auto a1 = hn::Load(df, out + width), b1 = hn::Load(df, out + width + lanes);
    auto a2 = hn::Load(df, out + 2 * width), b2 = hn::Load(df, out + 2 * width + lanes);
    auto a3 = hn::Load(df, out + 3 * width), b3 = hn::Load(df, out + 3 * width + lanes);
    const float* values = strip.values.data() + i;
    for (int key = 0; key < kKeys; ++key, values += width) {
      const auto a = hn::Load(df, values), b = hn::Load(df, values + lanes);
      const auto v0 = hn::Set(df, strip.weights[0][key]), v1 = hn::Set(df, strip.weights[1][key]);
      const auto v2 = hn::Set(df, strip.weights[2][key]), v3 = hn::Set(df, strip.weights[3][key]);
      a0 = hn::MulAdd(a, v0, a0);
      b0 = hn::MulAdd(b, v0, b0);
      a1 = hn::MulAdd(a, v1, a1);
      b1 = hn::MulAdd(b, v1, b1);
      a2 = hn::MulAdd(a, v2, a2);
      b2 = hn::MulAdd(b, v2, b2);
      a3 = hn::MulAdd(a, v3, a3);
      b3 = hn::MulAdd(b, v3, b3);
    }
    hn::Store(a0, df, out);
    hn::Store(b0, df, out + lanes);
    hn::Store(a1, df, out + width);
    hn::Store(b1, df, out + width + lanes);
    hn::Store(a2, df, out + 2 * width);
    hn::Store(b2, df, out + 2 * width + lanes);
    hn::Store(a3, df, out + 3 * width);
    hn::Store(b3, df, out + 3 * width + lanes);
  }
}

/// Scores become weights; what the row has so far is made smaller where a score is the largest yet. It sees keys
/// [from, to) of the tile.
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
  for (int key = 0; key < kKeys; key += lanes) {
    const auto weights = hn::Exp(df, hn::Sub(hn::Load(df, scores + key), hn::Set(df, largest)));
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
    scoreTile(strip, row, strip.weights);
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
    for (int i = 0; i < dimension; ++i) strip.queries[row * dimension + i] = readValue(a.queries + from + i) * a.scale;
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
  constexpr std::int64_t kStripFloats = 12288;  // so that queries and outputs of a strip stay in the second cache
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

void AttendFloatRows(const BlockAttention<float>& a, std::int64_t begin, std::int64_t end) { attend(a, begin, end); }
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
