#pragma once

#include <string>
#include <vector>

#include "kernels/backend.h"
#include "kernels/check.h"

namespace kvasir {

/// The processor's kernels as a backend: one device whose memory is the program's, by the SIMD target that is
/// dispatched to. A call returns when its work is done.
const KernelBackend& hostBackend();

/// SIMD targets that the kernels were built for and this processor has, as Highway names them; the first is the
/// one that is used.
std::vector<std::string> instructionSets();

/// The kernels use one of instructionSets() from here on, so that it can be measured. Throws a sentence where
/// it is none of them. Not while kernels run.
void useInstructions(const std::string& name);

struct InstructionSetCheck {
  std::string instructions;
  std::vector<KernelCheck> kernels;
};
/// Checks the processor's kernels by each of instructionSets() in turn. Kernels that other threads run
/// meanwhile use the target being checked: their results are right to rounding, but slower.
std::vector<InstructionSetCheck> checkHost();

}  // namespace kvasir
