#include "engine/policy/beacon_policy.h"

#include <cassert>

#include "engine/policy/chunk_choice.h"

namespace kvasir {
namespace {

constexpr int kSinkTokens = 4, kHighestRatio = 32, kMostWindow = 1024;

class BeaconPolicy : public KvPolicy {
 public:
  explicit BeaconPolicy(const PolicySettings& settings)
      : shape_(settings.shape),
        budget_(settings.budgetTokens),
        plan_(planBeacons(settings.documentTokens, settings.budgetTokens, settings.numbers.whole("ratio"))) {}

  Needs needs() const override {
    Needs needs;
    if (plan_.each > 0)
      needs.extras.indexFloats = kChunkTokens / plan_.each * 2 * shape_.kvHeads * shape_.headDimension;
    needs.keptTokens = budget_;  // of windows and of layers with a window of the model's own
    needs.beacons = plan_;
    needs.isPlaced = true;
    return needs;
  }

  Selection select(int, const Block& block, const BlockQueries&, KvCache& cache) override {
    const int begin = cache.chunk(block.chunk).begin, end = block.first + block.tokens;
    const bool isTail = cache.isTail(block.chunk);
    const int windowBegin = plan_.each > 0 ? plan_.windowBegin(isTail ? documentEnd(block, cache) : begin) : 0;
    int room = budget_ - (windowBegin > 0 ? kSinkTokens : 0);
    if (!isTail) return seen(windowBegin, begin, room - plan_.window - beaconsOf(plan_.window));
    if (end - windowBegin + beaconsOf(windowBegin) <= room)
      return seen(windowBegin, begin, room - (end - windowBegin));
    // A whole chunk is kept free for the block's own, so that what is seen does not change while that grows.
    room -= kChunkTokens + (windowBegin > 0 ? 0 : kSinkTokens);
    const int first = std::max(windowBegin, begin - room);
    return seen(windowBegin, begin, room - (begin - first), first);
  }

 private:
  int beaconsOf(int tokens) const { return plan_.each > 0 ? tokens / plan_.each : 0; }

  static int documentEnd(const Block& block, const KvCache& cache) {
    int chunk = block.chunk;
    while (chunk > 0 && cache.isTail(chunk)) --chunk;
    return cache.isTail(chunk) ? 0 : cache.chunk(chunk).end;
  }

  /// Sinks, the last beacons before the window that there is room for, and the tokens [first, end) as they are.
  Selection seen(int windowBegin, int end, int room, int first = 0) const {
    first = std::max(first, windowBegin);
    Selection selection;
    if (first > kSinkTokens) {
      selection.runs.push_back({0, kSinkTokens});
    } else {
      first = 0;
    }
    if (first < end) selection.runs.push_back({first, end});
    if (windowBegin == 0) return selection;
    const int chunks = std::clamp(room / beaconsOf(kChunkTokens), 0, windowBegin / kChunkTokens);
    selection.beacons = {{windowBegin - chunks * kChunkTokens, windowBegin}, plan_.each};
    return selection;
  }

  KvShape shape_;
  int budget_;
  BeaconPlan plan_;
};

}  // namespace

BeaconPlan planBeacons(int documentTokens, int budgetTokens, int ratio) {
  if (documentTokens > 0 && documentTokens <= budgetTokens) return {};
  BeaconPlan plan;
  plan.window = std::clamp(budgetTokens / 4 / kChunkTokens * kChunkTokens, kChunkTokens, kMostWindow);
  plan.each = ratio > 0 ? ratio : kHighestRatio;
  plan.end = std::numeric_limits<int>::max();
  if (documentTokens == 0) return plan;
  plan.end = documentTokens / plan.window * plan.window;
  const int rest = documentTokens - plan.end + kChunkTokens;  // with a question
  const int room = budgetTokens - kSinkTokens - std::max(plan.window, rest);
  while (ratio == 0 && plan.each > 2 && plan.end / (plan.each / 2) <= room) plan.each /= 2;
  return plan;
}

std::unique_ptr<KvPolicy> beaconPolicy(const PolicySettings& settings) {
  requireChunkBudget(settings.budgetTokens, "beacon");
  return std::make_unique<BeaconPolicy>(settings);
}

}  // namespace kvasir
