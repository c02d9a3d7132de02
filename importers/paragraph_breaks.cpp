#include "importers/paragraph_breaks.h"

#include <algorithm>
#include <cmath>

#include "importers/unicode.h"
#include "importers/word_hyphens.h"

namespace kvasir {
namespace {

constexpr float kIndentEms = 0.7f;
constexpr float kWideEms = 25;
constexpr float kSlackEms = 0.5f;  // of white at a full line's end

bool hasOneSize(const TextLine& a, const TextLine& b) {
  const float ratio = a.size / std::max(1.0f, b.size);
  return ratio > 0.89f && ratio < 1.12f;
}

float indentOf(const TextLine& line) {
  return line.isRightToLeft ? line.blockRight - line.box.right : line.box.left - line.blockLeft;
}

bool isIndented(const TextLine& line) { return indentOf(line) > kIndentEms * line.size; }

/// White at the line's end that its margin leaves.
float slackOf(const TextLine& line) {
  return line.isRightToLeft ? line.box.left - line.blockLeft : line.fullRight - line.box.right;
}

/// As much white before the line as after it.
bool isCentred(const TextLine& line) {
  const float before = line.box.left - line.blockLeft, after = line.blockRight - line.box.right;
  return before > line.size && std::abs(before - after) < 0.5f * line.size;
}

/// A line of a table of contents: dots and a number.
bool endsWithLeader(const TextLine& line) {
  std::size_t dots = 0;
  for (const LineWord& word : line.words) {
    for (const Glyph& glyph : word.glyphs) dots += glyph.code == U'.' ? 1 : 0;
  }
  const std::vector<Glyph>& last = line.words.back().glyphs;
  return dots >= 5 && last.size() < 40 && (isDigit(last.back().code) || dots >= 12);
}

/// Width of the first word, along the line; of one character where there are no spaces.
float firstWordWidth(const TextLine& line) {
  const LineWord& word = line.words.front();
  if (isUnspaced(word.glyphs.front().code)) return line.size;
  const Box box = boxOf(word.glyphs);
  return line.rotation % 2 == 0 ? widthOf(box) : heightOf(box);
}

bool isBullet(char32_t code) {
  return code == 0x2022 || code == 0x25E6 || code == 0x2023 || code == 0x25AA || code == 0x25CF ||
         code == 0x25A0 || code == 0x25CB || code == 0x2013 || code == 0x2212 || code == 0x2217 ||
         code == U'*' || code == 0x2043 || code == 0x27A2 || code == 0x2794 || code == 0x2713;
}

/// "1.", "12)", "(a)", "[3]", "iv."
bool isEnumerator(const std::vector<Glyph>& word) {
  if (word.size() < 2 || word.size() > 5) return false;
  const char32_t first = word.front().code, last = word.back().code;
  const bool opens = first == U'(' || first == U'[';
  if (last != U')' && last != U']' && !(last == U'.' && !opens)) return false;
  const std::size_t from = opens ? 1 : 0, count = word.size() - 1 - from;
  if (count == 0) return false;
  const auto begin = word.begin() + static_cast<std::ptrdiff_t>(from);
  const bool digits =
      std::all_of(begin, word.end() - 1, [](const Glyph& glyph) { return isDigit(glyph.code); });
  return digits || (count == 1 && isLetter(begin->code));
}

bool startsListItem(const TextLine& line) {
  const std::vector<Glyph>& word = line.words.front().glyphs;
  if (line.words.size() < 2) return false;
  return (word.size() == 1 && isBullet(word.front().code)) || isEnumerator(word);
}

bool startsLowerCase(const TextLine& line) { return isLower(line.words.front().glyphs.front().code); }

LineBreak breakBetweenColumns(const TextLine& line, const TextLine& next, int linesInParagraph) {
  if (!hasOneSize(line, next) || line.isFootnote != next.isFootnote) return LineBreak::Paragraph;
  if (line.isMonospaced && next.isMonospaced) return LineBreak::Line;
  if (endsWithLeader(line) && endsWithLeader(next)) return LineBreak::Line;
  if (line.isMonospaced || next.isMonospaced || line.isTable || next.isTable) return LineBreak::Paragraph;
  if (isHyphen(line.words.back().glyphs.back().code) && startsLowerCase(next)) return LineBreak::None;
  if (startsListItem(next)) return LineBreak::Paragraph;
  if (startsLowerCase(next)) return endsSentence(line) ? LineBreak::Paragraph : LineBreak::None;
  const bool isFull = slackOf(line) < 1.5f * line.size && linesInParagraph >= 2;
  return endsSentence(line) || !isFull || isIndented(next) ? LineBreak::Paragraph : LineBreak::None;
}

/// A first line set in, or a first line set out with the others set in.
bool isNewByIndent(const TextLine& line, const TextLine& next, const LineContext& context) {
  const float step = indentOf(next) - indentOf(line);
  const float ems = kIndentEms * line.size;
  const bool ended = endsSentence(line) || endsEarly(line, next);
  if (step > ems) {
    return ended && !isCentred(next) && !(startsListItem(line) && !endsEarly(line, next));
  }
  return step < -ems && context.linesInParagraph >= 2 && ended;
}

}  // namespace

bool endsEarly(const TextLine& line, const TextLine& next) {
  return slackOf(line) > firstWordWidth(next) + (0.3f + kSlackEms) * line.size;
}

bool endsSentence(const TextLine& line) {
  const std::vector<Glyph>& word = line.words.back().glyphs;
  for (std::size_t i = word.size(); i-- > 0;) {
    const char32_t code = word[i].code;
    if (code == U'.' || code == U'!' || code == U'?' || code == U':' || code == 0x3002 || code == 0xFF01 ||
        code == 0xFF1F || code == 0x061F || code == 0x06D4 || code == 0x2026) {
      return true;
    }
    const bool closes = code == U'"' || code == U'\'' || code == U')' || code == U']' || code == 0x201D ||
                        code == 0x2019 || code == 0xBB || code == 0x300D || code == 0x300F || code == 0xFF09;
    if (!closes && !isDigit(code)) return false;
    if (isDigit(code) && i + 3 < word.size()) return false;  // digits after the stop: a note's mark
  }
  return false;
}

LineBreak breakBetween(const TextLine& line, const TextLine& next, const LineContext& context) {
  if (!context.samePage || line.column != next.column)
    return breakBetweenColumns(line, next, context.linesInParagraph);
  if (line.isFootnote != next.isFootnote) return LineBreak::Paragraph;
  if (next.startsBlock) return LineBreak::Paragraph;
  if (line.isMonospaced || next.isMonospaced || line.isTable || next.isTable) return LineBreak::Line;
  if (startsListItem(next) || endsWithLeader(line)) return LineBreak::Line;
  if (isNewByIndent(line, next, context)) return LineBreak::Paragraph;
  // In an index a line that is set in goes on with the one before.
  const bool goesOn = indentOf(next) > indentOf(line) + kIndentEms * line.size && !endsEarly(line, next);
  // Across a page only a paragraph fills a line; an entry of a narrow index does so by chance.
  const bool isParagraph = widthOf(line.box) > kWideEms * line.size && slackOf(line) <= line.size;
  if (line.isListed && next.isListed && !goesOn && !isParagraph) return LineBreak::Line;
  if (!endsEarly(line, next)) return LineBreak::None;
  return endsSentence(line) && context.linesInParagraph >= 2 ? LineBreak::Paragraph : LineBreak::Line;
}

}  // namespace kvasir
