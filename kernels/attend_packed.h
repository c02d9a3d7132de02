#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/kernel.h"
#include "kernels/level_groups.h"

namespace kvasir {

/// Attention of one token's queries of one KV head over keys and values that are kept in levels (KIVI), keys
/// un-rotated: they are unpacked and rotated on the way, softmax in float32.
struct PackedAttention {
  const float* queries = nullptr;        ///< [group, dimension], rotated
  int group = 0;                         ///< query heads that share the KV head
  int dimension = 0;                     ///< even
  const std::uint8_t* keys = nullptr;    ///< as keyLevels() lie
  const std::uint8_t* values = nullptr;  ///< as valueLevels() lie
  int bits = 4;                          ///< 4 or 2
  int count = 0;
  const float* cosines = nullptr;  ///< [.., dimension / 2]: of the first key's position
  const float* sines = nullptr;
  int step = 1;              ///< positions from one key to the next
  int neighbours = 1;        ///< keys that share a position
  int place = 0;             ///< of the first key among its neighbours
  float scale = 1;           ///< of the products, before softmax
  float* weights = nullptr;  ///< [group, weightStride]: exp(score − largest), not divided by the sum
  std::int64_t weightStride = 0;
  float* output = nullptr;   ///< [group, dimension]: weighted sum of values, not divided; 0 when count is 0
  float* largest = nullptr;  ///< [group]: largest score; −infinity when count is 0
  float* sum = nullptr;      ///< [group]: sum of weights; 0 when count is 0

  KERNEL_FN int half() const { return dimension / 2; }
  KERNEL_FN LevelGroups keyLevels() const { return {1, count, dimension, bits}; }
  KERNEL_FN LevelGroups valueLevels() const { return {count, dimension, 1, bits}; }
  /// From the first key's cosines or sines to a key's.
  KERNEL_FN std::int64_t angleAt(int key) const {
    return static_cast<std::int64_t>((place + key * step) / neighbours) * half();
  }

  /// The arithmetic: what dimensions i and i + half add to the product of a query and a rotated key.
  KERNEL_FN float pairProduct(int query, int key, int i) const {
    const LevelGroups levels = keyLevels();
    const float first = levels.unpacked(keys, 0, key, i), second = levels.unpacked(keys, 0, key, i + half());
    const float c = cosines[angleAt(key) + i], s = sines[angleAt(key) + i];
    const float* q = queries + static_cast<std::int64_t>(query) * dimension + i;
    return q[0] * (first * c - second * s) + q[half()] * (second * c + first * s);
  }
  KERNEL_FN float score(int query, int key) const {
    float product = 0;
    for (int i = 0; i < half(); ++i) product += pairProduct(query, key, i);
    return product * scale;
  }
  /// The weight that a score gets.
  KERNEL_FN static float weigh(float score, float largest) { return std::exp(score - largest); }
  /// One entry of a query's output.
  KERNEL_FN float sumValue(int query, int i) const {
    const float* weight = weights + query * weightStride;
    float total = 0;
    for (int k = 0; k < count; ++k) total += weight[k] * valueLevels().unpacked(values, k, i, 0);
    return total;
  }
};

void attendPacked(const PackedAttention& attention);

}  // namespace kvasir
