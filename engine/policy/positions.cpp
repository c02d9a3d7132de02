#include "engine/policy/positions.h"

namespace kvasir {
namespace {

class RopePositions : public PositionScheme {
 public:
  explicit RopePositions(int limit, RopeStretch stretch = RopeStretch::None, int scale = 0,
                         StretchNumbers numbers = {})
      : PositionScheme({stretch, 0, false, scale, numbers}), limit_(limit) {}
  Placement place(const Run&, const Block&) const override { return {}; }
  int farQuery(int token) const override { return token; }
  int nearLimit() const override { return limit_; }

 private:
  int limit_;
};

class CachePositions : public PositionScheme {
 public:
  CachePositions(int reach, bool hasSinks) : PositionScheme(Rules{}), reach_(reach), hasSinks_(hasSinks) {}
  // The sinks are the only run that begins the text once something between was evicted; before that, true
  // positions and positions in the cache are the same.
  Placement place(const Run& keys, const Block&) const override {
    return {hasSinks_ && keys.begin == 0, keys.begin, 1};
  }
  int farQuery(int token) const override { return std::min(token, reach_ - 1); }
  int nearLimit() const override { return reach_; }

 private:
  int reach_;
  bool hasSinks_;
};

class ClosedPositions : public PositionScheme {
 public:
  explicit ClosedPositions(int reach) : PositionScheme({RopeStretch::None, 0, true}), reach_(reach) {}
  Placement place(const Run&, const Block&) const override { return {}; }
  int farQuery(int) const override { return 0; }
  int nearLimit() const override { return reach_; }

 private:
  int reach_;
};

class ClampedPositions : public PositionScheme {
 public:
  explicit ClampedPositions(int reach) : PositionScheme(Rules{}), reach_(reach) {}
  Placement place(const Run& keys, const Block& block) const override {
    return {block.first + block.tokens - 1 - keys.begin >= reach_, 0, 0};
  }
  int farQuery(int) const override { return reach_ - 1; }
  int nearLimit() const override { return reach_; }

 private:
  int reach_;
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
  explicit CeilingPositions(int reach) : PositionScheme(Rules{}), reach_(reach) {}
  // The first tokens are a run of their own, as CachePositions has it. Runs that end so early that the last
  // query of a whole chunk is out of their reach are of the middle: the most recent tokens end before the
  // block's chunk.
  Placement place(const Run& keys, const Block& block) const override {
    const bool isMiddle = keys.end + std::max(reach_ - kChunkTokens, kChunkTokens) <= block.first;
    return {keys.begin == 0 || isMiddle, 0, block.first + block.tokens > reach_ ? 0 : 1};
  }
  int farQuery(int token) const override { return std::min(token, reach_); }
  int nearLimit() const override { return reach_; }

 private:
  int reach_;
};

}  // namespace

std::unique_ptr<PositionScheme> interpolatedPositions(int, const Numbers& numbers) {
  return std::make_unique<RopePositions>(0, RopeStretch::Interpolated, numbers.whole("scale"));
}
std::unique_ptr<PositionScheme> ntkPositions(int, const Numbers& numbers) {
  return std::make_unique<RopePositions>(0, RopeStretch::NtkAware, numbers.whole("scale"),
                                         StretchNumbers{.sharpening = numbers["sharpening"]});
}
std::unique_ptr<PositionScheme> yarnPositions(int, const Numbers& numbers) {
  return std::make_unique<RopePositions>(
      0, RopeStretch::Yarn, numbers.whole("scale"),
      StretchNumbers{numbers["beta_fast"], numbers["beta_slow"], numbers["sharpening"]});
}
std::unique_ptr<PositionScheme> longRopePositions(int, const Numbers&) {
  return std::make_unique<RopePositions>(0, RopeStretch::LongRope);
}
std::unique_ptr<PositionScheme> groupedPositions(int, const Numbers& numbers) {
  return std::make_unique<GroupedPositions>(numbers.whole("window"), numbers.whole("group"));
}
std::unique_ptr<PositionScheme> ceilingPositions(int reachTokens, const Numbers&) {
  return std::make_unique<CeilingPositions>(reachTokens);
}
std::unique_ptr<PositionScheme> ropePositions(int, const Numbers&) {
  return std::make_unique<RopePositions>(0);
}
std::unique_ptr<PositionScheme> windowPositions(int windowTokens) {
  return std::make_unique<RopePositions>(windowTokens);
}
std::unique_ptr<PositionScheme> cachePositions(int reachTokens, const Numbers& numbers) {
  return std::make_unique<CachePositions>(reachTokens, numbers.whole("sinks") > 0);
}
std::unique_ptr<PositionScheme> closedPositions(int reachTokens, const Numbers&) {
  return std::make_unique<ClosedPositions>(reachTokens);
}
std::unique_ptr<PositionScheme> clampedPositions(int reachTokens, const Numbers&) {
  return std::make_unique<ClampedPositions>(reachTokens);
}

}  // namespace kvasir
