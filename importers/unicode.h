#pragma once

#include <string>
#include <string_view>

/// Questions about code points, and UTF-8. No ICU types, so that only unicode.cpp and few others see its
/// headers.
namespace kvasir {

void appendUtf8(std::string& text, char32_t code);
std::string toUtf8(std::u32string_view codes);

/// Ill-formed bytes become U+FFFD.
std::u32string fromUtf8(std::string_view text);
std::string_view trimmed(std::string_view text);

/// NFC of valid or invalid UTF-8; the result is always valid.
std::string normalised(std::string_view text);
std::u32string composed(std::u32string_view codes);

/// Whether nothing before `code` can compose with it under NFC.
bool startsComposition(char32_t code);

/// Ligatures, presentation forms and Kangxi radicals as the letters they stand for; empty when `code` is none
/// of them. Formatting variants that carry meaning (superscripts, full-width letters) are not touched.
std::u32string plainLetters(char32_t code);

/// Controls, soft hyphens, private use, noncharacters: codes that say nothing to a reader.
bool isInvisible(char32_t code);
bool isSpace(char32_t code);
bool isLetter(char32_t code);
bool isDigit(char32_t code);
/// 0 to 9 for a digit of any script.
int digitValue(char32_t code);
bool isLower(char32_t code);
bool isUpper(char32_t code);
/// Symbols too ("+", "€"), as Markdown counts them.
bool isPunctuation(char32_t code);
bool isRightToLeft(char32_t code);
/// Scripts set without spaces between words: Han, Kana, their punctuation. Not Hangul.
bool isUnspaced(char32_t code);
char32_t lower(char32_t code);

/// Letters and digits only, lower case: for comparing titles with lines.
std::u32string letterKey(std::u32string_view codes);

}  // namespace kvasir
