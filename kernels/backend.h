#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/attend.h"
#include "kernels/attend_block.h"
#include "kernels/attend_packed.h"
#include "kernels/block_products.h"
#include "kernels/chunk_scores.h"
#include "kernels/dense.h"
#include "kernels/level_groups.h"
#include "kernels/products.h"
#include "kernels/received.h"
#include "kernels/rotate.h"
#include "kernels/rounding.h"
#include "kernels/rows.h"

/// What a library of kernels for one kind of device gives the program: a table of functions. The program's own
/// kernels have such a table too, so that both are checked and called alike. C++17: nvcc reads it.
namespace kvasir {

/// Of the table below; another number is another table. Tables of different layout are told apart by
/// backendLayout().
constexpr int kBackendVersion = 7;
/// The one function a library exports, as BackendEntry.
constexpr const char* kBackendEntry = "kvasirKernelBackend";

/// Null where all went well; else a sentence, good until the next call on the same thread.
using Failure = const char*;

/// Weights of rows of a matrix: out[rows, matrix.columns].
template <class Out>
struct Expansion {
  PanelMatrix matrix;
  Out* out = nullptr;
};

/// Pointers in the argument are the device's memory. `rows`: how many are computed, where the argument does not
/// say it itself. `stream` is a cudaStream_t on CUDA; null is the default one. May return before the work is
/// done. A null function is a kernel that is not to be used: callers compute by other means.
template <class Argument>
using Launch = Failure (*)(const Argument& argument, std::int64_t rows, void* stream);

/// A kernel on float32, and on bf16.
template <template <class> class Argument>
struct LaunchPair {
  Launch<Argument<float>> floats = nullptr;
  Launch<Argument<std::uint16_t>> bfloats = nullptr;

  bool isWhole() const { return floats && bfloats; }
  template <class Value>
  Launch<Argument<Value>> of() const {
    if constexpr (std::is_same_v<Value, float>) {
      return floats;
    } else {
      return bfloats;
    }
  }
};

struct KernelTable {
  Launch<ExactProduct> multiplyExactly = nullptr;
  LaunchPair<Expansion> expandRows;
  LaunchPair<RowRounding> roundRows;
  LaunchPair<PanelProduct> multiplyPanels;
  LaunchPair<BlockRounding> roundBlocks;
  LaunchPair<BlockProduct> multiplyBlocks;
  LaunchPair<DenseProduct> multiplyDense;
  LaunchPair<VectorProduct> multiplyVector;
  LaunchPair<RowNorm> normalizeRows;
  LaunchPair<RowGate> gateRows;
  LaunchPair<Rotation> rotateRows;
  LaunchPair<LevelPacking> packLevels;
  LaunchPair<LevelUnpacking> unpackLevels;
  Launch<ChunkScores> scoreChunks = nullptr;
  LaunchPair<TokenAttention> attendToken;
  Launch<PackedAttention> attendPacked = nullptr;
  LaunchPair<BlockAttention> attendRows;
  LaunchPair<ReceivedAttention> receiveAttention;
};

struct BackendDevice {
  char name[256] = {};
  std::uint64_t memoryBytes = 0;
  int capability = 0;  ///< compute capability, ten times: 75 is 7.5
};

/// Functions may be called from any thread; a device is used by the thread that chose it.
struct KernelBackend {
  int version = 0;           ///< first, so that any version can be asked for it
  std::uint64_t layout = 0;  ///< backendLayout() of the library
  int leastCapability = 0;   ///< of devices the kernels were compiled for, as BackendDevice has it
  Failure (*countDevices)(int* count) = nullptr;
  Failure (*describeDevice)(int index, BackendDevice* device) = nullptr;
  Failure (*driverVersion)(int* version) = nullptr;     ///< 1000 times the major, 10 times the minor: 13020
  Failure (*chooseDevice)(int index) = nullptr;         ///< for what this thread calls from here on
  Failure (*memoryLeft)(std::size_t* bytes) = nullptr;  ///< that could be allocated now, about
  Failure (*allocate)(std::size_t bytes, void** memory) = nullptr;
  void (*release)(void* memory) = nullptr;  ///< that no work given to the device uses any more
  /// Memory of the host that startCopyIn and startCopyOut copy from and to while the host goes on. There may be
  /// none left where there is other memory.
  Failure (*allocatePinned)(std::size_t bytes, void** memory) = nullptr;
  void (*releasePinned)(void* memory) = nullptr;  ///< that no copy uses any more
  /// Work on one stream is done in the order given, that on different streams in any order, or side by side.
  /// Work on the default stream, copyIn and copyOut wait for all that was given before, on whatever stream, and
  /// are waited for by all that follows.
  Failure (*makeStream)(void** stream) = nullptr;
  void (*endStream)(void* stream) = nullptr;  ///< whose work is done
  /// Host to device. `from` may change as soon as it returns.
  Failure (*copyIn)(void* to, const void* from, std::size_t bytes) = nullptr;
  /// Device to host. Done when it returns.
  Failure (*copyOut)(void* to, const void* from, std::size_t bytes) = nullptr;
  /// The same as work of a stream, done by when waitFor that stream, or finish, has returned: so long `from` is
  /// not changed, `to` not read, and neither is released. With host memory that is not pinned they do the same,
  /// but may wait for it themselves.
  Failure (*startCopyIn)(void* to, const void* from, std::size_t bytes, void* stream) = nullptr;
  Failure (*startCopyOut)(void* to, const void* from, std::size_t bytes, void* stream) = nullptr;
  /// Waits for all work given to a stream. What fails of work that is begun is said by a later call: at the
  /// latest by this one, or by finish.
  Failure (*waitFor)(void* stream) = nullptr;
  Failure (*finish)() = nullptr;  ///< waits for all work given to the device
  KernelTable kernels;
};

using BackendEntry = const KernelBackend* (*)();

/// A number that changes when a struct that crosses grows or shrinks.
constexpr std::uint64_t backendLayout() {
  std::uint64_t layout = 0;
  for (const std::size_t size : {sizeof(KernelBackend),         sizeof(KernelTable),
                                 sizeof(BackendDevice),         sizeof(ExactProduct),
                                 sizeof(Expansion<float>),      sizeof(RowRounding<float>),
                                 sizeof(PanelProduct<float>),   sizeof(BlockRounding<float>),
                                 sizeof(BlockProduct<float>),   sizeof(DenseProduct<float>),
                                 sizeof(VectorProduct<float>),  sizeof(RowNorm<float>),
                                 sizeof(RowGate<float>),        sizeof(Rotation<float>),
                                 sizeof(LevelPacking<float>),   sizeof(LevelUnpacking<float>),
                                 sizeof(ChunkScores),           sizeof(TokenAttention<float>),
                                 sizeof(BlockAttention<float>), sizeof(ReceivedAttention<float>),
                                 sizeof(PackedAttention)})
    layout = layout * 1099511628211u + size;
  return layout;
}

/// The table of a kind of device: a class that has the functions as static members, and each kernel as an
/// overload of `run`. `leastCapability` is left at 0.
template <class Device>
KernelBackend backendOf() {
  KernelBackend backend;
  backend.version = kBackendVersion;
  backend.layout = backendLayout();
  backend.countDevices = Device::countDevices;
  backend.describeDevice = Device::describeDevice;
  backend.driverVersion = Device::driverVersion;
  backend.chooseDevice = Device::chooseDevice;
  backend.memoryLeft = Device::memoryLeft;
  backend.allocate = Device::allocate;
  backend.release = Device::release;
  backend.allocatePinned = Device::allocatePinned;
  backend.releasePinned = Device::releasePinned;
  backend.makeStream = Device::makeStream;
  backend.endStream = Device::endStream;
  backend.copyIn = Device::copyIn;
  backend.copyOut = Device::copyOut;
  backend.startCopyIn = Device::startCopyIn;
  backend.startCopyOut = Device::startCopyOut;
  backend.waitFor = Device::waitFor;
  backend.finish = Device::finish;
  backend.kernels.multiplyExactly = Device::run;
  backend.kernels.expandRows = {Device::run, Device::run};
  backend.kernels.roundRows = {Device::run, Device::run};
  backend.kernels.multiplyPanels = {Device::run, Device::run};
  backend.kernels.roundBlocks = {Device::run, Device::run};
  backend.kernels.multiplyBlocks = {Device::run, Device::run};
  backend.kernels.multiplyDense = {Device::run, Device::run};
  backend.kernels.multiplyVector = {Device::run, Device::run};
  backend.kernels.normalizeRows = {Device::run, Device::run};
  backend.kernels.gateRows = {Device::run, Device::run};
  backend.kernels.rotateRows = {Device::run, Device::run};
  backend.kernels.packLevels = {Device::run, Device::run};
  backend.kernels.unpackLevels = {Device::run, Device::run};
  backend.kernels.scoreChunks = Device::run;
  backend.kernels.attendToken = {Device::run, Device::run};
  backend.kernels.attendPacked = Device::run;
  backend.kernels.attendRows = {Device::run, Device::run};
  backend.kernels.receiveAttention = {Device::run, Device::run};
  return backend;
}

}  // namespace kvasir
