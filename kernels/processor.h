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

/// Whether one instruction of it multiplies whole tiles of bf16 (AMX; the matrices of ARM's bf16): many times
/// as many products as pairs of 16-bit integers give, where vectors of bf16 give as many.
bool multipliesBfloat16Tiles();

}  // namespace kvasir
