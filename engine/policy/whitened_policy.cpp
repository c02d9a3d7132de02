#include "engine/policy/whitened_policy.h"

#include <map>

#include "engine/policy/chunk_choice.h"
#include "engine/retrieval/bookmarks.h"

namespace kvasir {
namespace {

// Of a paragraph that does not fit whole, the best chunks go first.
constexpr float kOwnShare = 1e-3f;

/// Of a chunk: its score, and what of it is of words; the rest is of states.
struct FusedScore {
  float whole = 0, words = 0;
};

/// Of each paragraph the best cosine of its chunks and its words together.
std::vector<float> scoresOf(const std::vector<ScoredParagraph>& paragraphs, const std::vector<float>& cosines,
                            float wordWeight) {
  const int chunks = static_cast<int>(cosines.size());
  std::vector<float> scores;
  for (const ScoredParagraph& paragraph : paragraphs) {
    const int end = std::min(paragraph.lastChunk + 1, chunks);
    const float cosine = paragraph.firstChunk < end
                             ? *std::max_element(cosines.begin() + paragraph.firstChunk, cosines.begin() + end)
                             : 0;
    scores.push_back(wordWeight * paragraph.score + cosine);
  }
  return scores;
}

/// What answers a question seldom lies in one chunk: each gets the score of the best paragraph that it is a
/// part of.
std::vector<FusedScore> byParagraphs(const std::vector<float>& cosines,
                                     const std::vector<ScoredParagraph>& paragraphs,
                                     const std::vector<float>& paragraphScores, float wordWeight) {
  std::vector<FusedScore> scores;
  for (const float cosine : cosines) scores.push_back({cosine, 0});
  std::vector<char> isKnown(cosines.size());
  for (std::size_t i = 0; i < paragraphs.size(); ++i) {
    const int end = std::min(paragraphs[i].lastChunk + 1, static_cast<int>(cosines.size()));
    for (int chunk = paragraphs[i].firstChunk; chunk < end; ++chunk) {
      const auto at = static_cast<std::size_t>(chunk);
      const float own = paragraphScores[i] + kOwnShare * cosines[at];
      if (!isKnown[at] || own > scores[at].whole) scores[at] = {own, wordWeight * paragraphs[i].score};
      isKnown[at] = 1;
    }
  }
  return scores;
}

class BookmarkPolicy : public KvPolicy {
 public:
  BookmarkPolicy(const PolicySettings& settings, const Bookmarks& bookmarks)
      : settings_(settings),
        bookmarks_(bookmarks),
        wordWeight_(static_cast<float>(settings.numbers["words"])),
        recall_(settings) {}

  Needs needs() const override {
    Needs needs;
    needs.stateLayers = bookmarks_.layers();
    needs.extras.indexFloats = bookmarks_.width();
    return needs;
  }

  Selection select(int layer, const Block& block, const BlockQueries& queries, KvCache& cache) override {
    Selection selection;
    Sums& sums = sums_[block.chunk];
    if (layer <= sums.lastLayer) sums = {};  // asked again: the same chunk looks anew
    sums.lastLayer = layer;
    if (bookmarks_.has(layer)) add(layer, block, queries, cache, sums);
    if (cache.isTail(block.chunk))
      scoreAsked(layer, block, queries, sums, selection);
    else
      selection.scores = meanCosines(sums);
    for (const int chunk :
         chooseChunks(block, cache, selection.scores, settings_, firstRecentChunk(block, cache, settings_)))
      selection.runs.push_back(cache.chunk(chunk));
    const bool isLast =
        layer == (settings_.globalLayers.empty() ? settings_.shape.layers - 1 : settings_.globalLayers.back());
    if (isLast) sums_.erase(block.chunk);
    return selection;
  }

 private:
  /// Of one block: cosines with every chunk before it, weighted and summed over the layers so far.
  struct Sums {
    std::vector<float> cosines;
    float weights = 0;
    int lastLayer = -1;
  };

  void add(int layer, const Block& block, const BlockQueries& queries, KvCache& cache, Sums& sums) const {
    if (settings_.wishes.hear) (*settings_.wishes.hear)(layer, block, queries.states);
    const at::Tensor entry = bookmarks_.chunkEntry(layer, queries.states);
    cache.setIndex(layer, queries.areOwnStates ? block.chunk : block.chunk - 1, entry);
    const float weight = bookmarks_.weight(layer).item<float>();
    sums.weights += weight;
    if (block.chunk == 0) return;
    const at::Tensor asked =
        cache.isTail(block.chunk) ? bookmarks_.questionEntry(layer, queries.states) : entry;
    sums.cosines.resize(static_cast<std::size_t>(block.chunk));
    addScores(cache.index(layer), asked, weight, sums.cosines);
  }

  /// Scores chunks for what is asked or answered: by paragraphs.
  void scoreAsked(int layer, const Block& block, const BlockQueries& queries, const Sums& sums,
                  Selection& selection) {
    const auto chunks = static_cast<std::size_t>(block.chunk);
    std::vector<FusedScore> scores = recall_.foundBy(layer, block, queries, [&] {
      std::vector<float> means = meanCosines(sums);
      means.resize(chunks);  // below the first entries: words alone
      const std::vector<ScoredParagraph>& paragraphs = settings_.wishes.paragraphs;
      const std::vector<float> found = scoresOf(paragraphs, means, wordWeight_);
      if (settings_.wishes.paragraphScores) *settings_.wishes.paragraphScores = found;
      return byParagraphs(means, paragraphs, found, wordWeight_);
    });
    setBytes(recall_.bytes());
    scores.resize(chunks);  // what came since is seen anyway
    for (const FusedScore& score : scores) {
      selection.scores.push_back(score.whole);
      if (wordWeight_ > 0) selection.words.push_back(score.words);
    }
  }

  static std::vector<float> meanCosines(const Sums& sums) {
    std::vector<float> means = sums.cosines;
    for (float& mean : means) mean /= std::max(1e-12f, sums.weights);
    return means;
  }

  PolicySettings settings_;
  const Bookmarks& bookmarks_;
  float wordWeight_;
  std::map<int, Sums> sums_;  ///< by chunk: blocks whose layers are not all asked yet
  AnswerRecall<std::vector<FusedScore>> recall_;
};

}  // namespace

std::unique_ptr<KvPolicy> whitenedPolicy(const PolicySettings& settings) {
  requireChunkBudget(settings.budgetTokens, "whitened");
  return std::make_unique<BookmarkPolicy>(settings, *settings.whitened);
}

std::unique_ptr<KvPolicy> retrolmPolicy(const PolicySettings& settings) {
  requireChunkBudget(settings.budgetTokens, "retrolm");
  return std::make_unique<BookmarkPolicy>(settings, *settings.bookmarks);
}

}  // namespace kvasir
