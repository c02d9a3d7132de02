#pragma once

#include <cstdint>

namespace kvasir {

/// The most memory this process has held at once, in bytes; 0 where the system does not say. Mapped file pages
/// that were in memory count.
std::uint64_t peakMemoryBytes();

}  // namespace kvasir
