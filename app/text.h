#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kvasir {

/// A path as UTF-8 and back, on every system.
std::string utf8Of(const std::filesystem::path& path);
std::filesystem::path pathOf(std::string_view utf8);

/// A stretch of a text in bytes, [first, second).
using ByteSpan = std::pair<std::size_t, std::size_t>;

/// The code point at `byte`, which moves behind it. Bytes that are not UTF-8 give U+FFFD, one each.
char32_t nextCodePoint(std::string_view text, std::size_t& byte);
void appendCodePoint(std::string& text, char32_t codePoint);

/// The first character boundary at or after `byte`. Tokens may divide a character, so chunks may begin inside
/// one; it then belongs to the chunk where it began.
std::size_t toBoundary(std::string_view text, std::size_t byte);

/// Bytes to code points and back, in a few steps each. The text must outlive it.
class CodePointIndex {
 public:
  explicit CodePointIndex(std::string_view text);
  std::size_t codePointAt(std::size_t byte) const;  ///< code points that begin before the byte
  std::size_t byteAt(std::size_t codePoint) const;  ///< the text's size for points behind its end
  std::size_t size() const { return size_; }

 private:
  std::string_view text_;
  std::vector<std::size_t> countBefore_;  ///< code points that begin before each block of bytes
  std::size_t size_ = 0;
};

/// On one line, runs of white space as one space, cut at a word with "…" where longer than `limit` code points.
std::string onOneLine(std::string_view text, std::size_t limit);

/// 1,234,567
std::string withCommas(std::int64_t number);

/// 0:41, 12:05, 1:02:03
std::string asDuration(double seconds);

/// 1.2 GB, 640 kB
std::string asBytes(std::uint64_t bytes);

}  // namespace kvasir
