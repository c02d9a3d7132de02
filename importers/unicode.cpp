#include "importers/unicode.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

namespace kvasir {
namespace {

const icu::Normalizer2& nfc() {
  UErrorCode error = U_ZERO_ERROR;
  return *icu::Normalizer2::getNFCInstance(error);
}

icu::UnicodeString toIcu(std::u32string_view codes) {
  icu::UnicodeString text;
  for (const char32_t code : codes) text.append(static_cast<UChar32>(code));
  return text;
}

std::u32string fromIcu(const icu::UnicodeString& text) {
  std::u32string codes;
  for (int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    codes.push_back(static_cast<char32_t>(text.char32At(i)));
  }
  return codes;
}

bool hasPlainLetters(char32_t code) {
  return (code >= 0xFB00 && code <= 0xFB4F) ||                                        // Latin, Hebrew
         (code >= 0xFB50 && code <= 0xFDFB) || (code >= 0xFE70 && code <= 0xFEFC) ||  // Arabic
         (code >= 0xFE10 && code <= 0xFE19) || (code >= 0xFE30 && code <= 0xFE48) ||  // vertical forms
         (code >= 0x2F00 && code <= 0x2FD5) || (code >= 0x0132 && code <= 0x0133);    // radicals, ij
}

}  // namespace

void appendUtf8(std::string& text, char32_t code) {
  char bytes[4];
  int32_t length = 0;
  UBool failed = false;
  U8_APPEND(reinterpret_cast<uint8_t*>(bytes), length, 4, static_cast<UChar32>(code), failed);
  if (failed) {
    text += "\xEF\xBF\xBD";
    return;
  }
  text.append(bytes, static_cast<std::size_t>(length));
}

std::string toUtf8(std::u32string_view codes) {
  std::string text;
  for (const char32_t code : codes) appendUtf8(text, code);
  return text;
}

std::u32string fromUtf8(std::string_view text) {
  std::u32string codes;
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const auto length = static_cast<int64_t>(text.size());
  for (int64_t i = 0; i < length;) {
    UChar32 code = 0;
    U8_NEXT_OR_FFFD(bytes, i, length, code);
    codes.push_back(static_cast<char32_t>(code));
  }
  return codes;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n\f\v";
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

std::string normalised(std::string_view text) {
  const std::u32string codes = fromUtf8(text);
  return toUtf8(composed(codes));
}

std::u32string composed(std::u32string_view codes) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::UnicodeString result = nfc().normalize(toIcu(codes), error);
  return U_FAILURE(error) ? std::u32string(codes) : fromIcu(result);
}

bool startsComposition(char32_t code) { return nfc().hasBoundaryBefore(static_cast<UChar32>(code)); }

std::u32string plainLetters(char32_t code) {
  if (!hasPlainLetters(code)) return {};
  UErrorCode error = U_ZERO_ERROR;
  const auto* nfkc = icu::Normalizer2::getNFKCInstance(error);
  std::u32string letters = fromIcu(nfkc->normalize(icu::UnicodeString(static_cast<UChar32>(code)), error));
  if (U_FAILURE(error) || (letters.size() == 1 && letters[0] == code)) return {};
  const bool isVertical = code >= 0xFE10 && code <= 0xFE48;
  if (isVertical && letters.find_first_not_of(U'.') == std::u32string::npos) return U"\u2026";
  for (char32_t& letter : letters) {
    if (isVertical && letter > 0x20 && letter < 0x7F) letter += 0xFEE0;  // full width, as its neighbours are
  }
  // Spacing forms of Arabic marks decompose to a space and the mark; the mark alone is what was written.
  while (letters.size() > 1 && letters.front() == U' ') letters.erase(letters.begin());
  return letters;
}

bool isInvisible(char32_t code) {
  if (code > 0x10FFFF || U_IS_UNICODE_NONCHAR(code) || U_IS_SURROGATE(code)) return true;
  if (code == 0x200C || code == 0x200D) return false;  // joiners change how Persian and emoji read
  const int8_t type = u_charType(static_cast<UChar32>(code));
  return type == U_CONTROL_CHAR || type == U_FORMAT_CHAR || type == U_PRIVATE_USE_CHAR;
}

bool isSpace(char32_t code) { return u_isUWhiteSpace(static_cast<UChar32>(code)) != 0 || code == 0x200B; }
bool isLetter(char32_t code) { return u_isalpha(static_cast<UChar32>(code)) != 0; }
bool isDigit(char32_t code) { return u_isdigit(static_cast<UChar32>(code)) != 0; }
int digitValue(char32_t code) { return u_charDigitValue(static_cast<UChar32>(code)); }
bool isLower(char32_t code) { return u_islower(static_cast<UChar32>(code)) != 0; }
bool isUpper(char32_t code) { return u_isupper(static_cast<UChar32>(code)) != 0; }
char32_t lower(char32_t code) { return static_cast<char32_t>(u_tolower(static_cast<UChar32>(code))); }

bool isPunctuation(char32_t code) {
  return (U_GET_GC_MASK(static_cast<UChar32>(code)) & (U_GC_P_MASK | U_GC_S_MASK)) != 0;
}

bool isRightToLeft(char32_t code) {
  const UCharDirection direction = u_charDirection(static_cast<UChar32>(code));
  return direction == U_RIGHT_TO_LEFT || direction == U_RIGHT_TO_LEFT_ARABIC;
}

bool isUnspaced(char32_t code) {
  if (code < 0x2E80) return false;
  if ((code >= 0x3000 && code <= 0x303F) || (code >= 0xFF00 && code <= 0xFF65)) return true;
  UErrorCode error = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(static_cast<UChar32>(code), &error);
  return script == USCRIPT_HAN || script == USCRIPT_HIRAGANA || script == USCRIPT_KATAKANA || code == 0x30FC;
}

std::u32string letterKey(std::u32string_view codes) {
  std::u32string key;
  for (const char32_t code : codes) {
    if (isLetter(code) || isDigit(code)) key.push_back(lower(code));
  }
  return key;
}

}  // namespace kvasir
