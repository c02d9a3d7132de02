#include "engine/policy/whitened_policy.h"

#include <map>

#include "engine/policy/chunk_choice.h"
#include "engine/retrieval/whitening.h"

namespace kvasir {
namespace {

// The paragraph with the best words gains as much as a cosine can give. Of 1/4 to 2, dev questions like 1/2 and
// 1 best.
constexpr float kLexicalWeight = 1;
// Of a paragraph that does not fit whole, the best chunks go first.
constexpr float kOwnShare = 1e-3f;

/// What answers a question seldom lies in one chunk: each gets the score of the best paragraph that it is a
/// part of, the best cosine of its chunks and its words together.
std::vector<float> byParagraphs(const std::vector<float>& cosines,
                                const std::vector<ScoredParagraph>& paragraphs) {
  const int chunks = static_cast<int>(cosines.size());
  std::vector<float> scores = cosines;
  std::vector<char> isKnown(cosines.size());
  for (const ScoredParagraph& paragraph : paragraphs) {
    const int end = std::min(paragraph.lastChunk + 1, chunks);
    if (paragraph.firstChunk >= end) continue;
    const float score = kLexicalWeight * paragraph.score +
                        *std::max_element(cosines.begin() + paragraph.firstChunk, cosines.begin() + end);
    for (int chunk = paragraph.firstChunk; chunk < end; ++chunk) {
      const auto at = static_cast<std::size_t>(chunk);
      const float own = score + kOwnShare * cosines[at];
      scores[at] = isKnown[at] ? std::max(scores[at], own) : own;
      isKnown[at] = 1;
    }
  }
  return scores;
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
    selection.scores = meanCosines(sums);
    if (cache.isTail(block.chunk))
      selection.scores = byParagraphs(selection.scores, settings_.wishes.paragraphs);
    for (const int chunk : chooseChunks(block, cache, selection.scores, settings_,
                                        firstRecentChunk(block, cache, settings_.budgetTokens)))
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

  static std::vector<float> meanCosines(const Sums& sums) {
    std::vector<float> means = sums.cosines;
    for (float& mean : means) mean /= static_cast<float>(std::max(1, sums.layers));
    return means;
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
