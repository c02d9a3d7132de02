#pragma once

#include <vector>

#include "importers/document.h"

/// From glyph boxes to lines in reading order. Plain structs only: nothing here knows where the boxes came
/// from.
namespace kvasir {

struct Glyph {
  char32_t code = 0;
  Box box;
};

/// Glyphs that stand together on a page, in visual order. Boxes are on the upright page.
struct PlacedWord {
  std::vector<Glyph> glyphs;
  float size = 0;    ///< of the font, points
  int rotation = 0;  ///< quarter turns clockwise of the writing direction: 1 reads downwards
  bool isMonospaced = false;
  bool hasSpaceAfter = false;  ///< the file wrote a space character after it
};

struct PlacedPage {
  float width = 0, height = 0;
  std::vector<PlacedWord> words;
};

/// A run without spaces, in logical order. Boxes are on the upright page, one a code point.
struct LineWord {
  std::vector<Glyph> glyphs;
  bool startsCell = false;  ///< a wide gap before it, as between the cells of a table
};

/// A line as it is read. `box` and the margins are in the frame in which the line runs from left to right and
/// lines follow each other downwards.
struct TextLine {
  std::vector<LineWord> words;
  Box box;
  Box pageBox;  ///< the same on the upright page
  float size = 0;
  float fullRight = 0;                  ///< where a full line ends here
  float blockLeft = 0, blockRight = 0;  ///< margins of the lines set together with it
  float pitch = 0;                      ///< usual distance from line to line in its column
  int rotation = 0;                     ///< quarter turns, as of its words
  int column = 0;                       ///< counts the columns of the page in reading order
  bool startsBlock = false;             ///< a gap wider than usual, or a column's start, before it
  bool isMonospaced = false;
  bool isTable = false;
  bool isListed = false;  ///< in a column where most lines end on purpose: an index, verse
  bool isFootnote = false;
  bool isRightToLeft = false;
};

/// Lines in reading order; footnotes last. Boxes outside the page are clipped, words outside it dropped.
std::vector<TextLine> layoutPage(const PlacedPage& page);

float widthOf(const Box& box);
float heightOf(const Box& box);
Box unionOf(const Box& a, const Box& b);
Box boxOf(const std::vector<Glyph>& glyphs);

}  // namespace kvasir
