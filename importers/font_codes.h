#pragma once

#include <string_view>

namespace kvasir {

/// What a code of Unicode's private use area stands for in this font of a PDF, and every other code as it is.
/// Small capitals become lower-case letters: so a name reads and is found whose first letter is a capital.
char32_t readableCode(char32_t code, std::string_view font);

}  // namespace kvasir
