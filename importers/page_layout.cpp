#include "importers/page_layout.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "importers/page_columns.h"
#include "importers/page_lines.h"
#include "importers/paragraph_breaks.h"
#include "importers/unicode.h"

namespace kvasir {
namespace {

constexpr float kTallestEms = 1.15f;    // a word's box in its frame, over the size of its font
constexpr float kLeastSize = 2;         // points; smaller print is for programs, not for readers
constexpr float kBlockPitches = 1.3f;   // line distance that starts a block, over the usual one
constexpr float kFootnoteSize = 0.92f;  // over the size of the body

Box clipped(const Box& box, float width, float height) {
  const auto within = [](float value, float most) {
    return std::isfinite(value) ? std::clamp(value, 0.0f, most) : 0.0f;
  };
  Box result{within(box.left, width), within(box.top, height), within(box.right, width),
             within(box.bottom, height)};
  if (result.right < result.left) std::swap(result.left, result.right);
  if (result.bottom < result.top) std::swap(result.top, result.bottom);
  return result;
}

bool isOutside(const Box& box, float width, float height) {
  return !(box.right > 0 && box.bottom > 0 && box.left < width && box.top < height);
}

PlacedPage sanitised(const PlacedPage& page) {
  PlacedPage result{std::isfinite(page.width) ? std::clamp(page.width, 1.0f, 1e5f) : 1,
                    std::isfinite(page.height) ? std::clamp(page.height, 1.0f, 1e5f) : 1,
                    {}};
  for (PlacedWord word : page.words) {
    if (word.glyphs.empty() || isOutside(boxOf(word.glyphs), result.width, result.height)) continue;
    if (word.size < kLeastSize && heightOf(boxOf(word.glyphs)) < kLeastSize) continue;
    for (Glyph& glyph : word.glyphs) glyph.box = clipped(glyph.box, result.width, result.height);
    word.size = std::isfinite(word.size) ? std::clamp(word.size, 1.0f, 1000.0f) : 1;
    word.rotation &= 3;
    result.words.push_back(std::move(word));
  }
  return result;
}

/// The frame in which writing of this rotation runs from left to right, lines downwards. Vertical Japanese is
/// rotation 1 here: its columns become lines.
Box toFrame(const Box& box, int rotation, const PlacedPage& page) {
  switch (rotation) {
    case 1:
      return {box.top, page.width - box.right, box.bottom, page.width - box.left};
    case 2:
      return {page.width - box.right, page.height - box.bottom, page.width - box.left, page.height - box.top};
    case 3:
      return {page.height - box.bottom, box.left, page.height - box.top, box.right};
    default:
      return box;
  }
}

Box trimmedToSize(Box box, float size) {
  box.bottom = std::min(box.bottom, box.top + kTallestEms * size);
  return box;
}

float median(std::vector<float> values, float otherwise) {
  if (values.empty()) return otherwise;
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

float pitchOf(const std::vector<TextLine>& lines) {
  std::vector<float> distances, sizes;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    sizes.push_back(lines[i].size);
    if (i == 0) continue;
    const float distance = lines[i].box.top - lines[i - 1].box.top;
    if (distance > 0.7f * lines[i].size && distance < 2.2f * lines[i].size) distances.push_back(distance);
  }
  // Not the median: in a list of one-line paragraphs most distances are those between paragraphs.
  if (distances.empty()) return 1.2f * median(sizes, 10);
  std::sort(distances.begin(), distances.end());
  return distances[distances.size() / 3];
}

void setMargins(std::vector<TextLine>& lines, std::size_t first, std::size_t end) {
  float left = lines[first].box.left, right = lines[first].box.right;
  for (std::size_t i = first; i < end; ++i) {
    left = std::min(left, lines[i].box.left);
    right = std::max(right, lines[i].box.right);
  }
  for (std::size_t i = first; i < end; ++i) {
    lines[i].blockLeft = left;
    lines[i].blockRight = right;
  }
}

struct Margins {
  float left = 1e9f, right = -1e9f;
};

/// By the lines of paragraphs; lines that stand alone can be a page number far off.
Margins columnMargins(const std::vector<TextLine>& lines) {
  Margins margins;
  for (const bool alone : {false, true}) {
    if (margins.left <= margins.right) break;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const bool standsAlone = lines[i].startsBlock && (i + 1 == lines.size() || lines[i + 1].startsBlock);
      if (!alone && (standsAlone || lines[i].isMonospaced)) continue;
      margins.left = std::min(margins.left, lines[i].box.left);
      margins.right = std::max(margins.right, lines[i].box.right);
    }
  }
  return margins;
}

/// End of the lines from `first` on that begin at one left margin, within a block.
std::size_t runEnd(const std::vector<TextLine>& lines, std::size_t first) {
  std::size_t end = first + 1;
  while (end < lines.size() && !lines[end].startsBlock &&
         std::abs(lines[end].box.left - lines[first].box.left) < 0.3f * lines[first].size) {
    ++end;
  }
  return end;
}

/// The right end that most lines of a run nearly reach, as prose does; nothing for a list or a run too short to
/// tell.
std::optional<float> sharedRight(const std::vector<TextLine>& lines, std::size_t first, std::size_t end) {
  constexpr float kRaggedShare = 0.15f, kMostRaggedEms = 3;
  // Han and Kana are set flush: where they are not, they are verse.
  if (end - first < 3 || isUnspaced(lines[first].words.front().glyphs.front().code)) return std::nullopt;
  float right = lines[first].box.right;
  for (std::size_t i = first; i < end; ++i) right = std::max(right, lines[i].box.right);
  const float ragged =
      std::min(kRaggedShare * (right - lines[first].box.left), kMostRaggedEms * lines[first].size);
  std::size_t reaching = 0;
  for (std::size_t i = first; i + 1 < end; ++i) {
    if (lines[i].box.right > right - ragged) ++reaching;
  }
  return reaching * 5 >= (end - first - 1) * 3 ? std::optional(right) : std::nullopt;
}

/// Lines at the column's left margin end at its right one, since a paragraph of one or two lines has none to
/// see. A block set in, or some lines of it, a quotation for instance, has its own.
void setFullRights(std::vector<TextLine>& lines) {
  const Margins column = columnMargins(lines);
  for (std::size_t first = 0; first < lines.size();) {
    const TextLine& head = lines[first];
    const std::size_t end = runEnd(lines, first);
    const bool isBlockSetIn = head.blockLeft > column.left + head.size;
    const float right = sharedRight(lines, first, end).value_or(isBlockSetIn ? head.blockRight : column.right);
    for (; first < end; ++first) lines[first].fullRight = right;
  }
}

/// Blocks are lines at the usual distance and of one size.
void findBlocks(std::vector<TextLine>& lines) {
  const float pitch = pitchOf(lines);
  std::size_t first = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    lines[i].pitch = pitch;
    if (i == 0) {
      lines[i].startsBlock = true;
      continue;
    }
    const float distance = lines[i].box.top - lines[i - 1].box.top;
    const float ratio = lines[i].size / std::max(1.0f, lines[i - 1].size);
    const float usual = std::max(pitch, 1.05f * std::max(lines[i].size, lines[i - 1].size));
    lines[i].startsBlock = distance > kBlockPitches * usual || ratio > 1.12f || ratio < 0.89f;
    if (!lines[i].startsBlock) continue;
    setMargins(lines, first, i);
    first = i;
  }
  if (!lines.empty()) setMargins(lines, first, lines.size());
}

bool hasCells(const TextLine& line) {
  return std::any_of(line.words.begin(), line.words.end(),
                     [](const LineWord& word) { return word.startsCell; });
}

/// A single wide gap is a heading's number or a tab; rows of a table come together.
void findTables(std::vector<TextLine>& lines) {
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool neighbour =
        (i > 0 && hasCells(lines[i - 1])) || (i + 1 < lines.size() && hasCells(lines[i + 1]));
    lines[i].isTable = hasCells(lines[i]) && neighbour;
  }
}

struct EarlyEnds {
  int pairs = 0, early = 0;
};

EarlyEnds earlyEnds(const std::vector<TextLine>& lines, std::size_t first, std::size_t end) {
  EarlyEnds ends;
  for (std::size_t i = first + 1; i < end; ++i) {
    if (lines[i].startsBlock || lines[i].isMonospaced) continue;
    ++ends.pairs;
    if (endsEarly(lines[i - 1], lines[i])) ++ends.early;
  }
  return ends;
}

/// A column of prose ends few lines early, a paragraph within a column of lists as well.
void findLists(std::vector<TextLine>& lines) {
  constexpr int kFewestLines = 6;
  const EarlyEnds column = earlyEnds(lines, 0, lines.size());
  if (column.pairs < kFewestLines || column.early * 2 < column.pairs) return;
  for (std::size_t first = 0; first < lines.size();) {
    std::size_t end = first + 1;
    while (end < lines.size() && !lines[end].startsBlock) ++end;
    const EarlyEnds block = earlyEnds(lines, first, end);
    while (first < end) {
      const std::size_t stop = std::min(end, runEnd(lines, first));
      const EarlyEnds ends = stop - first >= 3 ? earlyEnds(lines, first, stop) : block;
      for (; first < stop; ++first) lines[first].isListed = ends.early * 2 > ends.pairs;
    }
  }
}

bool startsWithMark(const TextLine& line) {
  const char32_t code = line.words.front().glyphs.front().code;
  return isDigit(code) || code == U'*' || code == 0x2020 || code == 0x2021 || code == 0xA7 || code == 0x2217 ||
         code == 0xB9 || code == 0xB2 || code == 0xB3 || (code >= 0x2070 && code <= 0x2079);
}

/// The small lines at the end of a column, if they begin with a mark or stand off from the body.
void findFootnotes(std::vector<TextLine>& lines, float bodySize, float pageHeight) {
  std::size_t first = lines.size();
  while (first > 0 && lines[first - 1].size < kFootnoteSize * bodySize && !lines[first - 1].isMonospaced)
    --first;
  if (first == lines.size() || first == 0) return;
  const bool standsOff = lines[first].startsBlock && lines[first].box.top > 0.5f * pageHeight;
  if (!standsOff && !startsWithMark(lines[first])) return;
  for (std::size_t i = first; i < lines.size(); ++i) lines[i].isFootnote = true;
}

std::vector<TextLine> linesOf(const std::vector<Row>& rows, bool pageReadsFromTheRight) {
  std::vector<TextLine> lines;
  for (const Row& row : rows) {
    TextLine line = lineOf(row, pageReadsFromTheRight);
    if (!line.words.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

/// Lines of one writing direction.
std::vector<TextLine> layoutFrame(const PlacedPage& page, int rotation, int firstColumn) {
  std::vector<FrameWord> words;
  for (const PlacedWord& word : page.words) {
    if (word.rotation != rotation) continue;
    words.push_back({&word, trimmedToSize(toFrame(boxOf(word.glyphs), rotation, page), word.size)});
  }
  const bool fromTheRight = readsFromTheRight(words);
  std::vector<std::vector<TextLine>> columns;
  std::vector<float> sizes;
  for (const std::vector<Row>& rows : columnsOf(std::move(words))) {
    columns.push_back(linesOf(rows, fromTheRight));
    for (const TextLine& line : columns.back()) sizes.insert(sizes.end(), line.words.size(), line.size);
  }
  const float bodySize = median(sizes, 10);
  const float frameHeight = rotation % 2 == 0 ? page.height : page.width;
  std::vector<TextLine> all;
  for (std::vector<TextLine>& lines : columns) {
    findBlocks(lines);
    setFullRights(lines);
    findTables(lines);
    findLists(lines);
    findFootnotes(lines, bodySize, frameHeight);
    for (TextLine& line : lines) {
      line.column = firstColumn;
      line.rotation = rotation;
      all.push_back(std::move(line));
    }
    ++firstColumn;
  }
  return all;
}

void setPageBox(TextLine& line) {
  line.pageBox = boxOf(line.words.front().glyphs);
  for (const LineWord& word : line.words) line.pageBox = unionOf(line.pageBox, boxOf(word.glyphs));
}

}  // namespace

float widthOf(const Box& box) { return box.right - box.left; }
float heightOf(const Box& box) { return box.bottom - box.top; }

Box unionOf(const Box& a, const Box& b) {
  return {std::min(a.left, b.left), std::min(a.top, b.top), std::max(a.right, b.right),
          std::max(a.bottom, b.bottom)};
}

Box boxOf(const std::vector<Glyph>& glyphs) {
  if (glyphs.empty()) return {};
  Box box = glyphs.front().box;
  for (const Glyph& glyph : glyphs) box = unionOf(box, glyph.box);
  return box;
}

std::vector<TextLine> layoutPage(const PlacedPage& given) {
  const PlacedPage page = sanitised(given);
  std::size_t counts[4] = {};
  for (const PlacedWord& word : page.words) counts[word.rotation] += word.glyphs.size();
  int rotations[4] = {0, 1, 2, 3};
  std::stable_sort(rotations, rotations + 4, [&](int a, int b) { return counts[a] > counts[b]; });
  std::vector<TextLine> lines;
  for (const int rotation : rotations) {
    if (counts[rotation] == 0) continue;
    const int firstColumn = lines.empty() ? 0 : lines.back().column + 1;
    std::vector<TextLine> more = layoutFrame(page, rotation, firstColumn);
    std::move(more.begin(), more.end(), std::back_inserter(lines));
  }
  for (TextLine& line : lines) setPageBox(line);
  std::stable_partition(lines.begin(), lines.end(), [](const TextLine& line) { return !line.isFootnote; });
  return lines;
}

}  // namespace kvasir
