#pragma once

#include <string>
#include <string_view>

namespace kvasir {

/// XHTML as an HTML parser understands it: UTF-8, no prolog, no internal DTD (so no entities of the file's
/// own), `<a id="x"/>` written as `<a id="x"></a>`, and every element closed. Elements nested deeper than any
/// book's are left out, their text is not; of a tag longer than any book's only the name is kept.
std::string htmlSource(std::string_view xhtml);

}  // namespace kvasir
