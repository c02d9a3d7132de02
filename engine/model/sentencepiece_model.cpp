#include "engine/model/sentencepiece_model.h"

#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "engine/model/tokenizer_vocabulary.h"

namespace kvasir {
namespace {

// Field numbers of sentencepiece_model.proto. Its header is not part of Debian's package, but the format is
// fixed by the models that are out.
constexpr int kPieces = 1, kTrainer = 2, kNormalizer = 3;
constexpr int kPieceText = 1, kPieceScore = 2, kPieceType = 3;
constexpr int kTrainerModelType = 3, kTrainerByteFallback = 35;
constexpr int kNormalizerName = 1, kNormalizerDummyPrefix = 3, kNormalizerExtraSpaces = 4,
              kNormalizerEscape = 5;
constexpr int kBytePairModel = 2;

/// Protocol buffer fields, one after the other.
class Message {
 public:
  void number(int field, std::uint64_t value) {
    varint(static_cast<std::uint64_t>(field) << 3);
    varint(value);
  }
  void real(int field, float value) {
    varint(static_cast<std::uint64_t>(field) << 3 | 5);
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    bytes_.append(bytes, sizeof value);
  }
  void text(int field, std::string_view value) {
    varint(static_cast<std::uint64_t>(field) << 3 | 2);
    varint(value.size());
    bytes_.append(value);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
    bytes_.push_back(static_cast<char>(value));
  }

  std::string bytes_;
};

Message piece(const std::string& text, double score, std::int32_t type) {
  Message message;
  message.text(kPieceText, text);
  message.real(kPieceScore, static_cast<float>(score));
  message.number(kPieceType, static_cast<std::uint64_t>(type));
  return message;
}

/// User-defined tokens are found before the library sees the text, so for it they are like any other. It wants
/// one unknown piece and byte pieces only when all are there; whatever else is marked so is kept out of its
/// way.
std::int32_t typeForLibrary(std::int32_t type, bool isUnknown, bool hasBytes) {
  if (isUnknown) return kUnknownToken;
  if (type == kUserDefinedToken) return kNormalToken;
  if (type == kUnknownToken || (type == kByteToken && !hasBytes)) return kControlToken;
  return type;
}

}  // namespace

std::optional<unsigned char> byteWritten(const std::string& text) {
  if (text.size() != 6 || text.compare(0, 3, "<0x") != 0 || text[5] != '>') return std::nullopt;
  unsigned char byte = 0;
  const auto [end, error] = std::from_chars(text.data() + 3, text.data() + 5, byte, 16);
  if (error != std::errc() || end != text.data() + 5) return std::nullopt;
  return byte;
}

std::string sentencePieceModel(const Tokenizer::Vocabulary& vocabulary, const std::vector<double>& scores,
                               std::optional<TokenId> unknown, bool hasBytes) {
  Message model;
  for (TokenId token = 0; token < vocabulary.size; ++token) {
    const std::int32_t type = typeForLibrary(vocabulary.types[token], token == unknown, hasBytes);
    model.text(kPieces, piece(vocabulary.texts[token], scores[token], type).bytes());
  }
  // A name no file has: texts with a zero byte are refused.
  if (!unknown) model.text(kPieces, piece(std::string("unknown\0", 8), 0, kUnknownToken).bytes());

  Message trainer;
  trainer.number(kTrainerModelType, kBytePairModel);
  trainer.number(kTrainerByteFallback, hasBytes ? 1 : 0);
  model.text(kTrainer, trainer.bytes());

  // Spaces are escaped by the caller, who keeps the way back to the text.
  Message normalizer;
  normalizer.text(kNormalizerName, "identity");
  normalizer.number(kNormalizerDummyPrefix, 0);
  normalizer.number(kNormalizerExtraSpaces, 0);
  normalizer.number(kNormalizerEscape, 0);
  model.text(kNormalizer, normalizer.bytes());
  return model.bytes();
}

}  // namespace kvasir
