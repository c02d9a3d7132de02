#include "tests/engine/far_device.h"

#include <cassert>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <map>
#include <type_traits>

#include "kernels/host_backend.h"

#ifndef _WIN32
#include <sys/mman.h>
#endif

namespace kvasir {

std::size_t FarDevice::limit = FarDevice::kMemory;
std::size_t FarDevice::held = 0;
std::size_t FarDevice::copied = 0;
int FarDevice::streams = 0;
int FarDevice::launches = 0;
int FarDevice::attentions = 0;
const char* FarDevice::failure = nullptr;

void FarDevice::reset() {
  limit = kMemory;
  copied = 0;
  launches = attentions = 0;
  failure = nullptr;
}

namespace {

/// The device's addresses, from which pieces are given out first fit.
class Arena {
 public:
  Arena() {
#ifdef _WIN32
    start_ = new std::byte[FarDevice::kMemory];
#else
    start_ = static_cast<std::byte*>(
        mmap(nullptr, FarDevice::kMemory, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
#endif
  }

  std::byte* give(std::size_t bytes) {
    constexpr std::size_t kLine = 256;
    const std::size_t size = (bytes + kLine - 1) / kLine * kLine;
    std::size_t at = 0;
    for (const auto& [begin, length] : pieces_) {
      if (at + size <= begin) break;
      at = begin + length;
    }
    if (at + size > FarDevice::kMemory || FarDevice::held + size > FarDevice::limit) return nullptr;
    pieces_[at] = size;
    FarDevice::held += size;
    return start_ + at;
  }
  void takeBack(void* memory) {
    const auto piece = pieces_.find(static_cast<std::size_t>(static_cast<std::byte*>(memory) - start_));
    assert(piece != pieces_.end() && "given back what was not given");
    FarDevice::held -= piece->second;
    pieces_.erase(piece);
  }

  /// Whether all of it was given out, as one piece.
  bool holds(const void* memory, std::size_t bytes) const {
    const auto address = reinterpret_cast<std::uintptr_t>(memory),
               begin = reinterpret_cast<std::uintptr_t>(start_);
    if (address < begin || address >= begin + FarDevice::kMemory) return false;
    const std::size_t at = address - begin;
    const auto after = pieces_.upper_bound(at);
    if (after == pieces_.begin()) return false;
    const auto& [first, size] = *std::prev(after);
    return at + bytes <= first + size;
  }
  void open(bool isOpen) const {
#ifndef _WIN32
    mprotect(start_, FarDevice::kMemory, isOpen ? PROT_READ | PROT_WRITE : PROT_NONE);
#else
    (void)isOpen;
#endif
  }

 private:
  std::byte* start_ = nullptr;
  std::map<std::size_t, std::size_t> pieces_;  // by where they begin
};

Arena& arena() {
  static Arena arena;
  return arena;
}

/// The memory may be touched while it lives.
struct Opened {
  Opened() { arena().open(true); }
  ~Opened() { arena().open(false); }
};

template <class Value>
bool isThere(const Value* values, std::int64_t count) {
  return arena().holds(values, static_cast<std::size_t>(count) * sizeof(Value));
}

/// Whether all that an argument points to is the device's: of kernels that the engine runs there.
template <class Value>
bool isThere(const DenseProduct<Value>& p, std::int64_t) {
  return isThere(p.weights, p.rows * p.columns) && isThere(p.x, std::int64_t{p.count} * p.columns) &&
         isThere(p.y, p.count * p.rows);
}
template <class Value>
bool isThere(const VectorProduct<Value>& p, std::int64_t) {
  return isThere(p.weights, p.rows * p.columns) && isThere(p.x, p.columns) && isThere(p.y, p.rows);
}
template <class Value>
bool isThere(const RowGate<Value>& g, std::int64_t rows) {
  return isThere(g.in, rows * 2 * g.width) && isThere(g.out, rows * g.width);
}
template <class Value>
bool isThere(const BlockAttention<Value>& a, std::int64_t rows) {
  const std::int64_t keys = std::int64_t{a.count} * a.dimension;
  return isThere(a.queries, rows * a.dimension) && isThere(a.keys, keys) && isThere(a.values, keys) &&
         isThere(a.begins, rows) && isThere(a.ends, rows) && isThere(a.output, rows * a.dimension) &&
         isThere(a.largest, rows) && isThere(a.sum, rows);
}
template <class Value>
bool isThere(const ReceivedAttention<Value>& a, std::int64_t) {
  return isThere(a.queries, std::int64_t{a.rows} * a.dimension) &&
         isThere(a.keys, std::int64_t{a.count} * a.dimension) && isThere(a.begins, a.rows) &&
         isThere(a.ends, a.rows) && isThere(a.logSums, a.rows) && isThere(a.received, a.heads() * a.count);
}
template <class Argument>
bool isThere(const Argument&, std::int64_t) {
  return true;
}

template <class Argument>
Failure call(Launch<Argument> kernel, const Argument& argument, std::int64_t rows) {
  ++FarDevice::launches;
  if (std::is_same_v<Argument, BlockAttention<float>> ||
      std::is_same_v<Argument, BlockAttention<std::uint16_t>>)
    ++FarDevice::attentions;
  if (FarDevice::failure) return FarDevice::failure;
  if (!isThere(argument, rows)) return "an illegal memory access was encountered";
  const Opened opened;
  return kernel(argument, rows, nullptr);
}

template <auto kMember, class Value, class Argument>
Failure callOne(const Argument& argument, std::int64_t rows, void*) {
  return call((hostBackend().kernels.*kMember).template of<Value>(), argument, rows);
}
template <auto kMember, class Argument>
Failure callFloats(const Argument& argument, std::int64_t rows, void*) {
  return call(hostBackend().kernels.*kMember, argument, rows);
}

template <auto kMember, template <class> class Argument>
void wrap(KernelTable& kernels, LaunchPair<Argument> KernelTable::*) {
  kernels.*kMember = {callOne<kMember, float, Argument<float>>,
                      callOne<kMember, std::uint16_t, Argument<std::uint16_t>>};
}
template <auto kMember, class Argument>
void wrap(KernelTable& kernels, Launch<Argument> KernelTable::*) {
  kernels.*kMember = callFloats<kMember, Argument>;
}
template <auto kMember>
void wrap(KernelTable& kernels) {
  wrap<kMember>(kernels, kMember);
}

Failure describe(int, BackendDevice* device) {
  *device = {};
  std::snprintf(device->name, sizeof device->name, "Far device");
  return nullptr;
}
Failure tellMemoryLeft(std::size_t* bytes) {
  *bytes = FarDevice::limit - FarDevice::held;
  return nullptr;
}
Failure allocate(std::size_t bytes, void** memory) {
  *memory = arena().give(bytes);
  return *memory ? nullptr : "out of memory";
}
void release(void* memory) { arena().takeBack(memory); }
Failure makeStream(void** stream) {
  ++FarDevice::streams;
  *stream = &FarDevice::streams;
  return nullptr;
}
void endStream(void*) { --FarDevice::streams; }
Failure copy(void* to, const void* from, std::size_t bytes) {
  const Opened opened;
  FarDevice::copied += bytes;
  std::memcpy(to, from, bytes);
  return nullptr;
}
Failure copyIn(void* to, const void* from, std::size_t bytes) {
  if (!arena().holds(to, bytes)) return "invalid argument";
  return copy(to, from, bytes);
}
Failure copyOut(void* to, const void* from, std::size_t bytes) {
  if (!arena().holds(from, bytes)) return "invalid argument";
  return copy(to, from, bytes);
}

KernelBackend makeFar() {
  KernelBackend backend = hostBackend();
  backend.describeDevice = describe;
  backend.memoryLeft = tellMemoryLeft;
  backend.allocate = allocate;
  backend.release = release;
  backend.makeStream = makeStream;
  backend.endStream = endStream;
  backend.copyIn = copyIn;
  backend.copyOut = copyOut;
  KernelTable& kernels = backend.kernels;
  wrap<&KernelTable::multiplyExactly>(kernels);
  wrap<&KernelTable::expandRows>(kernels);
  wrap<&KernelTable::roundRows>(kernels);
  wrap<&KernelTable::multiplyPanels>(kernels);
  wrap<&KernelTable::roundBlocks>(kernels);
  wrap<&KernelTable::multiplyBlocks>(kernels);
  wrap<&KernelTable::multiplyDense>(kernels);
  wrap<&KernelTable::multiplyVector>(kernels);
  wrap<&KernelTable::normalizeRows>(kernels);
  wrap<&KernelTable::gateRows>(kernels);
  wrap<&KernelTable::rotateRows>(kernels);
  wrap<&KernelTable::packLevels>(kernels);
  wrap<&KernelTable::unpackLevels>(kernels);
  wrap<&KernelTable::scoreChunks>(kernels);
  wrap<&KernelTable::attendToken>(kernels);
  wrap<&KernelTable::attendRows>(kernels);
  wrap<&KernelTable::receiveAttention>(kernels);
  return backend;
}

}  // namespace

const KernelBackend& FarDevice::backend() {
  static const KernelBackend backend = makeFar();
  return backend;
}

}  // namespace kvasir
