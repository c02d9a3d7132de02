#include "engine/policy/digest_policy.h"

#include "engine/model/rope.h"
#include "engine/policy/chunk_choice.h"

namespace kvasir {
namespace {

enum class Bounds { OfKeys, MeanRadius };
enum class Reads { Densely, Retrieving };

struct DigestRule {
  const char* method;
  Bounds bounds;
  Reads reads;
  int pageTokens = 0;
  int endPages = 0;  ///< first and last pages of a document that are always seen

  int pagesPerChunk() const { return kChunkTokens / pageTokens; }
};

class DigestPolicy : public KvPolicy {
 public:
  DigestPolicy(const PolicySettings& settings, const DigestRule& rule)
      : settings_(settings), rule_(rule), table_(settings.ropeFrequencies), recall_(settings) {
    indexed_.assign(static_cast<std::size_t>(settings.shape.layers), 0);
  }

  Needs needs() const override {
    Needs needs;
    needs.extras.indexFloats = rule_.pagesPerChunk() * entryFloats();
    needs.isPlaced = rule_.reads == Reads::Densely;  // bounds of keys as they are rotated
    needs.heardTokens = 0;
    return needs;
  }

  Selection select(int layer, const Block& block, const BlockQueries& queries, KvCache& cache) override {
    indexUpTo(layer, block.chunk, cache);
    setBytes(table_.bytes() + recall_.bytes());
    Selection selection;
    const bool isDense = rule_.reads == Reads::Densely && !cache.isTail(block.chunk);
    if (isDense || block.first + block.tokens <= settings_.budgetTokens) {
      selection.runs = chunksBefore(block, cache, settings_.wishes.blocked);
      return selection;
    }
    const std::vector<float> pages = scoresFor(layer, block, queries, cache);
    const int perChunk = rule_.pagesPerChunk();
    for (auto page = pages.begin(); page != pages.end(); page += perChunk)
      selection.scores.push_back(*std::max_element(page, page + perChunk));
    choose(block, cache, pages, selection.runs);
    return selection;
  }

 private:
  /// [kvHeads, 2, headDimension]: upper and lower bounds of the keys of a page.
  int entryFloats() const { return settings_.shape.kvHeads * 2 * settings_.shape.headDimension; }
  bool isBlocked(int chunk) const {
    return chunk > 0 && std::ranges::find(settings_.wishes.blocked, chunk) != settings_.wishes.blocked.end();
  }

  Run page(int page, const KvCache& cache) const {
    const Run chunk = cache.chunk(page / rule_.pagesPerChunk());
    const int begin = chunk.begin + page % rule_.pagesPerChunk() * rule_.pageTokens;
    return {std::min(begin, chunk.end), std::min(begin + rule_.pageTokens, chunk.end)};
  }

  /// Blocks come chunk after chunk, so only the last chunk before `end` can be without an entry; and, when the
  /// first is asked about, the last chunk of each of several documents.
  void indexUpTo(int layer, int end, KvCache& cache) {
    int& indexed = indexed_[static_cast<std::size_t>(layer)];
    if (indexed >= end) return;
    if (indexed == 0)
      for (const int chunk : chunksWithoutEntry(layer, {0, end - 1}, cache)) index(layer, chunk, cache);
    index(layer, end - 1, cache);
    indexed = end;
  }

  void index(int layer, int chunk, KvCache& cache) {
    const Run run = cache.chunk(chunk);
    at::Tensor keys = cache.read(layer, chunk)
                          .keys.narrow(1, 0, run.end - run.begin)
                          .to(at::kFloat)
                          .clone(at::MemoryFormat::Contiguous);
    if (rule_.reads == Reads::Densely) {
      table_.grow(run.end);
      rotate(keys, keys, {run.begin, 1}, table_);
    }
    const at::Tensor entries = at::zeros({rule_.pagesPerChunk(), entryFloats()}, at::kFloat);
    for (int first = 0, page = 0; first < keys.size(1); first += rule_.pageTokens, ++page) {
      const at::Tensor own =
          keys.narrow(1, first, std::min<std::int64_t>(rule_.pageTokens, keys.size(1) - first));
      at::Tensor high = own.amax(1), low = own.amin(1);  // [kvHeads, dimension]
      if (rule_.bounds == Bounds::MeanRadius) {
        const at::Tensor centre = (high + low) / 2;
        const at::Tensor radius = (own - centre.unsqueeze(1)).abs().mean(1);
        high = centre + radius;
        low = centre - radius;
      }
      entries[page].copy_(at::stack({high, low}, 1).flatten());
    }
    cache.setIndex(layer, chunk, entries);
  }

  /// As `pageScores`, or those that an answer still goes by.
  std::vector<float> scoresFor(int layer, const Block& block, const BlockQueries& queries,
                               const KvCache& cache) {
    std::vector<float> scores =
        recall_.foundBy(layer, block, queries, [&] { return pageScores(layer, block, queries, cache); });
    scores.resize(static_cast<std::size_t>(block.chunk * rule_.pagesPerChunk()), -kUnscored);
    return scores;
  }

  /// Of every page before the block: the bound, mean over the queries, sum over the heads; below all for
  /// pages after a chunk's end. A positive part of a query meets upper bounds, a negative part lower ones, so
  /// the mean can be taken first.
  std::vector<float> pageScores(int layer, const Block& block, const BlockQueries& queries,
                                const KvCache& cache) const {
    const KvShape& shape = settings_.shape;
    const at::Tensor query = queries.far.to(at::kFloat);
    const at::Tensor parts = at::stack({query.clamp_min(0).mean(1), query.clamp_max(0).mean(1)}, 1);
    const at::Tensor vector =
        parts.view({shape.kvHeads, settings_.heads / shape.kvHeads, 2, shape.headDimension}).sum(1).flatten();
    std::vector<float> scores(static_cast<std::size_t>(block.chunk * rule_.pagesPerChunk()));
    addScores(cache.index(layer).view({-1, entryFloats()}), vector, 1, scores);
    for (int i = 0; i < static_cast<int>(scores.size()); ++i)
      if (page(i, cache).begin == page(i, cache).end) scores[static_cast<std::size_t>(i)] = -kUnscored;
    return scores;
  }

  void choose(const Block& block, const KvCache& cache, const std::vector<float>& scores,
              std::vector<Run>& runs) const {
    const int perChunk = rule_.pagesPerChunk(), pages = static_cast<int>(scores.size());
    std::vector<bool> isTaken(scores.size());
    int left = settings_.budgetTokens - kChunkTokens;
    const auto take = [&](int i) {
      if (i < 0 || i >= pages || isTaken[static_cast<std::size_t>(i)] || isBlocked(i / perChunk)) return;
      const int tokens = page(i, cache).end - page(i, cache).begin;
      if (tokens == 0 || tokens > left) return;
      left -= tokens;
      isTaken[static_cast<std::size_t>(i)] = true;
    };
    for (int i = 0; i < rule_.endPages; ++i) take(i);
    // All of the question and the answer; of a document its last pages, or while reading its recent chunks.
    int firstRecent = firstRecentChunk(block, cache, settings_) * perChunk;
    if (cache.isTail(block.chunk) && firstRecent + perChunk <= pages) {
      const Run last = cache.chunk(firstRecent / perChunk);
      firstRecent += (last.end - last.begin + rule_.pageTokens - 1) / rule_.pageTokens - 1;
      firstRecent = std::max(0, firstRecent - (rule_.endPages - 1));
    }
    for (int i = pages - 1; i >= firstRecent; --i) take(i);
    for (const int chunk : settings_.wishes.pinned)
      for (int i = 0; i < perChunk; ++i) take(chunk * perChunk + i);
    std::vector<int> order;
    for (int i = 0; i < std::min(firstRecent, pages); ++i) order.push_back(i);
    std::ranges::stable_sort(order, std::greater{}, [&](int i) { return scores[static_cast<std::size_t>(i)]; });
    for (const int i : order) take(i);
    for (int i = 0; i < pages; ++i) {
      if (!isTaken[static_cast<std::size_t>(i)]) continue;
      const Run run = page(i, cache);
      const bool goesOn = i % perChunk > 0 && !runs.empty() && runs.back().end == run.begin;
      if (goesOn)
        runs.back().end = run.end;
      else
        runs.push_back(run);
    }
  }

  static constexpr float kUnscored = std::numeric_limits<float>::infinity();
  PolicySettings settings_;
  DigestRule rule_;
  RopeTable table_;
  std::vector<int> indexed_;  ///< by layer: chunks before it have entries
  AnswerRecall<std::vector<float>> recall_;
};

std::unique_ptr<KvPolicy> digestPolicy(const PolicySettings& settings, DigestRule rule) {
  requireChunkBudget(settings.budgetTokens, rule.method);
  rule.pageTokens = settings.numbers.whole("page");
  rule.endPages = settings.numbers.whole("ends");
  return std::make_unique<DigestPolicy>(settings, rule);
}

}  // namespace

std::unique_ptr<KvPolicy> questPolicy(const PolicySettings& settings) {
  return digestPolicy(settings, {"quest", Bounds::OfKeys, Reads::Densely});
}
std::unique_ptr<KvPolicy> arkvalePolicy(const PolicySettings& settings) {
  return digestPolicy(settings, {"arkvale", Bounds::MeanRadius, Reads::Densely});
}
std::unique_ptr<KvPolicy> questReadingPolicy(const PolicySettings& settings) {
  return digestPolicy(settings, {"quest-reading", Bounds::OfKeys, Reads::Retrieving});
}
std::unique_ptr<KvPolicy> arkvaleReadingPolicy(const PolicySettings& settings) {
  return digestPolicy(settings, {"arkvale-reading", Bounds::MeanRadius, Reads::Retrieving});
}

}  // namespace kvasir
