#pragma once

#include <functional>
#include <span>
#include <vector>

#include "engine/pass.h"

namespace kvasir {

/// A pass that is given an answer's tokens one by one, and may be ahead of them by tokens that are likely to
/// come: those that come cost no pass of their own, the others are taken back. What it gives is the same.
class PassAhead {
 public:
  /// What may come next, at most so many tokens.
  using Next = std::function<std::vector<TokenId>(int most)>;
  /// Told how many tokens were tried behind one that was sure, how many of these came, and what their pass
  /// took, in passes of one token.
  using Judge = std::function<void(int tried, int came, double cost)>;

  PassAhead(ForwardPass& pass, Next next, Judge judge)
      : pass_(pass), next_(std::move(next)), judge_(std::move(judge)) {}

  /// The log-odds of what follows a token: [vocabulary], until the next call.
  std::span<const float> after(TokenId token);
  /// Takes back what was tried and did not come. Nothing else may use the pass before.
  void settle();

 private:
  ForwardPass& pass_;
  Next next_;
  Judge judge_;
  std::vector<TokenId> tried_;
  std::size_t came_ = 0;  ///< of those that were tried
  std::span<const float> logits_;
  double seconds_ = 0;       ///< that these took
  double secondsOfOne_ = 0;  ///< what a single token takes; 0: not known
};

}  // namespace kvasir
