#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/model/tokenizer.h"

namespace kvasir {

/// Token ids that lie at equal distances, in an array of their own or within other records.
class TokenView {
 public:
  TokenView() = default;
  TokenView(std::span<const TokenId> tokens) : TokenView(tokens.data(), tokens.size(), sizeof(TokenId)) {}
  /// bytes: from one to the next.
  TokenView(const TokenId* first, std::size_t size, std::size_t bytes)
      : first_(reinterpret_cast<const std::byte*>(first)), size_(size), bytes_(bytes) {}

  std::size_t size() const { return size_; }
  TokenId operator[](std::size_t place) const {
    return *reinterpret_cast<const TokenId*>(first_ + place * bytes_);
  }

 private:
  const std::byte* first_ = nullptr;
  std::size_t size_ = 0, bytes_ = 0;
};

/// Guesses how an answer goes on where it quotes: its last tokens are looked up in the text that it was asked
/// of, and what follows them there is the guess (prompt lookup decoding, Saxena 2023, as the draft of
/// speculative decoding, Leviathan et al. 2023). Guesses are short and rare until they come true, and end when
/// they have cost more than they spared: with few rows in a pass that depends on the machine and the model.
class PromptLookup {
 public:
  /// The text outlives it.
  explicit PromptLookup(TokenView text) : text_(text) {}

  /// What may follow `said`, at most `most` tokens; nothing where no stretch of the text ends like it.
  std::vector<TokenId> guess(std::span<const TokenId> said, int most) const;
  /// What became of the last guess that was made: how many of its tokens were said, and what its pass took, in
  /// passes of one token.
  void judge(int guessed, int said, double cost);

 private:
  TokenView text_;
  int needed_ = 3;     ///< tokens that must agree
  int ahead_ = 1;      ///< tokens that are guessed
  double spared_ = 0;  ///< passes so far; of a long run of luck only the last counts
};

}  // namespace kvasir
