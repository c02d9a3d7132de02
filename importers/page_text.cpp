#include "importers/page_text.h"

#include <algorithm>
#include <cmath>

#include "importers/paragraph_breaks.h"
#include "importers/unicode.h"
#include "importers/word_hyphens.h"

namespace kvasir {
namespace {

constexpr float kDeepestIndent = 40;  // characters before a line of code

struct PlacedLine {
  const TextLine* line = nullptr;
  std::size_t page = 0;
};

std::vector<PlacedLine> inOrder(const std::vector<LaidPage>& pages) {
  std::vector<PlacedLine> lines;
  for (std::size_t page = 0; page < pages.size(); ++page) {
    for (const TextLine& line : pages[page].lines) {
      if (!line.words.empty()) lines.push_back({&line, page});
    }
  }
  return lines;
}

/// Writes lines one after the other and keeps the place of each.
class TextWriter {
 public:
  TextWriter(Document& document, const std::vector<LaidPage>& pages)
      : document_(document), lines_(inOrder(pages)), pages_(pages) {
    for (const LaidPage& page : pages) hyphens_.count(page.lines);
  }

  std::vector<LinePlace> write() {
    for (std::size_t i = 0; i < lines_.size(); ++i) writeLine(i);
    startPagesUpTo(pages_.size());
    for (std::size_t i = 0; i < document_.pages.size(); ++i) {
      Page& page = document_.pages[i];
      page.end = i + 1 < document_.pages.size() ? document_.pages[i + 1].start : document_.text.size();
    }
    return std::move(places_);
  }

 private:
  void startPagesUpTo(std::size_t count) {
    while (document_.pages.size() < count) {
      const LaidPage& page = pages_[document_.pages.size()];
      document_.pages.push_back(
          {page.label, page.width, page.height, document_.text.size(), document_.text.size()});
    }
  }

  void writeLine(std::size_t index) {
    const TextLine& line = *lines_[index].line;
    startPagesUpTo(lines_[index].page + 1);
    linesInParagraph_ = startsParagraph_ ? 1 : linesInParagraph_ + 1;
    if (line.isMonospaced && startsLine_) writeIndent(line);
    LinePlace place{document_.text.size(), 0, lines_[index].page, line.size, startsParagraph_};
    const bool isLast = index + 1 == lines_.size();
    const LineBreak lineBreak = isLast ? LineBreak::None : breakAfter(index);
    auto ending = WordHyphens::Ending::None;
    if (!isLast && lineBreak == LineBreak::None) ending = hyphens_.endingOf(line, *lines_[index + 1].line);
    for (std::size_t i = 0; i < line.words.size(); ++i) {
      if (i > 0) document_.text += line.isTable && line.words[i].startsCell ? '\t' : ' ';
      const bool drop = i + 1 == line.words.size() && ending == WordHyphens::Ending::Divided;
      writeWord(line.words[i].glyphs, lines_[index].page, drop);
    }
    place.end = document_.text.size();
    places_.push_back(place);
    if (!isLast) writeSeparator(index, lineBreak, ending);
  }

  LineBreak breakAfter(std::size_t index) const {
    LineContext context;
    context.samePage = lines_[index].page == lines_[index + 1].page;
    context.linesInParagraph = linesInParagraph_;
    return breakBetween(*lines_[index].line, *lines_[index + 1].line, context);
  }

  void writeSeparator(std::size_t index, LineBreak lineBreak, WordHyphens::Ending ending) {
    startsParagraph_ = lineBreak == LineBreak::Paragraph;
    startsLine_ = lineBreak != LineBreak::None;
    if (lineBreak == LineBreak::Paragraph) {
      document_.text += "\n\n";
    } else if (lineBreak == LineBreak::Line) {
      document_.text += '\n';
    } else if (needsSpace(*lines_[index].line, *lines_[index + 1].line, ending)) {
      document_.text += ' ';
    }
  }

  static bool needsSpace(const TextLine& line, const TextLine& next, WordHyphens::Ending ending) {
    const char32_t last = line.words.back().glyphs.back().code, first = next.words.front().glyphs.front().code;
    if (!startsComposition(first)) return true;  // else it would melt into the line before
    if (ending != WordHyphens::Ending::None) return false;
    return !(isUnspaced(last) && isUnspaced(first));
  }

  /// Code keeps its indentation; the spaces belong to no word.
  void writeIndent(const TextLine& line) {
    const std::vector<Glyph>& word = line.words.front().glyphs;
    const float width = widthOf(boxOf(word)) / static_cast<float>(word.size());
    const float indent = line.box.left - line.blockLeft;
    if (width < 0.2f * line.size || indent < width) return;
    document_.text.append(static_cast<std::size_t>(std::lround(std::min(kDeepestIndent, indent / width))), ' ');
  }

  void writeWord(const std::vector<Glyph>& glyphs, std::size_t page, bool dropLast) {
    Word word;
    word.start = document_.text.size();
    word.page = static_cast<std::int32_t>(page);
    for (std::size_t i = 0; i < glyphs.size(); ++i) {
      if (glyphs[i].code == 0xAD || (dropLast && i + 1 == glyphs.size())) continue;
      appendUtf8(document_.text, glyphs[i].code);
      word.box = word.characters.empty() ? glyphs[i].box : unionOf(word.box, glyphs[i].box);
      word.characters.push_back(glyphs[i].box);
    }
    word.end = document_.text.size();
    if (!word.characters.empty()) document_.words.push_back(std::move(word));
  }

  Document& document_;
  const std::vector<PlacedLine> lines_;
  const std::vector<LaidPage>& pages_;
  WordHyphens hyphens_;
  std::vector<LinePlace> places_;
  int linesInParagraph_ = 0;
  bool startsParagraph_ = true;
  bool startsLine_ = true;
};

}  // namespace

std::vector<LinePlace> setText(Document& document, const std::vector<LaidPage>& pages) {
  return TextWriter(document, pages).write();
}

}  // namespace kvasir
