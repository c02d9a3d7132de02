#include "engine/model/tokenizer_marked.h"

#include <cstdint>
#include <functional>
#include <map>

#include "engine/model/tokenizer_vocabulary.h"

namespace kvasir {

MarkedTokens::MarkedTokens(const Tokenizer::Vocabulary& vocabulary) {
  std::map<std::size_t, Length, std::greater<>> byLength;
  for (TokenId token = 0; token < vocabulary.size; ++token) {
    const std::string& text = vocabulary.texts[token];
    if (vocabulary.types[token] != kUserDefinedToken || text.empty()) continue;
    Length& length = byLength[text.size()];
    length.bytes = text.size();
    length.firstBytes.set(static_cast<std::uint8_t>(text[0]));
    length.tokens.emplace(text, token);
  }
  for (auto& [bytes, length] : byLength) lengths_.push_back(std::move(length));
}

std::vector<TextPiece> MarkedTokens::divide(std::string_view text) const {
  std::vector<TextPiece> pieces;
  if (!text.empty()) pieces.push_back({text, std::nullopt});
  for (const Length& length : lengths_) {
    std::vector<TextPiece> divided;
    for (const TextPiece& piece : pieces) {
      if (piece.token) {
        divided.push_back(piece);
      } else {
        divideBy(length, piece.text, divided);
      }
    }
    pieces = std::move(divided);
  }
  return pieces;
}

void MarkedTokens::divideBy(const Length& length, std::string_view text, std::vector<TextPiece>& pieces) {
  std::size_t done = 0, position = 0;
  std::string candidate;
  while (position + length.bytes <= text.size()) {
    if (!length.firstBytes.test(static_cast<std::uint8_t>(text[position]))) {
      ++position;
      continue;
    }
    candidate.assign(text, position, length.bytes);
    const auto found = length.tokens.find(candidate);
    if (found == length.tokens.end()) {
      ++position;
      continue;
    }
    if (position > done) pieces.push_back({text.substr(done, position - done), std::nullopt});
    pieces.push_back({text.substr(position, length.bytes), found->second});
    done = position += length.bytes;
  }
  if (done < text.size()) pieces.push_back({text.substr(done), std::nullopt});
}

}  // namespace kvasir
