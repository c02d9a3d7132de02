#pragma once

#include <cstddef>
#include <string_view>

namespace kvasir {

struct Utf8Character {
  char32_t code = 0;
  std::size_t bytes = 1;
};

/// The character that starts at this byte; U+FFFD, one byte long, where the text is not UTF-8.
inline Utf8Character characterAt(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || at + bytes > text.size()) return {0xFFFD, 1};
  char32_t code = lead & (0x7F >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {0xFFFD, 1};
    code = (code << 6) | (byte(i) & 0x3F);
  }
  const bool isWhole = code >= (bytes == 4 ? 0x10000 : bytes == 3 ? 0x800 : 0x80);
  const bool isCharacter = isWhole && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
  return isCharacter ? Utf8Character{code, bytes} : Utf8Character{0xFFFD, 1};
}

}  // namespace kvasir
