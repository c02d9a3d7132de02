#include "kernels/cuda_backend.h"

#include <algorithm>
#include <optional>

#include "kernels/shared_library.h"

namespace kvasir {
namespace {

namespace fs = std::filesystem;

std::string utf8(const fs::path& path) {
  const std::u8string text = path.u8string();
  return {text.begin(), text.end()};
}

fs::path findLibrary(const CudaPlaces& places) {
  for (const fs::path& folder : places.folders) {
    std::error_code error;
    const fs::path file = folder / libraryFileName("kvasir_kernels_cuda");
    if (fs::exists(file, error)) return file;
  }
  return {};
}

/// The table of a library, or null with the reason why it cannot be used.
const KernelBackend* openBackend(const fs::path& file, std::string& reason) {
  std::string failure;
  const auto library = SharedLibrary::open(file, failure);
  if (!library) {
    reason = utf8(file) + " does not open: " + failure;
    return nullptr;
  }
  const auto entry = reinterpret_cast<BackendEntry>(library->find(kBackendEntry));
  const KernelBackend* backend = entry ? entry() : nullptr;
  if (backend && backend->version == kBackendVersion && backend->layout == backendLayout()) return backend;
  reason = utf8(file) + " belongs to another version of Kvasir; install program and library of one version.";
  return nullptr;
}

CudaDevice describe(const KernelBackend& backend, int index) {
  CudaDevice found{index, {}, {}};
  if (const Failure failure = backend.describeDevice(index, &found.device)) {
    found.reason = std::string("The device does not answer: ") + failure + ".";
  } else if (found.device.capability < backend.leastCapability) {
    found.reason = "It is too old: of compute capability " + capabilityText(found.device.capability) +
                   ", and the kernels need " + capabilityText(backend.leastCapability) + " or later.";
  }
  return found;
}

void listDevices(const KernelBackend& backend, CudaSearch& search) {
  int version = 0, count = 0;
  if (!backend.driverVersion(&version) && version > 0)
    search.driver = std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
  const Failure failure = backend.countDevices(&count);
  if (failure || count == 0) {
    search.reason = std::string("The CUDA driver offers no device") +
                    (failure ? std::string(": ") + failure : std::string()) + ".";
    return;
  }
  for (int index = 0; index < count; ++index) search.devices.push_back(describe(backend, index));
  const bool isUsable = std::any_of(search.devices.begin(), search.devices.end(),
                                    [](const CudaDevice& device) { return device.reason.empty(); });
  if (!isUsable) search.reason = "No CUDA device can run the kernels. " + search.devices.front().reason;
}

}  // namespace

const char* cudaDriverName() {
#ifdef _WIN32
  return "nvcuda.dll";
#else
  return "libcuda.so.1";
#endif
}

std::string capabilityText(int capability) {
  return std::to_string(capability / 10) + "." + std::to_string(capability % 10);
}

CudaSearch findCuda(const CudaPlaces& places) {
  CudaSearch search;
  std::string failure;
  if (!SharedLibrary::open(places.driver, failure)) {
    search.reason = "There is no CUDA driver: " + utf8(places.driver) + " does not open.";
    return search;
  }
  const fs::path file = findLibrary(places);
  if (file.empty()) {
    search.reason = "There is a CUDA driver, but this Kvasir came without CUDA kernels: no " +
                    libraryFileName("kvasir_kernels_cuda") + " lies with the program.";
    return search;
  }
  const KernelBackend* backend = openBackend(file, search.reason);
  if (!backend) return search;
  listDevices(*backend, search);
  if (search.reason.empty()) search.backend = backend;
  return search;
}

}  // namespace kvasir
