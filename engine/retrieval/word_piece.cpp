#include "engine/retrieval/word_piece.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

namespace kvasir {
namespace {

constexpr std::size_t kLongestWord = 100;  // characters; longer ones are unknown
constexpr const char* kInside = "##";      // before a piece that does not begin a word

bool isChinese(UChar32 c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

bool isMark(UChar32 c) {
  const bool isAscii =
      (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
  return isAscii || u_ispunct(c);
}

bool isDropped(UChar32 c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  const auto type = u_charType(c);
  return c == 0 || c == 0xFFFD || type == U_CONTROL_CHAR || type == U_FORMAT_CHAR ||
         type == U_PRIVATE_USE_CHAR || type == U_UNASSIGNED || type == U_SURROGATE;
}

/// Words and punctuation marks of a text, folded.
std::vector<icu::UnicodeString> foldedWords(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* decomposing = icu::Normalizer2::getNFDInstance(status);
  if (U_FAILURE(status)) throw std::runtime_error("The normal forms of ICU could not be loaded.");
  icu::UnicodeString kept;
  const icu::UnicodeString all = icu::UnicodeString::fromUTF8({text.data(), static_cast<int32_t>(text.size())});
  for (int32_t at = 0; at < all.length(); at = all.moveIndex32(at, 1))
    if (const UChar32 c = all.char32At(at); !isDropped(c)) kept.append(c);
  const icu::UnicodeString split = decomposing->normalize(kept, status);
  std::vector<icu::UnicodeString> words;
  bool isOpen = false;
  for (int32_t at = 0; at < split.length(); at = split.moveIndex32(at, 1)) {
    const UChar32 c = split.char32At(at);
    if (u_charType(c) == U_NON_SPACING_MARK) continue;
    if (u_isUWhiteSpace(c)) {
      isOpen = false;
      continue;
    }
    const bool standsAlone = isMark(c) || isChinese(c);
    if (!isOpen || standsAlone) words.emplace_back();
    icu::UnicodeString lower(c);
    words.back().append(lower.toLower(icu::Locale::getRoot()));
    isOpen = !standsAlone;
  }
  return words;
}

}  // namespace

WordPiece WordPiece::load(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const auto json = nlohmann::json::parse(stream, nullptr, false);
  const auto refuse = [&](const char* why) -> std::runtime_error {
    return std::runtime_error(file.filename().string() + " " + why + ".");
  };
  if (!json.is_object() || !json.contains("model") || !json["model"].is_object())
    throw refuse("holds no tokenizer");
  const auto& model = json["model"];
  if (model.value("type", "") != "WordPiece" || !model.contains("vocab") || !model["vocab"].is_object())
    throw refuse("is no WordPiece tokenizer");
  WordPiece made;
  for (const auto& [piece, id] : model["vocab"].items()) {
    if (!id.is_number_integer()) throw refuse("is damaged: a piece has no number");
    made.pieces_[piece] = id.get<int>();
  }
  const auto mark = [&](const char* name) {
    const auto found = made.pieces_.find(name);
    if (found == made.pieces_.end()) throw refuse("lacks one of the marks [CLS], [SEP] and [UNK]");
    return found->second;
  };
  made.begin_ = mark("[CLS]");
  made.end_ = mark("[SEP]");
  made.unknown_ = mark("[UNK]");
  return made;
}

void WordPiece::addWord(std::string_view word, std::vector<int>& pieces) const {
  const std::size_t before = pieces.size();
  for (std::size_t begin = 0; begin < word.size();) {
    std::size_t end = word.size();
    auto found = pieces_.end();
    for (; end > begin; --end) {
      found = pieces_.find((begin > 0 ? kInside : "") + std::string(word.substr(begin, end - begin)));
      if (found != pieces_.end()) break;
    }
    if (found == pieces_.end()) {
      pieces.resize(before);
      pieces.push_back(unknown_);
      return;
    }
    pieces.push_back(found->second);
    begin = end;
  }
}

std::vector<int> WordPiece::encode(std::string_view text, int most) const {
  std::vector<int> pieces = {begin_};
  for (const icu::UnicodeString& word : foldedWords(text)) {
    if (static_cast<int>(pieces.size()) >= most - 1) break;
    if (static_cast<std::size_t>(word.countChar32()) > kLongestWord) {
      pieces.push_back(unknown_);
      continue;
    }
    std::string bytes;
    word.toUTF8String(bytes);
    addWord(bytes, pieces);
  }
  pieces.resize(std::min(pieces.size(), static_cast<std::size_t>(std::max(1, most - 1))));
  pieces.push_back(end_);
  return pieces;
}

}  // namespace kvasir
