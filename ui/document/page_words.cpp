#include "ui/document/page_words.h"

#include <algorithm>
#include <cmath>

namespace kvasir {
namespace {

constexpr double kSameLine = 0.5;     // share of the lower word's height that must overlap
constexpr double kWidestSpace = 1.5;  // times the height; a wider gap divides columns and cells
constexpr double kSlack = 1.5;        // points beside a character that still count as on it
constexpr double kOffLine = 40;       // how much worse beside a line is than along it, to a caret

QRectF rectOf(const Box& box) { return QRectF(QPointF(box.left, box.top), QPointF(box.right, box.bottom)); }

bool startsCharacter(char c) { return (c & 0xC0) != 0x80; }

std::string_view textOf(const Document& document, const Word& word) {
  const std::size_t start = std::min(word.start, document.text.size());
  return std::string_view(document.text).substr(start, std::max(start, word.end) - start);
}

/// First bytes of the word's characters, and its end.
std::vector<std::size_t> charactersOf(const Document& document, const Word& word) {
  const std::string_view text = textOf(document, word);
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (startsCharacter(text[i])) starts.push_back(word.start + i);
  }
  starts.push_back(word.start + text.size());
  return starts;
}

QRectF boxWithin(const Document& document, const Word& word, const TextRange& range) {
  if (range.start <= word.start && range.end >= word.end) return rectOf(word.box);
  const std::vector<std::size_t> starts = charactersOf(document, word);
  if (word.characters.size() + 1 != starts.size()) return rectOf(word.box);
  QRectF box;
  for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
    if (starts[i + 1] > range.start && starts[i] < range.end) box = box.united(rectOf(word.characters[i]));
  }
  return box;
}

struct Line {
  PageBox at;
  Writing writing = Writing::Unknown;
};

double overlap(double startA, double endA, double startB, double endB) {
  return std::min(endA, endB) - std::max(startA, startB);
}

bool continues(const Line& line, int page, const QRectF& box, Writing writing) {
  if (line.at.page != page) return false;
  const QRectF& before = line.at.box;
  const double beside = overlap(before.left(), before.right(), box.left(), box.right());
  const double above = overlap(before.top(), before.bottom(), box.top(), box.bottom());
  const Writing both = writing == Writing::Unknown ? line.writing : writing;
  if (both == Writing::Down) {
    const double width = std::min(before.width(), box.width());
    return beside > kSameLine * width && above > -kWidestSpace * std::max(before.width(), box.width());
  }
  const double height = std::min(before.height(), box.height());
  return above > kSameLine * height && beside > -kWidestSpace * std::max(before.height(), box.height());
}

template <typename Range>
std::vector<PageBox> mergedBoxes(const Document& document, const Range& words, const TextRange& range) {
  std::vector<Line> lines;
  for (const Word& word : words) {
    if (word.start >= range.end) break;
    const QRectF box = boxWithin(document, word, range);
    if (!box.isValid()) continue;
    const Writing writing = writingOf(word);
    if (lines.empty() || !continues(lines.back(), word.page, box, writing)) {
      lines.push_back({{word.page, box}, writing});
      continue;
    }
    lines.back().at.box = lines.back().at.box.united(box);
    if (writing != Writing::Unknown) lines.back().writing = writing;
  }
  std::vector<PageBox> boxes;
  boxes.reserve(lines.size());
  for (const Line& line : lines) boxes.push_back(line.at);
  return boxes;
}

std::span<const Word> from(std::span<const Word> words, std::size_t byte) {
  const auto first =
      std::partition_point(words.begin(), words.end(), [&](const Word& word) { return word.end <= byte; });
  return {first, words.end()};
}

double away(double value, double start, double end) { return std::max({start - value, value - end, 0.0}); }

double distance(const Word& word, QPointF point) {
  const double beside = away(point.x(), word.box.left, word.box.right);
  const double above = away(point.y(), word.box.top, word.box.bottom);
  return writingOf(word) == Writing::Down ? above + kOffLine * beside : beside + kOffLine * above;
}

bool isBefore(QPointF point, const Box& box, Writing writing) {
  if (writing == Writing::Down) return point.y() < (box.top + box.bottom) / 2;
  const double middle = (box.left + box.right) / 2;
  return writing == Writing::Left ? point.x() > middle : point.x() < middle;
}

bool isBlank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

}  // namespace

Writing writingOf(const Word& word) {
  if (word.characters.size() < 2) return Writing::Unknown;
  const Box& first = word.characters.front();
  const Box& last = word.characters.back();
  const float right = last.left + last.right - first.left - first.right;
  const float down = last.top + last.bottom - first.top - first.bottom;
  if (std::abs(down) > std::abs(right)) return Writing::Down;
  return right < 0 ? Writing::Left : Writing::Right;
}

std::span<const Word> wordsOn(const Document& document, int page) {
  const auto& words = document.words;
  const auto first =
      std::partition_point(words.begin(), words.end(), [&](const Word& word) { return word.page < page; });
  const auto last =
      std::partition_point(first, words.end(), [&](const Word& word) { return word.page <= page; });
  return {first, last};
}

std::vector<PageBox> boxesOf(const Document& document, const TextRange& range) {
  return mergedBoxes(document, from(document.words, range.start), range);
}

std::vector<QRectF> boxesOn(const Document& document, int page, const TextRange& range) {
  std::vector<QRectF> boxes;
  for (const PageBox& at : mergedBoxes(document, from(wordsOn(document, page), range.start), range)) {
    boxes.push_back(at.box);
  }
  return boxes;
}

std::optional<std::size_t> byteAt(const Document& document, int page, QPointF point) {
  const QMarginsF slack(kSlack, kSlack, kSlack, kSlack);
  for (const Word& word : wordsOn(document, page)) {
    if (!rectOf(word.box).marginsAdded(slack).contains(point)) continue;
    const std::vector<std::size_t> starts = charactersOf(document, word);
    if (word.characters.size() + 1 != starts.size() || word.characters.empty()) return word.start;
    std::size_t nearest = 0;
    double least = 1e9;
    for (std::size_t i = 0; i < word.characters.size(); ++i) {
      const QPointF off = rectOf(word.characters[i]).center() - point;
      const double length = off.x() * off.x() + off.y() * off.y();
      if (length < least) nearest = i, least = length;
    }
    return starts[nearest];
  }
  return std::nullopt;
}

std::optional<std::size_t> caretAt(const Document& document, int page, QPointF point) {
  const std::span<const Word> words = wordsOn(document, page);
  if (words.empty()) return std::nullopt;
  const Word& word = *std::min_element(words.begin(), words.end(), [&](const Word& a, const Word& b) {
    return distance(a, point) < distance(b, point);
  });
  const std::vector<std::size_t> starts = charactersOf(document, word);
  if (word.characters.size() + 1 != starts.size()) {
    return isBefore(point, word.box, Writing::Right) ? starts.front() : starts.back();
  }
  const Writing writing = writingOf(word);
  for (std::size_t i = 0; i < word.characters.size(); ++i) {
    if (isBefore(point, word.characters[i], writing)) return starts[i];
  }
  return starts.back();
}

TextRange wordAround(const Document& document, std::size_t byte) {
  const std::string& text = document.text;
  TextRange range{std::min(byte, text.size()), std::min(byte, text.size())};
  while (range.start > 0 && !isBlank(text[range.start - 1])) --range.start;
  while (range.end < text.size() && !isBlank(text[range.end])) ++range.end;
  return range;
}

TextRange paragraphAround(const Document& document, std::size_t byte) {
  const std::string& text = document.text;
  const std::size_t at = std::min(byte, text.size());
  const std::size_t before = at == 0 ? std::string::npos : text.rfind("\n\n", at - 1);
  const std::size_t after = text.find("\n\n", at);
  return {before == std::string::npos ? 0 : std::min(before + 2, at),
          after == std::string::npos ? text.size() : after};
}

std::size_t characterStart(std::string_view text, std::size_t byte) {
  byte = std::min(byte, text.size());
  while (byte > 0 && byte < text.size() && !startsCharacter(text[byte])) --byte;
  return byte;
}

}  // namespace kvasir
