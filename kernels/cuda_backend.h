#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kernels/backend.h"

namespace kvasir {

/// The CUDA driver's library, as this system names it.
const char* cudaDriverName();

/// Where to look for CUDA.
struct CudaPlaces {
  std::vector<std::filesystem::path> folders;  ///< that may hold the library kvasir_kernels_cuda, in order
  std::filesystem::path driver = cudaDriverName();
};

/// "7.5" of 75, as BackendDevice::capability has it.
std::string capabilityText(int capability);

struct CudaDevice {
  int index = 0;  ///< the backend's
  BackendDevice device;
  std::string reason;  ///< a sentence that says why its kernels cannot run on it; empty: they can
};

/// What there is of CUDA. Devices are listed also where none can be used.
struct CudaSearch {
  const KernelBackend* backend = nullptr;  ///< good until the program ends; null when there is no use of it
  std::vector<CudaDevice> devices;
  std::string driver;  ///< the CUDA version that the driver serves, "13.2"; empty when there is none
  std::string reason;  ///< a sentence that says why there is no backend; empty when there is one
};

/// Opens the driver, and where there is one the first library found. It takes some tens of milliseconds where
/// there is a driver. Does not throw.
CudaSearch findCuda(const CudaPlaces& places);

}  // namespace kvasir
