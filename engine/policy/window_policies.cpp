#include "engine/policy/window_policies.h"

#include <set>

#include "engine/policy/chunk_choice.h"

namespace kvasir {
namespace {

class FullPolicy : public KvPolicy {
 public:
  FullPolicy(KvCache::Extras extras, std::vector<int> blocked) : extras_(extras), blocked_(std::move(blocked)) {
    std::ranges::sort(blocked_);
  }

  Needs needs() const override {
    Needs needs;
    needs.extras = extras_;
    return needs;
  }

  Selection select(int, const Block& block, const BlockQueries&, KvCache& cache) override {
    Selection selection;
    int begin = 0;
    const auto addUpTo = [&](int end) {
      if (begin < end) selection.runs.push_back({begin, end});
    };
    for (const int chunk : blocked_) {
      if (chunk < 1 || chunk >= block.chunk) continue;
      addUpTo(cache.chunk(chunk).begin);
      begin = cache.chunk(chunk).end;
    }
    addUpTo(cache.chunk(block.chunk).begin);
    return selection;
  }

 private:
  KvCache::Extras extras_;
  std::vector<int> blocked_;
};

class StreamingPolicy : public KvPolicy {
 public:
  StreamingPolicy(int budget, int sinks) : sinks_(sinks), window_(budget - sinks) {}

  Needs needs() const override {
    Needs needs;
    needs.keptTokens = window_;
    return needs;
  }

  Selection select(int, const Block& block, const BlockQueries&, KvCache& cache) override {
    return mostRecent(window_, block, cache);
  }

 protected:
  int sinks() const { return sinks_; }
  int window() const { return window_; }
  Selection mostRecent(int window, const Block& block, const KvCache& cache) const {
    Selection selection;
    selection.window = window;
    selection.sinks = sinks_;
    const int end = cache.chunk(block.chunk).begin;
    if (end == 0) return selection;
    selection.runs.push_back({0, std::min(sinks_, end)});
    // From the start of the chunk that holds the first visible token: the window hides what comes before it.
    const int firstVisible = std::max(block.first - window + 1, sinks_);
    if (firstVisible >= end) return selection;
    const int begin = std::max(cache.chunk(cache.chunkOf(firstVisible)).begin, sinks_);
    selection.runs.push_back({begin, end});
    return selection;
  }

 private:
  int sinks_, window_;
};

/// LM-Infinite's n_global.
int firstTokens(int budgetTokens) { return std::min(100, budgetTokens / 4); }

class MiddlePolicy : public StreamingPolicy {
 public:
  explicit MiddlePolicy(const PolicySettings& settings)
      : StreamingPolicy(settings.budgetTokens, firstTokens(settings.budgetTokens)),
        settings_(settings),
        fromLayer_(std::min(4, settings.shape.layers - 1)) {}

  Needs needs() const override { return {}; }  // the middle stays

  Selection select(int layer, const Block& block, const BlockQueries& queries, KvCache& cache) override {
    constexpr int kTokensEach = 5;
    const int end = block.first - settings_.budgetTokens;  // of the middle
    if (!cache.isTail(block.chunk) || layer < fromLayer_ || end <= sinks())
      return mostRecent(window(), block, cache);
    const std::set<std::int64_t> best = bestOfMiddle(layer, kTokensEach, queries, cache, end);
    Selection selection = mostRecent(window() - static_cast<int>(best.size()), block, cache);
    auto place = selection.runs.begin() + 1;  // behind the first tokens
    for (const std::int64_t token : best) {
      const int at = static_cast<int>(token);
      place = selection.runs.insert(place, {at, at + 1}) + 1;
    }
    return selection;
  }

 private:
  /// Tokens of [sinks, end) that the block's last query scores best, `each` by KV head: the best of its query
  /// heads counts.
  std::set<std::int64_t> bestOfMiddle(int layer, int each, const BlockQueries& queries, const KvCache& cache,
                                      int end) const {
    const KvShape& shape = settings_.shape;
    const at::Tensor query = queries.far.select(1, queries.far.size(1) - 1)
                                 .to(at::kFloat)
                                 .reshape({shape.kvHeads, -1, shape.headDimension});
    std::vector<at::Tensor> scores;
    for (int chunk = 0; cache.chunk(chunk).begin < end; ++chunk)
      scores.push_back(at::bmm(query, cache.read(layer, chunk).keys.to(at::kFloat).transpose(1, 2)).amax(1));
    const at::Tensor middle = at::cat(scores, 1).narrow(1, sinks(), end - sinks());
    const at::Tensor places =
        std::get<1>(at::topk(middle, std::min(each, end - sinks()), 1)).contiguous() + sinks();
    const auto* first = places.const_data_ptr<std::int64_t>();
    return {first, first + places.numel()};
  }

  PolicySettings settings_;
  int fromLayer_;
};

}  // namespace

std::unique_ptr<KvPolicy> fullPolicy(const PolicySettings& settings) {
  return std::make_unique<FullPolicy>(KvCache::Extras{}, settings.wishes.blocked);
}

std::unique_ptr<KvPolicy> fullPolicyOver(KvCache::Extras extras) {
  return std::make_unique<FullPolicy>(extras, std::vector<int>{});
}

std::unique_ptr<KvPolicy> streamingPolicy(const PolicySettings& settings) {
  constexpr int kSinkTokens = 4;
  return std::make_unique<StreamingPolicy>(settings.budgetTokens, kSinkTokens);
}

std::unique_ptr<KvPolicy> lambdaPolicy(const PolicySettings& settings) {
  return std::make_unique<StreamingPolicy>(settings.budgetTokens, firstTokens(settings.budgetTokens));
}

std::unique_ptr<KvPolicy> lambdaMiddlePolicy(const PolicySettings& settings) {
  requireChunkBudget(settings.budgetTokens, "lm-infinite-middle");
  return std::make_unique<MiddlePolicy>(settings);
}

}  // namespace kvasir
