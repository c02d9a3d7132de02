#include "ui/maps/evidence_overlap.h"

#include <algorithm>
#include <utility>

namespace kvasir {

std::vector<TextRange> joinedRanges(std::vector<TextRange> ranges) {
  std::erase_if(ranges, [](const TextRange& range) { return range.end <= range.start; });
  std::sort(ranges.begin(), ranges.end(),
            [](const TextRange& one, const TextRange& other) { return one.start < other.start; });
  std::vector<TextRange> joined;
  for (const TextRange& range : ranges) {
    if (!joined.empty() && range.start <= joined.back().end) {
      joined.back().end = std::max(joined.back().end, range.end);
      continue;
    }
    joined.push_back(range);
  }
  return joined;
}

std::optional<double> sharedPart(const std::vector<TextRange>& of, const std::vector<TextRange>& in) {
  const std::vector<TextRange> one = joinedRanges(of), other = joinedRanges(in);
  double length = 0, shared = 0;
  std::size_t next = 0;
  for (const TextRange& range : one) {
    length += static_cast<double>(range.end - range.start);
    while (next < other.size() && other[next].end <= range.start) ++next;
    for (std::size_t index = next; index < other.size() && other[index].start < range.end; ++index) {
      shared += static_cast<double>(std::min(range.end, other[index].end) -
                                    std::max(range.start, other[index].start));
    }
  }
  if (length <= 0) return std::nullopt;
  return shared / length;
}

}  // namespace kvasir
