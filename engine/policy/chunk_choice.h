#pragma once

#include <span>

#include "engine/policy/window_policies.h"

namespace kvasir {

/// Chunks before a block's that are always seen while reading: the share of the budget that the number `recent`
/// says, a quarter unless chosen.
int recentChunks(const PolicySettings& settings);

/// The first of the chunks that a block always sees: those of `recentChunks` while reading; of a question and
/// its answer all that came of them, and the document's last. Where a document ends matters little to what is
/// asked of it, and every chunk kept for it is one fewer retrieved.
int firstRecentChunk(const Block& block, const KvCache& cache, const PolicySettings& settings);

/// All chunks before a block's but blocked ones, each a run of its own, so that keys gathered for one block
/// stay in place for the next. The first is never blocked.
std::vector<Run> chunksBefore(const Block& block, const KvCache& cache, const std::vector<int>& blocked);

/// What a block sees of what comes before it, ascending: everything where everything fits; else the first
/// chunk, the pinned ones, the recent ones, and as many of the best scored as there is room for, with a whole
/// chunk kept free for the block's own. Blocked chunks never, but for the first. scores: of every chunk before
/// the block's, NaN where not scored; empty where nothing was. firstRecent: from this chunk on all are seen
/// that there is room for.
std::vector<int> chooseChunks(const Block& block, const KvCache& cache, const std::vector<float>& scores,
                              const PolicySettings& settings, int firstRecent);

/// Adds to each score the weighted product of the row in its place with what is asked. entries: [at least as
/// many as scores, width], rows of an index; asked: [width]. All float32.
void addScores(const at::Tensor& entries, const at::Tensor& asked, float weight, std::span<float> scores);

/// How often an answer retrieves: when it begins, by the question's last chunk; then, with the first chunk that
/// begins so many tokens later as the number `again` says, by the chunk before it; 0: never. Between, each
/// layer goes by what it found. Documents and questions retrieve with every chunk. Serves one policy. Found:
/// what a layer finds.
template <class Found>
class AnswerRecall {
 public:
  explicit AnswerRecall(const PolicySettings& settings)
      : again_(settings.numbers.whole("again")), layers_(static_cast<std::size_t>(settings.shape.layers)) {}

  /// What a layer goes by: what it found, while that holds, else what it finds now.
  template <class Find>
  Found foundBy(int layer, const Block& block, const BlockQueries& queries, const Find& find) {
    if (queries.areOwnStates) return find();
    Layer& own = layers_[static_cast<std::size_t>(layer)];
    const bool isDue = again_ > 0 && (block.chunk - own.chunk) * kChunkTokens >= again_;
    if (own.chunk >= 0 && !isDue) return own.found;
    Found found = find();
    const bool findsWithEveryChunk = again_ > 0 && again_ <= kChunkTokens;
    if (!findsWithEveryChunk) own = {block.chunk, found};
    return found;
  }
  std::size_t bytes() const {
    std::size_t sum = 0;
    for (const Layer& layer : layers_) sum += layer.found.capacity() * sizeof(layer.found[0]);
    return sum;
  }

 private:
  struct Layer {
    int chunk = -1;  ///< of the answer, at which it was found
    Found found = {};
  };
  int again_;
  std::vector<Layer> layers_;
};

/// Chunks of [begin, end) whose index entry begins with zero, as those do that were never set.
std::vector<int> chunksWithoutEntry(int layer, Run chunks, const KvCache& cache);

/// Throws a sentence where the budget leaves no room to retrieve anything.
void requireChunkBudget(int budgetTokens, const char* method);

}  // namespace kvasir
