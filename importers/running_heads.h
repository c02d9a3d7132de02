#pragma once

#include <string>
#include <vector>

#include "importers/page_layout.h"

namespace kvasir {

struct LaidPage {
  std::string label;
  float width = 0, height = 0;
  std::vector<TextLine> lines;  ///< in reading order
};

/// Takes out lines in the top and bottom bands that recur on many pages, alike but for a number that counts
/// them, and page numbers.
void removeRunningHeads(std::vector<LaidPage>& pages);

}  // namespace kvasir
