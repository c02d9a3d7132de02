#pragma once

#include <string>
#include <string_view>

namespace kvasir {

/// BCP 47 of a text, by its script and, for Latin letters, by common words. Empty when unsure.
std::string languageOf(std::string_view text);

/// What the file says of itself, unless the script of its text speaks against it: many files say "en" by
/// default.
std::string languageOf(std::string_view text, const std::string& written);

/// A language tag as files write it ("en_US.UTF-8", " de ") as BCP 47; empty when it is none.
std::string languageTag(std::string_view written);

}  // namespace kvasir
