#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace kvasir {

/// Bytes at which sentences begin, by ICU's rules, and the end of the text.
std::vector<std::size_t> sentenceStarts(std::string_view text);

}  // namespace kvasir
