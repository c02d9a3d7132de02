// A stand-in for the library of CUDA kernels: one device, whose kernels are the host's. One definition says
// what is wrong with it: WRONG_KERNEL, OTHER_VERSION, OLD_DEVICE or NO_DEVICE; or that nothing is: RIGHT.
#include <cstdio>

#include "kernels/host_backend.h"

#ifdef _WIN32
#define FAKE_EXPORT __declspec(dllexport)
#else
#define FAKE_EXPORT __attribute__((visibility("default")))
#endif

namespace kvasir {
namespace {

constexpr int kLeastCapability = 75;

Failure describeFake(int, BackendDevice* device) {
  *device = {};
  std::snprintf(device->name, sizeof device->name, "Fake device");
  device->memoryBytes = 1u << 30;
  device->capability = kLeastCapability;
#ifdef OLD_DEVICE
  device->capability = 61;
#endif
  return nullptr;
}

int searches = 0;

/// Asked once in each search for CUDA.
Failure fakeVersion(int* version) {
  ++searches;
  *version = 13020;
  return nullptr;
}

#ifdef NO_DEVICE
Failure countNone(int*) { return "no CUDA-capable device is detected"; }
#endif

#ifdef WRONG_KERNEL
/// Off by a hundredth in its last entry.
Failure rotateWrongly(const Rotation<float>& rotation, std::int64_t rows, void* stream) {
  const Failure failure = hostBackend().kernels.rotateRows.floats(rotation, rows, stream);
  rotation.out[std::int64_t{rotation.rows} * 2 * rotation.half - 1] += 0.01f;
  return failure;
}
Failure refuse(const RowGate<std::uint16_t>&, std::int64_t, void*) { return "out of registers"; }
#endif

KernelBackend makeFake() {
  KernelBackend backend = hostBackend();
  backend.leastCapability = kLeastCapability;
  backend.describeDevice = describeFake;
  backend.driverVersion = fakeVersion;
#ifdef NO_DEVICE
  backend.countDevices = countNone;
#endif
#ifdef OTHER_VERSION
  backend.version = kBackendVersion + 1;
#endif
#ifdef WRONG_KERNEL
  backend.kernels.rotateRows.floats = rotateWrongly;
  backend.kernels.gateRows.bfloats = refuse;
  backend.kernels.attendToken.floats = nullptr;
#endif
  return backend;
}

}  // namespace
}  // namespace kvasir

extern "C" FAKE_EXPORT const kvasir::KernelBackend* kvasirKernelBackend() {
  static const kvasir::KernelBackend backend = kvasir::makeFake();
  return &backend;
}

extern "C" FAKE_EXPORT int kvasirFakeSearches() { return kvasir::searches; }
