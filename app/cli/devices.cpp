#include "app/cli/devices.h"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "app/cli/commands.h"
#include "app/places.h"
#include "app/results.h"
#include "app/text.h"

namespace kvasir {
namespace {

using Json = nlohmann::ordered_json;

Json orNull(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json toJson(const Devices& devices) {
  const ProcessorInfo& processor = devices.processor;
  Json cuda = Json::array();
  for (const CudaDeviceInfo& device : devices.cuda)
    cuda.push_back({{"name", device.name},
                    {"memory", device.memoryBytes},
                    {"capability", device.capability},
                    {"reason", orNull(device.reason)}});
  return {{"processor",
           {{"name", processor.name},
            {"instructions", processor.instructions.front()},
            {"threads", processor.threads},
            {"memory", processor.memoryBytes}}},
          {"cuda",
           {{"devices", std::move(cuda)},
            {"driver", orNull(devices.cudaDriver)},
            {"reason", orNull(devices.cudaReason)}}}};
}

/// JSON has no NaN and no infinity: they are null.
Json toJson(const DeviceCheck& check) {
  Json kernels = Json::array();
  for (const KernelCheck& kernel : check.kernels)
    kernels.push_back({{"kernel", kernel.kernel},
                       {"right", kernel.isRight},
                       {"difference", kernel.difference},
                       {"tolerance", kernel.tolerance},
                       {"milliseconds", kernel.milliseconds},
                       {"failure", orNull(kernel.failure)}});
  return {{"device", check.device}, {"cuda", check.isCuda}, {"kernels", std::move(kernels)}};
}

std::string describe(const Devices& devices) {
  const ProcessorInfo& processor = devices.processor;
  std::string text = "Processor  " + processor.name + "\n    " + processor.instructions.front() + ", " +
                     std::to_string(processor.threads) + (processor.threads == 1 ? " thread" : " threads");
  if (processor.memoryBytes > 0) text += ", " + asBytes(processor.memoryBytes);
  text += "\n";
  for (const CudaDeviceInfo& device : devices.cuda) {
    text += "CUDA       " + device.name + "\n    " + asBytes(device.memoryBytes) + ", compute capability " +
            device.capability + ", driver for CUDA " + devices.cudaDriver + "\n";
    if (!device.reason.empty()) text += "    " + device.reason + "\n";
  }
  if (devices.cuda.empty()) text += "CUDA       none\n    " + devices.cudaReason + "\n";
  return text;
}

std::string describe(const KernelCheck& kernel) {
  std::array<char, 160> line{};
  std::snprintf(line.data(), line.size(), "    %-23s %-8s %9.2e of %8.2e  %8.3f ms\n", kernel.kernel.c_str(),
                kernel.isRight ? "right" : "DIFFERS", kernel.difference, kernel.tolerance, kernel.milliseconds);
  return line.data() + (kernel.failure.empty() ? "" : "        " + kernel.failure + "\n");
}

std::string describe(const DeviceCheck& check) {
  std::string text = (check.isCuda ? "\nCUDA, " : "\nProcessor, ") + check.device + "\n";
  for (const KernelCheck& kernel : check.kernels) text += describe(kernel);
  return text;
}

}  // namespace

void showDevices(const CudaPlaces& places, const Arguments& arguments, Console& console) {
  const Devices devices = findDevices(places);
  std::vector<DeviceCheck> checks;
  if (arguments.checksKernels) checks = checkDevices(devices);
  if (arguments.isJson) {
    Json json = toJson(devices);
    if (arguments.checksKernels) json["checks"] = Json::array();
    for (const DeviceCheck& check : checks) json["checks"].push_back(toJson(check));
    console.out() << asLine(json) << "\n";
  } else {
    console.out() << describe(devices);
    for (const DeviceCheck& check : checks) console.out() << describe(check);
    console.remark(
        devices.backend
            ? "Kvasir computes on the first CUDA device whose kernels are right, unless --device cpu is given."
            : "Kvasir computes on the processor.");
  }
  const std::string complaint = complaintOf(checks);
  if (!complaint.empty()) throw std::runtime_error(complaint);
}

void devicesCommand(const Arguments& arguments, Console& console) {
  showDevices({backendFolders()}, arguments, console);
}

}  // namespace kvasir
