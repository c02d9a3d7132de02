#pragma once

#include <string>
#include <string_view>

namespace kvasir {

/// Bytes of a text file as valid UTF-8 without a byte-order mark: UTF-8, UTF-16 and UTF-32 by their marks, else
/// UTF-8 if well-formed but for a few bytes, which become U+FFFD, else what the file declares, if it does, else
/// what ICU detects.
std::string utf8Of(std::string_view bytes, const std::string& declared = "");

/// Whether the bytes are no text in any encoding: control characters as programs and images have them.
bool isBinary(std::string_view bytes);

}  // namespace kvasir
