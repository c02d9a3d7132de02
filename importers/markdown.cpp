#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "importers/file_bytes.h"
#include "importers/formats.h"
#include "importers/language.h"
#include "importers/markdown_inline.h"
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

/// The label of "[label]: target"; empty in any other line, and for footnotes ("[^1]: text"), which are no
/// links.
std::string definedLabel(std::string_view line) {
  line = trimmed(line);
  if (!line.starts_with('[') || line.starts_with("[^")) return {};
  const std::size_t end = line.find(']');
  return line.substr(std::min(end, line.size())).starts_with("]:") ? labelOf(line.substr(1, end - 1)) : "";
}

/// All that links may name, before or behind their targets.
std::set<std::string> labelsOf(const std::vector<std::string_view>& lines) {
  std::set<std::string> labels;
  std::string_view opened;
  for (const std::string_view line : lines) {
    const Fence fence = fenceOf(line);
    if (opened.empty()) {
      if (fence.opens()) opened = fence.marks;
      labels.insert(definedLabel(line));
    } else if (fence.closes(opened)) {
      opened = {};
    }
  }
  labels.erase("");
  return labels;
}

/// Takes the file line by line.
class MarkdownReader {
 public:
  Document read(std::string_view source) {
    const std::vector<std::string_view> lines = linesOf(source);
    labels_ = labelsOf(lines);
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
  std::string rowText(std::string_view line) const {
    std::string text;
    for (std::size_t from = 0; from <= line.size();) {
      std::size_t to = line.find('|', from);
      while (to != std::string_view::npos && to > 0 && line[to - 1] == '\\') to = line.find('|', to + 1);
      to = std::min(to, line.size());
      if (from > 0) text += '|';
      text += inlineText(line.substr(from, to - from), labels_);
      from = to + 1;
    }
    return text;
  }

  /// Emphasis may go over a paragraph's lines.
  void endParagraph() {
    if (!paragraph_.empty()) append(inlineText(std::exchange(paragraph_, {}), labels_));
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
    const std::string title = inlineText(trimmed(source), labels_);
    if (title.empty()) return;
    afterBlank_ = true;
    append(title);
    document_.sections.push_back({title, level, document_.text.size() - title.size()});
    afterBlank_ = true;
  }

  Document document_;
  std::set<std::string> labels_;
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
