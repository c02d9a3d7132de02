#include "engine/accelerator.h"

#include <utility>

#include "kernels/check.h"
#include "kernels/cuda_backend.h"

namespace kvasir {

DeviceMemory::DeviceMemory(const KernelBackend& backend, std::size_t bytes)
    : backend_(&backend), bytes_(bytes) {
  if (bytes == 0) return;
  if (const Failure failure = backend.allocate(bytes, &memory_)) throw DeviceFull(failure);
}

DeviceMemory::~DeviceMemory() {
  if (memory_) backend_->release(memory_);
}

DeviceMemory::DeviceMemory(DeviceMemory&& other) noexcept { *this = std::move(other); }

DeviceMemory& DeviceMemory::operator=(DeviceMemory&& other) noexcept {
  std::swap(backend_, other.backend_);
  std::swap(memory_, other.memory_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

StagingMemory::StagingMemory(const KernelBackend& backend, std::size_t bytes) : backend_(backend) {
  if (backend.allocatePinned(bytes, &pinned_)) {
    pinned_ = nullptr;
    plain_ = std::make_unique_for_overwrite<std::byte[]>(bytes);
  }
  memory_ = {pinned_ ? static_cast<std::byte*>(pinned_) : plain_.get(), bytes};
}

StagingMemory::~StagingMemory() {
  if (pinned_) backend_.releasePinned(pinned_);
}

namespace {

std::string nameOf(const KernelBackend& backend, int device) {
  BackendDevice described;
  if (const Failure failure = backend.describeDevice(device, &described))
    throw std::runtime_error(std::string("A CUDA device cannot be asked what it is: ") + failure + ".");
  return described.name;
}

/// Without kernels that were not right. Throws where those of products are among them, or copies are not.
KernelTable kernelsOf(const KernelBackend& backend, int device, const std::string& name) {
  const std::vector<KernelCheck> checks = checkKernels(backend, device);
  const KernelTable right = rightKernels(backend.kernels, checks);
  if (right.multiplyDense.isWhole()) return right;
  for (const KernelCheck& check : checks)
    if ((check.kernel.starts_with("multiplyDense") || check.kernel == kCopiesCheck) && !check.failure.empty())
      throw std::runtime_error(name + " cannot be used: " + check.failure + ".");
  throw std::runtime_error(name +
                           " does not multiply as it should: `kvasir-cli devices --check` shows how far off.");
}

}  // namespace

Accelerator::Accelerator(const KernelBackend& backend, int device, const DeviceLimits& limits)
    : backend_(backend),
      name_(nameOf(backend, device)),
      kernels_(kernelsOf(backend, device, name_)),
      limits_(limits),
      staging_(backend, limits.staging) {
  if (const Failure failure = backend.chooseDevice(device))
    throw std::runtime_error(name_ + " cannot be used: " + failure + ".");
  for (void*& stream : streams_)
    if (const Failure failure = backend.makeStream(&stream))
      throw std::runtime_error(name_ + " cannot be used: " + failure + ".");
}

Accelerator::~Accelerator() {
  for (void* stream : streams_)
    if (stream) backend_.endStream(stream);
}

void Accelerator::require(Failure failure) const {
  if (!failure) return;
  const std::string sentence =
      name_ + " failed: " + failure + ". Choose the processor in the settings, or --device cpu.";
  backend_.finish();  // with what else it was given, before memory goes that this uses
  throw std::runtime_error(sentence);
}

DeviceMemory Accelerator::hold(std::size_t bytes, std::size_t left) const {
  std::size_t now = 0;
  require(backend_.memoryLeft(&now));
  if (now < bytes + left) throw DeviceFull("its memory is full");
  return {backend_, bytes};
}

std::byte* Accelerator::room(Room room, std::size_t bytes, std::int64_t turn) {
  DeviceMemory& held = rooms_[static_cast<std::size_t>(room)][static_cast<std::size_t>(turn) % kStreams];
  if (held.bytes() < bytes) {
    if (held.bytes() > 0) require(backend_.finish());  // work that was given may still use it
    held = {};                                         // before what takes its place
    held = hold(bytes, 0);
  }
  return held.at();
}

FoundAccelerator findAccelerator(const std::vector<std::filesystem::path>& folders,
                                 const std::filesystem::path& driver) {
  CudaPlaces places{folders};
  if (!driver.empty()) places.driver = driver;
  const CudaSearch search = findCuda(places);
  FoundAccelerator found{nullptr, search.reason};
  if (!search.backend) return found;
  for (const CudaDevice& device : search.devices) {
    if (found.reason.empty()) found.reason = device.reason;
    if (!device.reason.empty()) continue;
    try {
      return {std::make_shared<Accelerator>(*search.backend, device.index), {}};
    } catch (const std::runtime_error& error) {
      found.reason = error.what();
    }
  }
  return found;
}

}  // namespace kvasir
