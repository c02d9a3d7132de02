#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/kernel.h"

namespace kvasir {

/// Attention of one token's queries of one KV head over gathered keys and values, softmax in float32.
/// Value: float, or bf16 bits as std::uint16_t.
template <class Value>
struct TokenAttention {
  const float* queries = nullptr;  ///< [group, dimension], rotated
  int group = 0;                   ///< query heads that share the KV head
  int dimension = 0;
  const Value* keys = nullptr;    ///< [count, dimension], rotated
  const Value* values = nullptr;  ///< [count, dimension]
  int count = 0;
  float scale = 1;           ///< of the products, before softmax
  float* weights = nullptr;  ///< [group, weightStride]: exp(score − largest), not divided by the sum
  std::int64_t weightStride = 0;
  float* output = nullptr;   ///< [group, dimension]: weighted sum of values, not divided; 0 when count is 0
  float* largest = nullptr;  ///< [group]: largest score; −infinity when count is 0
  float* sum = nullptr;      ///< [group]: sum of weights; 0 when count is 0

  /// The arithmetic: the score of a key for a query of the group.
  KERNEL_FN float score(int query, int key) const {
    return dotProduct(queries + static_cast<std::int64_t>(query) * dimension,
                      keys + static_cast<std::int64_t>(key) * dimension, dimension) *
           scale;
  }
  /// The weight that a score gets.
  KERNEL_FN static float weigh(float score, float largest) { return std::exp(score - largest); }
  /// One entry of a query's output.
  KERNEL_FN float sumValue(int query, int i) const {
    const float* weight = weights + query * weightStride;
    float sum = 0;
    for (int k = 0; k < count; ++k)
      sum += weight[k] * readValue(values + static_cast<std::int64_t>(k) * dimension + i);
    return sum;
  }
};

void attendToken(const TokenAttention<float>& attention);
void attendToken(const TokenAttention<std::uint16_t>& attention);

}  // namespace kvasir
