/// A book's markup, as EPUB and Markdown bring it: the balanced source, the parser's tree of it, text, headings
/// and places.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "importers/html_text.h"
#include "importers/unicode.h"

namespace {

using namespace kvasir;

void require(bool holds) {
  if (!holds) std::abort();
}

void requireUtf8(std::string_view text) { require(toUtf8(fromUtf8(text)) == text); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const HtmlText read = textOfHtml({reinterpret_cast<const char*>(data), size});
  requireUtf8(read.text);
  std::size_t last = 0;
  for (const Anchor& anchor : read.anchors) {
    require(last <= anchor.start && anchor.start <= read.text.size() && anchor.location.starts_with("/"));
    last = anchor.start;
  }
  for (const Section& heading : read.headings) {
    require(heading.start < read.text.size() && heading.level >= 1 && heading.level <= 6);
    requireUtf8(heading.title);
  }
  for (const auto& [id, start] : read.ids)
    require(start == read.text.size() || (start < read.text.size() && (read.text[start] & 0xC0) != 0x80));
  return 0;
}
