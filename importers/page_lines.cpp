#include "importers/page_lines.h"

#include <unicode/ubidi.h>
#include <unicode/uchar.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "importers/unicode.h"

namespace kvasir {
namespace {

constexpr float kSpaceEms = 0.1f;      // a gap of this width is a space
constexpr float kUnspacedEms = 0.45f;  // the same beside Han and Kana, which are set with air
constexpr float kCellEms = 1.5f;       // a gap of this width divides cells
constexpr char32_t kSpace = U' ';
constexpr char32_t kCell = U'\t';
constexpr char32_t kSoftHyphen = 0xAD;

using Glyphs = std::vector<Glyph>;

bool isMark(char32_t code) { return !startsComposition(code); }

/// The character between two neighbouring words of a row: none, a space or a cell's end.
char32_t separatorOf(const FrameWord& before, const FrameWord& after) {
  const float em = std::max(1.0f, std::min(before.word->size, after.word->size));
  const float gap = (after.box.left - before.box.right) / em;
  if (gap >= kCellEms) return kCell;
  if (before.word->hasSpaceAfter) return kSpace;
  const char32_t last = before.word->glyphs.back().code, first = after.word->glyphs.front().code;
  const bool unspaced = isUnspaced(last) || isUnspaced(first);
  return gap >= (unspaced ? kUnspacedEms : kSpaceEms) ? kSpace : 0;
}

/// Glyphs of the row in visual order, with separators between words.
Glyphs visualGlyphs(const Row& row) {
  Glyphs glyphs;
  for (std::size_t i = 0; i < row.words.size(); ++i) {
    if (i > 0) {
      if (const char32_t separator = separatorOf(row.words[i - 1], row.words[i]))
        glyphs.push_back({separator, {}});
    }
    const Glyphs& word = row.words[i].word->glyphs;
    glyphs.insert(glyphs.end(), word.begin(), word.end());
  }
  return glyphs;
}

/// A character of the basic plane that behaves as `code` does in the bidirectional algorithm.
UChar bidiStandIn(char32_t code) {
  if (code < 0x10000) return static_cast<UChar>(code);
  return isRightToLeft(code) ? UChar(0x05D0) : UChar('a');
}

/// By the letters at the line's two ends; where they differ the page decides.
bool isRightToLeftLine(const Glyphs& visual, bool pageReadsFromTheRight) {
  const auto hasDirection = [](const Glyph& glyph) { return isLetter(glyph.code); };
  const auto first = std::find_if(visual.begin(), visual.end(), hasDirection);
  const auto last = std::find_if(visual.rbegin(), visual.rend(), hasDirection);
  if (first == visual.end()) return pageReadsFromTheRight;
  const bool atLeft = isRightToLeft(first->code), atRight = isRightToLeft(last->code);
  return atLeft == atRight ? atLeft : pageReadsFromTheRight;
}

/// From the order of the eye to the order of reading, by the inverse of the Unicode bidirectional algorithm.
Glyphs logicalOrder(const Glyphs& visual, bool rightToLeft) {
  std::basic_string<UChar> text;
  for (const Glyph& glyph : visual) text.push_back(bidiStandIn(glyph.code));
  const std::unique_ptr<UBiDi, decltype(&ubidi_close)> bidi(ubidi_open(), &ubidi_close);
  UErrorCode error = U_ZERO_ERROR;
  ubidi_setReorderingMode(bidi.get(), UBIDI_REORDER_INVERSE_LIKE_DIRECT);
  ubidi_setPara(bidi.get(), text.data(), static_cast<int32_t>(text.size()), rightToLeft ? 1 : 0, nullptr,
                &error);
  std::vector<int32_t> map(visual.size());
  ubidi_getVisualMap(bidi.get(), map.data(), &error);
  if (U_FAILURE(error)) return visual;
  Glyphs logical;
  for (const int32_t from : map) {
    if (from < 0 || from >= static_cast<int32_t>(visual.size())) return visual;
    Glyph glyph = visual[static_cast<std::size_t>(from)];
    // A bracket is drawn as it looks and read as what it does.
    if (ubidi_getLevelAt(bidi.get(), from) % 2 == 1) {
      glyph.code = static_cast<char32_t>(u_charMirror(static_cast<UChar32>(glyph.code)));
    }
    logical.push_back(glyph);
  }
  return logical.size() == visual.size() ? logical : visual;
}

/// `count` equal parts of a box, in reading direction.
std::vector<Box> partsOf(const Box& box, std::size_t count, bool rightToLeft) {
  std::vector<Box> parts(count, box);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t place = rightToLeft ? count - 1 - i : i;
    const float from = static_cast<float>(place) / static_cast<float>(count);
    const float to = static_cast<float>(place + 1) / static_cast<float>(count);
    parts[i].left = box.left + widthOf(box) * from;
    parts[i].right = box.left + widthOf(box) * to;
  }
  return parts;
}

/// Appends what a reader sees of a glyph: letters of a ligature, nothing for a control.
void appendReadable(const Glyph& glyph, Glyphs& out) {
  if (isInvisible(glyph.code)) return;
  const std::u32string letters = plainLetters(glyph.code);
  if (letters.empty()) {
    out.push_back(glyph);
    return;
  }
  const std::vector<Box> parts = partsOf(glyph.box, letters.size(), isRightToLeft(letters.front()));
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if (!isSpace(letters[i])) out.push_back({letters[i], parts[i]});
  }
}

/// Arabic marks drawn over their letter can stand before it in visual order; sequences are composed one by one
/// so that each resulting character keeps the box of what it was made of.
Glyphs composedGlyphs(const Glyphs& glyphs) {
  Glyphs result;
  for (std::size_t i = 0; i < glyphs.size();) {
    std::size_t end = i + 1;
    while (end < glyphs.size() && isMark(glyphs[end].code)) ++end;
    std::u32string sequence;
    Box whole = glyphs[i].box;
    for (std::size_t k = i; k < end; ++k) {
      sequence.push_back(glyphs[k].code);
      whole = unionOf(whole, glyphs[k].box);
    }
    // TeX sets accents over an i without its dot.
    if (sequence.size() > 1 && sequence[0] == 0x131) sequence[0] = U'i';
    const std::u32string made = composed(sequence);
    for (std::size_t k = 0; k < made.size(); ++k) {
      result.push_back({made[k], made.size() == end - i ? glyphs[i + k].box : whole});
    }
    i = end;
  }
  return result;
}

void closeWord(TextLine& line, Glyphs& word, bool startsCell) {
  word = composedGlyphs(word);
  if (!word.empty()) line.words.push_back({word, startsCell && !line.words.empty()});
  word.clear();
}

std::vector<LineWord> wordsOf(const Glyphs& logical) {
  TextLine line;
  Glyphs word;
  bool startsCell = false, nextStartsCell = false;
  for (const Glyph& glyph : logical) {
    if (isSpace(glyph.code)) {
      nextStartsCell = nextStartsCell || glyph.code == kCell;
      closeWord(line, word, startsCell);
      startsCell = nextStartsCell;
      continue;
    }
    if (word.empty()) {
      startsCell = nextStartsCell;
      nextStartsCell = false;
    }
    appendReadable(glyph, word);
  }
  closeWord(line, word, startsCell);
  return std::move(line.words);
}

/// Of the characters, so that a few raised figures do not count.
float sizeOf(const Row& row) {
  std::map<float, std::size_t> sizes;
  for (const FrameWord& word : row.words)
    sizes[std::round(word.word->size * 4) / 4] += word.word->glyphs.size();
  const auto most = std::max_element(sizes.begin(), sizes.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == sizes.end() ? 0 : most->first;
}

bool isMonospaced(const Row& row) {
  std::size_t mono = 0, all = 0;
  for (const FrameWord& word : row.words) {
    all += word.word->glyphs.size();
    if (word.word->isMonospaced) mono += word.word->glyphs.size();
  }
  return mono * 10 >= all * 6 && mono > 0;
}

}  // namespace

TextLine lineOf(const Row& row, bool pageReadsFromTheRight) {
  Glyphs glyphs = visualGlyphs(row);
  const bool hasRightToLeft =
      std::any_of(glyphs.begin(), glyphs.end(), [](const Glyph& glyph) { return isRightToLeft(glyph.code); });
  TextLine line;
  line.isRightToLeft = hasRightToLeft && isRightToLeftLine(glyphs, pageReadsFromTheRight);
  if (hasRightToLeft) glyphs = logicalOrder(glyphs, line.isRightToLeft);
  const bool softEnd = !glyphs.empty() && glyphs.back().code == kSoftHyphen;
  line.words = wordsOf(glyphs);
  if (softEnd && !line.words.empty()) line.words.back().glyphs.push_back(glyphs.back());
  line.box = row.box;
  line.size = sizeOf(row);
  line.isMonospaced = isMonospaced(row);
  return line;
}

}  // namespace kvasir
