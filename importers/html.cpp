#include <stdexcept>

#include "importers/file_bytes.h"
#include "importers/formats.h"
#include "importers/html_text.h"
#include "importers/language.h"
#include "importers/text_encoding.h"

namespace kvasir {
namespace {

constexpr std::uintmax_t kMostBytes = std::uintmax_t{64} << 20;

std::string titleOf(const HtmlText& html, const std::filesystem::path& file) {
  if (!html.title.empty()) return html.title;
  return html.headings.empty() ? nameOf(file.stem()) : html.headings.front().title;
}

}  // namespace

bool isHtml(std::string_view firstBytes) { return isText(firstBytes); }

Document importHtml(const std::filesystem::path& file, const ImportProgress& progress) {
  const std::string bytes = bytesOf(file, kMostBytes);
  if (isBinary(bytes))
    throw std::runtime_error(nameOf(file) + " is no web page, but a file of another kind: get it again");
  HtmlText html = textOfHtml(bytes);
  if (html.text.empty()) {
    throw std::runtime_error(nameOf(file) +
                             " has no text: a page that a program writes in the browser is saved "
                             "from there as PDF");
  }
  Document document;
  document.title = titleOf(html, file);
  document.text = std::move(html.text);
  document.sections = std::move(html.headings);
  for (const Anchor& anchor : html.anchors) document.anchors.push_back({anchor.start, "#" + anchor.location});
  document.language = languageOf(document.text);
  progress(1, 1);
  return document;
}

}  // namespace kvasir
