#include "importers/running_heads.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "importers/unicode.h"

namespace kvasir {
namespace {

constexpr float kBand = 0.2f;         // of the page's height, at its top and its bottom
constexpr std::size_t kEdgeRows = 3;  // rows looked at on each edge
constexpr int kRecurrences = 3;       // pages with the same line
constexpr float kSamePlace = 6;       // points
constexpr float kSameBand = 2;        // points
constexpr float kBandShare = 0.4f;    // of pages with a head at a height: others there are heads too
constexpr float kLarger = 1.3f;       // than the page's text: a title, as slides have them
constexpr std::size_t kLongestNumber = 5;
constexpr std::size_t kMostNumbers = 8;  // in a row of which one may count pages

enum class Edge { Top, Bottom };

/// Of the words of a row: a number, or what stands before and behind numbers.
struct RowPart {
  std::u32string letters;  ///< lower case
  std::optional<int> number;
};

/// What stands at one height of a page, over all columns.
struct EdgeRow {
  std::size_t page = 0;
  Edge edge = Edge::Top;
  std::vector<std::size_t> lines;
  Box box;
  float size = 0;
  float gap = 0;                     ///< to the next row inwards
  bool isTitle = false;              ///< larger than the page's text
  std::u32string form;               ///< letters in lower case, numbers as #
  std::vector<std::u32string> keys;  ///< the row recurs where one of them does
  std::vector<int> numbers;          ///< its whole words that are numbers, arabic or roman
  std::vector<std::string> tokens;
  bool isRemoved = false;
};

std::optional<int> romanValue(std::u32string_view word) {
  const std::map<char32_t, int> values{{U'i', 1}, {U'v', 5}, {U'x', 10}, {U'l', 50}, {U'c', 100}};
  if (word.empty() || word.size() > 8) return std::nullopt;
  int sum = 0, last = 1000;
  for (const char32_t code : word) {
    const auto found = values.find(lower(code));
    if (found == values.end()) return std::nullopt;
    sum += found->second > last ? found->second - 2 * last : found->second;
    last = found->second;
  }
  return sum;
}

/// The word without the dashes and brackets that page numbers wear: "- 12 -", "[12]".
std::u32string bare(const LineWord& word) {
  std::u32string codes;
  for (const Glyph& glyph : word.glyphs) {
    if (isLetter(glyph.code) || isDigit(glyph.code)) codes.push_back(glyph.code);
  }
  return codes;
}

std::optional<int> numberOf(std::u32string_view codes) {
  if (codes.empty() || codes.size() > 8) return std::nullopt;
  if (!std::all_of(codes.begin(), codes.end(), isDigit)) return romanValue(codes);
  if (codes.size() > kLongestNumber) return std::nullopt;
  int value = 0;
  for (const char32_t code : codes) value = value * 10 + digitValue(code);
  return value;
}

/// A word that is no number can hold some, as "A-12" does.
void addParts(std::u32string_view word, std::vector<RowPart>& parts) {
  if (const auto number = numberOf(word)) return parts.push_back({{}, number});
  for (std::size_t from = 0, to = 0; from < word.size(); from = to) {
    const bool isNumber = isDigit(word[from]);
    while (to < word.size() && isDigit(word[to]) == isNumber) ++to;
    const std::u32string_view run = word.substr(from, to - from);
    RowPart part{{}, isNumber ? numberOf(run) : std::nullopt};
    for (const char32_t code : run) part.letters += lower(code);
    parts.push_back(part);
  }
  parts.push_back({U" ", {}});
}

/// The parts as one text, in which `written` tells each number.
template <typename Written>
std::u32string joined(const std::vector<RowPart>& parts, Written written) {
  std::u32string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    text += parts[i].number ? written(i) : parts[i].letters;
  }
  return text;
}

/// "Page 7", in words of several languages.
bool isPageNumberForm(std::u32string_view form) {
  constexpr std::u32string_view kForms[] = {U"#", U"##", U"page #", U"page #of #", U"seite #", U"#of #"};
  return std::find(std::begin(kForms), std::end(kForms), form) != std::end(kForms);
}

bool hasLetter(std::u32string_view text) { return std::any_of(text.begin(), text.end(), isLetter); }

/// Heads are alike with all their numbers, or but for one that counts the pages. Rows of numbers are none:
/// those of tables stand at one height on many pages.
std::vector<std::u32string> keysOf(const std::vector<RowPart>& parts, const EdgeRow& row) {
  if (!hasLetter(row.form)) return {};
  if (isPageNumberForm(row.form)) return {row.form};
  const auto digits = [](int number) {
    const std::string text = std::to_string(number);
    return std::u32string(text.begin(), text.end()) + U' ';
  };
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].number) numbers.push_back(i);
  }
  std::vector<std::u32string> keys = {joined(parts, [&](std::size_t i) { return digits(*parts[i].number); })};
  if (numbers.size() > kMostNumbers) return keys;
  for (const std::size_t counting : numbers) {
    keys.push_back(joined(parts, [&](std::size_t i) {
      const int number = *parts[i].number;
      return i == counting ? U'#' + digits(number - static_cast<int>(row.page)) : digits(number);
    }));
  }
  return keys;
}

void describe(EdgeRow& row, const std::vector<TextLine>& lines) {
  std::vector<RowPart> parts;
  std::sort(row.lines.begin(), row.lines.end(),
            [&](std::size_t a, std::size_t b) { return lines[a].pageBox.left < lines[b].pageBox.left; });
  for (const std::size_t index : row.lines) {
    row.size = std::max(row.size, lines[index].size);
    for (const LineWord& word : lines[index].words) {
      const std::u32string codes = bare(word);
      if (codes.empty()) continue;
      row.tokens.push_back(toUtf8(codes));
      if (const auto number = numberOf(codes)) row.numbers.push_back(*number);
      addParts(codes, parts);
    }
  }
  row.form = joined(parts, [](std::size_t) { return std::u32string(U"#"); });
  row.keys = keysOf(parts, row);
}

/// That most letters of the page have.
float textSize(const LaidPage& page) {
  std::map<float, std::size_t> letters;
  for (const TextLine& line : page.lines) {
    for (const LineWord& word : line.words) letters[line.size] += word.glyphs.size();
  }
  const auto most = std::max_element(letters.begin(), letters.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == letters.end() ? 0 : most->first;
}

/// Rows from one edge inwards, outermost first, as far as the band goes.
std::vector<EdgeRow> edgeRows(const LaidPage& page, std::size_t pageIndex, Edge edge) {
  std::vector<std::size_t> order(page.lines.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto depth = [&](std::size_t i) {
    const Box& box = page.lines[i].pageBox;
    return edge == Edge::Top ? box.top + box.bottom : 2 * page.height - box.top - box.bottom;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return depth(a) < depth(b); });
  std::vector<EdgeRow> rows;
  for (const std::size_t i : order) {
    const Box& box = page.lines[i].pageBox;
    if (!rows.empty()) {
      EdgeRow& last = rows.back();
      const float shared = std::min(box.bottom, last.box.bottom) - std::max(box.top, last.box.top);
      if (shared > 0.4f * std::min(heightOf(box), heightOf(last.box))) {
        last.lines.push_back(i);
        last.box = unionOf(last.box, box);
        continue;
      }
      last.gap = edge == Edge::Top ? box.top - last.box.bottom : last.box.top - box.bottom;
    }
    const float inner = edge == Edge::Top ? box.top : page.height - box.bottom;
    if (rows.size() == kEdgeRows || inner > kBand * page.height) break;
    rows.push_back({});
    rows.back().page = pageIndex;
    rows.back().edge = edge;
    rows.back().lines.push_back(i);
    rows.back().box = box;
  }
  const float size = textSize(page);
  for (EdgeRow& row : rows) {
    describe(row, page.lines);
    row.isTitle = row.size > kLarger * size;
  }
  return rows;
}

using Edges = std::vector<std::vector<EdgeRow>>;  // two a page: top, bottom

float heightOnPage(const EdgeRow& row) { return row.edge == Edge::Top ? row.box.top : row.box.bottom; }

/// How often each key stands at an edge, and where mostly.
struct Recurrence {
  std::vector<float> heights;
};
using Recurrences = std::map<std::pair<Edge, std::u32string>, Recurrence>;

Recurrences recurrencesOf(const Edges& edges) {
  Recurrences recurrences;
  for (const auto& rows : edges) {
    for (const EdgeRow& row : rows) {
      for (const std::u32string& key : row.keys)
        recurrences[{row.edge, key}].heights.push_back(heightOnPage(row));
    }
  }
  for (auto& [key, recurrence] : recurrences) std::sort(recurrence.heights.begin(), recurrence.heights.end());
  return recurrences;
}

/// On how many pages a key of the row stands where it stands here.
int pagesAlike(const EdgeRow& row, const Recurrences& recurrences) {
  const float height = heightOnPage(row);
  std::ptrdiff_t most = 0;
  for (const std::u32string& key : row.keys) {
    const std::vector<float>& heights = recurrences.at({row.edge, key}).heights;
    const auto from = std::lower_bound(heights.begin(), heights.end(), height - kSamePlace);
    const auto to = std::upper_bound(heights.begin(), heights.end(), height + kSamePlace);
    most = std::max(most, to - from);
  }
  return static_cast<int>(most);
}

bool isAlike(const EdgeRow& row, const EdgeRow& other) {
  return std::abs(heightOnPage(row) - heightOnPage(other)) <= kSamePlace &&
         std::find_first_of(row.keys.begin(), row.keys.end(), other.keys.begin(), other.keys.end()) !=
             row.keys.end();
}

/// Whether pages that follow each other have the row, this one among them.
bool goesOn(const EdgeRow& row, const Edges& edges) {
  const auto hasAlike = [&](const std::vector<EdgeRow>& rows) {
    return std::any_of(rows.begin(), rows.end(), [&](const EdgeRow& other) { return isAlike(row, other); });
  };
  constexpr std::size_t kStep = 2;  // from page to page
  const std::size_t here = kStep * row.page + (row.edge == Edge::Top ? 0 : 1);
  int count = 1;
  for (std::size_t at = here; count < kRecurrences && at >= kStep && hasAlike(edges[at - kStep]); at -= kStep)
    ++count;
  for (std::size_t at = here + kStep; count < kRecurrences && at < edges.size() && hasAlike(edges[at]);
       at += kStep)
    ++count;
  return count >= kRecurrences;
}

/// Titles recur in text, and on slides that follow each other. A head is one that stands on most pages, as a
/// letterhead does, or over the pages of a part.
bool isTitleOfPages(const EdgeRow& row, int count, const std::vector<LaidPage>& pages, const Edges& edges) {
  const bool isSlide = pages[row.page].width > pages[row.page].height;
  return static_cast<float>(count) >= kBandShare * static_cast<float>(pages.size()) ||
         (!isSlide && goesOn(row, edges));
}

/// Printed number less page index: the same on pages counted together.
std::map<int, int> numberOffsets(const Edges& edges) {
  std::map<int, int> offsets;
  for (const auto& rows : edges) {
    std::set<int> seen;
    for (const EdgeRow& row : rows) {
      for (const int number : row.numbers) seen.insert(number - static_cast<int>(row.page));
    }
    for (const int offset : seen) ++offsets[offset];
  }
  return offsets;
}

bool holdsPageNumber(const EdgeRow& row, const std::string& label, const std::map<int, int>& offsets) {
  for (const std::string& token : row.tokens) {
    if (token == label && label.size() <= kLongestNumber) return true;
  }
  return std::any_of(row.numbers.begin(), row.numbers.end(), [&](int number) {
    const auto found = offsets.find(number - static_cast<int>(row.page));
    return found != offsets.end() && found->second >= kRecurrences;
  });
}

bool isPageNumber(const EdgeRow& row, const std::string& label, const std::map<int, int>& offsets) {
  return isPageNumberForm(row.form) && holdsPageNumber(row, label, offsets);
}

/// Heights at which heads stood on many pages.
std::vector<std::pair<Edge, float>> headBands(const Edges& edges, std::size_t pages) {
  std::vector<std::pair<Edge, float>> found;
  for (const auto& rows : edges) {
    for (const EdgeRow& row : rows) {
      if (row.isRemoved) found.emplace_back(row.edge, heightOnPage(row));
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<std::pair<Edge, float>> bands;
  for (std::size_t i = 0, from = 0; i < found.size(); ++i) {
    while (found[from].first != found[i].first || found[i].second - found[from].second > kSameBand) ++from;
    const auto count = static_cast<float>(i - from + 1);
    if (count >= kRecurrences && count >= kBandShare * static_cast<float>(pages)) {
      bands.emplace_back(found[i].first, (found[i].second + found[from].second) / 2);
    }
  }
  return bands;
}

bool standsInBand(const EdgeRow& row, const std::vector<std::pair<Edge, float>>& bands) {
  const std::pair<Edge, float> low{row.edge, heightOnPage(row) - kSameBand};
  const auto found = std::lower_bound(bands.begin(), bands.end(), low);
  return found != bands.end() && found->first == row.edge && found->second <= heightOnPage(row) + kSameBand;
}

/// From the edge inwards: a head is never inside of a line that is none.
template <typename IsHead>
void markHeads(Edges& edges, IsHead isHead) {
  for (auto& rows : edges) {
    for (EdgeRow& row : rows) {
      if (!row.isRemoved && !isHead(row)) break;
      row.isRemoved = true;
    }
  }
}

void removeMarked(std::vector<LaidPage>& pages, const Edges& edges) {
  std::vector<std::set<std::size_t>> marked(pages.size());
  for (const auto& rows : edges) {
    for (const EdgeRow& row : rows) {
      if (row.isRemoved) marked[row.page].insert(row.lines.begin(), row.lines.end());
    }
  }
  const auto isMarkedWhole = [&](const LaidPage& page) {
    return marked[&page - pages.data()].size() == page.lines.size();
  };
  if (std::all_of(pages.begin(), pages.end(), isMarkedWhole)) return;  // forms filled in, one a page
  for (std::size_t p = 0; p < pages.size(); ++p) {
    std::vector<TextLine> kept;
    for (std::size_t i = 0; i < pages[p].lines.size(); ++i) {
      if (!marked[p].contains(i)) kept.push_back(std::move(pages[p].lines[i]));
    }
    pages[p].lines = std::move(kept);
  }
}

}  // namespace

void removeRunningHeads(std::vector<LaidPage>& pages) {
  Edges edges;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    edges.push_back(edgeRows(pages[i], i, Edge::Top));
    edges.push_back(edgeRows(pages[i], i, Edge::Bottom));
  }
  const Recurrences recurrences = recurrencesOf(edges);
  const std::map<int, int> offsets = numberOffsets(edges);
  const auto standsWithPageNumber = [&](const EdgeRow& row) {
    return holdsPageNumber(row, pages[row.page].label, offsets);
  };
  markHeads(edges, [&](const EdgeRow& row) {
    const int count = pagesAlike(row, recurrences);
    const bool isHead = !row.isTitle || standsWithPageNumber(row) || isTitleOfPages(row, count, pages, edges);
    return (count >= kRecurrences && isHead) || isPageNumber(row, pages[row.page].label, offsets);
  });
  // Heads of short chapters recur too seldom to be seen as such, but stand where the others stand.
  const auto bands = headBands(edges, pages.size());
  markHeads(edges, [&](const EdgeRow& row) {
    return standsInBand(row, bands) &&
           (standsWithPageNumber(row) || (!row.isTitle && row.gap > 1.5f * row.size));
  });
  removeMarked(pages, edges);
}

}  // namespace kvasir
