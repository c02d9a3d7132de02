#include "importers/text_encoding.h"

#include <unicode/ucnv.h>
#include <unicode/ucsdet.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <memory>

#include "importers/unicode.h"

namespace kvasir {
namespace {

constexpr std::size_t kSample = 100'000;
constexpr std::size_t kFarMore = 10;  // sequences of UTF-8 for each byte that belongs to none

std::string converted(std::string_view bytes, const char* encoding) {
  const icu::UnicodeString text(bytes.data(), static_cast<int32_t>(bytes.size()), encoding);
  std::string utf8;
  text.toUTF8String(utf8);
  if (utf8.starts_with("\xEF\xBB\xBF")) utf8.erase(0, 3);
  return utf8;
}

const char* encodingByMark(std::string_view bytes) {
  using namespace std::string_view_literals;
  if (bytes.starts_with("\xEF\xBB\xBF"sv)) return "UTF-8";
  if (bytes.starts_with("\xFF\xFE\0\0"sv)) return "UTF-32LE";
  if (bytes.starts_with("\0\0\xFE\xFF"sv)) return "UTF-32BE";
  if (bytes.starts_with("\xFF\xFE"sv)) return "UTF-16LE";
  if (bytes.starts_with("\xFE\xFF"sv)) return "UTF-16BE";
  return nullptr;
}

/// Text in UTF-16 without a mark: nearly every other byte is zero.
const char* encodingByZeros(std::string_view bytes) {
  std::size_t even = 0, odd = 0;
  const std::size_t count = std::min(bytes.size(), kSample) & ~std::size_t{1};
  for (std::size_t i = 0; i < count; i += 2) {
    if (bytes[i] == '\0') ++even;
    if (bytes[i + 1] == '\0') ++odd;
  }
  if (count < 4) return nullptr;
  if (odd * 10 > count * 3 && even * 50 < count) return "UTF-16LE";
  if (even * 10 > count * 3 && odd * 50 < count) return "UTF-16BE";
  return nullptr;
}

/// A few damaged bytes do not make another encoding of it: in none do words often look like sequences of UTF-8.
bool isUtf8(std::string_view bytes) {
  const auto* units = reinterpret_cast<const uint8_t*>(bytes.data());
  const auto length = static_cast<int64_t>(bytes.size());
  std::size_t sequences = 0, damaged = 0;
  for (int64_t i = 0; i < length;) {
    const int64_t start = i;
    UChar32 code = 0;
    U8_NEXT(units, i, length, code);
    if (code < 0) {
      ++damaged;
    } else if (i - start > 1) {
      ++sequences;
    }
  }
  return damaged * kFarMore <= sequences;
}

/// The Windows encodings hold quotation marks and dashes where those of ISO have control characters, which no
/// text has: browsers read the one for the other. ICU does where such a byte stands in its sample.
std::string withPunctuation(const std::string& encoding) {
  if (encoding == "ISO-8859-1" || encoding == "US-ASCII") return "windows-1252";
  return encoding == "ISO-8859-9" ? "windows-1254" : encoding;
}

/// ICU's name of an encoding; empty where it knows none, and for UTF, which the bytes themselves would show.
std::string knownEncoding(const std::string& declared) {
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UConverter, decltype(&ucnv_close)> converter(ucnv_open(declared.c_str(), &error),
                                                                     &ucnv_close);
  const char* name = U_FAILURE(error) || declared.empty() ? "" : ucnv_getName(converter.get(), &error);
  return U_FAILURE(error) || std::string_view(name).starts_with("UTF") ? "" : name;
}

std::string detected(std::string_view bytes) {
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UCharsetDetector, decltype(&ucsdet_close)> detector(ucsdet_open(&error), &ucsdet_close);
  if (U_FAILURE(error)) return normalised(bytes);
  const auto length = static_cast<int32_t>(std::min(bytes.size(), kSample));
  ucsdet_setText(detector.get(), bytes.data(), length, &error);
  const UCharsetMatch* match = ucsdet_detect(detector.get(), &error);
  const char* name = match == nullptr ? nullptr : ucsdet_getName(match, &error);
  return U_FAILURE(error) || name == nullptr ? normalised(bytes)
                                             : converted(bytes, withPunctuation(name).c_str());
}

}  // namespace

std::string utf8Of(std::string_view bytes, const std::string& declared) {
  const char* encoding = encodingByMark(bytes);
  if (encoding == nullptr) encoding = encodingByZeros(bytes);
  if (encoding != nullptr) return converted(bytes, encoding);
  if (isUtf8(bytes)) return toUtf8(fromUtf8(bytes));
  const std::string known = knownEncoding(declared);
  return known.empty() ? detected(bytes) : converted(bytes, withPunctuation(known).c_str());
}

bool isBinary(std::string_view bytes) {
  if (encodingByMark(bytes) != nullptr || encodingByZeros(bytes) != nullptr) return false;
  std::size_t controls = 0;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    if (value == 0) return true;
    if (value < 0x20 && std::string_view("\t\n\r\f\v\x1B").find(byte) == std::string_view::npos) ++controls;
  }
  return controls * 100 > bytes.size();
}

}  // namespace kvasir
