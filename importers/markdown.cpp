#include <algorithm>
#include <optional>

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

/// The run of ` or ~ that opens or closes code; empty when the line has none.
std::string_view fenceOf(std::string_view line) {
  const std::size_t indent = indentOf(line);
  if (indent > 3 || indent >= line.size() || (line[indent] != '`' && line[indent] != '~')) return {};
  const std::size_t end = std::min(line.find_first_not_of(line[indent], indent), line.size());
  return end - indent >= 3 ? line.substr(indent, end - indent) : std::string_view{};
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

/// "[text](target)" and "[text][id]" as their text, "![alt](target)" as the alternative text.
std::optional<std::size_t> linkEnd(std::string_view line, std::size_t close) {
  if (close + 1 >= line.size()) return std::nullopt;
  const char open = line[close + 1];
  if (open != '(' && open != '[') return std::nullopt;
  const std::size_t end = line.find(open == '(' ? ')' : ']', close + 2);
  return end == std::string_view::npos ? std::nullopt : std::optional(end + 1);
}

/// A mark of emphasis touches the word it opens or closes; `snake_case` and `2 * 3` keep theirs.
bool isEmphasis(std::string_view line, std::size_t first, std::size_t end) {
  const bool before = first > 0 && line[first - 1] != ' ', after = end < line.size() && line[end] != ' ';
  if (!before && !after) return false;
  return line[first] == '*' || !(isWordByte(line, first - 1) && first > 0 && isWordByte(line, end));
}

std::string inlineText(std::string_view line, int depth = 0) {
  std::string text;
  for (std::size_t i = 0; i < line.size();) {
    const char letter = line[i];
    if (letter == '\\' && i + 1 < line.size() &&
        std::string_view("\\`*_{}[]()#+-.!|<>~").find(line[i + 1]) != std::string_view::npos) {
      text += line[i + 1];
      i += 2;
      continue;
    }
    if (letter == '`') {
      const std::size_t run = std::min(line.find_first_not_of('`', i), line.size()) - i;
      const std::size_t close = line.find(std::string(run, '`'), i + run);
      if (close != std::string_view::npos) {
        text += line.substr(i + run, close - i - run);
        i = close + run;
        continue;
      }
    }
    const std::size_t open = letter == '!' && i + 1 < line.size() && line[i + 1] == '[' ? i + 1 : i;
    if (line[open] == '[' && depth < 8) {
      const std::size_t close = line.find(']', open);
      const auto end = close == std::string_view::npos ? std::nullopt : linkEnd(line, close);
      if (end) {
        text += inlineText(line.substr(open + 1, close - open - 1), depth + 1);
        i = *end;
        continue;
      }
    }
    if (letter == '*' || letter == '_') {
      const std::size_t end = std::min(line.find_first_not_of(letter, i), line.size());
      if (end - i <= 3 && isEmphasis(line, i, end)) {
        i = end;
        continue;
      }
    }
    text += letter;
    ++i;
  }
  return text;
}

/// Takes the file line by line.
class MarkdownReader {
 public:
  Document read(std::string_view source) {
    const std::vector<std::string_view> lines = linesOf(source);
    std::size_t first = frontMatterEnd(lines);
    for (std::size_t i = first; i < lines.size(); ++i) i += takeLine(lines, i);
    return std::move(document_);
  }

 private:
  /// "---" … "---" at the top holds settings of the program that made the file.
  static std::size_t frontMatterEnd(const std::vector<std::string_view>& lines) {
    if (lines.empty() || trimmed(lines[0]) != "---") return 0;
    for (std::size_t i = 1; i < std::min<std::size_t>(lines.size(), 100); ++i) {
      if (trimmed(lines[i]) == "---") return i + 1;
    }
    return 0;
  }

  /// Returns how many lines beyond this one were taken.
  std::size_t takeLine(const std::vector<std::string_view>& lines, std::size_t i) {
    const std::string_view line = lines[i];
    const std::string_view fence = fenceOf(line);
    if (!fence_.empty()) {
      const bool closes = fence.starts_with(fence_);
      closes ? fence_.clear() : append(line);
      if (closes) afterBlank_ = true;
      return 0;
    }
    if (!fence.empty()) {
      fence_ = fence;
      afterBlank_ = true;
      return 0;
    }
    if (trimmed(line).empty()) {
      afterBlank_ = true;
      return 0;
    }
    if (const auto heading = atxHeading(line)) {
      appendHeading(heading->title, heading->level);
      return 0;
    }
    const bool startsParagraph = afterBlank_ && indentOf(line) <= 3;
    const int level = startsParagraph && i + 1 < lines.size() ? setextLevel(lines[i + 1]) : 0;
    if (level > 0) {
      appendHeading(line, level);
      return 1;
    }
    if (!isRule(line)) append(indentOf(line) > 3 && afterBlank_ ? std::string(line) : inlineText(line));
    return 0;
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
    line = line.substr(0, line.find_last_not_of(" \t") + 1);
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
