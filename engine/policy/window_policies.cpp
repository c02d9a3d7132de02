#include "engine/policy/window_policies.h"

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
    Selection selection;
    selection.window = window_;
    selection.sinks = sinks_;
    const int end = cache.chunk(block.chunk).begin;
    if (end == 0) return selection;
    selection.runs.push_back({0, std::min(sinks_, end)});
    // From the start of the chunk that holds the first visible token: the window hides what comes before it.
    const int firstVisible = std::max(block.first - window_ + 1, sinks_);
    if (firstVisible >= end) return selection;
    const int begin = std::max(cache.chunk(cache.chunkOf(firstVisible)).begin, sinks_);
    selection.runs.push_back({begin, end});
    return selection;
  }

 private:
  int sinks_, window_;
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
  constexpr int kFirstTokens = 100;
  return std::make_unique<StreamingPolicy>(settings.budgetTokens,
                                           std::min(kFirstTokens, settings.budgetTokens / 4));
}

}  // namespace kvasir
