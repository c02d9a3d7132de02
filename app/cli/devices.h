#pragma once

#include "app/cli/arguments.h"
#include "app/cli/console.h"
#include "engine/devices.h"

namespace kvasir {

/// `kvasir-cli devices`, with CUDA looked for where `places` says. Throws std::runtime_error that names the
/// kernels that differ, after writing everything.
void showDevices(const CudaPlaces& places, const Arguments& arguments, Console& console);

}  // namespace kvasir
