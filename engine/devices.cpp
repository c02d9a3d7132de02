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
  for (const CudaDevice& found : search.devices)
    devices.cuda.push_back(
        {found.device.name, found.device.memoryBytes, capabilityText(found.device.capability), found.reason});
  return devices;
}

std::vector<DeviceCheck> checkDevices(const CudaPlaces& places) {
  std::vector<DeviceCheck> checks;
  for (InstructionSetCheck& check : checkHost())
    checks.push_back({std::move(check.instructions), false, std::move(check.kernels)});
  const CudaSearch search = findCuda(places);
  if (!search.backend) return checks;
  for (const CudaDevice& found : search.devices) {
    if (found.reason.empty())
      checks.push_back({found.device.name, true, checkKernels(*search.backend, found.index)});
  }
  return checks;
}

}  // namespace kvasir
