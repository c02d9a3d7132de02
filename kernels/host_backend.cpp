#include "kernels/host_backend.h"

#include <hwy/highway.h>

#include <cstdio>
#include <cstring>
#include <new>
#include <stdexcept>

#include "kernels/line_vector.h"
#include "kernels/processor.h"

namespace kvasir {
namespace {

constexpr std::align_val_t kLine{64};

struct Processor {
  static Failure countDevices(int* count) {
    *count = 1;
    return nullptr;
  }
  static Failure describeDevice(int, BackendDevice* device) {
    *device = {};
    std::snprintf(device->name, sizeof device->name, "processor");
    return nullptr;
  }
  static Failure driverVersion(int* version) {
    *version = 0;
    return nullptr;
  }
  static Failure chooseDevice(int) { return nullptr; }
  static Failure memoryLeft(std::size_t* bytes) {
    *bytes = machineMemoryBytes();
    return nullptr;
  }
  static Failure allocate(std::size_t bytes, void** memory) {
    *memory = ::operator new(bytes, kLine, std::nothrow);
    return *memory ? nullptr : "there is not enough memory";
  }
  static void release(void* memory) { ::operator delete(memory, kLine); }
  static Failure allocatePinned(std::size_t bytes, void** memory) { return allocate(bytes, memory); }
  static void releasePinned(void* memory) { release(memory); }
  static Failure makeStream(void** stream) {
    *stream = nullptr;
    return nullptr;
  }
  static void endStream(void*) {}
  static Failure copyIn(void* to, const void* from, std::size_t bytes) {
    if (bytes) std::memcpy(to, from, bytes);
    return nullptr;
  }
  static Failure copyOut(void* to, const void* from, std::size_t bytes) { return copyIn(to, from, bytes); }
  static Failure startCopyIn(void* to, const void* from, std::size_t bytes, void*) {
    return copyIn(to, from, bytes);
  }
  static Failure startCopyOut(void* to, const void* from, std::size_t bytes, void*) {
    return copyOut(to, from, bytes);
  }
  static Failure waitFor(void*) { return nullptr; }
  static Failure finish() { return nullptr; }

  static Failure run(const ExactProduct& product, std::int64_t, void*) {
    multiplyExactly(product, 0, product.matrix.panels());
    return nullptr;
  }
  template <class Out>
  static Failure run(const Expansion<Out>& expansion, std::int64_t rows, void*) {
    expandRows(expansion.matrix, 0, rows, expansion.out);
    return nullptr;
  }
  template <class In>
  static Failure run(const RowRounding<In>& rounding, std::int64_t rows, void*) {
    roundRows(rounding, 0, rows);
    return nullptr;
  }
  template <class Out>
  static Failure run(const PanelProduct<Out>& product, std::int64_t, void*) {
    multiplyPanels(product, 0, product.matrix.panels());
    return nullptr;
  }
  template <class In>
  static Failure run(const BlockRounding<In>& rounding, std::int64_t rows, void*) {
    roundBlocks(rounding, 0, rows);
    return nullptr;
  }
  template <class Out>
  static Failure run(const BlockProduct<Out>& product, std::int64_t, void*) {
    multiplyBlocks(product, 0, product.matrix.panels());
    return nullptr;
  }
  template <class Value>
  static Failure run(const DenseProduct<Value>& product, std::int64_t, void*) {
    multiplyDense(product, 0, product.rows);
    return nullptr;
  }
  template <class Value>
  static Failure run(const VectorProduct<Value>& product, std::int64_t, void*) {
    multiplyVector(product, 0, product.rows);
    return nullptr;
  }
  template <class Out>
  static Failure run(const RowNorm<Out>& norm, std::int64_t rows, void*) {
    normalizeRows(norm, 0, rows);
    return nullptr;
  }
  template <class Value>
  static Failure run(const RowGate<Value>& gate, std::int64_t rows, void*) {
    gateRows(gate, 0, rows);
    return nullptr;
  }
  template <class Value>
  static Failure run(const Rotation<Value>& rotation, std::int64_t, void*) {
    rotateRows(rotation);
    return nullptr;
  }
  template <class Value>
  static Failure run(const LevelPacking<Value>& packing, std::int64_t, void*) {
    packLevels(packing);
    return nullptr;
  }
  template <class Value>
  static Failure run(const LevelUnpacking<Value>& unpacking, std::int64_t, void*) {
    unpackLevels(unpacking);
    return nullptr;
  }
  static Failure run(const ChunkScores& scores, std::int64_t chunks, void*) {
    scoreChunks(scores, 0, chunks);
    return nullptr;
  }
  template <class Value>
  static Failure run(const TokenAttention<Value>& attention, std::int64_t, void*) {
    attendToken(attention);
    return nullptr;
  }
  static Failure run(const PackedAttention& attention, std::int64_t, void*) {
    attendPacked(attention);
    return nullptr;
  }
  template <class Value>
  static Failure run(const BlockAttention<Value>& attention, std::int64_t rows, void*) {
    attendRows(attention, 0, rows);
    return nullptr;
  }
  template <class Value>
  static Failure run(const ReceivedAttention<Value>& attention, std::int64_t, void*) {
    receiveAttention(attention, 0, attention.count);
    return nullptr;
  }
};

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
  static const KernelBackend backend = backendOf<Processor>();
  return backend;
}

std::vector<std::string> instructionSets() {
  std::vector<std::string> names;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets())
    names.emplace_back(hwy::TargetName(target));
  return names;
}

void useInstructions(const std::string& name) {
  std::string known;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (name == hwy::TargetName(target)) return hwy::SetSupportedTargetsForTest(target);
    known += (known.empty() ? "" : ", ") + std::string(hwy::TargetName(target));
  }
  throw std::runtime_error("There are no instructions " + name + " here; there are " + known + ".");
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
