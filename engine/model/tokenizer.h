#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kvasir {

class GgufFile;

using TokenId = std::int32_t;

/// A token of a text and the bytes it came from: [start, end) in the text given. A character that takes several
/// tokens is divided among them, so ranges are ascending and cover the text.
struct Token {
  TokenId id = 0;
  std::size_t start = 0;
  std::size_t end = 0;
};

/// Text to tokens and back, by the vocabulary inside a model file. Immutable once made, so any thread may call
/// it.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Tokens of plain text. Control tokens ("<|im_end|>", "</s>") are never produced from it, whatever it holds,
  /// and no beginning-of-text token is added. Bytes that are not UTF-8 are encoded as U+FFFD.
  virtual std::vector<Token> encode(std::string_view text) const = 0;

  /// The bytes of one token; a control token gives nothing. Bytes may be part of a UTF-8 character.
  virtual std::string bytesOf(TokenId token) const = 0;

  struct Vocabulary {
    std::string kind;  ///< "gpt2/smollm", "gpt2/llama-bpe", "llama", …
    int size = 0;
    std::optional<TokenId> beginning;  ///< set only where the model expects it before a text
    std::vector<TokenId> ends;         ///< tokens that end an answer (end of text, of turn, of message)
    std::vector<std::string> texts;    ///< each token as written in the file
    std::vector<std::int32_t> types;   ///< GGUF token types (1 normal, 3 control, 4 user-defined, 6 byte)
  };
  const Vocabulary& vocabulary() const { return vocabulary_; }

  /// The control (or user-defined) token written so, for chat templates.
  std::optional<TokenId> control(std::string_view text) const;

  /// Text of tokens; incomplete UTF-8 at the end is left out.
  std::string decode(const std::vector<TokenId>& tokens) const;

 protected:
  explicit Tokenizer(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}

 private:
  Vocabulary vocabulary_;
};

/// The tokenizer a model file names. Throws with a sentence for an unknown or damaged vocabulary.
std::unique_ptr<Tokenizer> makeTokenizer(const GgufFile& file);

}  // namespace kvasir
