#pragma once

#include <QPointF>
#include <QRectF>
#include <optional>
#include <span>
#include <vector>

#include "importers/document.h"
#include "ui/text_range.h"

/// From bytes of the text to boxes on pages and back. Points as in Box: from the upright page's top left
/// corner.
namespace kvasir {

struct PageBox {
  int page = 0;
  QRectF box;
};

/// Which way a word's characters follow each other.
enum class Writing { Unknown, Right, Left, Down };
Writing writingOf(const Word& word);

/// The page's words in reading order.
std::span<const Word> wordsOn(const Document& document, int page);

/// The boxes of a range in reading order, those of a line made one; characters outside the range are left out.
std::vector<PageBox> boxesOf(const Document& document, const TextRange& range);
/// Those of them on one page.
std::vector<QRectF> boxesOn(const Document& document, int page, const TextRange& range);

/// The character under the point; nothing beside the words.
std::optional<std::size_t> byteAt(const Document& document, int page, QPointF point);
/// The gap between characters nearest to the point; nothing on a page without words.
std::optional<std::size_t> caretAt(const Document& document, int page, QPointF point);

/// The run without spaces that holds the byte, and the paragraph that does.
TextRange wordAround(const Document& document, std::size_t byte);
TextRange paragraphAround(const Document& document, std::size_t byte);

/// The character's first byte, for a byte anywhere in it.
std::size_t characterStart(std::string_view text, std::size_t byte);

}  // namespace kvasir
