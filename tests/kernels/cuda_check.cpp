// Checks every kernel on every CUDA device, a line each. Arguments: folders that may hold the library. Exit 1
// when a kernel differs, 0 otherwise: also when no device can be used, after saying why nothing was checked.
#include <cstdio>

#include "kernels/check.h"
#include "kernels/cuda_backend.h"

int main(int count, char** folders) {
  using namespace kvasir;
  const CudaSearch search = findCuda({{folders + 1, folders + count}});
  if (!search.backend) std::printf("Nothing was checked. %s\n", search.reason.c_str());
  int wrong = 0;
  for (const CudaDevice& found : search.devices) {
    std::printf("%s, %s\n", found.device.name, found.reason.empty() ? "checked:" : found.reason.c_str());
    if (!found.reason.empty()) continue;
    for (const KernelCheck& check : checkKernels(*search.backend, found.index)) {
      std::printf("  %s: %s, %.2e of %.2e, %.2f ms%s%s\n", check.kernel.c_str(),
                  check.isRight ? "right" : "WRONG", check.difference, check.tolerance, check.milliseconds,
                  check.failure.empty() ? "" : ": ", check.failure.c_str());
      wrong += !check.isRight;
    }
  }
  return wrong > 0 ? 1 : 0;
}
