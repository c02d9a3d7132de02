#include "importers/pdf_headings.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <unordered_map>

#include "importers/unicode.h"

namespace kvasir {
namespace {

constexpr std::size_t kNowhere = std::string::npos;
constexpr std::size_t kLongestHeading = 240;  // letters
constexpr std::size_t kLongestTitle = 200;    // bytes
constexpr std::size_t kMostPlaces = 60;       // lines that could be one heading
constexpr std::size_t kHeadingLines = 3;
constexpr float kLarger = 1.12f;       // than the body
constexpr std::size_t kMostSizes = 3;  // levels by size
constexpr int kTargetWeight = 8;       // of a line on the page that the outline names
constexpr float kNear = 3;             // points that a target may lie inside its line

std::u32string withoutNumber(const std::u32string& title) {
  std::size_t i = 0;
  while (i < title.size() && (isDigit(title[i]) || title[i] == U'.' || title[i] == U')' || isSpace(title[i])))
    ++i;
  return i < title.size() && i > 0 ? title.substr(i) : title;
}

/// "Chapter 1: Creators" and "CHAPTER ONE: Creators" agree after the colon. Empty when there is none.
std::u32string keyAfterColon(std::string_view text) {
  constexpr std::size_t kLongestLabel = 30;  // bytes
  const std::size_t colon = text.find(':');
  return colon > kLongestLabel ? std::u32string{} : letterKey(fromUtf8(text.substr(colon + 1)));
}

std::u32string keyOf(std::string_view text) { return letterKey(withoutNumber(fromUtf8(text))); }

float bodySize(const std::vector<LinePlace>& lines) {
  std::map<float, std::size_t> bytes;
  for (const LinePlace& line : lines) bytes[line.size] += line.end - line.start;
  const auto most = std::max_element(bytes.begin(), bytes.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == bytes.end() ? 10 : most->first;
}

std::string_view textOf(const Document& document, const LinePlace& first, const LinePlace& last) {
  return std::string_view(document.text).substr(first.start, last.end - first.start);
}

struct Place {
  std::size_t line = 0;
  int weight = 0;
};
using Places = std::unordered_map<std::string, std::vector<Place>>;

void addPlace(Places& places, const std::u32string& key, Place place) {
  if (key.empty()) return;
  std::vector<Place>& at = places[toUtf8(key)];
  if (at.size() < kMostPlaces) at.push_back(place);
}

/// Every line, alone and with the next ones, under its letters.
Places placesOf(const Document& document, const std::vector<LinePlace>& lines) {
  Places places;
  const float body = bodySize(lines);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    for (std::size_t count = 1; count <= kHeadingLines && i + count <= lines.size(); ++count) {
      const LinePlace& last = lines[i + count - 1];
      if (std::abs(last.size - lines[i].size) > 0.3f * body) break;
      const std::u32string key = keyOf(textOf(document, lines[i], last));
      if (key.empty() || key.size() > kLongestHeading) break;
      const int weight = 2 + (lines[i].size > 1.04f * body ? 6 : 0) + (lines[i].startsParagraph ? 3 : 0);
      addPlace(places, key, {i, weight});
      addPlace(places, keyAfterColon(textOf(document, lines[i], last)), {i, weight});
    }
  }
  return places;
}

/// A step of the heaviest ascending chain of (heading, line).
struct Step {
  std::size_t heading = 0, line = 0;
  int previous = -1;
  long weight = 0;
};

/// Best chain so far by line: lines ascend, weights too, so that the best before a line is one look-up.
class Chains {
 public:
  int bestBefore(std::size_t line) const {
    auto after = best_.upper_bound(line);
    return after == best_.begin() ? -1 : std::prev(after)->second.second;
  }
  void add(std::size_t line, long weight, int step) {
    auto after = best_.upper_bound(line);
    if (after != best_.begin() && std::prev(after)->second.first >= weight) return;
    auto at = best_.insert_or_assign(line, std::pair{weight, step}).first;
    for (++at; at != best_.end() && at->second.first <= weight;) at = best_.erase(at);
  }

 private:
  std::map<std::size_t, std::pair<long, int>> best_;
};

std::vector<Step> stepsOf(const std::vector<Heading>& headings, const std::vector<LinePlace>& lines,
                          const Places& places) {
  std::vector<Step> steps;
  Chains chains;
  for (std::size_t h = 0; h < headings.size(); ++h) {
    auto found = places.find(toUtf8(keyOf(headings[h].title)));
    if (found == places.end()) found = places.find(toUtf8(keyAfterColon(headings[h].title)));
    if (found == places.end()) continue;
    const std::size_t first = steps.size();
    for (const Place& place : found->second) {
      const bool isTarget = headings[h].target && headings[h].target->page == lines[place.line].page;
      Step step{h, place.line, chains.bestBefore(place.line), place.weight + (isTarget ? kTargetWeight : 0)};
      if (step.previous >= 0) step.weight += steps[static_cast<std::size_t>(step.previous)].weight;
      steps.push_back(step);
    }
    for (std::size_t i = first; i < steps.size(); ++i) {
      chains.add(steps[i].line, steps[i].weight, static_cast<int>(i));
    }
  }
  return steps;
}

/// Where each heading's title is a line of the text; kNowhere where it is none.
std::vector<std::size_t> startsByTitle(const std::vector<Heading>& headings, const Document& document,
                                       const std::vector<LinePlace>& lines) {
  std::vector<std::size_t> starts(headings.size(), kNowhere);
  const std::vector<Step> steps = stepsOf(headings, lines, placesOf(document, lines));
  if (steps.empty()) return starts;
  const auto heaviest = std::ranges::max_element(steps, {}, &Step::weight);
  for (int i = static_cast<int>(heaviest - steps.begin()); i >= 0;
       i = steps[static_cast<std::size_t>(i)].previous) {
    const Step& step = steps[static_cast<std::size_t>(i)];
    starts[step.heading] = lines[step.line].start;
  }
  return starts;
}

/// The highest line of the page that does not end above the target nor left of it; of lines at one height the
/// first. Where the page has none, the next line; at the document's end its last one.
std::size_t startOf(const Heading::Target& target, const Document& document,
                    const std::vector<LinePlace>& lines) {
  const auto isBefore = [](const LinePlace& line, std::size_t page) { return line.page < page; };
  const auto first = std::lower_bound(lines.begin(), lines.end(), target.page, isBefore);
  const auto behind = std::lower_bound(first, lines.end(), target.page + 1, isBefore);
  if (!target.top && first != behind) return first->start;
  auto best = behind;
  float bestTop = std::numeric_limits<float>::infinity();
  for (auto line = first; line != behind; ++line) {
    const auto word = std::ranges::lower_bound(document.words, line->start, {}, &Word::start);
    const auto wordBehind = std::ranges::lower_bound(word, document.words.end(), line->end, {}, &Word::start);
    if (word == wordBehind) continue;
    const bool isBeside = target.left && std::prev(wordBehind)->box.right < *target.left;
    if (isBeside || word->box.bottom < *target.top + kNear || word->box.top > bestTop - kNear) continue;
    best = line;
    bestTop = word->box.top;
  }
  return best == lines.end() ? lines.back().start : best->start;
}

std::string oneLine(std::string_view text) {
  std::string line;
  for (const char letter : trimmed(text)) {
    const bool space = letter == ' ' || letter == '\n' || letter == '\t';
    if (!space) line += letter;
    if (space && !line.empty() && line.back() != ' ') line += ' ';
  }
  return line;
}

}  // namespace

std::vector<Section> locateHeadings(const std::vector<Heading>& headings, const Document& document,
                                    const std::vector<LinePlace>& lines) {
  if (lines.empty()) return {};
  std::vector<std::size_t> starts = startsByTitle(headings, document, lines);
  for (std::size_t h = 0; h < headings.size(); ++h)
    if (starts[h] == kNowhere && headings[h].target) starts[h] = startOf(*headings[h].target, document, lines);
  const auto missing = static_cast<std::size_t>(std::ranges::count(starts, kNowhere));
  if (missing * 4 > headings.size() * 3) return {};
  std::vector<Section> sections;
  for (std::size_t h = headings.size(); h-- > 0;) {
    // A part whose own title is a picture begins with its first chapter.
    const bool hasChapters = !sections.empty() && h + 1 < headings.size() &&
                             headings[h + 1].level > headings[h].level &&
                             sections.back().title == oneLine(headings[h + 1].title);
    if (starts[h] == kNowhere && !hasChapters) continue;
    const std::size_t start = starts[h] == kNowhere ? sections.back().start : starts[h];
    sections.push_back({oneLine(headings[h].title), headings[h].level, start});
  }
  std::reverse(sections.begin(), sections.end());
  std::ranges::stable_sort(sections, {}, &Section::start);
  return sections;
}

std::vector<Section> headingsBySize(const Document& document, const std::vector<LinePlace>& lines) {
  const float body = bodySize(lines);
  std::vector<Section> sections;
  std::vector<float> sizes;
  for (std::size_t i = 0; i < lines.size();) {
    std::size_t end = i + 1;
    while (end < lines.size() && std::abs(lines[end].size - lines[i].size) < 0.1f &&
           end - i < kHeadingLines + 1 && !lines[end].startsParagraph) {
      ++end;
    }
    const std::string title = oneLine(textOf(document, lines[i], lines[end - 1]));
    const bool isHeading = lines[i].startsParagraph && lines[i].size > kLarger * body &&
                           end - i <= kHeadingLines && title.size() <= kLongestTitle &&
                           letterKey(fromUtf8(title)).size() >= 3;
    if (isHeading) {
      sections.push_back({title, 1, lines[i].start});
      sizes.push_back(lines[i].size);
    }
    i = end;
  }
  std::vector<float> distinct = sizes;
  std::sort(distinct.rbegin(), distinct.rend());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  distinct.resize(std::min(distinct.size(), kMostSizes));
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const auto rank = std::find(distinct.begin(), distinct.end(), sizes[i]) - distinct.begin();
    sections[i].level = 1 + static_cast<int>(std::min<std::ptrdiff_t>(rank, kMostSizes - 1));
  }
  return sections;
}

std::string titleBySize(const Document& document, const std::vector<LinePlace>& lines) {
  float largest = kLarger * bodySize(lines);
  std::size_t first = lines.size();
  for (std::size_t i = 0; i < lines.size() && lines[i].page == 0; ++i) {
    const bool hasWords = letterKey(fromUtf8(textOf(document, lines[i], lines[i]))).size() >= 3;
    if (lines[i].size <= largest || !hasWords) continue;
    largest = lines[i].size;
    first = i;
  }
  if (first == lines.size()) return {};
  std::size_t last = first;
  while (last + 1 < lines.size() && lines[last + 1].page == 0 &&
         std::abs(lines[last + 1].size - largest) < 0.1f) {
    ++last;
  }
  const std::string title = oneLine(textOf(document, lines[first], lines[last]));
  return title.size() <= kLongestTitle ? title : "";
}

}  // namespace kvasir
