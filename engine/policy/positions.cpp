#include "engine/policy/positions.h"

namespace kvasir {
namespace {

class RopePositions : public PositionScheme {
 public:
  explicit RopePositions(int limit) : limit_(limit) {}
  Placement place(const Run&, const Block&) const override { return {}; }
  int farQuery(int token) const override { return token; }
  int nearLimit() const override { return limit_; }

 private:
  int limit_;
};

class CachePositions : public PositionScheme {
 public:
  explicit CachePositions(int budget) : budget_(budget) {}
  // The sinks are the only run that begins the text once something between was evicted; before that, true positions
  // and positions in the cache are the same.
  Placement place(const Run& keys, const Block&) const override { return {keys.begin == 0, keys.begin, 1}; }
  int farQuery(int token) const override { return std::min(token, budget_ - 1); }
  int nearLimit() const override { return budget_; }

 private:
  int budget_;
};

class ClampedPositions : public PositionScheme {
 public:
  explicit ClampedPositions(int budget) : budget_(budget) {}
  Placement place(const Run& keys, const Block& block) const override {
    return {block.first + block.tokens - 1 - keys.begin >= budget_, 0, 0};
  }
  int farQuery(int) const override { return budget_ - 1; }
  int nearLimit() const override { return budget_; }

 private:
  int budget_;
};

}  // namespace

std::unique_ptr<PositionScheme> ropePositions(int) { return std::make_unique<RopePositions>(0); }
std::unique_ptr<PositionScheme> windowPositions(int windowTokens) { return std::make_unique<RopePositions>(windowTokens); }
std::unique_ptr<PositionScheme> cachePositions(int budgetTokens) { return std::make_unique<CachePositions>(budgetTokens); }
std::unique_ptr<PositionScheme> clampedPositions(int budgetTokens) {
  return std::make_unique<ClampedPositions>(budgetTokens);
}

}  // namespace kvasir
