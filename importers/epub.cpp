#include <algorithm>
#include <map>
#include <stdexcept>

#include "importers/epub_contents.h"
#include "importers/epub_package.h"
#include "importers/file_bytes.h"
#include "importers/formats.h"
#include "importers/html_text.h"
#include "importers/language.h"

namespace kvasir {
namespace {

constexpr std::uintmax_t kMostBytes = std::uintmax_t{1} << 30;

/// Where each file of the spine begins in the text, and its elements with an id.
struct Part {
  std::size_t start = 0;
  std::map<std::string, std::size_t> ids;
};

void appendPart(const HtmlText& html, const std::string& path, Document& document, Part& part,
                std::vector<Section>& headings) {
  if (!document.text.empty() && !html.text.empty()) document.text += "\n\n";
  part.start = document.text.size();
  document.text += html.text;
  for (const Anchor& anchor : html.anchors) {
    document.anchors.push_back({part.start + anchor.start, path + "#" + anchor.location});
  }
  for (const Section& heading : html.headings) {
    headings.push_back({heading.title, heading.level, part.start + heading.start});
  }
  for (const auto& [id, start] : html.ids) part.ids[id] = part.start + std::min(start, html.text.size());
}

/// A group without a target of its own begins where its first entry does.
std::vector<Section> sectionsOf(const std::vector<EpubEntry>& entries, const std::map<std::string, Part>& parts,
                                std::size_t textSize) {
  std::vector<Section> sections;
  std::size_t next = textSize;
  for (std::size_t i = entries.size(); i-- > 0;) {
    const EpubEntry& entry = entries[i];
    const auto part = parts.find(entry.path);
    if (part == parts.end() && !entry.path.empty()) continue;
    if (part != parts.end()) {
      const auto id = part->second.ids.find(entry.fragment);
      next = id == part->second.ids.end() ? part->second.start : id->second;
    }
    if (next < textSize) sections.push_back({entry.title, entry.level, next});
  }
  std::reverse(sections.begin(), sections.end());
  std::stable_sort(sections.begin(), sections.end(),
                   [](const Section& a, const Section& b) { return a.start < b.start; });
  return sections;
}

}  // namespace

bool isEpub(std::string_view firstBytes) {
  // The specification wants the entry "mimetype" first; zip files made by hand have it anywhere.
  return firstBytes.starts_with("PK\x03\x04") &&
         (firstBytes.find("application/epub+zip") != std::string_view::npos ||
          firstBytes.find("META-INF/container.xml") != std::string_view::npos);
}

Document importEpub(const std::filesystem::path& file, const ImportProgress& progress) {
  const std::string name = nameOf(file);
  const std::string bytes = bytesOf(file, kMostBytes);
  ZipArchive archive(bytes, name);
  const EpubPackage package = readPackage(archive, name);

  Document document;
  std::map<std::string, Part> parts;
  std::vector<Section> headings;
  const int total = static_cast<int>(package.spine.size());
  for (int i = 0; i < total; ++i) {
    const std::string& path = package.spine[static_cast<std::size_t>(i)];
    const auto html = parts.contains(path) ? std::nullopt : archive.read(path);
    if (html) appendPart(textOfHtml(*html), path, document, parts[path], headings);
    progress(i + 1, total);
  }
  if (document.text.empty()) {
    throw std::runtime_error(name +
                             " has no text: the files its spine names are missing, damaged or pictures only");
  }
  document.sections = sectionsOf(contentsOf(archive, package), parts, document.text.size());
  if (document.sections.size() < 2 && headings.size() > document.sections.size()) document.sections = headings;
  document.title = package.title.empty() ? nameOf(file.stem()) : package.title;
  document.language = languageOf(document.text, package.language);
  return document;
}

}  // namespace kvasir
