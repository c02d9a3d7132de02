#pragma once

#include <vector>

#include "importers/page_layout.h"

namespace kvasir {

/// A word in the frame of its writing direction. The box is cut to the height of its font, since the boxes of
/// mathematical fonts reach over neighbouring lines.
struct FrameWord {
  const PlacedWord* word = nullptr;
  Box box;
};

/// Words on one baseline, from left to right.
struct Row {
  std::vector<FrameWord> words;
  Box box;
};

/// Whether most letters are of right-to-left scripts.
bool readsFromTheRight(const std::vector<FrameWord>& words);

std::vector<Row> rowsOf(std::vector<FrameWord> words);

/// The rows of each column, columns in reading order. Rows of tables stay whole.
std::vector<std::vector<Row>> columnsOf(std::vector<FrameWord> words);

}  // namespace kvasir
