#include "engine/policy/whitened_policy.h"

#include <map>

#include "engine/policy/chunk_choice.h"
#include "engine/retrieval/whitening.h"

namespace kvasir {
namespace {

// What answers a question seldom ends where a chunk does: each chunk gains this share of its neighbours' scores.
constexpr float kNeighbourShare = 0.5f;

std::vector<float> withNeighbours(const std::vector<float>& scores) {
  std::vector<float> sums = scores;
  for (std::size_t i = 0; i + 1 < scores.size(); ++i) {
    sums[i] += kNeighbourShare * scores[i + 1];
    sums[i + 1] += kNeighbourShare * scores[i];
  }
  return sums;
}

class WhitenedPolicy : public KvPolicy {
 public:
  explicit WhitenedPolicy(const PolicySettings& settings) : settings_(settings) {}

  Needs needs() const override {
    Needs needs;
    needs.states = true;
    needs.extras.indexFloats = settings_.whitening->width();
    return needs;
  }

  Selection select(int layer, const Block& block, const BlockQueries& queries, KvCache& cache) override {
    Selection selection;
    Sums& sums = sums_[block.chunk];
    if (layer <= sums.lastLayer) sums = {};  // asked again: the same chunk looks anew
    sums.lastLayer = layer;
    if (settings_.whitening->has(layer)) add(layer, block, queries, cache, sums);
    selection.scores = scores(block, sums);
    if (cache.isTail(block.chunk)) selection.scores = withNeighbours(selection.scores);
    for (const int chunk : chooseChunks(block, cache, selection.scores, settings_, firstRecentChunk(block, cache, settings_.budgetTokens)))
      selection.runs.push_back(cache.chunk(chunk));
    if (layer + 1 == settings_.shape.layers) sums_.erase(block.chunk);
    return selection;
  }

 private:
  /// Of one block: cosines with every chunk before it, summed over the layers so far.
  struct Sums {
    std::vector<float> cosines;
    int layers = 0, lastLayer = -1;
  };

  void add(int layer, const Block& block, const BlockQueries& queries, KvCache& cache, Sums& sums) const {
    const at::Tensor entry = settings_.whitening->entry(layer, queries.state);
    cache.setIndex(layer, queries.isOwnState ? block.chunk : block.chunk - 1, entry);
    ++sums.layers;
    if (block.chunk == 0) return;
    const at::Tensor cosines = at::mv(cache.index(layer).narrow(0, 0, block.chunk), entry);
    const float* found = cosines.const_data_ptr<float>();
    sums.cosines.resize(static_cast<std::size_t>(block.chunk));
    for (std::size_t i = 0; i < sums.cosines.size(); ++i) sums.cosines[i] += found[i];
  }

  std::vector<float> scores(const Block& block, const Sums& sums) const {
    if (sums.layers == 0) return {};
    std::vector<float> scores(static_cast<std::size_t>(block.chunk));
    const std::vector<float>& priors = settings_.wishes.priors;
    for (std::size_t i = 0; i < scores.size(); ++i)
      scores[i] = sums.cosines[i] / static_cast<float>(sums.layers) + (i < priors.size() ? priors[i] : 0);
    return scores;
  }

  PolicySettings settings_;
  std::map<int, Sums> sums_;  ///< by chunk: blocks whose layers are not all asked yet
};

}  // namespace

std::unique_ptr<KvPolicy> whitenedPolicy(const PolicySettings& settings) {
  requireChunkBudget(settings.budgetTokens, "whitened");
  return std::make_unique<WhitenedPolicy>(settings);
}

}  // namespace kvasir
