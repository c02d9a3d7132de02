#include "engine/policy/window_policies.h"

#include <limits>

#include "engine/policy/chunk_choice.h"
#include "engine/policy/positions.h"

namespace kvasir {
namespace {

class FullPolicy : public KvPolicy {
 public:
  FullPolicy(KvCache::Extras extras, std::vector<int> blocked)
      : extras_(extras), blocked_(std::move(blocked)) {}

  Needs needs() const override {
    Needs needs;
    needs.extras = extras_;
    return needs;
  }

  Selection select(int, const Block& block, const BlockQueries&, KvCache& cache) override {
    Selection selection;
    selection.runs = chunksBefore(block, cache, blocked_);
    return selection;
  }

 private:
  KvCache::Extras extras_;
  std::vector<int> blocked_;
};

class StreamingPolicy : public KvPolicy {
 public:
  StreamingPolicy(int window, int sinks) : sinks_(sinks), window_(window) {}

  Needs needs() const override {
    Needs needs;
    needs.keptTokens = window_;
    return needs;
  }

  Selection select(int, const Block& block, const BlockQueries&, KvCache& cache) override {
    Selection selection;
    const int end = cache.chunk(block.chunk).begin;
    if (end == 0) return selection;  // a chunk fits every budget: nothing of it is hidden
    selection.window = window_;
    selection.sinks = sinks_;
    if (sinks_ > 0) selection.runs.push_back({0, std::min(sinks_, end)});
    // From the start of the chunk that holds the first visible token: the window hides what comes before it.
    const int firstVisible = std::max(block.first - window_ + 1, sinks_);
    if (firstVisible >= end) return selection;
    const int begin = std::max(cache.chunk(cache.chunkOf(firstVisible)).begin, sinks_);
    selection.runs.push_back({begin, end});
    return selection;
  }

 protected:
  int sinks() const { return sinks_; }

 private:
  int sinks_, window_;
};

/// LM-Infinite's n_global.
int firstTokens(const PolicySettings& settings) {
  return std::min(settings.numbers.whole("first"), settings.budgetTokens / 4);
}

/// The Λ mask's window.
int recentTokens(const PolicySettings& settings) {
  return reachOf(settings.budgetTokens - firstTokens(settings), settings.trainedTokens);
}

class MiddlePolicy : public StreamingPolicy {
 public:
  explicit MiddlePolicy(const PolicySettings& settings)
      : StreamingPolicy(recentTokens(settings), firstTokens(settings)),
        settings_(settings),
        reach_(reachOf(settings.budgetTokens, settings.trainedTokens)),
        fromLayer_(std::min(settings.numbers.whole("from"), settings.shape.layers) - 1),
        picks_(settings.numbers.whole("picks")),
        recall_(settings) {}

  Needs needs() const override { return {}; }  // the middle stays

  Selection select(int layer, const Block& block, const BlockQueries& queries, KvCache& cache) override {
    if (!cache.isTail(block.chunk)) return StreamingPolicy::select(layer, block, queries, cache);
    const int count = cache.chunk(block.chunk).begin, blockEnd = block.first + block.tokens;
    std::vector<char> isSeen(static_cast<std::size_t>(count)), isBlocked(isSeen.size());
    for (const int chunk : settings_.wishes.blocked)
      if (chunk > 0 && chunk < block.chunk) mark(cache.chunk(chunk), isBlocked);
    Selection selection;
    // An answer's chunk is chosen for again where it outgrows the budget, but not where it does the reach.
    const int queryEnd = queries.areOwnStates ? blockEnd : count + kChunkTokens;
    if (blockEnd <= settings_.budgetTokens && (queryEnd <= reach_ || reach_ == settings_.budgetTokens)) {
      for (std::size_t token = 0; token < isSeen.size(); ++token) isSeen[token] = !isBlocked[token];
      selection.runs = runsOf(isSeen, sinks());
      return selection;
    }
    const int middleEnd = std::max(sinks(), block.first - reach_),
              nearFrom = std::max(sinks(), queryEnd - reach_);
    int left = settings_.budgetTokens - kChunkTokens - sinks();
    mark({0, sinks()}, isSeen);
    const auto see = [&](int token) {
      const auto at = static_cast<std::size_t>(token);
      if (left == 0 || isSeen[at] || isBlocked[at]) return;
      isSeen[at] = 1;
      --left;
    };
    for (const int chunk : settings_.wishes.pinned)
      if (chunk >= 0 && chunk < block.chunk && cache.chunk(chunk).end - cache.chunk(chunk).begin <= left)
        for (int token = cache.chunk(chunk).begin; token < cache.chunk(chunk).end; ++token) see(token);
    if (layer >= fromLayer_) {
      const Run middle{sinks(), middleEnd};
      for (const int token : recall_.foundBy(layer, block, queries,
                                             [&] { return bestOf(middle, layer, queries, cache, isBlocked); }))
        see(token);
      setBytes(recall_.bytes());
    }
    for (int token = count; token-- > nearFrom;) see(token);
    selection.runs = runsOf(isSeen, nearFrom);
    return selection;
  }

 private:
  static void mark(Run run, std::vector<char>& tokens) {
    std::fill(tokens.begin() + run.begin, tokens.begin() + run.end, 1);
  }

  /// The first tokens, those that are out of reach and the most recent are runs apart: they are placed
  /// differently.
  std::vector<Run> runsOf(const std::vector<char>& isSeen, int nearFrom) const {
    std::vector<Run> runs;
    for (int token = 0; token < std::ssize(isSeen); ++token) {
      if (!isSeen[static_cast<std::size_t>(token)]) continue;
      if (runs.empty() || runs.back().end != token || token == sinks() || token == nearFrom)
        runs.push_back({token, token});
      runs.back().end = token + 1;
    }
    return runs;
  }

  /// Tokens of the middle that the block's last query scores best, so many by KV head: the best of its query
  /// heads counts.
  std::vector<int> bestOf(Run middle, int layer, const BlockQueries& queries, const KvCache& cache,
                          const std::vector<char>& isBlocked) const {
    if (middle.begin >= middle.end) return {};
    const KvShape& shape = settings_.shape;
    const at::Tensor query = queries.far.select(1, queries.far.size(1) - 1)
                                 .to(at::kFloat)
                                 .reshape({shape.kvHeads, -1, shape.headDimension});
    std::vector<at::Tensor> scores;
    for (int chunk = 0; cache.chunk(chunk).begin < middle.end; ++chunk) {
      scores.push_back(at::bmm(query, cache.read(layer, chunk).keys.to(at::kFloat).transpose(1, 2)).amax(1));
      if (isBlocked[static_cast<std::size_t>(cache.chunk(chunk).begin)])
        scores.back().fill_(-std::numeric_limits<float>::infinity());
    }
    const at::Tensor all = at::cat(scores, 1).narrow(1, middle.begin, middle.end - middle.begin);
    const at::Tensor places = std::get<1>(at::topk(all, std::min(picks_, all.size(1)), 1)).contiguous();
    std::vector<int> best;
    for (std::int64_t i = 0; i < places.numel(); ++i)
      best.push_back(middle.begin + static_cast<int>(places.const_data_ptr<std::int64_t>()[i]));
    return best;
  }

  PolicySettings settings_;
  int reach_, fromLayer_;
  std::int64_t picks_;
  AnswerRecall<std::vector<int>> recall_;
};

}  // namespace

std::unique_ptr<KvPolicy> fullPolicy(const PolicySettings& settings) {
  return std::make_unique<FullPolicy>(KvCache::Extras{}, settings.wishes.blocked);
}

std::unique_ptr<KvPolicy> fullPolicyOver(KvCache::Extras extras) {
  return std::make_unique<FullPolicy>(extras, std::vector<int>{});
}

std::unique_ptr<KvPolicy> streamingPolicy(const PolicySettings& settings) {
  const int sinks = settings.numbers.whole("sinks");
  return std::make_unique<StreamingPolicy>(settings.budgetTokens - sinks, sinks);
}

std::unique_ptr<KvPolicy> lambdaPolicy(const PolicySettings& settings) {
  return std::make_unique<StreamingPolicy>(recentTokens(settings), firstTokens(settings));
}

std::unique_ptr<KvPolicy> lambdaMiddlePolicy(const PolicySettings& settings) {
  requireChunkBudget(settings.budgetTokens, "lm-infinite-middle");
  return std::make_unique<MiddlePolicy>(settings);
}

}  // namespace kvasir
