#include "engine/policy/evicting_policy.h"

#include <cassert>

#include "engine/model/rope.h"
#include "engine/policy/chunk_choice.h"
#include "engine/policy/kv_scores.h"

namespace kvasir {
namespace {

enum class Score { Window, Heavy, KeyDifference, Expected };
enum class Question { Seen, Hidden };

struct EvictionRule {
  const char* method;
  Score score;
  Question question;
  Pool pool = Pool::Mean;
  bool isPyramid = false;
  int window = 0;  ///< last tokens whose attention counts
  int neighbours = 1;
  int sinks = 0, last = 0;  ///< first and last tokens of a document that always stay
};

// Above every score, in order: sinks, pinned, recent.
constexpr float kSinkScore = 3e30f, kPinnedScore = 2e30f, kRecentScore = 1e30f;

class EvictingPolicy : public KvPolicy {
 public:
  EvictingPolicy(const PolicySettings& settings, const EvictionRule& rule)
      : settings_(settings), rule_(rule), table_(settings.ropeFrequencies, settings.ropeMagnitude) {
    layers_.resize(static_cast<std::size_t>(settings.shape.layers));
  }

  Needs needs() const override {
    Needs needs;
    if (rule_.score == Score::Heavy) needs.observedTokens = kAllTokens;
    if (rule_.question == Question::Seen) return needs;
    if (rule_.score == Score::Window) needs.heardTokens = rule_.window;
    if (rule_.score == Score::KeyDifference) needs.heardTokens = 0;
    needs.extras.keptTokens = settings_.budgetTokens;
    needs.extras.noteFloats = settings_.shape.kvHeads * kChunkTokens;
    return needs;
  }

  Selection select(int layer, const Block& block, const BlockQueries& queries, KvCache& cache) override {
    Selection selection;
    if (block.tokens == 0) {
      selection.kept =
          ranked(layer, cache, block.first).narrow(1, 0, shareOf(layer, settings_.budgetTokens, block.first));
      return selection;
    }
    if (!cache.isTail(block.chunk)) {
      notice(layer, queries, block);
      selection.runs = chunksBefore(block, cache, {});
      return selection;
    }
    int document = 0;  // its chunks
    for (document = block.chunk; document > 0 && cache.isTail(document - 1);) --document;
    if (cache.isKeptWhole() && block.first + block.tokens <= settings_.budgetTokens) {
      if (rule_.question == Question::Seen && queries.areOwnStates) ask(layer, block, queries);
      selection.runs = chunksBefore(block, cache, settings_.wishes.blocked);
      return selection;
    }
    const int end = document > 0 ? cache.chunk(document - 1).end : 0;
    rank(layer, block, queries, cache, end);
    addTail(layer, block, document, cache, end, selection);
    count();
    return selection;
  }

  void observe(int layer, const Block& block, const at::Tensor& received, Run keys, KvCache& cache) override {
    if (cache.isTail(block.chunk)) return;
    assert(keys.begin == 0);
    at::Tensor sums = received.to(at::kFloat).clone();
    at::Tensor& held = layers_[static_cast<std::size_t>(layer)].received;
    if (held.defined()) sums.narrow(1, 0, held.size(1)).add_(held);
    held = sums;
  }

 private:
  struct Layer {
    at::Tensor lastQueries;               ///< [heads, up to `window`, dimension], rotated, float32
    int askedChunk = -1, firstQuery = 0;  ///< where they stand, of a question that is seen
    at::Tensor received;                  ///< [kvHeads, tokens]
    QueryMoments moments;
    at::Tensor ranking;  ///< tokens of the document, best first: [kvHeads, count], int64
    int rankedFor = -1;  ///< the question's chunk, where the question is seen
    at::Tensor kept;     ///< the ranking's beginning that is in force
  };

  void count() {
    std::size_t sum = table_.bytes();
    for (const Layer& layer : layers_)
      for (const at::Tensor* held : {&layer.lastQueries, &layer.received, &layer.ranking, &layer.kept})
        if (held->defined() && (held != &layer.kept || !layer.kept.is_alias_of(layer.ranking)))
          sum += held->nbytes();
    setBytes(sum);
  }

  /// Statistics of what is being read.
  void notice(int layer, const BlockQueries& queries, const Block& block) {
    Layer& held = layers_[static_cast<std::size_t>(layer)];
    if (rule_.score == Score::Expected) {
      const int skipped = std::clamp(rule_.sinks - block.first, 0, block.tokens);
      held.moments.add(queries.plain.narrow(1, skipped, block.tokens - skipped));
    }
    if (rule_.score != Score::Window || rule_.question == Question::Seen) return;
    const at::Tensor own = queries.far.to(at::kFloat);
    const at::Tensor all = held.lastQueries.defined() ? at::cat({held.lastQueries, own}, 1) : own;
    const std::int64_t count = std::min<std::int64_t>(rule_.window, all.size(1));
    held.lastQueries = all.narrow(1, all.size(1) - count, count).clone();
  }

  /// A question's last queries. Its answer may be what outgrows the budget.
  void ask(int layer, const Block& block, const BlockQueries& queries) {
    Layer& held = layers_[static_cast<std::size_t>(layer)];
    const int count = std::min(rule_.window, block.tokens);
    held.lastQueries = queries.far.narrow(1, block.tokens - count, count).to(at::kFloat).clone();
    held.askedChunk = block.chunk;
    held.firstQuery = block.first + block.tokens - count;
  }

  /// Makes the ranking, once for a document or once for each chunk of a question.
  void rank(int layer, const Block& block, const BlockQueries& queries, const KvCache& cache, int end) {
    Layer& held = layers_[static_cast<std::size_t>(layer)];
    const bool isAsked =
        rule_.question == Question::Seen && queries.areOwnStates && held.rankedFor != block.chunk;
    if (held.ranking.defined() && !isAsked) return;
    if (isAsked) ask(layer, block, queries);
    held.ranking =
        cache.isKeptWhole() ? ranked(layer, cache, end, held.askedChunk + 1) : cache.keptTokens(layer);
    held.rankedFor = block.chunk;
    held.kept = at::Tensor();
  }

  /// What came of question and answer, newest first, and in the room it leaves the best of the document: at
  /// least what is always kept.
  void addTail(int layer, const Block& block, int document, const KvCache& cache, int end,
               Selection& selection) {
    const int always = std::min(end, rule_.sinks + rule_.last);
    int left = settings_.budgetTokens - kChunkTokens - always;
    const bool fits = block.first + block.tokens <= settings_.budgetTokens;
    int first = block.chunk;
    for (; first > document; --first) {
      const Run run = cache.chunk(first - 1);
      if (!fits && run.end - run.begin > left) break;
      left -= run.end - run.begin;
    }
    for (int chunk = first; chunk < block.chunk; ++chunk) selection.runs.push_back(cache.chunk(chunk));
    Layer& held = layers_[static_cast<std::size_t>(layer)];
    const int most = static_cast<int>(held.ranking.size(1));
    const int count = fits ? most : std::min(most, shareOf(layer, left + always, end));
    if (count == 0) return;
    if (!held.kept.defined() || held.kept.size(1) != count)
      held.kept = held.ranking.narrow(1, 0, count).contiguous();
    selection.kept = held.kept;
  }

  /// Of so many tokens, those a layer has of them. PyramidKV: from all at the lowest to 1 / (2β − 1) of them at
  /// the highest, in equal steps, but for those that are always kept; all where the document fits.
  int shareOf(int layer, int tokens, int end) const {
    if (!rule_.isPyramid || end <= settings_.budgetTokens) return std::min(tokens, end);
    const std::vector<int>& global = settings_.globalLayers;
    const auto layers = global.empty() ? settings_.shape.layers : static_cast<int>(global.size());
    const auto place =
        global.empty() ? layer : static_cast<int>(std::ranges::find(global, layer) - global.begin());
    const double height = static_cast<double>(place) / std::max(1, layers - 1);
    const double share = 1 - height * (1 - 1 / (2 * settings_.numbers["beta"] - 1));
    const int always = 2 * (rule_.sinks + rule_.last);
    return std::min({tokens, end, std::max(always, static_cast<int>(std::lround(tokens * share)))});
  }

  KeySource source(int layer, const KvCache& cache, int chunks) {
    KeySource keys;
    for (int chunk = 0; chunk < chunks; ++chunk) keys.chunks.push_back(cache.chunk(chunk));
    table_.grow(keys.tokens());
    keys.read = [this, layer, &cache](int chunk) {
      settings_.breathe();
      const Run run = cache.chunk(chunk);
      const KvTensors kv = cache.read(layer, chunk);
      at::Tensor rows =
          kv.keys.narrow(1, 0, run.end - run.begin).to(at::kFloat).clone(at::MemoryFormat::Contiguous);
      rotate(rows, rows, {run.begin, 1}, table_);
      return KvTensors{rows, kv.values.narrow(1, 0, run.end - run.begin).to(at::kFloat)};
    };
    return keys;
  }

  /// Tokens [0, end) of the document, best first: [kvHeads, count]. chunks: all that the question's last tokens
  /// see.
  at::Tensor ranked(int layer, const KvCache& cache, int end, int chunks = 0) {
    at::Tensor scores = scoresOf(layer, cache, end, chunks).narrow(1, 0, end).clone();
    const double share = rule_.score == Score::Heavy ? settings_.numbers["recent"] : 0;
    const int window = rule_.question == Question::Hidden ? rule_.window : 0;
    const int recent = std::max({rule_.last, window, static_cast<int>(settings_.budgetTokens * share)});
    const int firstRecent = std::max(0, end - recent);
    scores.narrow(1, firstRecent, end - firstRecent)
        .copy_((at::arange(firstRecent, end, at::kFloat) / end + 1) * kRecentScore);
    const auto setChunk = [&](int chunk, float score) {
      const Run run = cache.chunk(chunk);
      if (run.end <= end) scores.narrow(1, run.begin, run.end - run.begin).fill_(score);
    };
    for (const int chunk : settings_.wishes.pinned)
      if (chunk >= 0 && chunk < cache.chunkOf(end - 1) + 1) setChunk(chunk, kPinnedScore);
    int blocked = 0;
    for (const int chunk : settings_.wishes.blocked) {
      if (chunk < 1 || chunk > cache.chunkOf(end - 1)) continue;
      setChunk(chunk, -std::numeric_limits<float>::infinity());
      blocked += cache.chunk(chunk).end - cache.chunk(chunk).begin;
    }
    scores.narrow(1, 0, std::min(rule_.sinks, end)).fill_(kSinkScore);
    const int most = std::min(end - blocked, settings_.budgetTokens);
    return at::argsort(scores, /*stable=*/true, 1, /*descending=*/true)
        .narrow(1, 0, std::max(0, most))
        .contiguous();
  }

  /// [kvHeads, at least `end`]
  at::Tensor scoresOf(int layer, const KvCache& cache, int end, int chunks) {
    const Layer& held = layers_[static_cast<std::size_t>(layer)];
    const KvShape& shape = settings_.shape;
    const float scale = settings_.attentionScale;
    const int documentChunks = cache.chunkOf(end - 1) + 1;
    switch (rule_.score) {
      case Score::Heavy:
        return held.received;
      case Score::KeyDifference:
        return keyDifference(shape.kvHeads, source(layer, cache, documentChunks));
      case Score::Expected: {
        if (held.moments.isEmpty()) return at::zeros({shape.kvHeads, end});  // nothing but sinks was read
        // The keys carry the magnitude already.
        return held.moments.expectedAttention(
            end, settings_.numbers.whole("next"), scale * static_cast<float>(settings_.ropeMagnitude),
            shape.kvHeads, settings_.ropeFrequencies, source(layer, cache, documentChunks));
      }
      case Score::Window:
        break;
    }
    const bool isSeen = rule_.question == Question::Seen;
    const KeySource keys = source(layer, cache, isSeen ? chunks : documentChunks);
    const int firstQuery =
        isSeen ? held.firstQuery : keys.tokens() - static_cast<int>(held.lastQueries.size(1));
    const at::Tensor received = attentionReceived(held.lastQueries, firstQuery, scale, shape.kvHeads, keys);
    // What the window's own tokens drew is nothing to those beside them: they stay anyway.
    const int judged = std::min(end, firstQuery);
    if (judged == 0) return at::zeros({shape.kvHeads, end});
    return at::constant_pad_nd(pooled(received.narrow(1, 0, judged), rule_.neighbours, rule_.pool),
                               {0, end - judged});
  }

  PolicySettings settings_;
  EvictionRule rule_;
  RopeTable table_;
  std::vector<Layer> layers_;
};

std::unique_ptr<KvPolicy> evictingPolicy(const PolicySettings& settings, EvictionRule rule) {
  requireChunkBudget(settings.budgetTokens, rule.method);
  rule.sinks = settings.numbers.whole("sinks");
  rule.last = settings.numbers.whole("last");
  if (rule.score == Score::Window) {
    rule.window = settings.numbers.whole("window");
    rule.neighbours = settings.numbers.whole("neighbours");
    if (!rule.isPyramid && settings.numbers.whole("max") == 1) rule.pool = Pool::Max;
  }
  return std::make_unique<EvictingPolicy>(settings, rule);
}

}  // namespace

std::unique_ptr<KvPolicy> snapkvPolicy(const PolicySettings& settings) {
  return evictingPolicy(settings, {"snapkv", Score::Window, Question::Seen});
}
std::unique_ptr<KvPolicy> snapkvBlindPolicy(const PolicySettings& settings) {
  return evictingPolicy(settings, {"snapkv-blind", Score::Window, Question::Hidden});
}
std::unique_ptr<KvPolicy> pyramidkvPolicy(const PolicySettings& settings) {
  return evictingPolicy(settings, {"pyramidkv", Score::Window, Question::Seen, Pool::Max, true});
}
std::unique_ptr<KvPolicy> pyramidkvBlindPolicy(const PolicySettings& settings) {
  return evictingPolicy(settings, {"pyramidkv-blind", Score::Window, Question::Hidden, Pool::Max, true});
}
std::unique_ptr<KvPolicy> h2oPolicy(const PolicySettings& settings) {
  return evictingPolicy(settings, {"h2o", Score::Heavy, Question::Hidden});
}
std::unique_ptr<KvPolicy> keydiffPolicy(const PolicySettings& settings) {
  return evictingPolicy(settings, {"keydiff", Score::KeyDifference, Question::Hidden});
}
std::unique_ptr<KvPolicy> expectedAttentionPolicy(const PolicySettings& settings) {
  return evictingPolicy(settings, {"expected-attention", Score::Expected, Question::Hidden});
}

}  // namespace kvasir
