#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>

#include "kernels/backend.h"
#include "kernels/cuda.h"

#ifdef _WIN32
#define KVASIR_EXPORT __declspec(dllexport)
#else
#define KVASIR_EXPORT __attribute__((visibility("default")))
#endif

namespace kvasir {
namespace {

/// Architectures that the kernels were compiled for, as nvcc tells them: 750, 900, …
constexpr int kArchitectures[] = {__CUDA_ARCH_LIST__};

Failure failureOf(cudaError_t error) { return error == cudaSuccess ? nullptr : cudaGetErrorString(error); }

/// What a launch throws, as a sentence: exceptions do not cross the border of a library.
template <class Work>
Failure guarded(const Work& work) {
  thread_local std::string said;
  try {
    work();
    return nullptr;
  } catch (const std::exception& error) {
    said = error.what();
  }
  return said.c_str();
}

Failure countDevices(int* count) { return failureOf(cudaGetDeviceCount(count)); }

Failure describeDevice(int index, BackendDevice* device) {
  cudaDeviceProp properties;
  if (const Failure failure = failureOf(cudaGetDeviceProperties(&properties, index))) return failure;
  *device = {};
  std::snprintf(device->name, sizeof device->name, "%s", properties.name);
  device->memoryBytes = properties.totalGlobalMem;
  device->capability = 10 * properties.major + properties.minor;
  return nullptr;
}

Failure driverVersion(int* version) { return failureOf(cudaDriverGetVersion(version)); }
Failure chooseDevice(int index) { return failureOf(cudaSetDevice(index)); }
Failure allocate(std::size_t bytes, void** memory) { return failureOf(cudaMalloc(memory, bytes)); }
void release(void* memory) { cudaFree(memory); }
Failure copyIn(void* to, const void* from, std::size_t bytes) {
  return failureOf(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice));
}
Failure copyOut(void* to, const void* from, std::size_t bytes) {
  return failureOf(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost));
}
Failure finish() { return failureOf(cudaDeviceSynchronize()); }

Failure runExactly(const ExactProduct& product, std::int64_t, void* stream) {
  return guarded([&] { multiplyExactlyOnDevice(product, stream); });
}
template <class Out>
Failure runExpansion(const Expansion<Out>& expansion, std::int64_t rows, void* stream) {
  return guarded([&] { expandRowsOnDevice(expansion.matrix, rows, expansion.out, stream); });
}
template <class In>
Failure runRounding(const RowRounding<In>& rounding, std::int64_t rows, void* stream) {
  return guarded([&] { roundRowsOnDevice(rounding, rows, stream); });
}
template <class Out>
Failure runPanels(const PanelProduct<Out>& product, std::int64_t, void* stream) {
  return guarded([&] { multiplyPanelsOnDevice(product, stream); });
}
template <class Out>
Failure runNorm(const RowNorm<Out>& norm, std::int64_t rows, void* stream) {
  return guarded([&] { normalizeRowsOnDevice(norm, rows, stream); });
}
template <class Value>
Failure runGate(const RowGate<Value>& gate, std::int64_t rows, void* stream) {
  return guarded([&] { gateRowsOnDevice(gate, rows, stream); });
}
template <class Value>
Failure runRotation(const Rotation<Value>& rotation, std::int64_t, void* stream) {
  return guarded([&] { rotateRowsOnDevice(rotation, stream); });
}
template <class Value>
Failure runToken(const TokenAttention<Value>& attention, std::int64_t, void* stream) {
  return guarded([&] { attendTokenOnDevice(attention, stream); });
}
template <class Value>
Failure runRows(const BlockAttention<Value>& attention, std::int64_t rows, void* stream) {
  return guarded([&] { attendRowsOnDevice(attention, rows, stream); });
}

KernelBackend makeBackend() {
  KernelBackend backend;
  backend.version = kBackendVersion;
  backend.layout = backendLayout();
  backend.leastCapability = *std::min_element(std::begin(kArchitectures), std::end(kArchitectures)) / 10;
  backend.countDevices = countDevices;
  backend.describeDevice = describeDevice;
  backend.driverVersion = driverVersion;
  backend.chooseDevice = chooseDevice;
  backend.allocate = allocate;
  backend.release = release;
  backend.copyIn = copyIn;
  backend.copyOut = copyOut;
  backend.finish = finish;
  backend.kernels.multiplyExactly = runExactly;
  backend.kernels.expandRows = {runExpansion, runExpansion};
  backend.kernels.roundRows = {runRounding, runRounding};
  backend.kernels.multiplyPanels = {runPanels, runPanels};
  backend.kernels.normalizeRows = {runNorm, runNorm};
  backend.kernels.gateRows = {runGate, runGate};
  backend.kernels.rotateRows = {runRotation, runRotation};
  backend.kernels.attendToken = {runToken, runToken};
  backend.kernels.attendRows = {runRows, runRows};
  return backend;
}

}  // namespace
}  // namespace kvasir

extern "C" KVASIR_EXPORT const kvasir::KernelBackend* kvasirKernelBackend() {
  static const kvasir::KernelBackend backend = kvasir::makeBackend();
  return &backend;
}
