#include "engine/policy/positions.h"

namespace kvasir {
namespace {

class RopePositions : public PositionScheme {
 public:
  explicit RopePositions(int limit, RopeStretch stretch = RopeStretch::None, int scale = 0)
      : PositionScheme({stretch, 0, false, scale}), limit_(limit) {}
  Placement place(const Run&, const Block&) const override { return {}; }
  int farQuery(int token) const override { return token; }
  int nearLimit() const override { return limit_; }

 private:
  int limit_;
};

class CachePositions : public PositionScheme {
 public:
  CachePositions(int budget, bool hasSinks) : PositionScheme(Rules{}), budget_(budget), hasSinks_(hasSinks) {}
  // The sinks are the only run that begins the text once something between was evicted; before that, true
  // positions and positions in the cache are the same.
  Placement place(const Run& keys, const Block&) const override {
    return {hasSinks_ && keys.begin == 0, keys.begin, 1};
  }
  int farQuery(int token) const override { return std::min(token, budget_ - 1); }
  int nearLimit() const override { return budget_; }

 private:
  int budget_;
  bool hasSinks_;
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
  GroupedPositions(int window, int group)
      : PositionScheme({RopeStretch::None, window}), window_(window), group_(group) {}
  Placement place(const Run& keys, const Block&) const override { return {true, keys.begin, 1, group_}; }
  int farQuery(int token) const override { return token / group_ + window_ - window_ / group_; }
  int nearLimit() const override { return window_; }

 private:
  int window_, group_;
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

std::unique_ptr<PositionScheme> stretched(RopeStretch stretch, const Numbers& numbers) {
  return std::make_unique<RopePositions>(0, stretch, numbers.whole("scale"));
}

}  // namespace

std::unique_ptr<PositionScheme> interpolatedPositions(int, int, const Numbers& numbers) {
  return stretched(RopeStretch::Interpolated, numbers);
}
std::unique_ptr<PositionScheme> ntkPositions(int, int, const Numbers& numbers) {
  return stretched(RopeStretch::NtkAware, numbers);
}
std::unique_ptr<PositionScheme> yarnPositions(int, int, const Numbers& numbers) {
  return stretched(RopeStretch::Yarn, numbers);
}
std::unique_ptr<PositionScheme> longRopePositions(int, int, const Numbers&) {
  return std::make_unique<RopePositions>(0, RopeStretch::LongRope);
}
std::unique_ptr<PositionScheme> groupedPositions(int, int, const Numbers& numbers) {
  return std::make_unique<GroupedPositions>(numbers.whole("window"), numbers.whole("group"));
}
std::unique_ptr<PositionScheme> ceilingPositions(int budgetTokens, int, const Numbers&) {
  return std::make_unique<CeilingPositions>(budgetTokens);
}
std::unique_ptr<PositionScheme> ropePositions(int, int, const Numbers&) {
  return std::make_unique<RopePositions>(0);
}
std::unique_ptr<PositionScheme> windowPositions(int windowTokens) {
  return std::make_unique<RopePositions>(windowTokens);
}
std::unique_ptr<PositionScheme> cachePositions(int budgetTokens, int, const Numbers& numbers) {
  return std::make_unique<CachePositions>(budgetTokens, numbers.whole("sinks") > 0);
}
std::unique_ptr<PositionScheme> closedPositions(int budgetTokens, int, const Numbers&) {
  return std::make_unique<ClosedPositions>(budgetTokens);
}
std::unique_ptr<PositionScheme> clampedPositions(int budgetTokens, int trainedTokens, const Numbers&) {
  return std::make_unique<ClampedPositions>(trainedTokens > 0 ? std::min(budgetTokens, trainedTokens)
                                                              : budgetTokens);
}

}  // namespace kvasir
