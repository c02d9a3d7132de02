#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kvasir {

/// A text with U+FFFD for bytes that are not UTF-8, and the way back to the places in the text given. The text
/// given must outlive it; it is only copied where it has to be mended.
class CleanText {
 public:
  explicit CleanText(std::string_view given);
  CleanText(const CleanText&) = delete;
  CleanText& operator=(const CleanText&) = delete;

  std::string_view text() const { return text_; }
  /// The byte of the text given that stands at this byte of text().
  std::size_t given(std::size_t offset) const;

 private:
  struct Mend {
    std::size_t offset;  ///< of the U+FFFD in text()
    std::size_t given;   ///< of the bytes it stands for
    std::size_t length;  ///< of those bytes, 1 to 3
  };

  std::string mended_;
  std::string_view text_;
  std::vector<Mend> mends_;
};

/// Bytes at the end that begin a UTF-8 character without finishing it.
std::size_t incompleteTail(std::string_view text);

}  // namespace kvasir
