#include "engine/policy/window_policies.h"

namespace kvasir {
namespace {

class FullPolicy : public KvPolicy {
 public:
  Selection select(int, const Block& block, const BlockQueries&, KvCache& cache) override {
    Selection selection;
    if (const int begin = cache.chunk(block.chunk).begin; begin > 0) selection.runs = {{0, begin}};
    return selection;
  }
};

class StreamingPolicy : public KvPolicy {
 public:
  explicit StreamingPolicy(int budget) : window_(budget - kSinkTokens) {}

  Needs needs() const override {
    Needs needs;
    needs.keptTokens = window_;
    return needs;
  }

  Selection select(int, const Block& block, const BlockQueries&, KvCache& cache) override {
    Selection selection;
    selection.window = window_;
    selection.sinks = kSinkTokens;
    const int end = cache.chunk(block.chunk).begin;
    if (end == 0) return selection;
    selection.runs.push_back({0, std::min(kSinkTokens, end)});
    // From the start of the chunk that holds the first visible token: the window hides what comes before it.
    const int firstVisible = std::max(block.first - window_ + 1, kSinkTokens);
    if (firstVisible >= end) return selection;
    const int begin = std::max(cache.chunk(cache.chunkOf(firstVisible)).begin, kSinkTokens);
    selection.runs.push_back({begin, end});
    return selection;
  }

 private:
  static constexpr int kSinkTokens = 4;
  int window_;
};

}  // namespace

std::unique_ptr<KvPolicy> fullPolicy(const PolicySettings&) { return std::make_unique<FullPolicy>(); }

std::unique_ptr<KvPolicy> streamingPolicy(const PolicySettings& settings) {
  return std::make_unique<StreamingPolicy>(settings.budgetTokens);
}

}  // namespace kvasir
