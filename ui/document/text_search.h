#pragma once

#include <QString>
#include <string>
#include <string_view>
#include <vector>

#include "ui/text_range.h"

namespace kvasir {

/// Looks for words in a text a slice at a time, without regard to case; any run of blanks and line breaks is
/// one blank. Matches do not overlap and come in the text's order.
class TextSearch {
 public:
  TextSearch() = default;
  /// The text must outlive the search.
  TextSearch(std::string_view text, const QString& query);

  bool isFinished() const { return at_ >= text_.size(); }
  std::size_t searchedBytes() const { return at_; }
  /// Looks through the next `bytes` or so.
  void step(std::size_t bytes);
  const std::vector<TextRange>& matches() const { return matches_; }

 private:
  std::string_view text_;
  std::u32string query_;
  std::size_t at_ = 0;
  std::vector<TextRange> matches_;
};

/// As the search sees it: small letters, single blanks, without soft hyphens and zero-width characters.
std::u32string folded(std::string_view text);

/// The match a reader meets first from this byte on, going on at the start after the last.
std::size_t firstFrom(const std::vector<TextRange>& matches, std::size_t byte);

}  // namespace kvasir
