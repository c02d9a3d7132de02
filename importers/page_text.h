#pragma once

#include <vector>

#include "importers/document.h"
#include "importers/running_heads.h"

namespace kvasir {

/// Where a line came to stand in the text.
struct LinePlace {
  std::size_t start = 0, end = 0;  ///< bytes
  std::size_t page = 0;
  float size = 0;
  bool startsParagraph = false;
};

/// Fills text, words and pages of an empty document from lines in reading order.
std::vector<LinePlace> setText(Document& document, const std::vector<LaidPage>& pages);

}  // namespace kvasir
