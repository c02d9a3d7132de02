#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/check.h"
#include "kernels/cuda_backend.h"

namespace kvasir {

struct ProcessorInfo {
  std::string name;
  std::vector<std::string> instructions;  ///< SIMD targets the kernels have for it; the first is used
  int threads = 0;                        ///< at once
  std::uint64_t memoryBytes = 0;          ///< of the machine; 0: not known
};

struct CudaDeviceInfo {
  std::string name;
  std::uint64_t memoryBytes = 0;
  std::string capability;  ///< compute capability, "9.0"
  std::string reason;      ///< a sentence that says why the kernels cannot run on it; empty: they can
  int index = 0;           ///< the backend's
};

/// What this machine has to compute on.
struct Devices {
  ProcessorInfo processor;
  std::vector<CudaDeviceInfo> cuda;
  std::string cudaDriver;  ///< the CUDA version the driver serves; empty: none
  std::string cudaReason;  ///< a sentence that says why no CUDA device can be used; empty: one can
  const KernelBackend* backend = nullptr;  ///< of the CUDA devices; null: none can be used
};

/// Looks for CUDA's driver, which nothing does before. May be called on any thread. Does not throw.
Devices findDevices(const CudaPlaces& places);

/// How every kernel did on one device, or by one SIMD target of the processor.
struct DeviceCheck {
  std::string device;  ///< "AVX2", or the CUDA device's name
  bool isCuda = false;
  std::vector<KernelCheck> kernels;
};

/// Every SIMD target of the processor, then every CUDA device found that can run the kernels. Takes about a
/// second, on the engine's thread: what runs meanwhile on others uses the target being checked.
std::vector<DeviceCheck> checkDevices(const Devices& devices);

/// A sentence that names the kernels that were not right; empty: all were.
std::string complaintOf(const std::vector<DeviceCheck>& checks);

}  // namespace kvasir
