#include "engine/policy/positions.h"

namespace kvasir {
namespace {

class RopePositions : public PositionScheme {
 public:
  explicit RopePositions(int limit, RopeStretch stretch = RopeStretch::None)
      : PositionScheme({stretch, 0}), limit_(limit) {}
  Placement place(const Run&, const Block&) const override { return {}; }
  int farQuery(int token) const override { return token; }
  int nearLimit() const override { return limit_; }

 private:
  int limit_;
};

class CachePositions : public PositionScheme {
 public:
  explicit CachePositions(int budget) : PositionScheme(Rules{}), budget_(budget) {}
  // The sinks are the only run that begins the text once something between was evicted; before that, true
  // positions and positions in the cache are the same.
  Placement place(const Run& keys, const Block&) const override { return {keys.begin == 0, keys.begin, 1}; }
  int farQuery(int token) const override { return std::min(token, budget_ - 1); }
  int nearLimit() const override { return budget_; }

 private:
  int budget_;
};

class ClosedPositions : public PositionScheme {
 public:
  explicit ClosedPositions(int budget) : PositionScheme({RopeStretch::None, 0, true}), budget_(budget) {}
  Placement place(const Run&, const Block&) const override { return {}; }
  int farQuery(int) const override { return 0; }
  int nearLimit() const override { return budget_; }

 private:
  int budget_;
};

class ClampedPositions : public PositionScheme {
 public:
  explicit ClampedPositions(int budget) : PositionScheme(Rules{}), budget_(budget) {}
  Placement place(const Run& keys, const Block& block) const override {
    return {block.first + block.tokens - 1 - keys.begin >= budget_, 0, 0};
  }
  int farQuery(int) const override { return budget_ - 1; }
  int nearLimit() const override { return budget_; }

 private:
  int budget_;
};

class GroupedPositions : public PositionScheme {
 public:
  GroupedPositions() : PositionScheme({RopeStretch::None, kWindow}) {}
  Placement place(const Run& keys, const Block&) const override { return {true, keys.begin, 1, kGroup}; }
  int farQuery(int token) const override { return token / kGroup + kWindow - kWindow / kGroup; }
  int nearLimit() const override { return kWindow; }

 private:
  static constexpr int kWindow = 1024, kGroup = 8;
};

class CeilingPositions : public PositionScheme {
 public:
  explicit CeilingPositions(int budget) : PositionScheme(Rules{}), budget_(budget) {}
  // The first tokens are a run of their own, as CachePositions has it. Runs that end beyond the ceiling are of
  // the middle: the most recent tokens end before the block's chunk.
  Placement place(const Run& keys, const Block& block) const override {
    const bool isMiddle = keys.end + std::max(budget_, kChunkTokens) <= block.first;
    return {keys.begin == 0 || isMiddle, 0, block.first + block.tokens > budget_ ? 0 : 1};
  }
  int farQuery(int token) const override { return std::min(token, budget_); }
  int nearLimit() const override { return budget_; }

 private:
  int budget_;
};

template <RopeStretch stretch>
std::unique_ptr<PositionScheme> stretched() {
  return std::make_unique<RopePositions>(0, stretch);
}

}  // namespace

std::unique_ptr<PositionScheme> interpolatedPositions(int) { return stretched<RopeStretch::Interpolated>(); }
std::unique_ptr<PositionScheme> ntkPositions(int) { return stretched<RopeStretch::NtkAware>(); }
std::unique_ptr<PositionScheme> yarnPositions(int) { return stretched<RopeStretch::Yarn>(); }
std::unique_ptr<PositionScheme> longRopePositions(int) { return stretched<RopeStretch::LongRope>(); }
std::unique_ptr<PositionScheme> groupedPositions(int) { return std::make_unique<GroupedPositions>(); }
std::unique_ptr<PositionScheme> ceilingPositions(int budgetTokens) {
  return std::make_unique<CeilingPositions>(budgetTokens);
}
std::unique_ptr<PositionScheme> ropePositions(int) { return std::make_unique<RopePositions>(0); }
std::unique_ptr<PositionScheme> windowPositions(int windowTokens) {
  return std::make_unique<RopePositions>(windowTokens);
}
std::unique_ptr<PositionScheme> cachePositions(int budgetTokens) {
  return std::make_unique<CachePositions>(budgetTokens);
}
std::unique_ptr<PositionScheme> closedPositions(int budgetTokens) {
  return std::make_unique<ClosedPositions>(budgetTokens);
}
std::unique_ptr<PositionScheme> clampedPositions(int budgetTokens) {
  return std::make_unique<ClampedPositions>(budgetTokens);
}

}  // namespace kvasir
