#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "engine/model/tokenizer.h"

namespace kvasir {

/// Defaults are greedy. Filters apply in the order top-k, top-p, min-p, temperature.
struct SamplerSettings {
  float temperature = 0;  ///< 0: greedy
  int topK = 0;           ///< 0: off
  float topP = 1;         ///< 1: off
  float minP = 0;         ///< 0: off
  std::uint64_t seed = 0;
};

/// Chooses the next token. One sampler serves one answer; the same seed and logits give the same tokens on
/// every system. Throws std::runtime_error for settings out of range.
class Sampler {
 public:
  explicit Sampler(const SamplerSettings& settings);
  /// logits: [vocabulary]. Ties go to the lowest id.
  TokenId pick(std::span<const float> logits);

 private:
  SamplerSettings settings_;
  std::mt19937_64 random_;
};

/// log-softmax of one entry, in double.
double logProbability(std::span<const float> logits, TokenId token);

}  // namespace kvasir
