#pragma once

#include <set>
#include <string>
#include <string_view>

namespace kvasir {

/// A link's label as it is compared: lower case, each run of spaces one space.
std::string labelOf(std::string_view written);

/// A paragraph without its marks: emphasis, code, links, escapes. `labels`, as labelOf() gives them, are those
/// that have a target.
std::string inlineText(std::string_view source, const std::set<std::string>& labels);

}  // namespace kvasir
