#include "kernels/host_backend.h"

#include <hwy/highway.h>

#include <cstdio>
#include <cstring>
#include <new>

#include "kernels/line_vector.h"

namespace kvasir {
namespace {

constexpr std::align_val_t kLine{64};

Failure countDevices(int* count) {
  *count = 1;
  return nullptr;
}
Failure describeDevice(int, BackendDevice* device) {
  *device = {};
  std::snprintf(device->name, sizeof device->name, "processor");
  return nullptr;
}
Failure driverVersion(int* version) {
  *version = 0;
  return nullptr;
}
Failure chooseDevice(int) { return nullptr; }
Failure allocate(std::size_t bytes, void** memory) {
  *memory = ::operator new(bytes, kLine, std::nothrow);
  return *memory ? nullptr : "there is not enough memory";
}
void release(void* memory) { ::operator delete(memory, kLine); }
Failure copyBytes(void* to, const void* from, std::size_t bytes) {
  if (bytes) std::memcpy(to, from, bytes);
  return nullptr;
}
Failure finish() { return nullptr; }

Failure runExactly(const ExactProduct& product, std::int64_t, void*) {
  multiplyExactly(product, 0, product.matrix.panels());
  return nullptr;
}
template <class Out>
Failure runExpansion(const Expansion<Out>& expansion, std::int64_t rows, void*) {
  expandRows(expansion.matrix, 0, rows, expansion.out);
  return nullptr;
}
template <class In>
Failure runRounding(const RowRounding<In>& rounding, std::int64_t rows, void*) {
  roundRows(rounding, 0, rows);
  return nullptr;
}
template <class Out>
Failure runPanels(const PanelProduct<Out>& product, std::int64_t, void*) {
  multiplyPanels(product, 0, product.matrix.panels());
  return nullptr;
}
template <class Out>
Failure runNorm(const RowNorm<Out>& norm, std::int64_t rows, void*) {
  normalizeRows(norm, 0, rows);
  return nullptr;
}
template <class Value>
Failure runGate(const RowGate<Value>& gate, std::int64_t rows, void*) {
  gateRows(gate, 0, rows);
  return nullptr;
}
template <class Value>
Failure runRotation(const Rotation<Value>& rotation, std::int64_t, void*) {
  rotateRows(rotation);
  return nullptr;
}
template <class Value>
Failure runToken(const TokenAttention<Value>& attention, std::int64_t, void*) {
  attendToken(attention);
  return nullptr;
}
template <class Value>
Failure runRows(const BlockAttention<Value>& attention, std::int64_t rows, void*) {
  attendRows(attention, 0, rows);
  return nullptr;
}

KernelBackend makeBackend() {
  KernelBackend backend;
  backend.version = kBackendVersion;
  backend.layout = backendLayout();
  backend.countDevices = countDevices;
  backend.describeDevice = describeDevice;
  backend.driverVersion = driverVersion;
  backend.chooseDevice = chooseDevice;
  backend.allocate = allocate;
  backend.release = release;
  backend.copyIn = copyBytes;
  backend.copyOut = copyBytes;
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

/// Dispatch to one target while it lives.
class OneTarget {
 public:
  explicit OneTarget(std::int64_t target) { hwy::SetSupportedTargetsForTest(target); }
  ~OneTarget() { hwy::SetSupportedTargetsForTest(0); }
  OneTarget(const OneTarget&) = delete;
  OneTarget& operator=(const OneTarget&) = delete;
};

}  // namespace

const KernelBackend& hostBackend() {
  static const KernelBackend backend = makeBackend();
  return backend;
}

std::vector<std::string> instructionSets() {
  std::vector<std::string> names;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets())
    names.emplace_back(hwy::TargetName(target));
  return names;
}

std::vector<InstructionSetCheck> checkHost() {
  std::vector<InstructionSetCheck> checks;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    const OneTarget only(target);
    checks.push_back({hwy::TargetName(target), checkKernels(hostBackend(), 0)});
  }
  return checks;
}

}  // namespace kvasir
