#include "tests/engine/far_device.h"

#include <algorithm>
#include <cassert>
#include <cstdio>
#include <cstring>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <type_traits>
#include <vector>

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
int FarDevice::pinned = 0;
const char* FarDevice::pinnedFailure = nullptr;
int FarDevice::lateCopies = 0;
const char* FarDevice::copyFailure = nullptr;
bool FarDevice::othersFirst = false;

void FarDevice::reset() {
  limit = kMemory;
  copied = 0;
  launches = attentions = lateCopies = 0;
  failure = pinnedFailure = copyFailure = nullptr;
  othersFirst = false;
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

/// A stream is called by where its number stands; later ones have a higher one. The default one is null.
int numberOf(const void* stream) { return *static_cast<const int*>(stream); }

/// Work that was given and is not done.
class Queue {
 public:
  void give(const void* stream, std::function<Failure()> work) { works_.push_back({stream, std::move(work)}); }
  bool isEmpty() const { return works_.empty(); }

  /// Does all, and gives the first failure.
  Failure finish() { return doUntil(works_.end()); }
  /// Does what a stream was given, and what that waits for.
  Failure finish(const void* stream) {
    if (FarDevice::othersFirst) return finish();
    const auto isOfStream = [&](const Work& work) { return work.stream == stream; };
    const auto end = std::find_if(works_.rbegin(), works_.rend(), isOfStream).base();
    const auto awaited = std::find_if(std::make_reverse_iterator(end), works_.rend(), isOfDefault).base();
    return doUntil(std::stable_partition(awaited, end, isOfStream));
  }

 private:
  struct Work {
    const void* stream;
    std::function<Failure()> run;
  };
  static bool isOfDefault(const Work& work) { return work.stream == nullptr; }

  Failure doUntil(std::vector<Work>::iterator end) {
    std::vector<Work> now(std::make_move_iterator(works_.begin()), std::make_move_iterator(end));
    works_.erase(works_.begin(), end);
    sortStreams(now);
    Failure first = nullptr;
    for (const Work& work : now)
      if (const Failure failure = work.run(); failure && !first) first = failure;
    return first;
  }
  /// Between works of the default stream, which wait and are waited for: the last stream first.
  static void sortStreams(std::vector<Work>& works) {
    for (auto begin = works.begin(); begin != works.end();) {
      const auto end = std::find_if(begin, works.end(), isOfDefault);
      std::stable_sort(begin, end,
                       [](const Work& a, const Work& b) { return numberOf(a.stream) > numberOf(b.stream); });
      begin = end == works.end() ? end : end + 1;
    }
  }

  std::vector<Work> works_;  // in the order given
};

Queue& queue() {
  static Queue queue;
  return queue;
}

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
Failure call(Launch<Argument> kernel, const Argument& argument, std::int64_t rows, void* stream) {
  ++FarDevice::launches;
  if (std::is_same_v<Argument, BlockAttention<float>> ||
      std::is_same_v<Argument, BlockAttention<std::uint16_t>>)
    ++FarDevice::attentions;
  if (FarDevice::failure) return FarDevice::failure;
  if (!isThere(argument, rows)) return "an illegal memory access was encountered";
  queue().give(stream, [=] {
    const Opened opened;
    return kernel(argument, rows, nullptr);
  });
  return nullptr;
}

template <auto kMember, class Value, class Argument>
Failure callOne(const Argument& argument, std::int64_t rows, void* stream) {
  return call((hostBackend().kernels.*kMember).template of<Value>(), argument, rows, stream);
}
template <auto kMember, class Argument>
Failure callFloats(const Argument& argument, std::int64_t rows, void* stream) {
  return call(hostBackend().kernels.*kMember, argument, rows, stream);
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
Failure allocatePinned(std::size_t bytes, void** memory) {
  if (FarDevice::pinnedFailure) return FarDevice::pinnedFailure;
  ++FarDevice::pinned;
  return hostBackend().allocate(bytes, memory);
}
void releasePinned(void* memory) {
  assert(queue().isEmpty() && "copies may be on their way");
  --FarDevice::pinned;
  hostBackend().release(memory);
}
Failure makeStream(void** stream) {
  static std::deque<int> numbers;
  ++FarDevice::streams;
  *stream = &numbers.emplace_back(static_cast<int>(numbers.size()));
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
  const Failure failure = queue().finish();
  return failure ? failure : copy(to, from, bytes);
}
Failure copyOut(void* to, const void* from, std::size_t bytes) {
  if (!arena().holds(from, bytes)) return "invalid argument";
  const Failure failure = queue().finish();
  return failure ? failure : copy(to, from, bytes);
}
Failure startCopy(void* to, const void* from, std::size_t bytes, void* stream) {
  ++FarDevice::lateCopies;
  queue().give(stream, [=] { return FarDevice::copyFailure ? FarDevice::copyFailure : copy(to, from, bytes); });
  return nullptr;
}
Failure startCopyIn(void* to, const void* from, std::size_t bytes, void* stream) {
  return arena().holds(to, bytes) ? startCopy(to, from, bytes, stream) : "invalid argument";
}
Failure startCopyOut(void* to, const void* from, std::size_t bytes, void* stream) {
  return arena().holds(from, bytes) ? startCopy(to, from, bytes, stream) : "invalid argument";
}
Failure waitFor(void* stream) { return queue().finish(stream); }
Failure finish() { return queue().finish(); }

KernelBackend makeFar() {
  KernelBackend backend = hostBackend();
  backend.describeDevice = describe;
  backend.memoryLeft = tellMemoryLeft;
  backend.allocate = allocate;
  backend.release = release;
  backend.allocatePinned = allocatePinned;
  backend.releasePinned = releasePinned;
  backend.makeStream = makeStream;
  backend.endStream = endStream;
  backend.copyIn = copyIn;
  backend.copyOut = copyOut;
  backend.startCopyIn = startCopyIn;
  backend.startCopyOut = startCopyOut;
  backend.waitFor = waitFor;
  backend.finish = finish;
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
  wrap<&KernelTable::attendPacked>(kernels);
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
