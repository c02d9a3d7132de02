#include "importers/font_codes.h"

#include "importers/unicode.h"

namespace kvasir {
namespace {

// The encoding of Adobe's Symbol (PDF 32000-1, annex D.5), which fonts for Windows have from U+F020 on. Blanks
// are the space and pieces of large brackets.
constexpr std::u32string_view kFrom20 =
    U" !∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_ αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼";
constexpr std::u32string_view kFromA0 =
    U"€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…  ↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊⟨®©™∑           ⟩∫";

bool isSymbol(std::string_view font) {
  return font.substr(font.find('+') + 1).starts_with("Symbol") &&
         font.find("Symbola") == std::string_view::npos;
}

char32_t symbolOf(char32_t code) {
  const std::u32string_view codes = code < 0xF0A0 ? kFrom20 : kFromA0;
  const std::size_t at = code - (code < 0xF0A0 ? 0xF020 : 0xF0A0);
  return at < codes.size() ? codes[at] : code;
}

/// Old-style figures, small capitals and their punctuation stand 0xF700 behind those of Latin-1 in fonts of
/// Adobe's.
char32_t plainForm(char32_t code) {
  const char32_t plain = code - 0xF700;
  const bool isSmallCapital = (plain >= U'a' && plain <= U'z') || (plain >= 0xE0 && plain != 0xF7);
  return isSmallCapital || (plain >= U'0' && plain <= U'9') || plain == U'&' ? plain : code;
}

}  // namespace

char32_t readableCode(char32_t code, std::string_view font) {
  if (code >= 0xF020 && code <= 0xF0FF && isSymbol(font)) return symbolOf(code);
  if (code == 0xF0B7 || code == 0xF0A7) return 0x2022;  // bullets of Symbol and Wingdings
  const bool isPicture =
      font.find("Awesome") != std::string_view::npos || font.find("Icon") != std::string_view::npos;
  return code >= 0xF700 && code <= 0xF7FF && !isPicture ? plainForm(code) : code;
}

}  // namespace kvasir
