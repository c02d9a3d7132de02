#pragma once

#include <QString>
#include <cstdint>
#include <string_view>
#include <vector>

#include "importers/document.h"
#include "ui/text_range.h"

namespace kvasir {

/// A book without pages cut into parts that are laid out one at a time: its chapters; short sections stay
/// together, long ones are cut between paragraphs.
class FlowParts {
 public:
  static constexpr std::size_t kShortBytes = 8 * 1024, kLongBytes = 48 * 1024;

  FlowParts() = default;
  explicit FlowParts(const Document& document);

  int count() const { return static_cast<int>(starts_.size()) - 1; }
  TextRange range(int part) const;
  int partOf(std::size_t byte) const;

 private:
  void addPart(const Document& document, std::size_t start, std::size_t end);
  std::vector<std::size_t> starts_{0, 0};  // and the end of the text
};

/// Text as Qt holds it, with the byte of every unit. Characters that Qt's text layout gives a meaning of its
/// own are blanks, so that positions in a QTextDocument are indexes here.
class FlowText {
 public:
  FlowText() = default;
  FlowText(std::string_view text, const TextRange& range);

  const QString& text() const { return text_; }
  int positionOf(std::size_t byte) const;
  std::size_t byteOf(int position) const;

 private:
  QString text_;
  std::size_t start_ = 0;
  std::vector<std::uint32_t> bytes_{0};  // from start_; one a unit, and the end
};

}  // namespace kvasir
