#pragma once

#include <array>
#include <vector>

#include "ui/document/document_view.h"

namespace kvasir {

/// What is drawn over the text. Ranges are ascending by start.
struct Highlights {
  std::array<std::vector<TextRange>, 3> lit;        ///< by Light
  const std::vector<TextRange>* matches = nullptr;  ///< of the find bar, which owns them; do not overlap
  std::size_t currentMatch = 0;

  const std::vector<TextRange>& of(Light light) const { return lit[static_cast<std::size_t>(light)]; }
};

}  // namespace kvasir
