#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "ui/text_range.h"

namespace kvasir {

/// Sorted and joined where they touch or overlap; empty ranges are left out.
std::vector<TextRange> joinedRanges(std::vector<TextRange> ranges);

/// The share of `of` that lies in `in` too, by length; nothing when `of` is empty. By text, not by chunk
/// number, as methods cut a document into chunks in different ways.
std::optional<double> sharedPart(const std::vector<TextRange>& of, const std::vector<TextRange>& in);

}  // namespace kvasir
