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

/// Where rows of one KV head lie.
struct KvPlace {
  const void *keys = nullptr, *values = nullptr;  ///< [count, headDimension]
  at::ScalarType type = at::kFloat;
};

/// Part of a token's attention: some keys of one group, one KV head.
struct TokenPart {
  const float* queries = nullptr;  ///< [group, headDimension], rotated
  int kvHead = 0, count = 0;
  std::int64_t weightsAt = 0;                                   ///< of this part's weights among all
  KvPlace place = {};                                           ///< nothing of what is packed
  float *output = nullptr, *largest = nullptr, *sum = nullptr;  ///< [group, headDimension], [group] twice
};

/// What a token's attention is computed in, kept from one to the next so that nothing is allocated.
struct TokenAttentionMemory {
  std::vector<float> weights;       ///< [heads, near and far keys]
  std::vector<float> partSums;      ///< what parts of the keys came to
  std::vector<TokenPart> parts;     ///< those of packed chunks first, then what threads take of the others
  std::vector<std::size_t> pieces;  ///< where each thread's begin, and the last one's end

  std::size_t bytes() const { return (weights.capacity() + partSums.capacity()) * sizeof(float); }
};

/// Softmax attention of one token over both groups as one, on at's threads, each of which takes its share of
/// both. attended: [heads, headDimension]. wantsWeights: whether `memory.weights` are divided by their sum.
void attendToken(const AttendedGroups& groups, const TokenQueries& queries, float scale, bool wantsWeights,
                 TokenAttentionMemory& memory, float* attended);

}  // namespace kvasir
