#include "importers/importer.h"

#include <algorithm>
#include <stdexcept>

#include "importers/file_bytes.h"
#include "importers/formats.h"

namespace kvasir {
namespace {

constexpr std::size_t kFirstBytes = 4096;

std::string suffixOf(const std::filesystem::path& file) {
  const std::u8string suffix = file.extension().u8string();
  std::string lower(suffix.begin(), suffix.end());
  for (char& letter : lower) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return lower;
}

bool hasSuffix(const Importer& importer, const std::string& suffix) {
  return std::find(importer.suffixes.begin(), importer.suffixes.end(), suffix) != importer.suffixes.end();
}

/// Markdown and HTML are text too: where two rows recognise the bytes, the suffix decides, then the order of
/// the table.
const Importer* importerFor(std::string_view firstBytes, const std::string& suffix) {
  const Importer* found = nullptr;
  for (const Importer& importer : importers()) {
    const bool named = hasSuffix(importer, suffix);
    if (!importer.recognises(firstBytes)) continue;
    if (named) return &importer;
    if (found == nullptr) found = &importer;
  }
  return found;
}

std::string knownFormats() { return "PDF, EPUB, Markdown, HTML and plain text can be read"; }

}  // namespace

const std::vector<Importer>& importers() {
  static const std::vector<Importer> table = {
      {"pdf", {".pdf"}, isPdf, importPdf},
      {"epub", {".epub"}, isEpub, importEpub},
      {"text", {".txt", ".text", ".log"}, isText, importText},
      {"markdown", {".md", ".markdown", ".mkd"}, isMarkdown, importMarkdown},
      {"html", {".html", ".htm", ".xhtml"}, isHtml, importHtml},
  };
  return table;
}

Document importFile(const std::filesystem::path& file, const ImportProgress& progress) {
  const std::string firstBytes = firstBytesOf(file, kFirstBytes);
  const std::string suffix = suffixOf(file);
  const Importer* importer = importerFor(firstBytes, suffix);
  if (importer == nullptr) {
    // A damaged file of a known format gets that format's own sentence.
    for (const Importer& each : importers()) {
      if (hasSuffix(each, suffix)) importer = &each;
    }
  }
  if (importer == nullptr) {
    throw std::runtime_error(nameOf(file) + " is of a format that is not known here: " + knownFormats());
  }
  Document document = importer->import(
      file, progress ? progress : [](int, int) {});
  document.format = importer->name;
  return document;
}

}  // namespace kvasir
