#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/kernel.h"

namespace kvasir {

/// Attention of many queries of one KV head over gathered keys and values, softmax in float32. Results are
/// running ones: further keys are attended to by a further call with the same largest, sum and output.
/// Value: float, or bf16 bits as std::uint16_t, which SIMD targets round to 16-bit levels, more finely than
/// bf16 is: queries and keys to √(2³¹ / dimension) levels of their largest number, weights and values to 5,792
/// of the largest of a tile of keys.
template <class Value>
struct BlockAttention {
  const Value* queries = nullptr;  ///< [rows, dimension], rotated
  int dimension = 0;
  const Value* keys = nullptr;    ///< [count, dimension], rotated
  const Value* values = nullptr;  ///< [count, dimension]
  int count = 0;
  const int* begins = nullptr;  ///< [rows]: a row sees keys [begin, end)
  const int* ends = nullptr;
  float scale = 1;          ///< of the products, before softmax
  float* output = nullptr;  ///< [rows, dimension]: weighted sum of values, not divided; 0 before the first call
  float* largest = nullptr;  ///< [rows]: largest score; −infinity before the first call
  float* sum = nullptr;      ///< [rows]: of exp(score − largest); 0 before the first call

  KERNEL_FN float score(std::int64_t row, std::int64_t key) const {
    return dotProduct(queries + row * dimension, keys + key * dimension, dimension) * scale;
  }
  /// The arithmetic: adds to one row what it sees.
  KERNEL_FN void attendRow(std::int64_t row) const {
    if (begins[row] >= ends[row]) return;
    float most = largest[row];
    for (int key = begins[row]; key < ends[row]; ++key) most = std::fmax(most, score(row, key));
    const float factor = std::exp(largest[row] - most);
    sum[row] *= factor;
    for (int i = 0; i < dimension; ++i) output[row * dimension + i] *= factor;
    for (int key = begins[row]; key < ends[row]; ++key) {
      const float weight = std::exp(score(row, key) - most);
      sum[row] += weight;
      for (int i = 0; i < dimension; ++i)
        output[row * dimension + i] += weight * readValue(values + std::int64_t{key} * dimension + i);
    }
    largest[row] = most;
  }
};

/// Rows [begin, end). Callers divide the rows among threads; stretches of a hundred rows and more are best.
void attendRows(const BlockAttention<float>& attention, std::int64_t begin, std::int64_t end);
void attendRows(const BlockAttention<std::uint16_t>& attention, std::int64_t begin, std::int64_t end);

}  // namespace kvasir
