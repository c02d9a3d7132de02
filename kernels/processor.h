#pragma once

#include <cstdint>
#include <string>

namespace kvasir {

/// The processor as its maker names it; "unknown" where the system does not say.
std::string processorName();

/// Memory of this machine, in bytes; 0 where the system does not say.
std::uint64_t machineMemoryBytes();

/// Whether the processor multiplies bf16, and the system lets it. Where it does not, libraries convert to
/// float32 and back.
bool multipliesBfloat16();

}  // namespace kvasir
