#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "importers/document.h"

namespace kvasir {

/// What a reader sees of an XHTML file.
struct HtmlText {
  std::string title;              ///< of its head, empty when there is none
  std::string text;               ///< NFC; paragraphs divided by a blank line
  std::vector<Section> headings;  ///< h1 to h6
  std::vector<Anchor> anchors;    ///< of blocks; location is "/4/2": child indexes, even as in EPUB CFI
  std::map<std::string, std::size_t> ids;  ///< where each element with an id begins
};

/// Blocks make paragraphs, rows of tables lines with tabs, readings over characters (ruby) are left out.
/// Footnotes come after the paragraph that refers to them.
HtmlText textOfHtml(std::string_view html);

}  // namespace kvasir
