#include "engine/pass_ahead.h"

#include "engine/clock.h"

namespace kvasir {

std::span<const float> PassAhead::after(TokenId token) {
  if (came_ == tried_.size() || tried_[came_] != token) {
    settle();
    tried_ = {token};
    const std::vector<TokenId> next = next_(pass_.mostOnTrial() - 1);
    tried_.insert(tried_.end(), next.begin(), next.end());
    const Clock::time_point start = Clock::now();
    logits_ = pass_.tryTokens(tried_);
    seconds_ = secondsSince(start);
    // Some tokens wait for chunks that are chosen anew; a tenth more each time follows a machine that is slower
    // for good.
    constexpr double kMostRise = 1.1;
    if (tried_.size() == 1)
      secondsOfOne_ = secondsOfOne_ > 0 ? std::min(seconds_, kMostRise * secondsOfOne_) : seconds_;
  }
  const std::size_t vocabulary = logits_.size() / tried_.size();
  return logits_.subspan(vocabulary * came_++, vocabulary);
}

void PassAhead::settle() {
  if (tried_.empty()) return;
  const auto tried = static_cast<int>(tried_.size()), came = static_cast<int>(came_);
  pass_.accept(came);
  if (tried > 1) judge_(tried - 1, came - 1, secondsOfOne_ > 0 ? seconds_ / secondsOfOne_ : tried);
  tried_.clear();
  came_ = 0;
}

}  // namespace kvasir
