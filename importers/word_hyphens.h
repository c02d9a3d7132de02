#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "importers/page_layout.h"

namespace kvasir {

/// The document's own words decide whether a hyphen at a line's end belongs to the word.
class WordHyphens {
 public:
  /// Counts the words within lines; those at a line's end with a hyphen are not counted.
  void count(const std::vector<TextLine>& lines);

  enum class Ending {
    None,     ///< no hyphen, or one that stands for itself
    Divided,  ///< the hyphen only divides: "devel-|opment"
    Compound  ///< the hyphen stays: "well-|known"
  };
  Ending endingOf(const TextLine& line, const TextLine& next) const;

 private:
  int countOf(const std::u32string& word) const;
  std::unordered_map<std::u32string, int> words_;
};

bool isHyphen(char32_t code);

}  // namespace kvasir
