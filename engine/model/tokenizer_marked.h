#pragma once

#include <array>
#include <bitset>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/model/tokenizer.h"

namespace kvasir {

/// A piece of a text: one user-defined token, or words still to be encoded when there is none.
struct TextPiece {
  std::string_view text;
  std::optional<TokenId> token;
};

/// Finds user-defined tokens (runs of line ends, tags, …) before anything else looks at the text: the longest
/// tokens first over the whole text, each from the left, as the programs do that the models are published for.
class MarkedTokens {
 public:
  explicit MarkedTokens(const Tokenizer::Vocabulary& vocabulary);
  /// Pieces in order; together they are the text.
  std::vector<TextPiece> divide(std::string_view text) const;

 private:
  struct Length {
    std::size_t bytes = 0;
    std::bitset<256> firstBytes;
    std::unordered_map<std::string, TokenId> tokens;
  };

  static void divideBy(const Length& length, std::string_view text, std::vector<TextPiece>& pieces);

  std::vector<Length> lengths_;  ///< longest first
};

}  // namespace kvasir
