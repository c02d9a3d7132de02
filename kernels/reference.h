#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/attend.h"
#include "kernels/attend_block.h"
#include "kernels/attend_packed.h"
#include "kernels/block_products.h"
#include "kernels/chunk_scores.h"
#include "kernels/dense.h"
#include "kernels/level_groups.h"
#include "kernels/products.h"
#include "kernels/received.h"
#include "kernels/rotate.h"
#include "kernels/rounding.h"
#include "kernels/rows.h"

/// What the kernels compute, written plainly in double, and how far float32 and bf16 may lie from it.
namespace kvasir::reference {

constexpr double kUnit = 0x1p-24;         ///< relative error of one float32 operation
constexpr double kTiny = 0x1p-126;        ///< below it float32 is coarser, or flushed to zero
constexpr double kBfloatUnit = 0x1p-8;    ///< relative error of rounding to bf16
constexpr double kBfloatTiny = 0x1p-134;  ///< half the smallest bf16

struct Expected {
  double value = 0;
  double error = 0;  ///< how far a right result may lie from it
};
using Expectations = std::vector<Expected>;

inline double number(float value) { return value; }
inline double number(double value) { return value; }
inline double number(std::uint16_t bits) {
  const int exponent = bits >> 7 & 0xff;
  const int fraction = bits & 0x7f;
  const double size = exponent == 0xff ? (fraction ? std::nan("") : std::numeric_limits<double>::infinity())
                      : exponent       ? std::ldexp(128 + fraction, exponent - 134)
                                       : std::ldexp(fraction, -133);
  return bits & 0x8000 ? -size : size;
}

/// What storing as Value adds to the error.
template <class Value>
Expected stored(Expected expected) {
  if (std::is_same_v<Value, std::uint16_t>)
    expected.error += kBfloatUnit * (std::abs(expected.value) + expected.error) + kBfloatTiny;
  return expected;
}

/// How far an entry lies from the reference, and how far it may.
struct Distance {
  double difference = 0, tolerance = 0;

  bool isWithin() const { return difference == 0 || difference <= tolerance; }
  /// By share of the tolerance. NaN is the furthest.
  bool isFurtherThan(const Distance& other) const {
    if (std::isnan(difference) || std::isnan(other.difference)) return !std::isnan(other.difference);
    return difference * other.tolerance > other.difference * tolerance ||
           (other.difference == 0 && difference > 0);
  }
};

template <class Value>
Distance distance(const Expected& expected, Value actual) {
  const double value = number(actual);
  return {value == expected.value ? 0 : std::abs(value - expected.value), expected.error};
}

/// Of the entry that lies furthest for its tolerance.
template <class Value>
Distance furthest(const Expectations& expected, const Value* actual) {
  Distance worst;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const Distance found = distance(expected[i], actual[i]);
    if (found.isFurtherThan(worst)) worst = found;
  }
  return worst;
}

/// The first few entries that lie further from the reference than they may, in words; empty when there are
/// none.
template <class Value>
std::string differences(const Expectations& expected, const Value* actual) {
  std::ostringstream text;
  text.precision(9);
  int found = 0;
  for (std::size_t i = 0; i < expected.size() && found < 3; ++i) {
    if (distance(expected[i], actual[i]).isWithin()) continue;
    ++found;
    text << "entry " << i << " of " << expected.size() << " is " << number(actual[i]) << ", not "
         << expected[i].value << " ± " << expected[i].error << "\n";
  }
  return text.str();
}
template <class Value>
std::string differences(const Expectations& expected, const std::vector<Value>& actual) {
  if (expected.size() == actual.size()) return differences(expected, actual.data());
  return std::to_string(actual.size()) + " entries, not " + std::to_string(expected.size()) + "\n";
}

/// One weight of a matrix as model files have it.
inline Expected weight(const AffineRows& m, std::int64_t row, int column) {
  const std::int64_t block = row * (m.columns / m.blockSize) + column / m.blockSize;
  const double scaled = double{m.scales[block]} * m.levels[row * m.columns + column];
  const double offset = m.offsets ? m.offsets[block] : 0.0;
  return {scaled + offset, 2 * kUnit * (std::abs(scaled) + std::abs(offset))};
}

template <class Value>
Expectations expand(const AffineRows& m, std::int64_t begin, std::int64_t end) {
  Expectations result;
  for (std::int64_t row = begin; row < end; ++row)
    for (int i = 0; i < m.columns; ++i) result.push_back(stored<Value>(weight(m, row, i)));
  return result;
}

/// W x for one vector; x(i) gives its entries.
template <class X>
Expectations multiply(const AffineRows& m, const X& x) {
  Expectations result;
  for (std::int64_t row = 0; row < m.rows; ++row) {
    double sum = 0, sizes = 0;
    for (int i = 0; i < m.columns; ++i) {
      const std::int64_t block = row * (m.columns / m.blockSize) + i / m.blockSize;
      const double offset = m.offsets ? std::abs(double{m.offsets[block]}) : 0;
      sum += weight(m, row, i).value * x(i);
      // 8: levels are taken as from 0 to 15 where they fit.
      const double level = std::abs(double(m.levels[row * m.columns + i])) + 8;
      sizes += (std::abs(double{m.scales[block]}) * level + offset) * std::abs(x(i));
    }
    result.push_back({sum, (m.columns + m.blockSize + 8) * kUnit * sizes});
  }
  return result;
}

/// One entry of W x, added to `held`; sums may be cut off rather than rounded at each step, as tensor cores do.
template <class Weight, class X>
Expected dotProduct(const Weight* weights, const X* x, int columns, double held) {
  double sum = held, sizes = std::abs(held);
  for (int i = 0; i < columns; ++i) {
    const double product = number(weights[i]) * number(x[i]);
    sum += product;
    sizes += std::abs(product);
  }
  return {sum, 2 * (columns + 8) * kUnit * sizes};
}

template <class Value>
Expectations multiplyDense(const DenseProduct<Value>& p) {
  Expectations result;
  for (std::int64_t i = 0; i < p.count * p.rows; ++i)
    result.push_back(stored<Value>(dotProduct(p.weights + i % p.rows * p.columns, p.x + i / p.rows * p.columns,
                                              p.columns, p.adds ? number(p.y[i]) : 0)));
  return result;
}

template <class Value>
Expectations multiplyVector(const VectorProduct<Value>& p) {
  Expectations result;
  for (std::int64_t row = 0; row < p.rows; ++row)
    result.push_back(dotProduct(p.weights + row * p.columns, p.x, p.columns, p.adds ? number(p.y[row]) : 0));
  return result;
}

/// What the scores of the first `chunks` become.
inline Expectations scoreChunks(const ChunkScores& s, std::int64_t chunks) {
  Expectations result;
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    const Expected product = dotProduct(s.entries + chunk * s.stride, s.asked, s.width, 0);
    const double held = s.scores[chunk], added = s.weight * product.value;
    const double rounded = 2 * kUnit * (std::abs(held) + std::abs(added));
    result.push_back({held + added, std::abs(s.weight) * product.error + rounded});
  }
  return result;
}

/// What one number may be after rounding: the level's place, and the numbers it may stand for.
template <class In>
Expectations roundRows(const RowRounding<In>& r, std::int64_t rows) {
  Expectations result;
  for (std::int64_t i = 0; i < rows * r.columns; ++i) {
    const std::int64_t first = i / r.columns * r.columns;
    double most = 0;
    for (std::int64_t k = first; k < first + r.columns; ++k) most = std::max(most, std::abs(number(r.in[k])));
    result.push_back({number(r.in[i]), most * (0.5 / 32767 + 4 * kUnit)});
  }
  return result;
}

/// The same of blocks: in 8 bits, or in 16 where one number stands out. Just between the two, either.
template <class In>
Expectations roundBlocks(const BlockRounding<In>& r, std::int64_t rows) {
  Expectations result;
  for (std::int64_t i = 0; i < rows * r.columns; ++i) {
    const std::int64_t first = i / r.blockSize * r.blockSize;
    double most = 0, squares = 0;
    for (std::int64_t k = first; k < first + r.blockSize; ++k) {
      most = std::max(most, std::abs(number(r.in[k])));
      squares += number(r.in[k]) * number(r.in[k]);
    }
    const bool isFine = most * most > 1.0001 * BlockRounding<In>::kStandsOut * squares;
    result.push_back({number(r.in[i]), most * (0.5 / (127 * (isFine ? 256 : 1)) + 4 * kUnit)});
  }
  return result;
}

/// What is kept of numbers, by the bytes as they are described beside LevelGroups, each with the error of
/// working it out in float32.
inline Expectations keptLevels(const LevelGroups& g, const std::uint8_t* packed) {
  Expectations result;
  const std::int64_t bands = (g.length + 31) / 32, rows = 4 * g.bits;
  for (std::int64_t i = 0; i < g.sheets * g.length * g.lanes; ++i) {
    const std::int64_t lane = i % g.lanes, place = i / g.lanes % g.length, sheet = i / g.lanes / g.length;
    const std::uint8_t* band = packed + (sheet * bands + place / 32) * g.lanes * (8 + rows);
    float scale, least;
    std::memcpy(&scale, band + 4 * lane, sizeof scale);
    std::memcpy(&least, band + 4 * (g.lanes + lane), sizeof least);
    const std::int64_t row = place % 32 % rows, above = place % 32 / rows;
    const int byte = band[8 * g.lanes + row * g.lanes + lane];
    const double scaled = double{scale} * (byte >> above * g.bits & ((1 << g.bits) - 1));
    result.push_back({scaled + least, 2 * kUnit * (std::abs(scaled) + std::abs(double{least})) + kTiny});
  }
  return result;
}
inline std::vector<double> keptNumbers(const LevelGroups& groups, const std::uint8_t* packed) {
  std::vector<double> numbers;
  for (const Expected& kept : keptLevels(groups, packed)) numbers.push_back(kept.value);
  return numbers;
}

template <class Value>
Expectations unpackLevels(const LevelUnpacking<Value>& u) {
  Expectations result = keptLevels(u.groups, u.packed);
  for (Expected& entry : result) entry = stored<Value>(entry);
  return result;
}

/// The numbers, and how far what is kept of them may lie: half a level.
template <class Value>
Expectations packLevels(const LevelPacking<Value>& p) {
  const LevelGroups& g = p.groups;
  Expectations result;
  for (std::int64_t i = 0; i < g.sheets * g.length * g.lanes; ++i) {
    const std::int64_t place = i / g.lanes % g.length, first = i - place % 32 * g.lanes;
    const std::int64_t count = std::min<std::int64_t>(32, g.length - place / 32 * 32);
    double least = number(p.numbers[first]), most = least;
    for (std::int64_t k = first; k < first + count * g.lanes; k += g.lanes) {
      least = std::min(least, number(p.numbers[k]));
      most = std::max(most, number(p.numbers[k]));
    }
    const double half = 0.5 / ((1 << g.bits) - 1);
    result.push_back({number(p.numbers[i]), (most - least) * (half + 8 * kUnit) + kTiny});
  }
  return result;
}

template <class Out>
Expectations normalize(const RowNorm<Out>& n, std::int64_t begin, std::int64_t end) {
  Expectations result;
  for (std::int64_t row = begin; row < end; ++row) {
    const float* in = n.in + row * n.width;
    double squares = 0;
    for (int i = 0; i < n.width; ++i) squares += double{in[i]} * in[i];
    const double factor = 1 / std::sqrt(squares / n.width + n.epsilon);
    for (int i = 0; i < n.width; ++i) {
      const double value = in[i] * factor * n.weight[i];
      // The root halves the relative error of the sum.
      result.push_back(stored<Out>({value, (n.width / 2 + 8) * kUnit * std::abs(value) + kTiny}));
    }
  }
  return result;
}

inline Expected silu(double x) {
  const double value = x / (1 + std::exp(-x));
  return {value, 10 * kUnit * std::abs(value) + kTiny * (1 + std::abs(x))};
}

inline Expected geluTanh(double x) {
  const double argument = std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x);
  // 1 + tanh(u), as 2 / (1 + exp(−2u)) where the first would cancel.
  const double raised = argument > -1 ? 1 + std::tanh(argument) : 2 / (1 + std::exp(-2 * argument));
  const double value = x / 2 * raised;
  // The exponential makes relative errors of the argument's absolute ones.
  return {value, (10 + 16 * std::abs(argument)) * kUnit * std::abs(value) + kTiny * (1 + std::abs(x))};
}

template <class Value>
Expectations gate(const RowGate<Value>& g, std::int64_t begin, std::int64_t end) {
  Expectations result;
  for (std::int64_t row = begin; row < end; ++row) {
    const Value* in = g.in + row * 2 * g.width;
    for (int i = 0; i < g.width; ++i) {
      const double x = number(in[i]), up = number(in[g.width + i]);
      Expected entry = g.activation == RowGate<Value>::Activation::Silu ? silu(x) : geluTanh(x);
      entry.value *= up;
      entry.error = entry.error * std::abs(up) + kUnit * std::abs(entry.value) + kTiny;
      result.push_back(stored<Value>(entry));
    }
  }
  return result;
}

template <class Value>
Expectations rotate(const Rotation<Value>& r) {
  Expectations result(static_cast<std::size_t>(r.rows) * 2 * r.half);
  for (int row = 0; row < r.rows; ++row) {
    for (int i = 0; i < r.half; ++i) {
      const std::size_t at = static_cast<std::size_t>(row) * 2 * r.half + i;
      const double c = r.cosines[row * r.tableStep + i], s = r.sines[row * r.tableStep + i];
      const double first = number(r.in[at]), second = number(r.in[at + r.half]);
      result[at] =
          stored<Value>({first * c - second * s, 2 * kUnit * (std::abs(first * c) + std::abs(second * s))});
      result[at + r.half] =
          stored<Value>({second * c + first * s, 2 * kUnit * (std::abs(second * c) + std::abs(first * s))});
    }
  }
  return result;
}

struct Attention {
  Expectations weights;  ///< [group, count]
  Expectations output;   ///< [group, dimension]
  Expectations largest;  ///< [group]
  Expectations sum;      ///< [group]
};

/// The scores of one query, each with its error.
template <class Value>
Expectations scoreKeys(const TokenAttention<Value>& a, int query) {
  Expectations scores(a.count);
  for (int k = 0; k < a.count; ++k) {
    double sizes = 0;
    for (int i = 0; i < a.dimension; ++i) {
      const double product = double{a.queries[query * a.dimension + i]} *
                             number(a.keys[static_cast<std::int64_t>(k) * a.dimension + i]) * a.scale;
      scores[k].value += product;
      sizes += std::abs(product);
    }
    scores[k].error = (a.dimension + 2) * kUnit * sizes;
  }
  return scores;
}

/// The same of keys that are unpacked and rotated first.
inline Expectations scoreKeys(const PackedAttention& a, int query) {
  const Expectations kept = keptLevels(a.keyLevels(), a.keys);
  const int half = a.dimension / 2;
  Expectations scores(a.count);
  for (int k = 0; k < a.count; ++k) {
    const std::int64_t angle = std::int64_t{(a.place + k * a.step) / a.neighbours} * half;
    double sizes = 0, off = 0;
    for (int i = 0; i < half; ++i) {
      const Expected &first = kept[k * a.dimension + i], &second = kept[k * a.dimension + i + half];
      const double c = a.cosines[angle + i], s = a.sines[angle + i];
      const double q[] = {double{a.queries[query * a.dimension + i]} * a.scale,
                          double{a.queries[query * a.dimension + i + half]} * a.scale};
      scores[k].value +=
          q[0] * (first.value * c - second.value * s) + q[1] * (second.value * c + first.value * s);
      const double factors = (std::abs(q[0]) + std::abs(q[1])) * (std::abs(c) + std::abs(s));
      sizes += factors * (std::abs(first.value) + std::abs(second.value));
      off += factors * (first.error + second.error);
    }
    scores[k].error = (a.dimension + 4) * kUnit * sizes + off;
  }
  return scores;
}

/// Values of all keys, [count, dimension].
template <class Value>
Expectations valuesOf(const TokenAttention<Value>& a) {
  Expectations values;
  for (std::int64_t i = 0; i < std::int64_t{a.count} * a.dimension; ++i)
    values.push_back({number(a.values[i]), 0});
  return values;
}
inline Expectations valuesOf(const PackedAttention& a) { return keptLevels(a.valueLevels(), a.values); }

/// Adds one query's results.
template <class Argument>
void attendQuery(const Argument& a, int query, const Expectations& values, Attention& result) {
  const Expectations scores = scoreKeys(a, query);
  Expected largest{-std::numeric_limits<double>::infinity(), 0};
  for (const Expected& score : scores) {
    largest.value = std::max(largest.value, score.value);
    largest.error = std::max(largest.error, score.error);
  }
  Expected sum;
  Expectations output(a.dimension);
  for (int k = 0; k < a.count; ++k) {
    const double below = scores[k].value - largest.value;
    const double moved = scores[k].error + largest.error + kUnit * std::abs(below);
    Expected weight{std::exp(below), 0};
    weight.error = weight.value * (std::expm1(moved) + 4 * kUnit) + kTiny;
    result.weights.push_back(weight);
    sum.value += weight.value;
    sum.error += weight.error + a.count * kUnit * weight.value;
    for (int i = 0; i < a.dimension; ++i) {
      const Expected& value = values[static_cast<std::int64_t>(k) * a.dimension + i];
      output[i].value += weight.value * value.value;
      output[i].error += (weight.error + (a.count + 1) * kUnit * weight.value) * std::abs(value.value) +
                         (weight.value + weight.error) * value.error;
    }
  }
  result.largest.push_back(largest);
  result.sum.push_back(sum);
  result.output.insert(result.output.end(), output.begin(), output.end());
}

/// Argument: TokenAttention or PackedAttention.
template <class Argument>
Attention attend(const Argument& a) {
  Attention result;
  const Expectations values = valuesOf(a);
  for (int query = 0; query < a.group; ++query) attendQuery(a, query, values, result);
  return result;
}

/// One row of a block's attention: its output divided by the sum, and the log of the sum of exp(score).
template <class Value>
struct SeenRow {
  Expectations output;
  Expected logSum;
};
template <class Value>
double largestOf(const Value* values, int count) {
  double most = 0;
  for (int i = 0; i < count; ++i) most = std::max(most, std::abs(number(values[i])));
  return most;
}
/// The score of a key for a row; bf16 may be rounded to levels.
template <class Value>
Expected scoreKey(const Value* query, const Value* key, int dimension, double scale) {
  // Half a level of what bf16 is rounded to, relative to the largest; dimensions are filled up to 32.
  constexpr bool kRounds = sizeof(Value) == 2;
  const double halfLevel = kRounds ? 0.5 / (std::sqrt(0x1p31 / ((dimension + 31) / 32 * 32)) - 2) : 0;
  const double queryError = halfLevel * largestOf(query, dimension);
  const double keyError = halfLevel * largestOf(key, dimension);
  double score = 0, sizes = 0, rounded = 0;
  for (int i = 0; i < dimension; ++i) {
    const double product = number(query[i]) * number(key[i]) * scale;
    score += product;
    sizes += std::abs(product);
    rounded += std::abs(scale) *
               (std::abs(number(query[i])) * keyError + (std::abs(number(key[i])) + keyError) * queryError);
  }
  return {score, (dimension + 4) * kUnit * sizes + rounded};
}
template <class Value>
SeenRow<Value> attendRow(const BlockAttention<Value>& a, std::int64_t row) {
  const double halfWeight = sizeof(Value) == 2 ? 0.5 / 5791 : 0;
  std::vector<double> scores;
  double most = -std::numeric_limits<double>::infinity(), moved = 0;
  for (std::int64_t key = a.begins[row]; key < a.ends[row]; ++key) {
    const Expected score =
        scoreKey(a.queries + row * a.dimension, a.keys + key * a.dimension, a.dimension, a.scale);
    scores.push_back(score.value);
    most = std::max(most, score.value);
    moved = std::max(moved, score.error);
  }
  double sum = 0;
  for (const double score : scores) sum += std::exp(score - most);
  const double relative = 2 * std::expm1(moved) + (scores.size() + 60) * kUnit;
  SeenRow<Value> result;
  result.logSum = {most + std::log(sum), moved + relative};
  for (int i = 0; i < a.dimension; ++i) {
    Expected entry;
    double largest = 0;  // of the tile's values, whatever the row sees of it
    for (std::int64_t key = 0; key < a.count; ++key)
      largest = std::max(largest, std::abs(number(a.values[key * a.dimension + i])));
    for (std::size_t k = 0; k < scores.size(); ++k) {
      const double value = number(a.values[(a.begins[row] + static_cast<std::int64_t>(k)) * a.dimension + i]);
      const double weight = std::exp(scores[k] - most) / sum;
      entry.value += weight * value;
      entry.error +=
          2 * relative * weight * std::abs(value) + halfWeight * (std::abs(value) / sum + weight * largest);
    }
    result.output.push_back(entry);
  }
  return result;
}

/// What keys received of the query heads: [heads, count].
template <class Value>
Expectations receiveAttention(const ReceivedAttention<Value>& a) {
  Expectations result(static_cast<std::size_t>(a.rows / a.rowsOfHead) * a.count);
  for (std::int64_t row = 0; row < a.rows; ++row) {
    for (std::int64_t key = a.begins[row]; key < a.ends[row]; ++key) {
      const Expected score =
          scoreKey(a.queries + row * a.dimension, a.keys + key * a.dimension, a.dimension, a.scale);
      const double below = score.value - a.logSums[row], weight = std::exp(below);
      Expected& sum = result[row / a.rowsOfHead * a.count + key];
      sum.value += weight;
      sum.error += weight * (std::expm1(score.error + kUnit * std::abs(a.logSums[row])) +
                             (a.rowsOfHead + 4) * kUnit + 0x1p-17) +
                   kTiny;
    }
  }
  return result;
}

}  // namespace kvasir::reference
