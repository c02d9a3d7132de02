#include "engine/model/sampler.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>

namespace kvasir {
namespace {

struct Candidate {
  TokenId token;
  double weight;  ///< in proportion to its probability
};

TokenId greatest(std::span<const float> logits) {
  return static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

/// Every token with its probability at temperature one, the likeliest first, of equal ones the lowest id.
std::vector<Candidate> ranked(std::span<const float> logits, int topK) {
  std::vector<Candidate> candidates(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) candidates[i] = {static_cast<TokenId>(i), logits[i]};
  const auto likelier = [](const Candidate& a, const Candidate& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.token < b.token;
  };
  const std::size_t kept = topK > 0 ? std::min<std::size_t>(topK, candidates.size()) : candidates.size();
  std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(kept),
                    candidates.end(), likelier);
  candidates.resize(kept);
  const double highest = candidates.front().weight;
  for (Candidate& candidate : candidates) candidate.weight = std::exp(candidate.weight - highest);
  return candidates;
}

double total(const std::vector<Candidate>& candidates) {
  return std::accumulate(candidates.begin(), candidates.end(), 0.0,
                         [](double sum, const Candidate& candidate) { return sum + candidate.weight; });
}

/// The likeliest that together reach the share, at least one.
void keepShare(std::vector<Candidate>& candidates, double share) {
  const double wanted = share * total(candidates);
  double sum = 0;
  std::size_t kept = 0;
  while (kept < candidates.size() && (kept == 0 || sum < wanted)) sum += candidates[kept++].weight;
  candidates.resize(kept);
}

/// Those at least so likely, compared with the likeliest.
void keepNear(std::vector<Candidate>& candidates, double least) {
  const auto unlikely = [&](const Candidate& candidate) {
    return candidate.weight < least * candidates.front().weight;
  };
  candidates.erase(std::find_if(candidates.begin() + 1, candidates.end(), unlikely), candidates.end());
}

/// In [0, 1). The library's own distributions differ from one system to the next.
double uniform(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }

}  // namespace

Sampler::Sampler(const SamplerSettings& settings) : settings_(settings), random_(settings.seed) {
  const auto reject = [](const char* what) { throw std::runtime_error(std::string(what)); };
  if (!(settings.temperature >= 0 && settings.temperature <= 100))
    reject("The temperature must be from 0 to 100");
  if (settings.topK < 0) reject("Top-k must be 0 (off) or more");
  if (!(settings.topP > 0 && settings.topP <= 1)) reject("Top-p must be more than 0 and at most 1 (off)");
  if (!(settings.minP >= 0 && settings.minP <= 1)) reject("Min-p must be from 0 (off) to 1");
}

TokenId Sampler::pick(std::span<const float> logits) {
  assert(!logits.empty() && "nothing to choose from");
  if (settings_.temperature == 0 || settings_.topK == 1) return greatest(logits);

  std::vector<Candidate> candidates = ranked(logits, settings_.topK);
  if (settings_.topP < 1) keepShare(candidates, settings_.topP);
  if (settings_.minP > 0) keepNear(candidates, settings_.minP);
  const double power = 1.0 / settings_.temperature;
  for (Candidate& candidate : candidates) candidate.weight = std::pow(candidate.weight, power);

  double left = uniform(random_) * total(candidates);
  for (const Candidate& candidate : candidates) {
    left -= candidate.weight;
    if (left < 0) return candidate.token;
  }
  return candidates.back().token;
}

double logProbability(std::span<const float> logits, TokenId token) {
  assert(token >= 0 && static_cast<std::size_t>(token) < logits.size() && "token outside the vocabulary");
  const double highest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - highest);
  return logits[token] - highest - std::log(sum);
}

}  // namespace kvasir
