#include "engine/policy/infllm_policy.h"

#include "engine/policy/chunk_choice.h"

namespace kvasir {
namespace {

class InfllmPolicy : public KvPolicy {
 public:
  explicit InfllmPolicy(const PolicySettings& settings) : settings_(settings), recall_(settings) {
    recent_ = recentChunks(settings);
    representatives_ = settings.numbers.whole("representatives");
    indexed_.assign(static_cast<std::size_t>(settings.shape.layers), 0);
  }

  Needs needs() const override {
    Needs needs;
    needs.extras.indexFloats = settings_.shape.kvHeads * settings_.shape.headDimension;
    needs.extras.noteFloats = settings_.shape.kvHeads * kChunkTokens;
    needs.observedTokens = recent_ * kChunkTokens;
    return needs;
  }

  Selection select(int layer, const Block& block, const BlockQueries& queries, KvCache& cache) override {
    Selection selection;
    const int firstRecent = std::max(0, block.chunk - recent_);
    if (firstRecent > 1) {
      indexUpTo(layer, firstRecent, cache);
      score(layer, block, queries, cache, firstRecent, selection.scores);
      recall(layer, block, queries, selection.scores);
    }
    for (const int chunk : chooseChunks(block, cache, selection.scores, settings_, firstRecent))
      selection.runs.push_back(cache.chunk(chunk));
    return selection;
  }

  void observe(int layer, const Block& block, const at::Tensor& received, Run keys, KvCache& cache) override {
    const at::Tensor sums = received.to(at::kFloat).contiguous();
    for (int chunk = cache.chunkOf(keys.begin); chunk <= block.chunk; ++chunk) {
      const Run run = cache.chunk(chunk);
      const int begin = std::max(run.begin, keys.begin), end = std::min(run.end, keys.end);
      std::span<float> notes = cache.notes(layer, chunk);
      for (int head = 0; head < settings_.shape.kvHeads; ++head) {
        const float* from = sums.data_ptr<float>() + head * sums.size(1) - keys.begin;
        float* to = notes.data() + head * kChunkTokens - run.begin;
        for (int token = begin; token < end; ++token) to[token] += from[token];
      }
    }
  }

 private:
  /// Scores of chunks [1, end): the block's mean query, placed far away, with each chunk's representative key,
  /// summed over the heads.
  void score(int layer, const Block& block, const BlockQueries& queries, const KvCache& cache, int end,
             std::vector<float>& scores) const {
    const KvShape& shape = settings_.shape;
    at::Tensor query = queries.far.to(at::kFloat).mean(1);  // [heads, dimension]
    query = query.view({shape.kvHeads, settings_.heads / shape.kvHeads, shape.headDimension}).sum(1).flatten();
    scores.assign(static_cast<std::size_t>(block.chunk), std::numeric_limits<float>::quiet_NaN());
    const auto scored = std::span(scores).subspan(1, static_cast<std::size_t>(end - 1));
    std::ranges::fill(scored, 0.0f);
    addScores(cache.index(layer).narrow(0, 1, end - 1), query, 1, scored);
  }

  /// In place of scores those that an answer still goes by; chunks that were recent then, as the question was,
  /// keep what they have now.
  void recall(int layer, const Block& block, const BlockQueries& queries, std::vector<float>& scores) {
    const std::vector<float> found = recall_.foundBy(layer, block, queries, [&] { return scores; });
    setBytes(recall_.bytes());
    for (std::size_t chunk = 0; chunk < found.size(); ++chunk)
      if (!std::isnan(found[chunk])) scores[chunk] = found[chunk];
  }

  /// A chunk that is recent no more has all the attention it will get. Blocks come chunk after chunk, so only
  /// the last chunk before `end` can be without an entry: the others got theirs at the block before, by this
  /// object or by the one that read the document. But of several documents each was left with recent chunks.
  void indexUpTo(int layer, int end, KvCache& cache) {
    int& indexed = indexed_[static_cast<std::size_t>(layer)];
    if (indexed >= end) return;
    if (indexed == 0)
      for (const int chunk : chunksWithoutEntry(layer, {1, end - 1}, cache)) index(layer, chunk, cache);
    index(layer, end - 1, cache);
    indexed = end;
  }

  void index(int layer, int chunk, KvCache& cache) const {
    const Run run = cache.chunk(chunk);
    const int tokens = run.end - run.begin;
    const at::Tensor notes =
        at::from_blob(cache.notes(layer, chunk).data(), {settings_.shape.kvHeads, kChunkTokens}, at::kFloat);
    const at::Tensor best =
        std::get<1>(at::topk(notes.narrow(1, 0, tokens), std::min(representatives_, tokens), 1));
    const at::Tensor keys = cache.read(layer, chunk).keys.narrow(1, 0, tokens).to(at::kFloat);
    const at::Tensor places = best.unsqueeze(2).expand({-1, -1, keys.size(2)});
    cache.setIndex(layer, chunk, at::gather(keys, 1, places).mean(1));
  }

  PolicySettings settings_;
  int recent_ = 0;            ///< chunks before the block's that are always seen
  int representatives_ = 0;   ///< of a chunk and KV head (InfLLM's repr_topk)
  std::vector<int> indexed_;  ///< by layer: chunks before it have entries
  AnswerRecall<std::vector<float>> recall_;
};

}  // namespace

std::unique_ptr<KvPolicy> infllmPolicy(const PolicySettings& settings) {
  requireChunkBudget(settings.budgetTokens, "infllm");
  return std::make_unique<InfllmPolicy>(settings);
}

}  // namespace kvasir
