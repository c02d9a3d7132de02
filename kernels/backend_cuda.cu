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

Failure failureOf(cudaError_t error) {
  if (error == cudaSuccess) return nullptr;
  cudaGetLastError();  // forgotten, or the next launch is blamed for it; what broke the device stays
  return cudaGetErrorString(error);
}

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

struct Cuda {
  static Failure countDevices(int* count) { return failureOf(cudaGetDeviceCount(count)); }

  static Failure describeDevice(int index, BackendDevice* device) {
    cudaDeviceProp properties;
    if (const Failure failure = failureOf(cudaGetDeviceProperties(&properties, index))) return failure;
    *device = {};
    std::snprintf(device->name, sizeof device->name, "%s", properties.name);
    device->memoryBytes = properties.totalGlobalMem;
    device->capability = 10 * properties.major + properties.minor;
    return nullptr;
  }

  static Failure driverVersion(int* version) { return failureOf(cudaDriverGetVersion(version)); }
  static Failure chooseDevice(int index) { return failureOf(cudaSetDevice(index)); }
  static Failure memoryLeft(std::size_t* bytes) {
    std::size_t all = 0;
    return failureOf(cudaMemGetInfo(bytes, &all));
  }
  static Failure allocate(std::size_t bytes, void** memory) { return failureOf(cudaMalloc(memory, bytes)); }
  static void release(void* memory) { failureOf(cudaFree(memory)); }
  static Failure allocatePinned(std::size_t bytes, void** memory) {
    return failureOf(cudaMallocHost(memory, bytes));
  }
  static void releasePinned(void* memory) { failureOf(cudaFreeHost(memory)); }
  /// Not cudaStreamNonBlocking: the default stream, on which plain copies run too, would not wait for it then.
  static Failure makeStream(void** stream) {
    return failureOf(cudaStreamCreate(reinterpret_cast<cudaStream_t*>(stream)));
  }
  static void endStream(void* stream) { failureOf(cudaStreamDestroy(static_cast<cudaStream_t>(stream))); }
  static Failure copyIn(void* to, const void* from, std::size_t bytes) {
    return failureOf(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice));
  }
  static Failure copyOut(void* to, const void* from, std::size_t bytes) {
    return failureOf(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost));
  }
  static Failure startCopyIn(void* to, const void* from, std::size_t bytes, void* stream) {
    return startCopy(to, from, bytes, cudaMemcpyHostToDevice, stream);
  }
  static Failure startCopyOut(void* to, const void* from, std::size_t bytes, void* stream) {
    return startCopy(to, from, bytes, cudaMemcpyDeviceToHost, stream);
  }
  static Failure startCopy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind way, void* stream) {
    return failureOf(cudaMemcpyAsync(to, from, bytes, way, static_cast<cudaStream_t>(stream)));
  }
  static Failure waitFor(void* stream) {
    return failureOf(cudaStreamSynchronize(static_cast<cudaStream_t>(stream)));
  }
  static Failure finish() { return failureOf(cudaDeviceSynchronize()); }

  static Failure run(const ExactProduct& product, std::int64_t, void* stream) {
    return guarded([&] { multiplyExactlyOnDevice(product, stream); });
  }
  template <class Out>
  static Failure run(const Expansion<Out>& expansion, std::int64_t rows, void* stream) {
    return guarded([&] { expandRowsOnDevice(expansion.matrix, rows, expansion.out, stream); });
  }
  template <class In>
  static Failure run(const RowRounding<In>& rounding, std::int64_t rows, void* stream) {
    return guarded([&] { roundRowsOnDevice(rounding, rows, stream); });
  }
  template <class Out>
  static Failure run(const PanelProduct<Out>& product, std::int64_t, void* stream) {
    return guarded([&] { multiplyPanelsOnDevice(product, stream); });
  }
  template <class In>
  static Failure run(const BlockRounding<In>& rounding, std::int64_t rows, void* stream) {
    return guarded([&] { roundBlocksOnDevice(rounding, rows, stream); });
  }
  template <class Out>
  static Failure run(const BlockProduct<Out>& product, std::int64_t, void* stream) {
    return guarded([&] { multiplyBlocksOnDevice(product, stream); });
  }
  template <class Value>
  static Failure run(const DenseProduct<Value>& product, std::int64_t, void* stream) {
    return guarded([&] { multiplyDenseOnDevice(product, stream); });
  }
  template <class Value>
  static Failure run(const VectorProduct<Value>& product, std::int64_t, void* stream) {
    return guarded([&] { multiplyVectorOnDevice(product, stream); });
  }
  template <class Out>
  static Failure run(const RowNorm<Out>& norm, std::int64_t rows, void* stream) {
    return guarded([&] { normalizeRowsOnDevice(norm, rows, stream); });
  }
  template <class Value>
  static Failure run(const RowGate<Value>& gate, std::int64_t rows, void* stream) {
    return guarded([&] { gateRowsOnDevice(gate, rows, stream); });
  }
  template <class Value>
  static Failure run(const Rotation<Value>& rotation, std::int64_t, void* stream) {
    return guarded([&] { rotateRowsOnDevice(rotation, stream); });
  }
  template <class Value>
  static Failure run(const LevelPacking<Value>& packing, std::int64_t, void* stream) {
    return guarded([&] { packLevelsOnDevice(packing, stream); });
  }
  template <class Value>
  static Failure run(const LevelUnpacking<Value>& unpacking, std::int64_t, void* stream) {
    return guarded([&] { unpackLevelsOnDevice(unpacking, stream); });
  }
  static Failure run(const ChunkScores& scores, std::int64_t chunks, void* stream) {
    return guarded([&] { scoreChunksOnDevice(scores, chunks, stream); });
  }
  template <class Value>
  static Failure run(const TokenAttention<Value>& attention, std::int64_t, void* stream) {
    return guarded([&] { attendTokenOnDevice(attention, stream); });
  }
  static Failure run(const PackedAttention& attention, std::int64_t, void* stream) {
    return guarded([&] { attendPackedOnDevice(attention, stream); });
  }
  template <class Value>
  static Failure run(const BlockAttention<Value>& attention, std::int64_t rows, void* stream) {
    return guarded([&] { attendRowsOnDevice(attention, rows, stream); });
  }
  template <class Value>
  static Failure run(const ReceivedAttention<Value>& attention, std::int64_t, void* stream) {
    return guarded([&] { receiveAttentionOnDevice(attention, stream); });
  }
};

KernelBackend makeBackend() {
  KernelBackend backend = backendOf<Cuda>();
  backend.leastCapability = *std::min_element(std::begin(kArchitectures), std::end(kArchitectures)) / 10;
  return backend;
}

}  // namespace
}  // namespace kvasir

extern "C" KVASIR_EXPORT const kvasir::KernelBackend* kvasirKernelBackend() {
  static const kvasir::KernelBackend backend = kvasir::makeBackend();
  return &backend;
}
