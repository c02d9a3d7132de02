#include "ui/document/flow_parts.h"

#include <algorithm>

#include "ui/document/utf8_reader.h"

namespace kvasir {
namespace {

char32_t shown(char32_t code) {
  const bool isMark = code == 0x2028 || code == 0x2029 || code == 0xFFFC || code == 0xFDD0 || code == 0xFDD1;
  return isMark || (code < 0x20 && code != '\n' && code != '\t') ? U' ' : code;
}

/// Where a long part may end at the latest: after a paragraph, else a line, else a word, else a character.
std::size_t cutBefore(const std::string& text, std::size_t start, std::size_t end) {
  for (const char* gap : {"\n\n", "\n", " "}) {
    const std::string_view wanted(gap);
    const std::size_t found = text.rfind(wanted, end - wanted.size());
    if (found != std::string::npos && found > start) return found + wanted.size();
  }
  while (end > start + 1 && (text[end] & 0xC0) == 0x80) --end;
  return end;
}

}  // namespace

FlowParts::FlowParts(const Document& document) {
  const std::size_t size = document.text.size();
  starts_.clear();
  std::size_t start = 0;
  for (const Section& section : document.sections) {
    const std::size_t cut = std::min(section.start, size);
    const bool isShort = cut < start + kShortBytes;
    if (cut <= start || (isShort && section.level > 1)) continue;
    addPart(document, start, cut);
    start = cut;
  }
  addPart(document, start, size);
  starts_.push_back(size);
}

void FlowParts::addPart(const Document& document, std::size_t start, std::size_t end) {
  starts_.push_back(start);
  while (end - start > kLongBytes) {
    start = cutBefore(document.text, start, start + kLongBytes);
    starts_.push_back(start);
  }
}

TextRange FlowParts::range(int part) const {
  const auto index = static_cast<std::size_t>(std::clamp(part, 0, count() - 1));
  return {starts_[index], starts_[index + 1]};
}

int FlowParts::partOf(std::size_t byte) const {
  const auto after = std::upper_bound(starts_.begin(), starts_.end() - 1, byte);
  return std::max(0, static_cast<int>(after - starts_.begin()) - 1);
}

FlowText::FlowText(std::string_view text, const TextRange& range) : start_(range.start) {
  bytes_.clear();
  const std::size_t end = std::min(range.end, text.size());
  text_.reserve(static_cast<qsizetype>(end - std::min(end, start_)));
  for (std::size_t i = start_; i < end;) {
    const Utf8Character character = characterAt(text.substr(0, end), i);
    const char32_t code = shown(character.code);
    const auto offset = static_cast<std::uint32_t>(i - start_);
    if (QChar::requiresSurrogates(code)) {
      text_ += QChar(QChar::highSurrogate(code));
      text_ += QChar(QChar::lowSurrogate(code));
      bytes_.insert(bytes_.end(), 2, offset);
    } else {
      text_ += QChar(static_cast<char16_t>(code));
      bytes_.push_back(offset);
    }
    i += character.bytes;
  }
  bytes_.push_back(static_cast<std::uint32_t>(std::max(end, start_) - start_));
}

int FlowText::positionOf(std::size_t byte) const {
  if (byte <= start_) return 0;
  const auto at = std::lower_bound(bytes_.begin(), bytes_.end() - 1, byte - start_);
  return static_cast<int>(at - bytes_.begin());
}

std::size_t FlowText::byteOf(int position) const {
  const auto last = static_cast<int>(bytes_.size()) - 1;
  return start_ + bytes_[static_cast<std::size_t>(std::clamp(position, 0, last))];
}

}  // namespace kvasir
