#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/model/tokenizer.h"

namespace kvasir {

/// Some bytes of a word and their token; none for a byte the vocabulary has no token for.
struct MergedPart {
  std::optional<TokenId> token;
  std::size_t bytes = 0;
};

/// The merges of a byte-level vocabulary: joins the bytes of a word, the pair that comes first in the list
/// first and of equal pairs the leftmost, until no pair is in the list. Never gives a control token.
class ByteMerges {
 public:
  /// merges: "left right" in the vocabulary's way of writing bytes; the order is the rank.
  ByteMerges(const Tokenizer::Vocabulary& vocabulary, const std::vector<std::string>& merges,
             bool wholeWordsFirst);

  std::vector<MergedPart> merge(std::string_view word) const;

  /// Bytes the token stands for.
  const std::string& bytesOf(TokenId token) const { return bytes_[token]; }

 private:
  /// A token, or from vocabulary size on a product of merges that is no token itself.
  using Symbol = std::int32_t;
  struct Merge {
    std::int32_t rank;
    Symbol result;
  };
  class Word;

  static std::uint64_t pairOf(Symbol left, Symbol right) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
           static_cast<std::uint32_t>(right);
  }
  Symbol symbolFor(std::string_view bytes);
  void addMerge(std::string_view left, std::string_view right);
  void appendParts(Symbol symbol, std::vector<MergedPart>& parts) const;

  std::vector<std::string> bytes_;  ///< of each symbol
  std::unordered_map<std::string_view, Symbol> symbols_;
  std::unordered_map<std::uint64_t, Merge> merges_;
  std::int32_t vocabularySize_;
  Symbol byteSymbols_[256];
  bool wholeWordsFirst_;
};

}  // namespace kvasir
