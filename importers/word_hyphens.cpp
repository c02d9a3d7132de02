#include "importers/word_hyphens.h"

#include <algorithm>

#include "importers/unicode.h"

namespace kvasir {
namespace {

constexpr std::size_t kShortestPart = 4;  // of a compound known only by its parts

/// The word without the punctuation around it, hyphens as '-', in its own case.
std::u32string coreOf(const std::vector<Glyph>& glyphs) {
  std::u32string codes;
  for (const Glyph& glyph : glyphs) codes.push_back(isHyphen(glyph.code) ? U'-' : glyph.code);
  const auto outer = [](char32_t code) { return !isLetter(code) && !isDigit(code); };
  while (!codes.empty() && outer(codes.back())) codes.pop_back();
  codes.erase(codes.begin(), std::find_if_not(codes.begin(), codes.end(), outer));
  return codes;
}

std::u32string lowered(std::u32string codes) {
  for (char32_t& code : codes) code = lower(code);
  return codes;
}

/// After the last hyphen within, before the first: the parts next to the line's end.
std::u32string lastPart(const std::u32string& word) {
  const std::size_t hyphen = word.rfind(U'-');
  return hyphen == std::u32string::npos ? word : word.substr(hyphen + 1);
}

}  // namespace

bool isHyphen(char32_t code) { return code == U'-' || code == 0x2010 || code == 0xAD; }

void WordHyphens::count(const std::vector<TextLine>& lines) {
  for (const TextLine& line : lines) {
    for (std::size_t i = 0; i < line.words.size(); ++i) {
      const std::vector<Glyph>& glyphs = line.words[i].glyphs;
      if (i + 1 == line.words.size() && isHyphen(glyphs.back().code)) continue;
      std::u32string core = coreOf(glyphs);
      if (core.empty()) continue;
      const std::u32string low = lowered(core);
      ++words_[low];
      // German writes nouns with a capital: only words in lower case can be parts of an English compound.
      if (low == core) ++words_[U"=" + core];
    }
  }
}

int WordHyphens::countOf(const std::u32string& word) const {
  const auto found = words_.find(word);
  return found == words_.end() ? 0 : found->second;
}

WordHyphens::Ending WordHyphens::endingOf(const TextLine& line, const TextLine& next) const {
  const std::vector<Glyph>& before = line.words.back().glyphs;
  const std::vector<Glyph>& after = next.words.front().glyphs;
  if (!isHyphen(before.back().code)) return Ending::None;
  if (before.back().code == 0xAD) return Ending::Divided;
  if (before.size() < 2 || !isLetter(before[before.size() - 2].code)) return Ending::None;
  const std::u32string head = coreOf(before), tail = coreOf(after);
  const char32_t first = after.front().code;
  if (!isLetter(first) && !isDigit(first)) return Ending::None;
  if (head.empty() || tail.empty()) return Ending::Compound;
  const int joined = countOf(lowered(head + tail)), hyphened = countOf(lowered(head + U"-" + tail));
  if (joined != hyphened) return joined > hyphened ? Ending::Divided : Ending::Compound;
  if (isUpper(first) || isDigit(first)) return Ending::Compound;
  if (head.find(U'-') != std::u32string::npos && head.size() - head.rfind(U'-') > kShortestPart) {
    return Ending::Divided;  // "state-of-the-environ|ment": a second division of a compound
  }
  const std::u32string part = lastPart(head);
  const bool areWords = part.size() >= kShortestPart && tail.size() >= kShortestPart &&
                        countOf(U"=" + part) > 0 && countOf(U"=" + tail) > 0;
  return areWords ? Ending::Compound : Ending::Divided;
}

}  // namespace kvasir
