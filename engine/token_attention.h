#pragma once

#include <vector>

#include "engine/attention.h"

namespace kvasir {

/// One token's queries, rotated for each group: [heads, headDimension]. Of far ones nothing is read where there
/// are no far keys.
struct TokenQueries {
  const float* near = nullptr;
  const float* far = nullptr;
  int heads = 0, headDimension = 0;
};

/// What a token's attention is computed in, kept from one to the next.
struct TokenAttentionMemory {
  std::vector<float> weights;   ///< [heads, near and far keys]
  std::vector<float> partSums;  ///< what parts of the keys came to

  std::size_t bytes() const { return (weights.capacity() + partSums.capacity()) * sizeof(float); }
};

/// Softmax attention of one token over both groups as one, on at's threads, each of which takes its share of
/// both. attended: [heads, headDimension]. wantsWeights: whether `memory.weights` are divided by their sum.
void attendToken(const AttendedGroups& groups, const TokenQueries& queries, float scale, bool wantsWeights,
                 TokenAttentionMemory& memory, float* attended);

}  // namespace kvasir
