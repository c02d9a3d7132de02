#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "tests/kernels/reference.h"

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

struct Product {
  int rows, columns, blockSize;
  std::vector<std::int8_t> levels;
  std::vector<float> scales, offsets, x, blockSums;

  Product(int rows, int columns, int blockSize, Offsets kind)
      : rows(rows), columns(columns), blockSize(blockSize) {
    std::mt19937 generator(rows * 7919u + columns);
    for (int i = 0; i < rows * columns; ++i) levels.push_back(static_cast<std::int8_t>(generator() & 0xff));
    const int blocks = rows * columns / blockSize;
    scales = randomValues<float>(blocks, 0.1f, 1);
    if (kind == Offsets::Some) offsets = randomValues<float>(blocks, 2, 2);
    x = randomValues<float>(columns, 3, 3);
    for (const reference::Expected& sum : reference::sumBlocks(x, blockSize))
      blockSums.push_back(static_cast<float>(sum.value));
  }

  AffineProduct argument(float* y = nullptr) const {
    AffineProduct product;
    product.levels = levels.data();
    product.scales = scales.data();
    product.offsets = offsets.empty() ? nullptr : offsets.data();
    product.columns = columns;
    product.blockSize = blockSize;
    product.x = x.data();
    product.blockSums = offsets.empty() ? nullptr : blockSums.data();
    product.y = y;
    return product;
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

/// What attention writes. weights: [group, stride]
template <class Value>
struct AttentionResult {
  std::vector<float> weights, output, largest, sum;

  explicit AttentionResult(const TokenAttention<Value>& a)
      : weights(unwritten<float>(a.group * a.weightStride)),
        output(unwritten<float>(std::int64_t{a.group} * a.dimension)),
        largest(unwritten<float>(a.group)),
        sum(unwritten<float>(a.group)) {}

  void pointFrom(TokenAttention<Value>& a) {
    a.weights = weights.data();
    a.output = output.data();
    a.largest = largest.data();
    a.sum = sum.data();
  }

  /// As reference::differences, over all four.
  std::string differences(const TokenAttention<Value>& a) const {
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

}  // namespace kvasir::cases
