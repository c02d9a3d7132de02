#pragma once

#include <string>
#include <vector>

#include "kernels/backend.h"

namespace kvasir {

/// How one kernel did beside the reference (kernels/reference.h), over shapes that include partial vectors and
/// every kind of matrix.
struct KernelCheck {
  std::string kernel;     ///< "attendToken, bf16"
  double difference = 0;  ///< from the reference, of the entry that lies furthest for its tolerance; may be NaN
  double tolerance = 0;   ///< of that entry: what rounding may move it
  bool isRight = false;
  double milliseconds = 0;   ///< from the calls to the end of their work
  std::string failure = {};  ///< what the device said when it refused; else empty
};

/// The one check that is of no kernel.
inline constexpr const char* kCopiesCheck = "copies on streams";

/// Runs every kernel of a backend on one of its devices, and copies; takes about a second. A kernel that the
/// device refuses, or that the table does not have, is not right. Never throws for the device's sake.
std::vector<KernelCheck> checkKernels(const KernelBackend& backend, int device);

/// The table without the kernels that were not right: those functions are null, and callers compute by other
/// means. Where copies were not right multiplyDense goes.
KernelTable rightKernels(const KernelTable& kernels, const std::vector<KernelCheck>& checks);

}  // namespace kvasir
