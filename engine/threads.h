#pragma once

#include <cstdint>

namespace kvasir {

/// Products of two numbers that are worth a thread: what has fewer is not divided further.
inline constexpr std::int64_t kLeastProducts = 1 << 15;

}  // namespace kvasir
