#include "engine/model/byte_pair.h"

#include <stdexcept>
#include <unordered_map>

#include "engine/model/byte_pair_merges.h"
#include "engine/model/gguf.h"
#include "engine/model/gguf_parse.h"
#include "engine/model/tokenizer_marked.h"
#include "engine/model/tokenizer_split.h"
#include "engine/model/tokenizer_vocabulary.h"
#include "engine/model/utf8.h"

namespace kvasir {
namespace {

constexpr std::size_t kLongestRemembered = 64;  // longer words hardly recur

class BytePairTokenizer : public Tokenizer {
 public:
  BytePairTokenizer(Vocabulary vocabulary, const PreTokenizer& row, const std::vector<std::string>& merges)
      : Tokenizer(std::move(vocabulary)),
        merges_(this->vocabulary(), merges, row.wholeWordsFirst),
        marked_(this->vocabulary()),
        splitter_(row) {}

  std::vector<Token> encode(std::string_view given) const override {
    const CleanText clean(given);
    std::vector<Token> tokens;
    std::unordered_map<std::string_view, std::vector<MergedPart>> remembered;
    for (const TextPiece& piece : marked_.divide(clean.text())) {
      const auto start = static_cast<std::size_t>(piece.text.data() - clean.text().data());
      if (piece.token) {
        append(tokens, clean, *piece.token, start, start + piece.text.size());
        continue;
      }
      std::size_t position = start;
      for (const std::string_view word : splitter_.split(piece.text)) {
        if (word.size() > kLongestRemembered) {
          position = appendWord(tokens, clean, merges_.merge(word), position);
          continue;
        }
        auto [known, isNew] = remembered.try_emplace(word);
        if (isNew) known->second = merges_.merge(word);
        position = appendWord(tokens, clean, known->second, position);
      }
    }
    // Bytes without a token are left out; their place goes to the token before, so that ranges cover the text.
    if (!tokens.empty()) tokens.back().end = given.size();
    return tokens;
  }

  std::string bytesOf(TokenId token) const override {
    const Vocabulary& all = vocabulary();
    if (token < 0 || token >= all.size || isSilent(all.types[token])) return "";
    return merges_.bytesOf(token);
  }

 private:
  static void append(std::vector<Token>& tokens, const CleanText& clean, TokenId id, std::size_t start,
                     std::size_t end) {
    const std::size_t givenStart = clean.given(start);
    if (!tokens.empty()) tokens.back().end = givenStart;
    tokens.push_back({id, tokens.empty() ? 0 : givenStart, clean.given(end)});
  }

  static std::size_t appendWord(std::vector<Token>& tokens, const CleanText& clean,
                                const std::vector<MergedPart>& parts, std::size_t position) {
    for (const MergedPart& part : parts) {
      if (part.token) append(tokens, clean, *part.token, position, position + part.bytes);
      position += part.bytes;
    }
    return position;
  }

  ByteMerges merges_;
  MarkedTokens marked_;
  WordSplitter splitter_;
};

const PreTokenizer& chosenPreTokenizer(const GgufFile& file) {
  const std::string name = file.text("tokenizer.ggml.pre").value_or("default");
  if (const PreTokenizer* row = findPreTokenizer(name)) return *row;
  std::string known;
  for (const PreTokenizer& row : preTokenizers()) known += (known.empty() ? "" : ", ") + std::string(row.name);
  throw std::runtime_error(file.name() + " divides text by the rules \"" + printable(name) +
                           "\", which this program does not know; choose a model with one of: " + known);
}

}  // namespace

std::unique_ptr<Tokenizer> makeBytePairTokenizer(const GgufFile& file) {
  const PreTokenizer& row = chosenPreTokenizer(file);
  Tokenizer::Vocabulary vocabulary = readVocabulary(file, row.beginsByDefault);
  vocabulary.kind = "gpt2/" + std::string(row.name);
  const auto merges = file.texts("tokenizer.ggml.merges");
  if (!merges) damagedVocabulary(file, "it has no list of merges");
  return std::make_unique<BytePairTokenizer>(std::move(vocabulary), row, *merges);
}

}  // namespace kvasir
