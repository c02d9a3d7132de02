#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kvasir {

/// A rectangle on an upright page, in points (1/72 inch) from its top left corner.
struct Box {
  float left = 0, top = 0, right = 0, bottom = 0;
};

/// A word of the text, [start, end) in bytes, and where it stands. `characters` has one box a code point; a
/// word divided over two lines or pages is two words without a space between them.
struct Word {
  std::size_t start = 0, end = 0;
  std::int32_t page = 0;  ///< index into pages
  Box box;
  std::vector<Box> characters;
};

/// [start, end) of the text stands on this page. Pages follow each other without gaps.
struct Page {
  std::string label;            ///< as printed ("xii", "17"), else its number from 1
  float width = 0, height = 0;  ///< points, upright
  std::size_t start = 0, end = 0;
};

/// A heading and where its text begins; it ends where the next section of the same or a higher level begins.
struct Section {
  std::string title;
  int level = 1;          ///< 1 is the highest
  std::size_t start = 0;  ///< byte of the text
};

/// A place of a book without pages that stays the same when the file is imported again.
struct Anchor {
  std::size_t start = 0;  ///< byte of the text
  std::string location;   ///< "chapter-3.xhtml#/4/12": spine file and path of child indexes
};

/// What an importer makes of a file: text in reading order and the place of every character of it. Running
/// heads and page numbers are left out of the text.
struct Document {
  std::string title;
  std::string language;           ///< BCP 47 ("en", "de"), empty when unknown
  std::string format;             ///< the importer's row: "pdf", "epub", "text", "markdown", "html"
  std::string text;               ///< UTF-8, NFC; paragraphs are divided by a blank line
  std::vector<Page> pages;        ///< empty for formats without pages
  std::vector<Word> words;        ///< ascending; empty for formats without boxes
  std::vector<Section> sections;  ///< ascending by start
  std::vector<Anchor> anchors;    ///< ascending by start; empty for formats with pages
};

/// First and last page (indexes) that [start, end) touches; nothing in a document without pages.
struct PageRange {
  std::int32_t first = 0, last = 0;
};
std::optional<PageRange> pagesOf(const Document& document, std::size_t start, std::size_t end);

/// The innermost section that holds the byte: titles from the highest level down; empty before the first
/// heading.
std::vector<std::string> sectionOf(const Document& document, std::size_t byte);

}  // namespace kvasir
