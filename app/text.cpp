#include "app/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace kvasir {
namespace {

constexpr std::size_t kBlockBytes = 256;
constexpr char32_t kReplacement = 0xFFFD;

bool isContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

/// Length of the sequence that a first byte announces; 0 for bytes that begin none.
std::size_t announcedLength(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return 2;
  if (first >= 0xE0 && first < 0xF0) return 3;
  if (first >= 0xF0 && first < 0xF5) return 4;
  return 0;
}

bool isSpace(char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

}  // namespace

std::string utf8Of(const std::filesystem::path& path) {
  const std::u8string text = path.u8string();
  return {text.begin(), text.end()};
}

std::filesystem::path pathOf(std::string_view utf8) { return std::u8string(utf8.begin(), utf8.end()); }

char32_t nextCodePoint(std::string_view text, std::size_t& byte) {
  const auto first = static_cast<unsigned char>(text[byte]);
  const std::size_t length = announcedLength(first);
  ++byte;
  if (length == 1) return first;
  if (length == 0 || byte - 1 + length > text.size()) return kReplacement;
  char32_t point = first & (0x7Fu >> length);
  for (std::size_t i = 0; i + 1 < length; ++i) {
    if (!isContinuation(text[byte + i])) return kReplacement;
    point = (point << 6) | (static_cast<unsigned char>(text[byte + i]) & 0x3F);
  }
  byte += length - 1;
  return point;
}

void appendCodePoint(std::string& text, char32_t point) {
  if (point < 0x80) {
    text += static_cast<char>(point);
    return;
  }
  const int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  const unsigned lead = more == 1 ? 0xC0 : more == 2 ? 0xE0 : 0xF0;
  text += static_cast<char>(lead | (point >> (6 * more)));
  for (int i = more - 1; i >= 0; --i) text += static_cast<char>(0x80 | ((point >> (6 * i)) & 0x3F));
}

std::size_t toBoundary(std::string_view text, std::size_t byte) {
  while (byte < text.size() && isContinuation(text[byte])) ++byte;
  return std::min(byte, text.size());
}

CodePointIndex::CodePointIndex(std::string_view text) : text_(text) {
  countBefore_.reserve(text.size() / kBlockBytes + 1);
  for (std::size_t byte = 0; byte < text.size(); ++byte) {
    if (byte % kBlockBytes == 0) countBefore_.push_back(size_);
    if (!isContinuation(text[byte])) ++size_;
  }
}

std::size_t CodePointIndex::codePointAt(std::size_t byte) const {
  if (byte >= text_.size()) return size_;
  const std::size_t block = byte / kBlockBytes;
  std::size_t count = countBefore_[block];
  for (std::size_t i = block * kBlockBytes; i < byte; ++i) count += !isContinuation(text_[i]);
  return count;
}

std::size_t CodePointIndex::byteAt(std::size_t codePoint) const {
  if (codePoint >= size_) return text_.size();
  const auto after = std::upper_bound(countBefore_.begin(), countBefore_.end(), codePoint);
  const auto block = static_cast<std::size_t>(after - countBefore_.begin()) - 1;
  std::size_t count = countBefore_[block];
  for (std::size_t byte = block * kBlockBytes;; ++byte) {
    if (isContinuation(text_[byte])) continue;
    if (count++ == codePoint) return byte;
  }
}

std::string onOneLine(std::string_view text, std::size_t limit) {
  std::string line;
  std::size_t points = 0, lastSpace = 0;
  for (std::size_t byte = 0; byte < text.size(); ++byte) {
    const bool space = isSpace(text[byte]);
    if (space && (line.empty() || line.back() == ' ')) continue;
    if (!isContinuation(text[byte]) && ++points > limit) {
      line.resize(lastSpace > line.size() / 2 ? lastSpace : line.size());
      while (!line.empty() && line.back() == ' ') line.pop_back();
      return line + "…";
    }
    if (space) lastSpace = line.size();
    line += space ? ' ' : text[byte];
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

std::string withCommas(std::int64_t number) {
  std::string digits = std::to_string(number);
  const int first = number < 0 ? 1 : 0;
  for (int at = static_cast<int>(digits.size()) - 3; at > first; at -= 3)
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  return digits;
}

std::string asDuration(double seconds) {
  const auto whole = static_cast<long long>(std::llround(std::clamp(seconds, 0.0, 1e9)));
  std::array<char, 32> buffer{};
  if (whole >= 3600) {
    std::snprintf(buffer.data(), buffer.size(), "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60,
                  whole % 60);
  } else {
    std::snprintf(buffer.data(), buffer.size(), "%lld:%02lld", whole / 60, whole % 60);
  }
  return buffer.data();
}

std::string asBytes(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> units = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < units.size()) value /= 1000, ++unit;
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), unit == 0 || value >= 99.95 ? "%.0f %s" : "%.1f %s", value,
                units[unit]);
  return buffer.data();
}

}  // namespace kvasir
