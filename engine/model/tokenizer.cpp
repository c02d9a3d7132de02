#include "engine/model/tokenizer.h"

#include <stdexcept>

#include "engine/model/byte_pair.h"
#include "engine/model/gguf.h"
#include "engine/model/gguf_parse.h"
#include "engine/model/sentencepiece_tokenizer.h"
#include "engine/model/tokenizer_vocabulary.h"
#include "engine/model/utf8.h"

namespace kvasir {

std::optional<TokenId> Tokenizer::control(std::string_view text) const {
  for (TokenId token = 0; token < vocabulary_.size; ++token) {
    const std::int32_t type = vocabulary_.types[token];
    if ((type == kControlToken || type == kUserDefinedToken) && vocabulary_.texts[token] == text) return token;
  }
  return std::nullopt;
}

std::string Tokenizer::decode(const std::vector<TokenId>& tokens) const {
  std::string text;
  for (const TokenId token : tokens) text += bytesOf(token);
  text.resize(text.size() - incompleteTail(text));
  return text;
}

std::unique_ptr<Tokenizer> makeTokenizer(const GgufFile& file) {
  const auto kind = file.text("tokenizer.ggml.model");
  if (!kind)
    throw std::runtime_error(file.name() +
                             " has no vocabulary inside: choose a GGUF file made for chat programs");
  if (*kind == "gpt2") return makeBytePairTokenizer(file);
  if (*kind == "llama") return makeSentencePieceTokenizer(file);
  throw std::runtime_error(file.name() + " has a vocabulary of the kind \"" + printable(*kind) +
                           "\", which this program does not know; choose a model with \"gpt2\" or \"llama\"");
}

}  // namespace kvasir
