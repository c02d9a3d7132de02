#include "engine/devices.h"

#include <algorithm>
#include <thread>

#include "kernels/host_backend.h"
#include "kernels/processor.h"

namespace kvasir {

Devices findDevices(const CudaPlaces& places) {
  Devices devices;
  devices.processor = {processorName(), instructionSets(),
                       static_cast<int>(std::max(1u, std::thread::hardware_concurrency())),
                       machineMemoryBytes()};
  const CudaSearch search = findCuda(places);
  devices.cudaDriver = search.driver;
  devices.cudaReason = search.reason;
  devices.backend = search.backend;
  for (const CudaDevice& found : search.devices)
    devices.cuda.push_back({found.device.name, found.device.memoryBytes,
                            capabilityText(found.device.capability), found.reason, found.index});
  return devices;
}

std::vector<DeviceCheck> checkDevices(const Devices& devices) {
  std::vector<DeviceCheck> checks;
  for (InstructionSetCheck& check : checkHost())
    checks.push_back({std::move(check.instructions), false, std::move(check.kernels)});
  if (!devices.backend) return checks;
  // A thread of their own chooses them: what computes on another device may have called.
  std::thread([&] {
    for (const CudaDeviceInfo& device : devices.cuda) {
      if (device.reason.empty())
        checks.push_back({device.name, true, checkKernels(*devices.backend, device.index)});
    }
  }).join();
  return checks;
}

std::string complaintOf(const std::vector<DeviceCheck>& checks) {
  std::string names;
  for (const DeviceCheck& check : checks) {
    for (const KernelCheck& kernel : check.kernels) {
      if (!kernel.isRight) names += (names.empty() ? "" : "; ") + kernel.kernel + " on " + check.device;
    }
  }
  return names.empty() ? names : "These kernels differ from the reference: " + names + ".";
}

}  // namespace kvasir
