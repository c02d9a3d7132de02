#include "importers/document.h"

#include <algorithm>

namespace kvasir {

std::optional<PageRange> pagesOf(const Document& document, std::size_t start, std::size_t end) {
  if (document.pages.empty()) return std::nullopt;
  const auto pageOf = [&](std::size_t byte) {
    const auto after = std::upper_bound(document.pages.begin(), document.pages.end(), byte,
                                        [](std::size_t b, const Page& page) { return b < page.start; });
    auto index = std::max<std::ptrdiff_t>(0, after - document.pages.begin() - 1);
    // Empty pages start where the next one does: the byte belongs to the page that has text.
    return static_cast<std::int32_t>(index);
  };
  const std::int32_t first = pageOf(start);
  return PageRange{first, std::max(first, pageOf(end > start ? end - 1 : start))};
}

std::vector<std::string> sectionOf(const Document& document, std::size_t byte) {
  std::vector<const Section*> open;
  for (const Section& section : document.sections) {
    if (section.start > byte) break;
    while (!open.empty() && open.back()->level >= section.level) open.pop_back();
    open.push_back(&section);
  }
  std::vector<std::string> titles;
  for (const Section* section : open) titles.push_back(section->title);
  return titles;
}

}  // namespace kvasir
