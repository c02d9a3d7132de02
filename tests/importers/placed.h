#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "importers/page_layout.h"
#include "importers/page_text.h"
#include "importers/unicode.h"

/// Pages as a typesetter would place them, for tests of the layout alone.
namespace kvasir {

inline constexpr float kSize = 10;
inline constexpr float kLetter = 5;  // width of every letter; a space is as wide

inline PlacedWord placedWord(std::u32string_view text, float left, float top, float size = kSize) {
  PlacedWord word;
  word.size = size;
  const float letter = kLetter * size / kSize;
  for (const char32_t code : text) {
    word.glyphs.push_back({code, {left, top, left + letter, top + size}});
    left += letter;
  }
  return word;
}

/// Words divided by spaces, from `left` on.
inline void placeLine(PlacedPage& page, std::u32string_view text, float left, float top, float size = kSize) {
  std::u32string word;
  float x = left, wordLeft = left;
  const float letter = kLetter * size / kSize;
  for (std::size_t i = 0; i <= text.size(); ++i, x += letter) {
    if (i < text.size() && text[i] != U' ') {
      if (word.empty()) wordLeft = x;
      word += text[i];
      continue;
    }
    if (!word.empty()) page.words.push_back(placedWord(word, wordLeft, top, size));
    word.clear();
  }
}

/// Lines 12 points apart.
inline void placeLines(PlacedPage& page, const std::vector<std::u32string>& lines, float left, float top) {
  for (const std::u32string& line : lines) {
    placeLine(page, line, left, top);
    top += 12;
  }
}

inline Document documentOf(const std::vector<PlacedPage>& pages) {
  std::vector<LaidPage> laid;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    laid.push_back({std::to_string(i + 1), pages[i].width, pages[i].height, layoutPage(pages[i])});
  }
  removeRunningHeads(laid);
  Document document;
  setText(document, laid);
  return document;
}

inline std::string textOf(const PlacedPage& page) { return documentOf({page}).text; }

}  // namespace kvasir
