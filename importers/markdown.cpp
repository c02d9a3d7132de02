#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "importers/file_bytes.h"
#include "importers/formats.h"
#include "importers/language.h"
#include "importers/plain_text.h"
#include "importers/text_encoding.h"
#include "importers/unicode.h"

namespace kvasir {
namespace {

std::vector<std::string_view> linesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t to = std::min(text.find('\n', from), text.size());
    lines.push_back(text.substr(from, to - from));
    from = to + 1;
  }
  return lines;
}

std::size_t indentOf(std::string_view line) { return std::min(line.find_first_not_of(' '), line.size()); }

/// The run of ` or ~ that opens or closes code, and what stands behind it; empty when the line has none.
struct Fence {
  std::string_view marks, rest;

  /// What follows ``` in the line it opens with names a language; `a` ``b`` is text.
  bool opens() const {
    return !marks.empty() && !(marks[0] == '`' && rest.find('`') != std::string_view::npos);
  }
  bool closes(std::string_view opened) const { return marks.starts_with(opened) && trimmed(rest).empty(); }
};

Fence fenceOf(std::string_view line) {
  const std::size_t indent = indentOf(line);
  if (indent > 3 || indent >= line.size() || (line[indent] != '`' && line[indent] != '~')) return {};
  const std::size_t end = std::min(line.find_first_not_of(line[indent], indent), line.size());
  if (end - indent < 3) return {};
  return {line.substr(indent, end - indent), line.substr(end)};
}

struct AtxHeading {
  int level = 0;
  std::string_view title;
};

std::optional<AtxHeading> atxHeading(std::string_view line) {
  const std::size_t indent = indentOf(line);
  const std::size_t end = std::min(line.find_first_not_of('#', indent), line.size());
  const std::size_t level = end - indent;
  if (indent > 3 || level < 1 || level > 6 || (end < line.size() && line[end] != ' ' && line[end] != '\t')) {
    return std::nullopt;
  }
  std::string_view title = trimmed(line.substr(end));
  const std::size_t last = title.find_last_not_of('#');
  const bool closed = last == std::string_view::npos || (last + 1 < title.size() && title[last] == ' ');
  if (closed) title = last == std::string_view::npos ? std::string_view{} : trimmed(title.substr(0, last));
  return AtxHeading{static_cast<int>(level), title};
}

/// "===" or "---" below a line of text.
int setextLevel(std::string_view line) {
  const std::string_view marks = trimmed(line);
  if (marks.empty() || indentOf(line) > 3) return 0;
  if (marks.find_first_not_of('=') == std::string_view::npos) return 1;
  return marks.find_first_not_of('-') == std::string_view::npos ? 2 : 0;
}

/// "- a", "* a", "+ a", "1. a" and "1) a". Emphasis does not go from one to the next.
bool startsItem(std::string_view line) {
  line = trimmed(line);
  const std::size_t digits = std::min(line.find_first_not_of("0123456789"), line.size());
  const std::string_view bullets = digits == 0 ? "-*+" : ".)";
  return digits < line.size() && bullets.find(line[digits]) != std::string_view::npos &&
         (digits + 1 == line.size() || line[digits + 1] == ' ' || line[digits + 1] == '\t');
}

bool isTableRow(std::string_view line) { return trimmed(line).starts_with('|'); }

/// What stands on one side of a run of marks; the ends of a paragraph are spaces.
struct Beside {
  bool isSpace = false, isPunctuation = false, isUnspaced = false;
};

Beside besideOf(char32_t code) { return {isSpace(code), isPunctuation(code), isUnspaced(code)}; }

/// Whether a run of marks can belong to what stands inside of it: left- and right-flanking of CommonMark 0.31,
/// section 6.2. Departs from it beside scripts without spaces: "**重点。**内容" is emphasis.
bool isFlanking(const Beside& outside, const Beside& inside) {
  return !inside.isSpace && (!inside.isPunctuation || inside.isUnspaced || outside.isSpace ||
                             outside.isPunctuation || outside.isUnspaced);
}

/// A run of * or _. The rules for pairs are 9 and 10 of CommonMark's section 6.2.
struct Marks {
  std::size_t at = 0;  ///< byte of the text
  char mark = '*';
  bool opens = false, closes = false;
  std::size_t length = 0, left = 0;  ///< left: those without a partner
};

bool canPair(const Marks& opening, const Marks& closing) {
  if (opening.mark != closing.mark) return false;
  if (!opening.closes && !closing.opens) return true;
  return (opening.length + closing.length) % 3 != 0 || (opening.length % 3 == 0 && closing.length % 3 == 0);
}

/// Pairs each run that may close with the nearest before it that may open: "process emphasis" of CommonMark's
/// appendix. What one run looked through in vain is not looked through again for its kind, so that no text
/// takes long.
void pairMarks(std::vector<Marks>& runs) {
  std::vector<std::size_t> open;  // runs that wait for a partner
  std::array<std::size_t, 12> firstFor{};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    Marks& closing = runs[i];
    std::size_t& first = firstFor[(closing.mark == '_' ? 6 : 0) + (closing.opens ? 3 : 0) + closing.length % 3];
    while (closing.closes && closing.left > 0) {
      std::size_t count = open.size();
      while (count > 0 && open[count - 1] >= first && !canPair(runs[open[count - 1]], closing)) --count;
      if (count == 0 || open[count - 1] < first) {
        first = i;
        break;
      }
      Marks& opening = runs[open[count - 1]];
      const std::size_t marks = opening.left > 1 && closing.left > 1 ? 2 : 1;
      opening.left -= marks;
      closing.left -= marks;
      open.resize(opening.left > 0 ? count : count - 1);
    }
    if (closing.opens && closing.left > 0) open.push_back(i);
  }
}

/// A paragraph without its marks. What ends code or a link is looked for in the next so many bytes, so that no
/// text takes long.
class InlineReader {
 public:
  explicit InlineReader(std::string_view source, int depth = 0) : source_(source), depth_(depth) {}

  std::string text() {
    while (at_ < source_.size()) {
      if (takeEscape() || takeCode() || takeLink() || takeMarks()) continue;
      text_ += source_[at_++];
    }
    return withoutPairs();
  }

 private:
  static constexpr std::size_t kReach = 4000;

  /// Where something stands within reach.
  std::size_t find(std::string_view what, std::size_t from) const {
    return source_.substr(0, std::min(source_.size(), from + kReach)).find(what, from);
  }

  bool takeEscape() {
    if (source_[at_] != '\\' || at_ + 1 >= source_.size() ||
        std::string_view("\\`*_{}[]()#+-.!|<>~").find(source_[at_ + 1]) == std::string_view::npos)
      return false;
    text_ += source_[at_ + 1];
    at_ += 2;
    return true;
  }

  bool takeCode() {
    if (source_[at_] != '`') return false;
    const std::size_t run = std::min(source_.find_first_not_of('`', at_), source_.size()) - at_;
    const std::size_t close = find(std::string(run, '`'), at_ + run);
    if (close == std::string_view::npos) {
      text_.append(run, '`');
      at_ += run;
      return true;
    }
    text_ += source_.substr(at_ + run, close - at_ - run);
    at_ = close + run;
    return true;
  }

  /// "[text](target)" and "[text][id]" as their text, "![alt](target)" as the alternative text.
  bool takeLink() {
    const bool isPicture = source_[at_] == '!' && at_ + 1 < source_.size() && source_[at_ + 1] == '[';
    const std::size_t open = isPicture ? at_ + 1 : at_;
    if (source_[open] != '[' || depth_ >= 8) return false;
    const std::size_t close = find("]", open);
    if (close == std::string_view::npos || close + 1 >= source_.size()) return false;
    const char target = source_[close + 1];
    if (target != '(' && target != '[') return false;
    const std::size_t end = find(target == '(' ? ")" : "]", close + 2);
    if (end == std::string_view::npos) return false;
    text_ += InlineReader(source_.substr(open + 1, close - open - 1), depth_ + 1).text();
    at_ = end + 1;
    return true;
  }

  /// `snake_case` has no marks: _ marks no part of a word, unlike *.
  bool takeMarks() {
    const char mark = source_[at_];
    if (mark != '*' && mark != '_') return false;
    const std::size_t end = std::min(source_.find_first_not_of(mark, at_), source_.size());
    const Beside before = besideOf(codeBefore(at_)), behind = besideOf(codeAt(end));
    const bool isLeft = isFlanking(before, behind), isRight = isFlanking(behind, before), isStar = mark == '*';
    const bool opens = isLeft && (isStar || !isRight || before.isPunctuation);
    const bool closes = isRight && (isStar || !isLeft || behind.isPunctuation);
    marks_.push_back({text_.size(), mark, opens, closes, end - at_, end - at_});
    text_.append(end - at_, mark);
    at_ = end;
    return true;
  }

  char32_t codeBefore(std::size_t at) const {
    if (at == 0) return U' ';
    std::size_t first = at - 1;
    while (first > 0 && at - first < 4 && (source_[first] & 0xC0) == 0x80) --first;
    return fromUtf8(source_.substr(first, at - first)).back();
  }
  char32_t codeAt(std::size_t at) const {
    return at < source_.size() ? fromUtf8(source_.substr(at, 4)).front() : U' ';
  }

  std::string withoutPairs() {
    pairMarks(marks_);
    std::string kept;
    std::size_t from = 0;
    for (const Marks& run : marks_) {
      kept.append(text_, from, run.at - from).append(run.left, run.mark);
      from = run.at + run.length;
    }
    kept.append(text_, from);
    return kept;
  }

  std::string_view source_;
  int depth_;
  std::size_t at_ = 0;
  std::string text_;
  std::vector<Marks> marks_;
};

std::string inlineText(std::string_view source) { return InlineReader(source).text(); }

/// Takes the file line by line.
class MarkdownReader {
 public:
  Document read(std::string_view source) {
    const std::vector<std::string_view> lines = linesOf(source);
    std::size_t first = frontMatterEnd(lines);
    for (std::size_t i = first; i < lines.size(); ++i) i += takeLine(lines, i);
    endParagraph();
    return std::move(document_);
  }

 private:
  /// "---" … "---" at the top holds settings of the program that made the file: names and values.
  static std::size_t frontMatterEnd(const std::vector<std::string_view>& lines) {
    if (lines.empty() || trimmed(lines[0]) != "---") return 0;
    for (std::size_t i = 1; i < std::min<std::size_t>(lines.size(), 100); ++i) {
      if (trimmed(lines[i]) == "---") return i + 1;
      if (!isSetting(lines[i])) return 0;
    }
    return 0;
  }
  static bool isSetting(std::string_view line) {
    if (trimmed(line).empty() || line[0] == ' ' || line[0] == '\t' || line[0] == '#' || line.starts_with("- "))
      return true;
    const std::size_t colon = line.find(':');
    return colon != std::string_view::npos &&
           line.substr(0, colon).find_first_of(" \t") == std::string_view::npos;
  }

  /// Returns how many lines beyond this one were taken.
  std::size_t takeLine(const std::vector<std::string_view>& lines, std::size_t i) {
    const std::string_view line = lines[i];
    const Fence fence = fenceOf(line);
    if (!fence_.empty()) {
      const bool closes = fence.closes(fence_);
      closes ? fence_.clear() : append(line);
      if (closes) afterBlank_ = true;
      return 0;
    }
    if (fence.opens()) {
      endParagraph();
      fence_ = fence.marks;
      afterBlank_ = true;
      return 0;
    }
    if (trimmed(line).empty()) {
      endParagraph();
      afterBlank_ = true;
      return 0;
    }
    if (const auto heading = atxHeading(line)) {
      endParagraph();
      appendHeading(heading->title, heading->level);
      return 0;
    }
    const bool startsParagraph = afterBlank_ && paragraph_.empty();
    const int level =
        startsParagraph && indentOf(line) <= 3 && i + 1 < lines.size() ? setextLevel(lines[i + 1]) : 0;
    if (level > 0) {
      appendHeading(line, level);
      return 1;
    }
    takeText(line, startsParagraph);
    return 0;
  }

  void takeText(std::string_view line, bool startsParagraph) {
    const bool isRuled = isRule(line), isRow = isTableRow(line);
    if (isRuled || isRow || startsItem(line)) endParagraph();
    if (isRuled) return;
    if (indentOf(line) > 3 && startsParagraph) return append(line);
    if (isRow) return append(rowText(line));
    if (!paragraph_.empty()) paragraph_ += '\n';
    paragraph_ += withoutEnd(line);
  }

  /// Emphasis does not go from one cell to the next.
  static std::string rowText(std::string_view line) {
    std::string text;
    for (std::size_t from = 0; from <= line.size();) {
      std::size_t to = line.find('|', from);
      while (to != std::string_view::npos && to > 0 && line[to - 1] == '\\') to = line.find('|', to + 1);
      to = std::min(to, line.size());
      if (from > 0) text += '|';
      text += inlineText(line.substr(from, to - from));
      from = to + 1;
    }
    return text;
  }

  /// Emphasis may go over a paragraph's lines.
  void endParagraph() {
    if (!paragraph_.empty()) append(inlineText(std::exchange(paragraph_, {})));
  }

  static std::string_view withoutEnd(std::string_view line) {
    return line.substr(0, line.find_last_not_of(" \t") + 1);
  }

  static bool isRule(std::string_view line) {
    std::string marks;
    for (const char letter : line) {
      if (letter != ' ') marks += letter;
    }
    return marks.size() >= 3 && std::string_view("-*_").find(marks[0]) != std::string_view::npos &&
           marks.find_first_not_of(marks[0]) == std::string::npos;
  }

  void append(std::string_view line) {
    line = withoutEnd(line);
    if (!document_.text.empty()) document_.text += afterBlank_ ? "\n\n" : "\n";
    document_.text += line;
    afterBlank_ = false;
  }

  void appendHeading(std::string_view source, int level) {
    const std::string title = inlineText(trimmed(source));
    if (title.empty()) return;
    afterBlank_ = true;
    append(title);
    document_.sections.push_back({title, level, document_.text.size() - title.size()});
    afterBlank_ = true;
  }

  Document document_;
  std::string fence_;
  std::string paragraph_;  ///< lines of the one that goes on
  bool afterBlank_ = true;
};

}  // namespace

bool isMarkdown(std::string_view firstBytes) { return isText(firstBytes); }

Document importMarkdown(const std::filesystem::path& file, const ImportProgress& progress) {
  Document document = MarkdownReader().read(plainTextOf(file));
  const bool startsWithTitle = !document.sections.empty() && document.sections.front().start == 0;
  document.title = startsWithTitle ? document.sections.front().title : nameOf(file.stem());
  document.language = languageOf(document.text);
  progress(1, 1);
  return document;
}

}  // namespace kvasir
