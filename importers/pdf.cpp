#include <poppler-document.h>
#include <poppler-global.h>
#include <poppler-page.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <pugixml.hpp>
#include <stdexcept>

#include "importers/file_bytes.h"
#include "importers/font_codes.h"
#include "importers/formats.h"
#include "importers/language.h"
#include "importers/page_layout.h"
#include "importers/page_text.h"
#include "importers/pdf_catalogue.h"
#include "importers/pdf_drawing.h"
#include "importers/pdf_headings.h"
#include "importers/pdf_objects.h"
#include "importers/running_heads.h"
#include "importers/unicode.h"

namespace kvasir {
namespace {

constexpr std::uintmax_t kMostBytes = std::uintmax_t{1} << 30;
constexpr std::size_t kLongestLabel = 12;
constexpr std::size_t kHeaderWithin = 1024;  // bytes before "%PDF-" that readers put up with

std::string utf8Of(const poppler::ustring& text) {
  std::u32string codes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char32_t code = text[i];
    if (code >= 0xD800 && code < 0xDC00 && i + 1 < text.size() && text[i + 1] >= 0xDC00 &&
        text[i + 1] < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10) + (text[++i] - 0xDC00);
    }
    if (!isInvisible(code)) codes.push_back(code);
  }
  return toUtf8(composed(codes));
}

Box boxOf(const poppler::rectf& rect) {
  return {static_cast<float>(rect.left()), static_cast<float>(rect.top()), static_cast<float>(rect.right()),
          static_cast<float>(rect.bottom())};
}

bool isMonospaced(const std::string& font) {
  for (const char* name : {"Mono", "mono", "Courier", "Consol", "Typewriter", "Menlo", "CMTT", "SFTT", "CMSLTT",
                           "Inconsolata", "LetterGothic", "NimbusMonL", "txtt", "Code"}) {
    if (font.find(name) != std::string::npos) return true;
  }
  return false;
}

/// Poppler gives several letters that the file maps to one glyph equal widths. Such right-to-left letters are
/// in the order of reading; drawn one by one they are in the order of the eye.
bool isOneGlyph(const std::vector<Glyph>& glyphs) {
  if (glyphs.size() < 3) return false;
  const float width = widthOf(glyphs.front().box);
  return std::all_of(glyphs.begin(), glyphs.end(), [&](const Glyph& glyph) {
    return std::abs(widthOf(glyph.box) - width) < 0.01f * (1 + width);
  });
}

void addWord(PlacedWord& word, std::vector<PlacedWord>& words) {
  if (word.glyphs.empty()) return;
  const bool rightToLeft = std::any_of(word.glyphs.begin(), word.glyphs.end(),
                                       [](const Glyph& glyph) { return isRightToLeft(glyph.code); });
  if (rightToLeft && isOneGlyph(word.glyphs)) std::reverse(word.glyphs.begin(), word.glyphs.end());
  words.push_back(word);
  word.glyphs.clear();
}

/// A text box can hold spaces where the file maps a glyph to several letters.
void addWords(const poppler::text_box& box, std::vector<PlacedWord>& words) {
  PlacedWord word;
  word.size = static_cast<float>(box.has_font_info() ? box.get_font_size() : box.bbox().height());
  word.rotation = box.rotation();
  word.isMonospaced = box.has_font_info() && isMonospaced(box.get_font_name());
  const poppler::ustring text = box.text();
  std::size_t glyph = 0;
  for (std::size_t i = 0; i < text.size(); ++i, ++glyph) {
    char32_t code = text[i];
    if (code >= 0xD800 && code < 0xDC00 && i + 1 < text.size() && text[i + 1] >= 0xDC00 &&
        text[i + 1] < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10) + (text[++i] - 0xDC00);
    }
    if (box.has_font_info() && code >= 0xE000 && code <= 0xF8FF) {
      code = readableCode(code, box.get_font_name(static_cast<int>(glyph)));
    }
    if (isSpace(code)) {
      word.hasSpaceAfter = true;
      addWord(word, words);
      word.hasSpaceAfter = false;
      continue;
    }
    word.glyphs.push_back({code, boxOf(box.char_bbox(glyph))});
  }
  addWord(word, words);
}

PlacedPage placedPage(const poppler::page& page) {
  const poppler::rectf rect = page.page_rect();
  PlacedPage placed{static_cast<float>(rect.width()), static_cast<float>(rect.height()), {}};
  const auto orientation = page.orientation();
  if (orientation == poppler::page::landscape || orientation == poppler::page::seascape) {
    std::swap(placed.width, placed.height);
  }
  for (const poppler::text_box& box : page.text_list(poppler::page::text_list_include_font))
    addWords(box, placed.words);
  return placed;
}

std::string labelOf(const poppler::page& page, int index) {
  const poppler::ustring written = page.label();
  // Pages that are counted in letters can have millions of them in a label.
  const std::string label = written.size() > 4 * kLongestLabel ? "" : utf8Of(written);
  return label.empty() || label.size() > kLongestLabel ? std::to_string(index + 1) : label;
}

std::vector<LaidPage> laidPages(const poppler::document& pdf, QPDF& objects, const std::filesystem::path& file,
                                const ImportProgress& progress) {
  const int count = pdf.pages();
  const DrawnBytes drawnBytes = drawnBytesOf(objects);
  std::vector<LaidPage> pages;
  for (int i = 0; i < count; ++i) {
    if (drawnBytes(static_cast<std::size_t>(i)) > kMostDrawnBytes) {
      throw std::runtime_error(nameOf(file) + " draws more on page " + std::to_string(i + 1) +
                               " than can be read, or the same parts over and over: get a copy that was made "
                               "in another way");
    }
    LaidPage laid{std::to_string(i + 1), 1, 1, {}};
    if (const std::unique_ptr<poppler::page> page{pdf.create_page(i)}) {
      const PlacedPage placed = placedPage(*page);
      laid = {labelOf(*page, i), placed.width, placed.height, layoutPage(placed)};
    }
    pages.push_back(std::move(laid));
    progress(i + 1, count);
  }
  return pages;
}

/// How many pages are pictures without words, where most have no words: whoever digitised a book may have put a
/// page of text before it.
std::size_t scannedPages(const std::vector<LaidPage>& pages, QPDF& objects) {
  const auto isWordless = [](const LaidPage& page) { return page.lines.empty(); };
  if (2 * std::ranges::count_if(pages, isWordless) <= std::ssize(pages)) return 0;
  const std::vector<bool> hasPicture = pagesWithPictures(objects);
  std::size_t count = 0;
  for (std::size_t i = 0; i < std::min(pages.size(), hasPicture.size()); ++i)
    if (isWordless(pages[i]) && hasPicture[i]) ++count;
  return count;
}

/// Many programs leave a file's name or nothing of sense as the title.
bool isTitle(const std::string& title) {
  const std::u32string key = letterKey(fromUtf8(title));
  if (key.size() < 3 || key.starts_with(U"untitled") || key.starts_with(U"microsoftword")) return false;
  for (const char* suffix : {".doc", ".docx", ".dvi", ".tex", ".qxd", ".indd", ".pdf", ".rtf", ".odt", ".fm"}) {
    if (title.ends_with(suffix)) return false;
  }
  return true;
}

/// The first item of an element of XMP metadata: <dc:language><rdf:Bag><rdf:li>en</rdf:li>…; empty where there
/// is none.
std::string metadataItem(const PdfCatalogue& catalogue, const char* element) {
  pugi::xml_document metadata;
  metadata.load_buffer(catalogue.metadata.data(), catalogue.metadata.size());
  const pugi::xml_node found =
      metadata.find_node([&](const pugi::xml_node& node) { return std::string_view(node.name()) == element; });
  std::u32string codes = fromUtf8(trimmed(found.first_child().first_child().text().get()));
  std::erase_if(codes, isInvisible);
  return toUtf8(composed(codes));
}

std::string titleOf(const poppler::document& pdf, const PdfCatalogue& catalogue, const Document& document,
                    const std::vector<LinePlace>& lines, const std::filesystem::path& file) {
  for (const std::string& written : {utf8Of(pdf.get_title()), metadataItem(catalogue, "dc:title")})
    if (isTitle(written)) return std::string(trimmed(written));
  const std::string large = titleBySize(document, lines);
  return large.empty() ? nameOf(file.stem()) : large;
}

std::unique_ptr<poppler::document> open(const std::string& bytes, const std::filesystem::path& file) {
  poppler::set_debug_error_function([](const std::string&, void*) {}, nullptr);
  if (bytes.size() > static_cast<std::size_t>(INT32_MAX)) {
    throw std::runtime_error(nameOf(file) + " is too large: divide it into smaller files");
  }
  std::unique_ptr<poppler::document> pdf{
      poppler::document::load_from_raw_data(bytes.data(), static_cast<int>(bytes.size()))};
  if (pdf == nullptr) {
    throw std::runtime_error(nameOf(file) +
                             " is damaged and cannot be opened as a PDF: get it again or repair it");
  }
  if (pdf->is_locked()) {
    throw std::runtime_error(
        nameOf(file) + " is protected by a password: open it in a PDF viewer and save a copy without one");
  }
  if (pdf->pages() <= 0) {
    throw std::runtime_error(nameOf(file) + " has no pages that can be found: it is damaged, get it again");
  }
  return pdf;
}

}  // namespace

void setEncodingTables(const std::filesystem::path& folder) { poppler::set_data_dir(folder.string()); }

bool isPdf(std::string_view firstBytes) {
  return firstBytes.substr(0, kHeaderWithin).find("%PDF-") != std::string::npos;
}

Document importPdf(const std::filesystem::path& file, const ImportProgress& progress) {
  const std::string bytes = bytesOf(file, kMostBytes);
  const std::unique_ptr<poppler::document> pdf = open(bytes, file);
  const std::shared_ptr<QPDF> objects = pdfObjects(bytes);
  std::vector<LaidPage> pages = laidPages(*pdf, *objects, file, progress);
  const std::size_t scanned = scannedPages(pages, *objects);
  removeRunningHeads(pages);
  Document document;
  const std::vector<LinePlace> lines = setText(document, pages);
  if (document.words.empty() || 2 * scanned > pages.size()) {
    const std::string which =
        document.words.empty() ? "" : std::to_string(scanned) + " of " + std::to_string(pages.size()) + " ";
    throw std::runtime_error(nameOf(file) + " has " + which +
                             "pages without a text layer, as scans have: make a searchable copy with a text "
                             "recogniser first, for instance `ocrmypdf in.pdf out.pdf`");
  }
  const PdfCatalogue catalogue = catalogueOf(*objects);
  document.sections = locateHeadings(catalogue.outline, document, lines);
  if (document.sections.empty()) document.sections = headingsBySize(document, lines);
  document.title = titleOf(*pdf, catalogue, document, lines, file);
  const std::string language = languageTag(metadataItem(catalogue, "dc:language"));
  document.language = languageOf(document.text, language.empty() ? languageTag(catalogue.language) : language);
  return document;
}

}  // namespace kvasir
