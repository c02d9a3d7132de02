#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kvasir {

/// XHTML as an HTML parser understands it: UTF-8, no prolog, no internal DTD (so no entities of the file's
/// own), and
/// `<a id="x"/>` written as `<a id="x"></a>`. Nothing when elements are nested deeper than any book's.
std::optional<std::string> htmlSource(std::string_view xhtml);

}  // namespace kvasir
