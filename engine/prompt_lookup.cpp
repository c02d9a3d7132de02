#include "engine/prompt_lookup.h"

#include <algorithm>

namespace kvasir {
namespace {

// What agrees further than this counts no more: a guess after it is as good as any.
constexpr int kMostNeeded = 8;
constexpr int kLeastNeeded = 2;
// Of a token that stands everywhere, so many places are looked at.
constexpr int kMostPlaces = 4096;
// Four rows share a load of the weights (kernels/products.cpp): one token that is known, and three.
constexpr int kMostAhead = 3;
// Passes that guessing may cost before it ends, and that it may have spared before.
constexpr double kMostLoss = 1.5, kMostGain = 3;

}  // namespace

void PromptLookup::findPlaces() {
  places_.before.reserve(text_.size());
  for (std::size_t place = 0; place < text_.size(); ++place) {
    const auto [known, isNew] = places_.last.try_emplace(text_[place], -1);
    places_.before.push_back(known->second);
    known->second = static_cast<std::int32_t>(place);
  }
}

std::vector<TokenId> PromptLookup::guess(std::span<const TokenId> said, int most) {
  std::vector<TokenId> guessed;
  if (most < 1 || std::ssize(said) < needed_ || spared_ < -kMostLoss) return guessed;
  const auto longest = std::min<std::size_t>(said.size(), kMostNeeded);
  std::size_t best = static_cast<std::size_t>(needed_) - 1,
              next = 0;  // tokens that agree, and the place after them
  if (places_.before.size() != text_.size()) findPlaces();
  const auto known = places_.last.find(said.back());
  int left = kMostPlaces;
  // Of stretches that agree as far the last, and none after one that agrees all the way.
  for (std::int32_t place = known == places_.last.end() ? -1 : known->second;
       place >= 0 && best < longest && left > 0;
       place = places_.before[static_cast<std::size_t>(place)], --left) {
    const auto end = static_cast<std::size_t>(place) + 1;
    std::size_t same = 1;
    while (same < std::min(longest, end) && text_[end - 1 - same] == said[said.size() - 1 - same]) ++same;
    if (same <= best || end == text_.size()) continue;
    best = same;
    next = end;
  }
  if (next == 0) return guessed;
  const auto count =
      std::min<std::size_t>({static_cast<std::size_t>(std::min(most, ahead_)), text_.size() - next});
  for (std::size_t i = 0; i < count; ++i) guessed.push_back(text_[next + i]);
  return guessed;
}

void PromptLookup::judge(int guessed, int said, double cost) {
  spared_ = std::min(kMostGain, spared_ + said + 1 - cost);
  if (said == guessed) {
    ahead_ = kMostAhead;
    needed_ = std::max(kLeastNeeded, needed_ - 1);
  } else {
    ahead_ = 1;
    if (said == 0) needed_ = std::min(kMostNeeded, needed_ + 2);
  }
}

}  // namespace kvasir
