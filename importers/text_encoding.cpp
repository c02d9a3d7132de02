#include "importers/text_encoding.h"

#include <unicode/ucnv.h>
#include <unicode/ucsdet.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <memory>

#include "importers/unicode.h"

namespace kvasir {
namespace {

constexpr std::size_t kSample = 100'000;

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

bool isUtf8(std::string_view bytes) {
  const std::u32string codes = fromUtf8(bytes);
  return std::find(codes.begin(), codes.end(), char32_t{0xFFFD}) == codes.end();
}

std::string detected(std::string_view bytes) {
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UCharsetDetector, decltype(&ucsdet_close)> detector(ucsdet_open(&error), &ucsdet_close);
  if (U_FAILURE(error)) return normalised(bytes);
  const auto length = static_cast<int32_t>(std::min(bytes.size(), kSample));
  ucsdet_setText(detector.get(), bytes.data(), length, &error);
  const UCharsetMatch* match = ucsdet_detect(detector.get(), &error);
  const char* name = match == nullptr ? nullptr : ucsdet_getName(match, &error);
  return U_FAILURE(error) || name == nullptr ? normalised(bytes) : converted(bytes, name);
}

}  // namespace

std::string utf8Of(std::string_view bytes) {
  const char* encoding = encodingByMark(bytes);
  if (encoding == nullptr) encoding = encodingByZeros(bytes);
  if (encoding != nullptr) return converted(bytes, encoding);
  return isUtf8(bytes) ? std::string(bytes) : detected(bytes);
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
