#include <algorithm>
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

bool isWordByte(std::string_view text, std::size_t i) {
  if (i >= text.size()) return false;
  const auto byte = static_cast<unsigned char>(text[i]);
  return byte >= 0x80 || (byte >= '0' && byte <= '9') || ((byte | 32) >= 'a' && (byte | 32) <= 'z');
}

/// A paragraph without its marks. What closes a mark is looked for in the next so many bytes, so that no text
/// takes long.
class InlineReader {
 public:
  explicit InlineReader(std::string_view source, int depth = 0) : source_(source), depth_(depth) {}

  std::string text() {
    while (at_ < source_.size()) {
      if (takeEscape() || takeCode() || takeLink() || takeEmphasis()) continue;
      text_ += source_[at_++];
    }
    return std::move(text_);
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

  /// Marks of emphasis stand in pairs round what they mark; `snake_case`, 2 * 3, 5*12 and *args keep theirs.
  bool takeEmphasis() {
    const char mark = source_[at_];
    if (mark != '*' && mark != '_') return false;
    const std::size_t end = std::min(source_.find_first_not_of(mark, at_), source_.size()), run = end - at_;
    const auto closes = std::ranges::find(closing_, at_);
    if (closes != closing_.end()) {
      closing_.erase(closes);
    } else if (const auto close = run <= 3 && !isBlank(end) && !isInWord(mark, at_, end)
                                      ? closeOf(mark, run, end)
                                      : std::nullopt) {
      closing_.push_back(*close);
    } else {
      text_.append(run, mark);
    }
    at_ = end;
    return true;
  }

  bool isBlank(std::size_t i) const { return i >= source_.size() || source_[i] == ' ' || source_[i] == '\n'; }
  /// Scripts without spaces mark parts of what stands together, with *.
  bool isOfWord(char mark, std::size_t i) const {
    return isWordByte(source_, i) && !(mark == '*' && static_cast<unsigned char>(source_[i]) >= 0x80);
  }
  bool isInWord(char mark, std::size_t first, std::size_t end) const {
    return first > 0 && isOfWord(mark, first - 1) && isOfWord(mark, end);
  }

  /// Of the next run of the same length that follows what it marks, and is not another's.
  std::optional<std::size_t> closeOf(char mark, std::size_t run, std::size_t from) const {
    const std::size_t reach = std::min(source_.size(), from + kReach);
    for (std::size_t at = from; (at = source_.substr(0, reach).find(mark, at)) != std::string_view::npos;) {
      const std::size_t end = std::min(source_.find_first_not_of(mark, at), source_.size());
      if (end - at == run && !isBlank(at - 1) && !isInWord(mark, at, end) &&
          std::ranges::find(closing_, at) == closing_.end())
        return at;
      at = end;
    }
    return std::nullopt;
  }

  std::string_view source_;
  int depth_;
  std::size_t at_ = 0;
  std::string text_;
  std::vector<std::size_t> closing_;  ///< where marks stand that close those that were opened
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
    if (isRule(line)) {
      endParagraph();
    } else if (indentOf(line) > 3 && startsParagraph) {
      append(line);
    } else {
      if (!paragraph_.empty()) paragraph_ += '\n';
      paragraph_ += withoutEnd(line);
    }
    return 0;
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
