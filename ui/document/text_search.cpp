#include "ui/document/text_search.h"

#include <QChar>
#include <algorithm>
#include <cstdint>

#include "ui/document/utf8_reader.h"

namespace kvasir {
namespace {

constexpr char32_t kLeftOut = 0;  // soft hyphens, zero-width characters, NUL

char32_t foldedCode(char32_t code) {
  if (code < 0x80) {
    if (code >= U'A' && code <= U'Z') return code + 32;
    return code >= 0x09 && code <= 0x0D ? U' ' : code;
  }
  if (code == 0xAD || (code >= 0x200B && code <= 0x200D) || code == 0x2060 || code == 0xFEFF) return kLeftOut;
  if (QChar::isSpace(code)) return U' ';
  return QChar::toCaseFolded(code);
}

struct Folded {
  std::u32string codes;
  std::vector<TextRange> places;
};

/// Folds [start, end) and as much after it as a match begun inside may need.
Folded fold(std::string_view text, std::size_t start, std::size_t end, std::size_t lookAhead) {
  Folded result;
  result.codes.reserve(end - start + lookAhead);
  result.places.reserve(end - start + lookAhead);
  std::size_t ahead = 0;
  for (std::size_t i = start; i < text.size() && (i < end || ahead < lookAhead);) {
    const Utf8Character character = characterAt(text, i);
    const std::size_t next = i + character.bytes;
    const char32_t code = foldedCode(character.code);
    const bool isSecondBlank = code == U' ' && !result.codes.empty() && result.codes.back() == U' ';
    if (code != kLeftOut && !isSecondBlank) {
      result.codes.push_back(code);
      result.places.push_back({i, next});
      if (i >= end) ++ahead;
    }
    i = next;
  }
  return result;
}

}  // namespace

std::u32string folded(std::string_view text) { return fold(text, 0, text.size(), 0).codes; }

TextSearch::TextSearch(std::string_view text, const QString& query)
    : text_(text), query_(folded(query.simplified().toStdString())) {
  if (query_.empty()) at_ = text_.size();
}

void TextSearch::step(std::size_t bytes) {
  if (isFinished()) return;
  std::size_t end = std::min(text_.size(), at_ + std::max<std::size_t>(bytes, 1));
  while (end < text_.size() && (text_[end] & 0xC0) == 0x80) ++end;
  const Folded slice = fold(text_, at_, end, query_.size());
  std::size_t found = slice.codes.find(query_);
  std::size_t next = end;
  while (found != std::u32string::npos && slice.places[found].start < end) {
    const std::size_t last = found + query_.size() - 1;
    matches_.push_back({slice.places[found].start, slice.places[last].end});
    next = std::max(end, matches_.back().end);
    found = slice.codes.find(query_, last + 1);
  }
  at_ = next;
}

std::size_t firstFrom(const std::vector<TextRange>& matches, std::size_t byte) {
  const auto match = std::partition_point(matches.begin(), matches.end(),
                                          [&](const TextRange& range) { return range.start < byte; });
  return match == matches.end() ? 0 : static_cast<std::size_t>(match - matches.begin());
}

}  // namespace kvasir
