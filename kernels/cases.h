#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "kernels/reference.h"

/// Arguments for the kernels, filled with the same random numbers at each run. Results start as NaN.
namespace kvasir::cases {

template <class Value>
std::vector<Value> unwritten(std::int64_t size) {
  std::vector<Value> values(size);
  for (Value& value : values) writeValue(std::numeric_limits<float>::quiet_NaN(), &value);
  return values;
}

template <class Value>
std::vector<Value> randomValues(std::int64_t size, float range, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-range, range);
  std::vector<Value> values(size);
  for (Value& value : values) writeValue(uniform(generator), &value);
  return values;
}

enum class Offsets { None, Some };
/// Which levels there are, which is how many bits they take.
enum class Levels { Bytes, Nibbles, SignedNibbles };
/// Whether all scales are halves or some are finer.
enum class Scales { Halves, Floats };

/// A matrix row by row, and packed.
struct Matrix {
  int rows, columns, blockSize;
  std::vector<std::int8_t> levels;
  std::vector<float> scales, offsets;
  PackedPanels packed;

  struct Kind {
    int blockSize = 32;
    Levels levels = Levels::Bytes;
    Offsets offsets = Offsets::None;
    Scales scales = Scales::Halves;
  };

  Matrix(int rows, int columns, Kind kind) : rows(rows), columns(columns), blockSize(kind.blockSize) {
    std::mt19937 generator(rows * 7919u + columns);
    for (int i = 0; i < rows * columns; ++i) {
      const auto byte = static_cast<std::int8_t>(generator() & 0xff);
      levels.push_back(static_cast<std::int8_t>(kind.levels == Levels::Bytes     ? byte
                                                : kind.levels == Levels::Nibbles ? byte & 15
                                                                                 : (byte & 15) - 8));
    }
    // The ends of the range, so that it is what it is said to be.
    levels.front() = static_cast<std::int8_t>(kind.levels == Levels::Bytes     ? -128
                                              : kind.levels == Levels::Nibbles ? 0
                                                                               : -8);
    levels.back() = static_cast<std::int8_t>(kind.levels == Levels::Bytes     ? 127
                                             : kind.levels == Levels::Nibbles ? 15
                                                                              : 7);
    const int blocks = rows * columns / blockSize;
    scales = randomValues<float>(blocks, 0.1f, 1);
    if (kind.offsets == Offsets::Some) offsets = randomValues<float>(blocks, 2, 2);
    if (kind.scales == Scales::Halves)
      for (std::vector<float>* values : {&scales, &offsets})
        for (float& value : *values) value = std::ldexp(std::nearbyint(std::ldexp(value, 9)), -9);
    packed = packPanels(asRows());
  }

  AffineRows asRows() const {
    return {levels.data(), scales.data(), offsets.empty() ? nullptr : offsets.data(), rows, columns, blockSize};
  }
};

/// Every kind of matrix that packing tells apart.
inline std::vector<Matrix::Kind> everyKind() {
  std::vector<Matrix::Kind> kinds;
  for (const int blockSize : {16, 32})
    for (const Levels levels : {Levels::Bytes, Levels::Nibbles, Levels::SignedNibbles})
      for (const Offsets offsets : {Offsets::None, Offsets::Some})
        for (const Scales scales : {Scales::Halves, Scales::Floats})
          kinds.push_back({blockSize, levels, offsets, scales});
  return kinds;
}

/// Rows of numbers and what they are rounded to.
template <class In>
struct Rounded {
  int rows, columns, blockSize;
  float range = 3;
  std::vector<In> in = randomValues<In>(std::int64_t{rows} * columns, range, 3);
  std::vector<std::int16_t> levels = std::vector<std::int16_t>(in.size(), 12345);
  std::vector<float> scales = unwritten<float>(rows);
  std::vector<float> sums = unwritten<float>(std::ssize(in) / blockSize);

  RowRounding<In> argument() {
    return {in.data(), levels.data(), scales.data(), sums.data(), columns, blockSize};
  }
  /// What entry i of all rows is rounded to.
  float back(std::int64_t i) const { return static_cast<float>(levels[i]) * scales[i / columns]; }
};

/// Rows of numbers, some far larger than those beside them, and what their blocks are rounded to.
template <class In>
struct RoundedBlocks {
  int rows, columns, blockSize;
  float range = 3;
  std::vector<In> in = numbersThatStandOut();
  std::vector<std::int8_t> levels = std::vector<std::int8_t>(in.size(), 99), fine = levels;
  std::vector<std::uint8_t> hasFine = std::vector<std::uint8_t>(in.size() / blockSize, 7);
  std::vector<float> scales = unwritten<float>(std::ssize(in) / blockSize), sums = scales;

  BlockRounding<In> argument() {
    return {in.data(),     levels.data(), fine.data(), hasFine.data(),
            scales.data(), sums.data(),   columns,     blockSize};
  }
  /// What the number of a column of a row is rounded to.
  double back(int row, int column) const {
    const std::int64_t at = std::int64_t{row} * columns + BlockRounding<In>::placeOf(column);
    return double{scales[row * (columns / blockSize) + column / blockSize]} * (levels[at] + fine[at] / 256.0);
  }

 private:
  /// One of every third block, and all of the block before are 0.
  std::vector<In> numbersThatStandOut() const {
    std::vector<In> numbers = randomValues<In>(std::int64_t{rows} * columns, range, 3);
    for (std::int64_t block = 2; block < std::ssize(numbers) / blockSize; block += 3) {
      writeValue(-40 * range, &numbers[block * blockSize + block % blockSize]);
      for (int i = 0; i < blockSize; ++i) writeValue(0, &numbers[(block - 1) * blockSize + i]);
    }
    return numbers;
  }
};

/// Whether a product is added to what is there.
enum class Held { Nothing, Numbers };

template <class Value>
struct Dense {
  int count, rows, columns;
  Held held = Held::Nothing;
  std::vector<Value> weights = randomValues<Value>(std::int64_t{rows} * columns, 1, 16);
  std::vector<Value> x = randomValues<Value>(std::int64_t{count} * columns, 2, 17);
  std::vector<Value> y = heldOr<Value>(std::int64_t{count} * rows);

  DenseProduct<Value> argument() {
    return {weights.data(), rows, columns, x.data(), count, y.data(), held == Held::Numbers};
  }

  template <class Kept>
  std::vector<Kept> heldOr(std::int64_t size) const {
    return held == Held::Numbers ? randomValues<Kept>(size, 3, 18) : unwritten<Kept>(size);
  }
};

/// Rows and columns that fill tiles and vectors, or do not.
template <class Value>
std::vector<Dense<Value>> everyDense() {
  std::vector<Dense<Value>> all;
  for (const Held held : {Held::Nothing, Held::Numbers})
    for (const auto& [count, rows, columns] :
         {std::array{64, 64, 64}, {65, 130, 576}, {3, 1, 40}, {1, 70, 33}, {130, 63, 1}})
      all.push_back({count, rows, columns, held});
  return all;
}

/// One vector, with the weights of a Dense.
template <class Value>
struct DenseVector {
  Dense<Value> dense;
  std::vector<float> x = randomValues<float>(dense.columns, 2, 19);
  std::vector<float> y = dense.template heldOr<float>(dense.rows);

  VectorProduct<Value> argument() {
    return {dense.weights.data(), dense.rows, dense.columns, x.data(), y.data(), dense.held == Held::Numbers};
  }
};

template <class Out>
struct Norm {
  int rows, width;
  std::vector<float> in = randomValues<float>(std::int64_t{rows} * width, 4, 4);
  std::vector<float> weight = randomValues<float>(width, 2, 5);

  RowNorm<Out> argument(Out* out) const {
    RowNorm<Out> norm;
    norm.in = in.data();
    norm.weight = weight.data();
    norm.out = out;
    norm.width = width;
    norm.epsilon = 1e-5f;
    return norm;
  }
};

template <class Value>
struct Gate {
  int rows, width;
  typename RowGate<Value>::Activation activation;
  std::vector<Value> in = randomValues<Value>(std::int64_t{rows} * 2 * width, 6, 6);

  RowGate<Value> argument(Value* out) const {
    RowGate<Value> gate;
    gate.in = in.data();
    gate.out = out;
    gate.width = width;
    gate.activation = activation;
    return gate;
  }
};

inline LevelGroups keysOf(int tokens, int dimension, int bits) { return {1, tokens, dimension, bits}; }
inline LevelGroups valuesOf(int tokens, int dimension, int bits) { return {tokens, dimension, 1, bits}; }

/// Keys and values of tokens and dimensions that fill groups and vectors, or do not.
inline std::vector<LevelGroups> everyGroups() {
  constexpr struct {
    int tokens, dimension;
  } kShapes[] = {{128, 64}, {70, 80}, {31, 128}, {33, 256}, {32, 33}, {5, 72}, {40, 3}, {1, 1}};
  std::vector<LevelGroups> groups;
  for (const auto& [tokens, dimension] : kShapes)
    for (const int bits : {4, 2}) {
      groups.push_back(keysOf(tokens, dimension, bits));
      groups.push_back(valuesOf(tokens, dimension, bits));
    }
  return groups;
}

/// Numbers in groups, and room for what is kept of them and one byte more. Those of the first group are equal.
template <class Value>
struct Grouped {
  static constexpr std::uint8_t kUnwritten = 0xa5;

  LevelGroups groups;
  std::vector<Value> numbers;
  std::vector<std::uint8_t> packed;

  explicit Grouped(const LevelGroups& groups, float range = 3)
      : groups(groups),
        numbers(randomValues<Value>(groups.sheets * groups.length * groups.lanes, range, 15)),
        packed(groups.bytes() + 1, kUnwritten) {
    for (int i = 0; !numbers.empty() && i < groups.count(0); ++i) numbers[i * groups.lanes] = numbers.front();
  }

  LevelPacking<Value> packing() { return {groups, numbers.data(), packed.data()}; }
  LevelUnpacking<Value> unpacking(Value* out) const { return {groups, packed.data(), out}; }
};

template <class Value>
void packByDefinition(const LevelPacking<Value>& packing) {
  const LevelGroups& groups = packing.groups;
  for (std::int64_t sheet = 0; sheet < groups.sheets; ++sheet)
    for (int band = 0; band < groups.bands(); ++band)
      for (int lane = 0; lane < groups.lanes; ++lane) packing.packGroup(sheet, band, lane);
}

/// Index entries of chunks, and scores that they have already. Between entries lies NaN, after the last
/// nothing.
struct ScoredChunks {
  int count, width;
  std::int64_t stride;
  std::vector<float> entries, asked, scores;

  ScoredChunks(int count, int width, std::int64_t stride)
      : count(count),
        width(width),
        stride(stride),
        entries(unwritten<float>(count > 0 ? (count - 1) * stride + width : 0)),
        asked(randomValues<float>(width, 2, 21)),
        scores(randomValues<float>(count, 3, 22)) {
    const std::vector<float> numbers = randomValues<float>(std::int64_t{count} * width, 1, 20);
    for (std::int64_t chunk = 0; chunk < count; ++chunk)
      std::copy_n(numbers.begin() + chunk * width, width, entries.begin() + chunk * stride);
  }

  ChunkScores argument() { return {entries.data(), stride, width, asked.data(), 0.7f, scores.data()}; }
};

enum class Angles { One, EachRow };

template <class Value>
struct Rotated {
  int rows, half;
  Angles angles;
  std::vector<Value> in = randomValues<Value>(std::int64_t{rows} * 2 * half, 3, 7);
  std::vector<float> cosines, sines;

  Rotated(int rows, int half, Angles angles) : rows(rows), half(half), angles(angles) {
    for (int row = 0; row < (angles == Angles::One ? 1 : rows); ++row) {
      for (int i = 0; i < half; ++i) {
        const double angle = (row + 5) * std::pow(10000.0, -static_cast<double>(i) / half);
        cosines.push_back(static_cast<float>(std::cos(angle)));
        sines.push_back(static_cast<float>(std::sin(angle)));
      }
    }
  }

  Rotation<Value> argument(Value* out) const {
    Rotation<Value> rotation;
    rotation.in = in.data();
    rotation.out = out;
    rotation.cosines = cosines.data();
    rotation.sines = sines.data();
    rotation.rows = rows;
    rotation.half = half;
    rotation.tableStep = angles == Angles::One ? 0 : half;
    return rotation;
  }
};

/// What attention writes. weights: [group, stride]. Argument: TokenAttention or PackedAttention.
template <class Argument>
struct AttentionResult {
  std::vector<float> weights, output, largest, sum;

  explicit AttentionResult(const Argument& a)
      : weights(unwritten<float>(a.group * a.weightStride)),
        output(unwritten<float>(std::int64_t{a.group} * a.dimension)),
        largest(unwritten<float>(a.group)),
        sum(unwritten<float>(a.group)) {}

  void pointFrom(Argument& a) {
    a.weights = weights.data();
    a.output = output.data();
    a.largest = largest.data();
    a.sum = sum.data();
  }

  /// As reference::differences, over all four.
  std::string differences(const Argument& a) const {
    const reference::Attention expected = reference::attend(a);
    std::vector<float> packed;
    for (int query = 0; query < a.group; ++query) {
      const auto row = weights.begin() + query * a.weightStride;
      packed.insert(packed.end(), row, row + a.count);
    }
    return named("weights", reference::differences(expected.weights, packed)) +
           named("output", reference::differences(expected.output, output)) +
           named("largest", reference::differences(expected.largest, largest)) +
           named("sum", reference::differences(expected.sum, sum));
  }

 private:
  static std::string named(const std::string& name, const std::string& text) {
    return text.empty() ? text : name + ": " + text;
  }
};

template <class Argument>
void attendByDefinition(const Argument& a) {
  for (int query = 0; query < a.group; ++query) {
    float* weights = a.weights + query * a.weightStride;
    float largest = -std::numeric_limits<float>::infinity(), sum = 0;
    for (int k = 0; k < a.count; ++k) {
      weights[k] = a.score(query, k);
      largest = std::max(largest, weights[k]);
    }
    for (int k = 0; k < a.count; ++k) {
      weights[k] = a.weigh(weights[k], largest);
      sum += weights[k];
    }
    for (int i = 0; i < a.dimension; ++i) a.output[query * a.dimension + i] = a.sumValue(query, i);
    a.largest[query] = largest;
    a.sum[query] = sum;
  }
}

template <class Value>
struct Attended {
  int group, dimension, count;
  float range = 2;  ///< of queries and keys
  std::vector<float> queries = randomValues<float>(std::int64_t{group} * dimension, range, 8);
  std::vector<Value> keys = randomValues<Value>(std::int64_t{count} * dimension, range, 9);
  std::vector<Value> values = randomValues<Value>(std::int64_t{count} * dimension, 3, 10);

  TokenAttention<Value> argument() const {
    TokenAttention<Value> attention;
    attention.queries = queries.data();
    attention.group = group;
    attention.dimension = dimension;
    attention.keys = keys.data();
    attention.values = values.data();
    attention.count = count;
    attention.scale = 1 / std::sqrt(static_cast<float>(dimension));
    attention.weightStride = count + 3;
    return attention;
  }
};

/// Keys and values in levels, as the definition packs them. Every `neighbours` keys share a position.
struct PackedAttended {
  int group, dimension, count, bits;
  int step = 1, neighbours = 1, place = 0;
  float range = 2;  ///< of queries and keys
  std::vector<float> queries = randomValues<float>(std::int64_t{group} * dimension, range, 8);
  std::vector<std::uint8_t> keys = packed(keysOf(count, dimension, bits), range, 9);
  std::vector<std::uint8_t> values = packed(valuesOf(count, dimension, bits), 3, 10);
  Rotated<float> angles = {count, dimension / 2, Angles::EachRow};

  PackedAttention argument() const {
    PackedAttention attention;
    attention.queries = queries.data();
    attention.group = group;
    attention.dimension = dimension;
    attention.keys = keys.data();
    attention.values = values.data();
    attention.bits = bits;
    attention.count = count;
    attention.cosines = angles.cosines.data();
    attention.sines = angles.sines.data();
    attention.step = step;
    attention.neighbours = neighbours;
    attention.place = place;
    attention.scale = 1 / std::sqrt(static_cast<float>(dimension));
    attention.weightStride = count + 3;
    return attention;
  }

  static std::vector<std::uint8_t> packed(const LevelGroups& groups, float range, unsigned seed) {
    const std::vector<float> numbers =
        randomValues<float>(groups.sheets * groups.length * groups.lanes, range, seed);
    std::vector<std::uint8_t> bytes(groups.bytes());
    packByDefinition(LevelPacking<float>{groups, numbers.data(), bytes.data()});
    return bytes;
  }
};

/// Which keys rows see: all, those up to their own place, or a window of them that slides.
enum class Sight { All, Causal, Window };

template <class Value>
struct AttendedRows {
  int rows, dimension, count;
  Sight sight = Sight::All;
  float range = 2;  ///< of queries and keys
  std::vector<Value> queries = randomValues<Value>(std::int64_t{rows} * dimension, range, 12);
  std::vector<Value> keys = randomValues<Value>(std::int64_t{count} * dimension, range, 13);
  std::vector<Value> values = randomValues<Value>(std::int64_t{count} * dimension, 3, 14);
  std::vector<int> begins = std::vector<int>(rows, 0), ends = std::vector<int>(rows, count);
  std::vector<float> output = std::vector<float>(std::size_t(rows) * dimension, 0);
  std::vector<float> largest = std::vector<float>(rows, -std::numeric_limits<float>::infinity());
  std::vector<float> sum = std::vector<float>(rows, 0);

  BlockAttention<Value> argument() {
    for (int row = 0; row < rows; ++row) {
      if (sight != Sight::All) ends[row] = std::clamp(count - rows + row + 1, 0, count);
      if (sight == Sight::Window) begins[row] = std::max(0, ends[row] - 40);
    }
    BlockAttention<Value> attention;
    attention.queries = queries.data();
    attention.dimension = dimension;
    attention.keys = keys.data();
    attention.values = values.data();
    attention.count = count;
    attention.begins = begins.data();
    attention.ends = ends.data();
    attention.scale = 1 / std::sqrt(static_cast<float>(dimension));
    attention.output = output.data();
    attention.largest = largest.data();
    attention.sum = sum.data();
    return attention;
  }
};

/// Rows of query heads, and the sums that attention over the same keys has given.
template <class Value>
struct Received {
  AttendedRows<Value> rows;
  int heads = 1;  ///< divides the rows
  std::vector<float> logSums = {}, received = {};

  ReceivedAttention<Value> argument() {
    const BlockAttention<Value> attention = rows.argument();
    logSums.clear();
    for (int row = 0; row < rows.rows; ++row)
      logSums.push_back(static_cast<float>(reference::attendRow(attention, row).logSum.value));
    received = unwritten<float>(std::int64_t{heads} * rows.count);
    return {attention.queries, rows.rows,       rows.rows / heads, attention.dimension,
            attention.keys,    attention.count, attention.begins,  attention.ends,
            logSums.data(),    attention.scale, received.data()};
  }
};

}  // namespace kvasir::cases
