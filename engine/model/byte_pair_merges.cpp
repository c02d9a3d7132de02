#include "engine/model/byte_pair_merges.h"

#include <unicode/utf8.h>

#include <array>
#include <functional>
#include <queue>

#include "engine/model/tokenizer_vocabulary.h"

namespace kvasir {
namespace {

constexpr int kCodes = 324;  // GPT-2 writes bytes as characters below this one

/// The byte each character stands for: printing ones themselves, the others in order from U+0100 on; -1 for
/// none.
std::array<int, kCodes> bytesByCode() {
  const auto prints = [](int byte) {
    return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  };
  std::array<int, kCodes> table;
  table.fill(-1);
  int next = 256;
  for (int byte = 0; byte < 256; ++byte) table[prints(byte) ? byte : next++] = byte;
  return table;
}

/// Bytes a vocabulary text stands for; a text with other characters stands for itself.
std::string unwritten(std::string_view written) {
  static const std::array<int, kCodes> table = bytesByCode();
  const auto* source = reinterpret_cast<const std::uint8_t*>(written.data());
  const auto size = static_cast<std::int32_t>(written.size());
  std::string bytes;
  for (std::int32_t position = 0; position < size;) {
    UChar32 code;
    U8_NEXT(source, position, size, code);
    if (code < 0 || code >= kCodes || table[code] < 0) return std::string(written);
    bytes.push_back(static_cast<char>(table[code]));
  }
  return bytes;
}

}  // namespace

ByteMerges::ByteMerges(const Tokenizer::Vocabulary& vocabulary, const std::vector<std::string>& merges,
                       bool wholeWordsFirst)
    : vocabularySize_(vocabulary.size), wholeWordsFirst_(wholeWordsFirst) {
  // Reserved whole, because the map's keys point into the texts: merges add at most three each, bytes one.
  bytes_.reserve(static_cast<std::size_t>(vocabulary.size) + 3 * merges.size() + 256);
  for (TokenId token = 0; token < vocabulary.size; ++token) {
    const std::string& text = vocabulary.texts[token];
    const bool isWritten = vocabulary.types[token] != kUserDefinedToken;
    bytes_.push_back(isWritten ? unwritten(text) : text);
    if (!isSilent(vocabulary.types[token]) && isWritten) symbols_.try_emplace(bytes_.back(), token);
  }
  for (int byte = 0; byte < 256; ++byte)
    byteSymbols_[byte] = symbolFor(std::string(1, static_cast<char>(byte)));
  merges_.reserve(merges.size());
  for (const std::string& merge : merges) {
    const std::size_t space = merge.find(' ', 1);  // a merge may itself begin with one
    if (space == std::string::npos) continue;
    addMerge(std::string_view(merge).substr(0, space), std::string_view(merge).substr(space + 1));
  }
}

ByteMerges::Symbol ByteMerges::symbolFor(std::string_view bytes) {
  const auto found = symbols_.find(bytes);
  if (found != symbols_.end()) return found->second;
  const auto symbol = static_cast<Symbol>(bytes_.size());
  bytes_.emplace_back(bytes);
  symbols_.emplace(bytes_.back(), symbol);
  return symbol;
}

void ByteMerges::addMerge(std::string_view left, std::string_view right) {
  const std::string leftBytes = unwritten(left), rightBytes = unwritten(right);
  const Symbol leftSymbol = symbolFor(leftBytes), rightSymbol = symbolFor(rightBytes);
  const Symbol result = symbolFor(leftBytes + rightBytes);
  merges_.try_emplace(pairOf(leftSymbol, rightSymbol),
                      Merge{static_cast<std::int32_t>(merges_.size()), result});
}

/// The parts of one word while they are joined: a list linked by position, and the pairs waiting by rank.
class ByteMerges::Word {
 public:
  Word(const ByteMerges& merges, std::string_view word) : merges_(merges) {
    parts_.reserve(word.size());
    for (std::size_t i = 0; i < word.size(); ++i) {
      const auto at = static_cast<std::int32_t>(i);
      parts_.push_back({merges.byteSymbols_[static_cast<std::uint8_t>(word[i])], at - 1, at + 1});
    }
    for (std::int32_t i = 0; i + 1 < count(); ++i) consider(i);
  }

  void joinAll() {
    while (!waiting_.empty()) {
      const Waiting next = waiting_.top();
      waiting_.pop();
      if (isCurrent(next)) join(next);
    }
  }

  std::vector<MergedPart> parts() const {
    std::vector<MergedPart> result;
    for (std::int32_t i = 0; i < count(); i = parts_[i].next) merges_.appendParts(parts_[i].symbol, result);
    return result;
  }

 private:
  struct Part {
    Symbol symbol;
    std::int32_t previous, next;
  };
  struct Waiting {
    std::int32_t rank, left;
    Symbol leftSymbol, rightSymbol, result;
    bool operator>(const Waiting& other) const {
      return rank != other.rank ? rank > other.rank : left > other.left;
    }
  };

  std::int32_t count() const { return static_cast<std::int32_t>(parts_.size()); }

  void consider(std::int32_t left) {
    if (left < 0 || parts_[left].next >= count()) return;
    const Symbol leftSymbol = parts_[left].symbol, rightSymbol = parts_[parts_[left].next].symbol;
    const auto found = merges_.merges_.find(pairOf(leftSymbol, rightSymbol));
    if (found == merges_.merges_.end()) return;
    waiting_.push({found->second.rank, left, leftSymbol, rightSymbol, found->second.result});
  }

  /// Whether both parts are still what they were; a part joined to its left has no symbol any more.
  bool isCurrent(const Waiting& pair) const {
    const Part& left = parts_[pair.left];
    return left.symbol == pair.leftSymbol && left.next < count() &&
           parts_[left.next].symbol == pair.rightSymbol;
  }

  void join(const Waiting& pair) {
    Part& left = parts_[pair.left];
    Part& right = parts_[left.next];
    left.symbol = pair.result;
    left.next = right.next;
    right.symbol = -1;
    if (left.next < count()) parts_[left.next].previous = pair.left;
    consider(left.previous);
    consider(pair.left);
  }

  const ByteMerges& merges_;
  std::vector<Part> parts_;
  std::priority_queue<Waiting, std::vector<Waiting>, std::greater<>> waiting_;
};

std::vector<MergedPart> ByteMerges::merge(std::string_view text) const {
  if (wholeWordsFirst_) {
    const auto found = symbols_.find(text);
    if (found != symbols_.end() && found->second < vocabularySize_) return {{found->second, text.size()}};
  }
  Word word(*this, text);
  word.joinAll();
  return word.parts();
}

void ByteMerges::appendParts(Symbol symbol, std::vector<MergedPart>& parts) const {
  if (symbol < vocabularySize_) {
    parts.push_back({symbol, bytes_[symbol].size()});
    return;
  }
  for (const char byte : bytes_[symbol]) {
    const Symbol single = byteSymbols_[static_cast<std::uint8_t>(byte)];
    parts.push_back({single < vocabularySize_ ? std::optional<TokenId>(single) : std::nullopt, 1});
  }
}

}  // namespace kvasir
