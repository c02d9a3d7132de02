#include "engine/model/sentencepiece_tokenizer.h"

#include <sentencepiece_processor.h>

#include <bitset>
#include <cmath>
#include <stdexcept>
#include <unordered_set>

#include "engine/model/gguf.h"
#include "engine/model/sentencepiece_model.h"
#include "engine/model/tokenizer_marked.h"
#include "engine/model/tokenizer_vocabulary.h"
#include "engine/model/utf8.h"

namespace kvasir {
namespace {

constexpr std::string_view kWrittenSpace = "\xe2\x96\x81";  // U+2581

enum class SpacePrefix { None, BeforeText };

std::string withWrittenSpaces(std::string_view text, bool hasPrefix) {
  std::string written;
  written.reserve(text.size() + text.size() / 2);
  if (hasPrefix) written += kWrittenSpace;
  for (const char c : text) {
    if (c == ' ') {
      written += kWrittenSpace;
    } else {
      written += c;
    }
  }
  return written;
}

std::string withPlainSpaces(std::string_view written) {
  std::string text;
  while (!written.empty()) {
    const bool isSpace = written.starts_with(kWrittenSpace);
    text += isSpace ? ' ' : written[0];
    written.remove_prefix(isSpace ? kWrittenSpace.size() : 1);
  }
  return text;
}

/// Walks a text and its form with written spaces side by side.
class Steps {
 public:
  /// hasPrefix: the written form begins with a space that the text has not.
  Steps(std::string_view text, bool hasPrefix)
      : text_(text), spaceLeft_(hasPrefix ? kWrittenSpace.size() : 0) {}

  /// The byte of the text after so many more bytes of the written form. Inside a space, the byte before it.
  std::size_t advance(std::size_t bytes) {
    while (bytes > 0) {
      if (spaceLeft_ > 0) {
        --bytes;
        if (--spaceLeft_ == 0 && inText_) ++position_;
      } else if (position_ < text_.size() && text_[position_] == ' ') {
        spaceLeft_ = kWrittenSpace.size();
        inText_ = true;
      } else {
        ++position_;
        --bytes;
      }
    }
    return position_;
  }

 private:
  std::string_view text_;
  std::size_t position_ = 0;
  std::size_t spaceLeft_;
  bool inText_ = false;
};

class SentencePieceTokenizer : public Tokenizer {
 public:
  SentencePieceTokenizer(Vocabulary vocabulary, const std::string& model, SpacePrefix prefix)
      : Tokenizer(std::move(vocabulary)), marked_(this->vocabulary()), prefix_(prefix) {
    const auto status = processor_.LoadFromSerializedProto(model);
    if (!status.ok()) throw std::runtime_error(status.ToString());
  }

  std::vector<Token> encode(std::string_view given) const override {
    const CleanText clean(given);
    std::vector<Token> tokens;
    bool afterMark = true;
    for (const TextPiece& piece : marked_.divide(clean.text())) {
      const auto start = static_cast<std::size_t>(piece.text.data() - clean.text().data());
      if (piece.token) {
        append(tokens, *piece.token, clean.given(start), clean.given(start + piece.text.size()));
      } else {
        encodePlain(piece.text, start, prefix_ == SpacePrefix::BeforeText && afterMark, clean, tokens);
      }
      afterMark = piece.token.has_value();
    }
    if (!tokens.empty()) tokens.back().end = given.size();
    return tokens;
  }

  std::string bytesOf(TokenId token) const override {
    const Vocabulary& all = vocabulary();
    if (token < 0 || token >= all.size || isSilent(all.types[token])) return "";
    const std::string& text = all.texts[token];
    if (all.types[token] == kUserDefinedToken) return text;
    if (all.types[token] != kByteToken) return withPlainSpaces(text);
    const auto byte = byteWritten(text);
    return byte ? std::string(1, static_cast<char>(*byte)) : "";
  }

 private:
  void encodePlain(std::string_view text, std::size_t start, bool hasPrefix, const CleanText& clean,
                   std::vector<Token>& tokens) const {
    const std::string written = withWrittenSpaces(text, hasPrefix);
    sentencepiece::ImmutableSentencePieceText pieces;
    const auto status = processor_.Encode(written, pieces.mutable_proto());
    if (!status.ok()) throw std::runtime_error("The text cannot be divided into tokens: " + status.ToString());

    const Vocabulary& all = vocabulary();
    Steps steps(text, hasPrefix);
    std::size_t from = clean.given(start);
    for (const auto& piece : pieces.pieces()) {
      const auto id = static_cast<TokenId>(piece.id());
      const bool known = id < all.size;
      // The library gives a character's place to the last of its bytes only.
      const bool isByte = known && all.types[id] == kByteToken;
      const std::size_t to = clean.given(start + steps.advance(isByte ? 1 : piece.end() - piece.begin()));
      if (known) append(tokens, id, from, to);
      from = to;
    }
  }

  /// Places are made to follow each other even where a character had no token.
  static void append(std::vector<Token>& tokens, TokenId id, std::size_t start, std::size_t end) {
    if (!tokens.empty()) tokens.back().end = start;
    tokens.push_back({id, tokens.empty() ? 0 : start, end});
  }

  sentencepiece::SentencePieceProcessor processor_;
  MarkedTokens marked_;
  SpacePrefix prefix_;
};

/// The library would print its own messages for what is wrong here, or load it and misbehave.
void checkTexts(const GgufFile& file, Tokenizer::Vocabulary& vocabulary) {
  std::unordered_set<std::string_view> seen;
  for (TokenId token = 0; token < vocabulary.size; ++token) {
    std::string& text = vocabulary.texts[token];
    if (text.empty()) text = "[EMPTY_" + std::to_string(token) + "]";
    const std::string which = "token " + std::to_string(token);
    if (!seen.insert(text).second) damagedVocabulary(file, which + " is there twice");
    if (text.find('\0') != std::string::npos) damagedVocabulary(file, which + " holds a zero byte");
    if (CleanText(text).text() != text) damagedVocabulary(file, which + " is not UTF-8");
    if (vocabulary.types[token] == kByteToken && !byteWritten(text))
      damagedVocabulary(file, which + " is no byte");
  }
}

bool hasAllBytes(const Tokenizer::Vocabulary& vocabulary) {
  std::bitset<256> found;
  for (TokenId token = 0; token < vocabulary.size; ++token) {
    if (vocabulary.types[token] != kByteToken) continue;
    if (const auto byte = byteWritten(vocabulary.texts[token])) found.set(*byte);
  }
  return found.all();
}

std::optional<TokenId> unknownToken(const GgufFile& file, const Tokenizer::Vocabulary& vocabulary) {
  const auto named = file.integer("tokenizer.ggml.unknown_token_id");
  if (named && *named >= 0 && *named < vocabulary.size && isSilent(vocabulary.types[*named])) {
    return static_cast<TokenId>(*named);
  }
  for (TokenId token = 0; token < vocabulary.size; ++token) {
    if (vocabulary.types[token] == kUnknownToken) return token;
  }
  return std::nullopt;
}

std::vector<double> readScores(const GgufFile& file, int size) {
  const auto scores = file.reals("tokenizer.ggml.scores");
  if (!scores || scores->size() != static_cast<std::size_t>(size)) {
    damagedVocabulary(file, "it has not one score for each token");
  }
  for (const double score : *scores) {
    if (!std::isfinite(score)) damagedVocabulary(file, "a score is not a number");
  }
  return *scores;
}

}  // namespace

std::unique_ptr<Tokenizer> makeSentencePieceTokenizer(const GgufFile& file) {
  Tokenizer::Vocabulary vocabulary = readVocabulary(file, true);
  vocabulary.kind = "llama";
  checkTexts(file, vocabulary);
  const std::vector<double> scores = readScores(file, vocabulary.size);
  const std::string model =
      sentencePieceModel(vocabulary, scores, unknownToken(file, vocabulary), hasAllBytes(vocabulary));
  const bool hasPrefix = file.integer("tokenizer.ggml.add_space_prefix").value_or(1) != 0;
  try {
    return std::make_unique<SentencePieceTokenizer>(std::move(vocabulary), model,
                                                    hasPrefix ? SpacePrefix::BeforeText : SpacePrefix::None);
  } catch (const std::runtime_error& error) {
    damagedVocabulary(file, error.what());
  }
}

}  // namespace kvasir
