#pragma once

#include <cstddef>

namespace kvasir {

/// [start, end) in bytes of a document's text.
struct TextRange {
  std::size_t start = 0, end = 0;
  friend bool operator==(const TextRange&, const TextRange&) = default;
};

}  // namespace kvasir
