#pragma once

#include <cstdint>

#include "kernels/kernel.h"

namespace kvasir {

/// Retrieval's score of every chunk by its index entry: how much the entry has of what is asked. Scores of
/// several layers add up.
struct ChunkScores {
  const float* entries = nullptr;  ///< [chunks, width], rows `stride` floats apart
  std::int64_t stride = 0;         ///< at least width
  int width = 0;
  const float* asked = nullptr;  ///< [width]
  float weight = 1;
  float* scores = nullptr;  ///< [chunks]: weight · entry · asked is added to what is there

  /// The arithmetic. Products of every `step`-th number of an entry, from `first` on, added up.
  KERNEL_FN float product(std::int64_t chunk, int first = 0, int step = 1) const {
    float sum = 0;
    for (int i = first; i < width; i += step) sum += entries[chunk * stride + i] * asked[i];
    return sum;
  }
  /// What a chunk's score becomes when its product is found.
  KERNEL_FN float withHeld(std::int64_t chunk, float product) const { return scores[chunk] + weight * product; }
};
/// Chunks [begin, end). Callers divide the chunks among threads. Each gives, bit for bit, what it gives alone.
void scoreChunks(const ChunkScores& scores, std::int64_t begin, std::int64_t end);

}  // namespace kvasir
