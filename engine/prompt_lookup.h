#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/token_view.h"

namespace kvasir {

/// Guesses how an answer goes on where it quotes: its last tokens are looked up in the text that it was asked
/// of, and what follows them there is the guess (prompt lookup decoding, Saxena 2023, as the draft of
/// speculative decoding, Leviathan et al. 2023). Guesses are short and rare until they come true, and end when
/// they have cost more than they spared: with few rows in a pass that depends on the machine and the model.
class PromptLookup {
 public:
  explicit PromptLookup(TokenView text) : text_(text) {}

  /// What may follow `said`, at most `most` tokens; nothing where no stretch of the text ends like it.
  std::vector<TokenId> guess(std::span<const TokenId> said, int most);
  /// What became of the last guess that was made: how many of its tokens were said, and what its pass took, in
  /// passes of one token.
  void judge(int guessed, int said, double cost);

 private:
  /// Places of the same token, from its last one back.
  struct Places {
    std::unordered_map<TokenId, std::int32_t> last;
    std::vector<std::int32_t> before;  ///< by place; -1: there is none
  };
  void findPlaces();

  TokenView text_;
  Places places_;      ///< found when they are first asked for
  int needed_ = 3;     ///< tokens that must agree
  int ahead_ = 1;      ///< tokens that are guessed
  double spared_ = 0;  ///< passes so far; of a long run of luck only the last counts
};

}  // namespace kvasir
