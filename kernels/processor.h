#pragma once

namespace kvasir {

/// Whether the processor multiplies bf16, and the system lets it. Where it does not, libraries convert to
/// float32 and back.
bool multipliesBfloat16();

}  // namespace kvasir
