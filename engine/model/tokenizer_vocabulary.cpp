#include "engine/model/tokenizer_vocabulary.h"

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>
#include <string>

namespace kvasir {
namespace {

constexpr std::int64_t kMostTokens = std::int64_t{1} << 22;

/// Marks of conversations, and whether they end an answer.
struct Mark {
  std::string_view text;
  bool endsAnswer;
};

constexpr std::array kMarks = {
    Mark{"<|im_end|>", true},
    Mark{"<|eot_id|>", true},
    Mark{"<|eom_id|>", true},
    Mark{"<|end|>", true},
    Mark{"<|endoftext|>", true},
    Mark{"<|end_of_text|>", true},
    Mark{"<end_of_turn>", true},
    Mark{"</s>", true},
    Mark{"<eos>", true},
    Mark{"<|im_start|>", false},
    Mark{"<|start_header_id|>", false},
    Mark{"<|end_header_id|>", false},
    Mark{"<start_of_turn>", false},
    Mark{"<|begin_of_text|>", false},
    Mark{"<|user|>", false},
    Mark{"<|assistant|>", false},
    Mark{"<|system|>", false},
    Mark{"<bos>", false},
    Mark{"[INST]", false},
    Mark{"[/INST]", false},
};

std::vector<std::int32_t> readTypes(const GgufFile& file, std::size_t size) {
  const auto given = file.integers("tokenizer.ggml.token_type");
  if (!given) return std::vector<std::int32_t>(size, kNormalToken);
  if (given->size() != size) damagedVocabulary(file, "it has not one type for each token");
  std::vector<std::int32_t> types;
  for (const std::int64_t type : *given) {
    types.push_back(type >= kNormalToken && type <= kByteToken ? static_cast<std::int32_t>(type)
                                                               : kUnusedToken);
  }
  return types;
}

std::optional<TokenId> tokenAt(const GgufFile& file, std::string_view key, int size) {
  const auto id = file.integer(key);
  if (!id) return std::nullopt;
  if (*id < 0 || *id >= size) {
    damagedVocabulary(
        file, std::string(key) + " is " + std::to_string(*id) + ", of " + std::to_string(size) + " tokens");
  }
  return static_cast<TokenId>(*id);
}

void addEnd(Tokenizer::Vocabulary& vocabulary, TokenId token) {
  if (std::find(vocabulary.ends.begin(), vocabulary.ends.end(), token) == vocabulary.ends.end()) {
    vocabulary.ends.push_back(token);
  }
}

void applyMarks(Tokenizer::Vocabulary& vocabulary) {
  for (TokenId token = 0; token < vocabulary.size; ++token) {
    std::int32_t& type = vocabulary.types[token];
    if (type == kUnknownToken || type == kByteToken) continue;  // converters leave others "normal"
    const auto mark = std::find_if(kMarks.begin(), kMarks.end(),
                                   [&](const Mark& known) { return known.text == vocabulary.texts[token]; });
    if (mark == kMarks.end()) continue;
    type = kControlToken;
    if (mark->endsAnswer) addEnd(vocabulary, token);
  }
}

}  // namespace

void damagedVocabulary(const GgufFile& file, std::string_view what) {
  throw std::runtime_error(file.name() + " has a damaged vocabulary: " + std::string(what) +
                           "; download or convert it again");
}

bool isSilent(std::int32_t type) { return type == kControlToken || type == kUnknownToken; }

Tokenizer::Vocabulary readVocabulary(const GgufFile& file, bool beginsByDefault) {
  Tokenizer::Vocabulary vocabulary;
  auto texts = file.texts("tokenizer.ggml.tokens");
  if (!texts || texts->empty()) {
    throw std::runtime_error(file.name() +
                             " has no vocabulary inside: choose a GGUF file made for chat programs");
  }
  if (static_cast<std::int64_t>(texts->size()) > kMostTokens) damagedVocabulary(file, "it has too many tokens");
  vocabulary.size = static_cast<int>(texts->size());
  vocabulary.types = readTypes(file, texts->size());
  vocabulary.texts = std::move(*texts);

  for (const char* key :
       {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
    if (const auto end = tokenAt(file, key, vocabulary.size)) addEnd(vocabulary, *end);
  }
  applyMarks(vocabulary);
  const auto expectsBeginning = file.integer("tokenizer.ggml.add_bos_token");
  if (expectsBeginning ? *expectsBeginning != 0 : beginsByDefault) {
    vocabulary.beginning = tokenAt(file, "tokenizer.ggml.bos_token_id", vocabulary.size);
  }
  return vocabulary;
}

}  // namespace kvasir
