/// The importer's own code on arbitrary pages: columns, lines, bidirectional order, ligatures, running heads,
/// hyphens.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "importers/page_layout.h"
#include "importers/page_text.h"
#include "importers/pdf_headings.h"
#include "importers/running_heads.h"

namespace {

using namespace kvasir;

constexpr std::size_t kMostGlyphs = 4000;

/// Takes numbers from the front of the input; zeros when it is used up.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  bool isEmpty() const { return at_ >= size_; }
  std::uint8_t byte() { return isEmpty() ? std::uint8_t{0} : data_[at_++]; }
  std::uint16_t pair() { return static_cast<std::uint16_t>(byte() << 8 | byte()); }

 private:
  const std::uint8_t* data_;
  std::size_t size_, at_ = 0;
};

/// Characters that the layout treats in ways of their own, and any other.
char32_t character(Input& input) {
  constexpr char32_t kSpecial[] = {U'-',   0xAD,   0x2010,  0xFB03, 0xFB01,  0x0645, 0xFEFB, 0x0301,
                                   0x131,  0x4E2D, 0x3042,  U'.',   U'1',    U'(',   U')',   0x2022,
                                   U'i',   0xFE35, 0x1F600, 0xD800, 0xFFFF,  0x20,   0xFDFA, 0x064E,
                                   0x05D0, 0xE000, 0x1100,  0x1161, 0x110000};
  const std::uint8_t kind = input.byte();
  if (kind < 160) return U'a' + kind % 26;
  if (kind < 250) return kSpecial[kind % (sizeof(kSpecial) / sizeof(kSpecial[0]))];
  return static_cast<char32_t>(input.pair()) << (kind & 1 ? 5 : 0);
}

float coordinate(Input& input, float scale) {
  const std::uint16_t value = input.pair();
  if (value == 0xFFFF) return NAN;
  if (value == 0xFFFE) return INFINITY;
  return (static_cast<float>(value) - 2000) / 60000 * scale;
}

PlacedWord word(Input& input, std::size_t& glyphs) {
  PlacedWord word;
  const std::uint8_t flags = input.byte();
  word.size = flags == 255 ? NAN : static_cast<float>(flags & 31);
  word.rotation = flags & 128 ? input.byte() : 0;
  word.isMonospaced = (flags & 64) != 0;
  word.hasSpaceAfter = (flags & 32) != 0;
  Box box;
  box.left = coordinate(input, 700);
  box.top = coordinate(input, 900);
  const float width = static_cast<float>(input.byte()) / 16, height = static_cast<float>(input.byte()) / 8 - 2;
  const std::size_t count = input.byte() % 12u;
  for (std::size_t i = 0; i < count && glyphs < kMostGlyphs; ++i, ++glyphs) {
    box.right = box.left + width;
    box.bottom = box.top + height;
    word.glyphs.push_back({character(input), box});
    box.left = box.right;
  }
  return word;
}

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const Document& document) {
  std::size_t last = 0;
  for (const Word& word : document.words) {
    require(last <= word.start && word.start < word.end && word.end <= document.text.size());
    last = word.end;
    std::size_t codes = 0;
    for (std::size_t i = word.start; i < word.end; ++i) codes += (document.text[i] & 0xC0) != 0x80 ? 1 : 0;
    require(codes == word.characters.size());
    const Page& page = document.pages.at(static_cast<std::size_t>(word.page));
    require(page.start <= word.start && word.end <= page.end);
    for (const Box& box : word.characters) require(box.left <= box.right && box.top <= box.bottom);
  }
  std::size_t end = 0;
  for (const Page& page : document.pages) {
    require(page.start == end && page.end >= page.start);
    end = page.end;
  }
  require(end == document.text.size());
  require(document.text.find("\xC2\xAD") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const std::size_t count = 1 + input.byte() % 6u;
  std::vector<LaidPage> pages;
  std::size_t glyphs = 0;
  for (std::size_t i = 0; i < count; ++i) {
    PlacedPage page{coordinate(input, 700) + 100, coordinate(input, 900) + 100, {}};
    const std::size_t words = input.pair() % 400u;
    for (std::size_t w = 0; w < words && !input.isEmpty(); ++w) page.words.push_back(word(input, glyphs));
    pages.push_back({std::to_string(i + 1), 700, 900, layoutPage(page)});
  }
  removeRunningHeads(pages);
  Document document;
  const std::vector<LinePlace> lines = setText(document, pages);
  check(document);
  for (const Section& section : headingsBySize(document, lines)) require(section.start < document.text.size());
  const std::vector<Heading> outline = {
      {"a", 1, {}}, {"abc", 2, Heading::Target{2, 70.0f, 300.0f}}, {"1 b: c", 9, Heading::Target{9, {}, {}}}};
  for (const Section& section : locateHeadings(outline, document, lines))
    require(section.start < document.text.size());
  titleBySize(document, lines);
  return 0;
}
