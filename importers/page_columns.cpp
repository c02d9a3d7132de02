#include "importers/page_columns.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "importers/unicode.h"

namespace kvasir {
namespace {

constexpr int kDeepestCut = 12;
constexpr std::size_t kCandidates = 24;  // gutters tried in a region
constexpr float kGutterEms = 0.8f;       // narrowest gutter
constexpr float kColumnEms = 8;          // narrowest column of prose
constexpr float kColumnFill = 0.5f;      // share of its column that a line of prose fills
constexpr int kColumnRows = 3;           // fewest lines beside a gutter
constexpr float kRowGapEms = 0.55f;      // white between the rows of a table, more than between lines

using Words = std::vector<FrameWord>;
using Columns = std::vector<std::vector<Row>>;

float centre(const Box& box) { return (box.top + box.bottom) / 2; }

float emOf(const Words& words) {
  std::vector<float> sizes;
  for (const FrameWord& word : words) sizes.push_back(word.word->size);
  if (sizes.empty()) return 10;
  std::nth_element(sizes.begin(), sizes.begin() + sizes.size() / 2, sizes.end());
  return std::max(1.0f, sizes[sizes.size() / 2]);
}

bool onOneRow(const Box& row, const Box& word) {
  const float shared = std::min(row.bottom, word.bottom) - std::max(row.top, word.top);
  return shared >= 0.45f * std::min(heightOf(row), heightOf(word));
}

/// A vertical white strip and the rows beside it.
struct Gutter {
  float left = 0, right = 0;
  std::size_t firstRow = 0, endRow = 0;
  int rowsWithBoth = 0;  // or beside a row of the other side, set half a line lower
};

/// How a row stands to a vertical line.
enum class Side { Left, Right, Both, Across };

struct RowAt {
  Side side = Side::Across;
  float left = 0, right = 0;  // the white around the line
};

RowAt rowAt(const Row& row, float x, float gutter) {
  float left = -1e9f, right = 1e9f;
  for (const FrameWord& word : row.words) {
    if (centre({word.box.top, word.box.left, word.box.bottom, word.box.right}) < x) {
      left = std::max(left, word.box.right);
    } else {
      right = std::min(right, word.box.left);
    }
  }
  if (right - left < gutter || left > x + gutter || right < x - gutter) return {};
  if (right > 1e8f) return {Side::Left, left, right};
  if (left < -1e8f) return {Side::Right, left, right};
  return {Side::Both, left, right};
}

/// Where many words begin or end: the only places where a gutter can be.
std::vector<float> gutterCandidates(const std::vector<Row>& rows, float em) {
  std::map<int, int> edges;
  for (const Row& row : rows) {
    for (std::size_t i = 1; i < row.words.size(); ++i) {
      const float left = row.words[i - 1].box.right, right = row.words[i].box.left;
      if (right - left < kGutterEms * em) continue;
      ++edges[static_cast<int>(std::lround(right - 0.4f * em))];
      ++edges[static_cast<int>(std::lround(left + 0.4f * em))];
    }
    ++edges[static_cast<int>(std::lround(row.box.left - 0.4f * em))];
    ++edges[static_cast<int>(std::lround(row.box.right + 0.4f * em))];
  }
  std::vector<std::pair<int, int>> counted;
  for (const auto& [x, count] : edges) counted.emplace_back(count, x);
  std::sort(counted.rbegin(), counted.rend());
  std::vector<float> candidates;
  for (const auto& [count, x] : counted) {
    if (candidates.size() < kCandidates) candidates.push_back(static_cast<float>(x));
  }
  return candidates;
}

/// The runs of rows which a vertical line at x does not touch.
void addGutters(const std::vector<Row>& rows, float x, float em, std::vector<Gutter>& gutters) {
  Gutter run{-1e9f, 1e9f, 0, 0, 0};
  const auto close = [&](std::size_t end) {
    run.endRow = end;
    if (run.rowsWithBoth >= kColumnRows) gutters.push_back(run);
  };
  Side last = Side::Across;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const RowAt at = rowAt(rows[i], x, kGutterEms * em);
    const float left = std::max(run.left, at.left), right = std::min(run.right, at.right);
    const bool fits = at.side != Side::Across && right - left >= kGutterEms * em;
    if (!fits) {
      close(i);
      run = {-1e9f, 1e9f, i + 1, 0, 0};
      if (at.side == Side::Across) continue;
      run.firstRow = i;
      run.left = at.left;
      run.right = at.right;
    } else {
      run.left = left;
      run.right = right;
    }
    const bool isBeside = i > run.firstRow && at.side != last && last != Side::Both && at.side != Side::Both &&
                          rows[i].box.top < rows[i - 1].box.bottom;
    if (at.side == Side::Both || isBeside) ++run.rowsWithBoth;
    last = at.side;
  }
  close(rows.size());
}

struct Halves {
  Words left, right;
};

Halves halvesOf(const std::vector<Row>& rows, const Gutter& gutter) {
  Halves halves;
  const float x = (gutter.left + gutter.right) / 2;
  for (std::size_t i = gutter.firstRow; i < gutter.endRow; ++i) {
    for (const FrameWord& word : rows[i].words)
      (word.box.left < x ? halves.left : halves.right).push_back(word);
  }
  return halves;
}

Box extentOf(const std::vector<Row>& rows) {
  Box box = rows.front().box;
  for (const Row& row : rows) box = unionOf(box, row.box);
  return box;
}

/// Prose fills its lines; the cells of a table do not.
struct ColumnShape {
  float width = 0, fill = 0, digits = 0;
  float cells = 0;  // share of rows with a wide gap within
  std::size_t rows = 0;
  int gaps = 0;  // white bands wider than those between lines
};

bool hasWideGap(const Row& row, float em) {
  for (std::size_t i = 1; i < row.words.size(); ++i) {
    if (row.words[i].box.left - row.words[i - 1].box.right > 1.5f * em) return true;
  }
  return false;
}

ColumnShape shapeOf(const Words& words, float em) {
  const std::vector<Row> rows = rowsOf(words);
  if (rows.empty()) return {};
  ColumnShape shape;
  shape.rows = rows.size();
  shape.width = widthOf(extentOf(rows));
  float filled = 0, count = 0, digits = 0, cells = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    filled += widthOf(rows[i].box);
    if (hasWideGap(rows[i], em)) ++cells;
    if (i > 0 && rows[i].box.top - rows[i - 1].box.bottom > kRowGapEms * em) ++shape.gaps;
    for (const FrameWord& word : rows[i].words) {
      for (const Glyph& glyph : word.word->glyphs) {
        ++count;
        if (isDigit(glyph.code)) ++digits;
      }
    }
  }
  const auto n = static_cast<float>(rows.size());
  shape.fill = shape.width > 0 ? filled / n / shape.width : 0;
  shape.cells = cells / n;
  shape.digits = count > 0 ? digits / count : 0;
  return shape;
}

bool isProse(const ColumnShape& shape, float em) {
  return shape.width >= kColumnEms * em && shape.cells < 0.35f && shape.fill >= kColumnFill &&
         shape.digits < 0.3f && shape.rows >= static_cast<std::size_t>(kColumnRows);
}

/// Long lists side by side, as in an index: ragged, but much of a page and in equal halves.
bool isPairOfLists(const ColumnShape& left, const ColumnShape& right, float em) {
  const float ratio = left.width / std::max(1.0f, right.width);
  return left.rows >= 12 && right.rows >= 8 && ratio > 0.6f && ratio < 1.7f && left.cells < 0.2f &&
         right.cells < 0.2f && left.digits < 0.3f && right.digits < 0.3f && left.width > kColumnEms * em &&
         right.width > kColumnEms * em;
}

/// White bands that go through both sides mean rows of a table, whose cells are read side by side.
int sharedGaps(const std::vector<Row>& rows, const Gutter& gutter, float em) {
  int gaps = 0;
  float bottom = rows[gutter.firstRow].box.bottom;
  for (std::size_t i = gutter.firstRow + 1; i < gutter.endRow; ++i) {
    if (rows[i].box.top - bottom > kRowGapEms * em) ++gaps;
    bottom = std::max(bottom, rows[i].box.bottom);
  }
  return gaps;
}

/// Of one side of a gutter the column next to it: with three columns the other side holds two.
Words nextTo(const Gutter& gutter, Words words, bool isLeft, float em) {
  const auto distance = [&](const FrameWord& word) {
    return isLeft ? gutter.left - word.box.right : word.box.left - gutter.right;
  };
  std::sort(words.begin(), words.end(),
            [&](const FrameWord& a, const FrameWord& b) { return distance(a) < distance(b); });
  float reach = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0 && distance(words[i]) - reach >= kGutterEms * em) {
      words.resize(i);
      break;
    }
    reach = std::max(reach, distance(words[i]) + widthOf(words[i].box));
  }
  return words;
}

bool dividesColumns(const std::vector<Row>& rows, const Gutter& gutter, float em) {
  Halves halves = halvesOf(rows, gutter);
  const ColumnShape left = shapeOf(nextTo(gutter, std::move(halves.left), true, em), em);
  const ColumnShape right = shapeOf(nextTo(gutter, std::move(halves.right), false, em), em);
  const int shared = sharedGaps(rows, gutter, em);
  const int fewest = std::min(left.gaps, right.gaps);
  const bool isTable = shared >= 3 && static_cast<float>(shared) >= 0.7f * static_cast<float>(fewest) &&
                       static_cast<float>(gutter.endRow - gutter.firstRow) / static_cast<float>(shared + 1) < 6;
  if (isTable && !isPairOfLists(left, right, em)) return false;
  return (isProse(left, em) && isProse(right, em)) || isPairOfLists(left, right, em);
}

std::optional<Gutter> bestGutter(const std::vector<Row>& rows, float em) {
  std::vector<Gutter> gutters;
  for (const float x : gutterCandidates(rows, em)) addGutters(rows, x, em, gutters);
  std::sort(gutters.begin(), gutters.end(), [](const Gutter& a, const Gutter& b) {
    if (a.rowsWithBoth != b.rowsWithBoth) return a.rowsWithBoth > b.rowsWithBoth;
    return a.right - a.left > b.right - b.left;
  });
  for (std::size_t i = 0; i < std::min(gutters.size(), kCandidates); ++i) {
    if (dividesColumns(rows, gutters[i], em)) return gutters[i];
  }
  return std::nullopt;
}

Words wordsOf(const std::vector<Row>& rows, std::size_t first, std::size_t end) {
  Words words;
  for (std::size_t i = first; i < end; ++i) {
    words.insert(words.end(), rows[i].words.begin(), rows[i].words.end());
  }
  return words;
}

void cut(Words words, int depth, Columns& columns) {
  if (words.empty()) return;
  const float em = emOf(words);
  std::vector<Row> rows = rowsOf(std::move(words));
  const std::optional<Gutter> gutter = depth < kDeepestCut ? bestGutter(rows, em) : std::nullopt;
  if (!gutter) {
    columns.push_back(std::move(rows));
    return;
  }
  cut(wordsOf(rows, 0, gutter->firstRow), depth + 1, columns);
  Halves halves = halvesOf(rows, *gutter);
  if (readsFromTheRight(halves.left)) std::swap(halves.left, halves.right);
  cut(std::move(halves.left), depth + 1, columns);
  cut(std::move(halves.right), depth + 1, columns);
  cut(wordsOf(rows, gutter->endRow, rows.size()), depth + 1, columns);
}

}  // namespace

bool readsFromTheRight(const std::vector<FrameWord>& words) {
  int right = 0, left = 0;
  for (const FrameWord& word : words) {
    for (const Glyph& glyph : word.word->glyphs) {
      if (isRightToLeft(glyph.code)) ++right;
      if (isLetter(glyph.code) && !isRightToLeft(glyph.code)) ++left;
    }
  }
  return right > left;
}

std::vector<Row> rowsOf(std::vector<FrameWord> words) {
  std::stable_sort(words.begin(), words.end(),
                   [](const FrameWord& a, const FrameWord& b) { return centre(a.box) < centre(b.box); });
  struct Open {
    Row row;
    Box reference;  // of the row's largest word, so that raised and lowered signs do not widen it
  };
  std::vector<Open> open;
  constexpr std::size_t kLookBack = 3;
  for (const FrameWord& word : words) {
    Open* home = nullptr;
    for (std::size_t i = open.size(); i-- > 0 && open.size() - i <= kLookBack && home == nullptr;) {
      if (onOneRow(open[i].reference, word.box)) home = &open[i];
    }
    if (home == nullptr) {
      open.push_back({{{}, word.box}, word.box});
      home = &open.back();
    }
    if (heightOf(word.box) > heightOf(home->reference)) home->reference = word.box;
    home->row.words.push_back(word);
    home->row.box = unionOf(home->row.box, word.box);
  }
  std::vector<Row> rows;
  for (Open& each : open) {
    each.row.box.top = each.reference.top;
    each.row.box.bottom = each.reference.bottom;
    std::stable_sort(each.row.words.begin(), each.row.words.end(),
                     [](const FrameWord& a, const FrameWord& b) { return a.box.left < b.box.left; });
    rows.push_back(std::move(each.row));
  }
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.box.top < b.box.top; });
  return rows;
}

std::vector<std::vector<Row>> columnsOf(std::vector<FrameWord> words) {
  Columns columns;
  cut(std::move(words), 0, columns);
  return columns;
}

}  // namespace kvasir
