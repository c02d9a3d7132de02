#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/backend.h"

namespace kvasir {

/// What is asked for does not fit into the device's memory: callers compute on the processor instead.
struct DeviceFull : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Memory of a device, released with the object.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  /// Throws DeviceFull.
  DeviceMemory(const KernelBackend& backend, std::size_t bytes);
  ~DeviceMemory();
  DeviceMemory(DeviceMemory&& other) noexcept;
  DeviceMemory& operator=(DeviceMemory&& other) noexcept;

  std::size_t bytes() const { return bytes_; }
  /// `bytes` from its start.
  template <class Value = std::byte>
  Value* at(std::size_t bytes = 0) const {
    return reinterpret_cast<Value*>(static_cast<std::byte*>(memory_) + bytes);
  }

 private:
  const KernelBackend* backend_ = nullptr;
  void* memory_ = nullptr;
  std::size_t bytes_ = 0;
};

/// Memory of the processor that is copied from and to while work goes on: pinned, or where the driver gives
/// none any other, from which copies are as right and take turns with that work.
class StagingMemory {
 public:
  StagingMemory(const KernelBackend& backend, std::size_t bytes);
  ~StagingMemory();
  StagingMemory(const StagingMemory&) = delete;
  StagingMemory& operator=(const StagingMemory&) = delete;

  std::span<std::byte> memory() const { return memory_; }

 private:
  const KernelBackend& backend_;
  void* pinned_ = nullptr;
  std::unique_ptr<std::byte[]> plain_;
  std::span<std::byte> memory_;  ///< one of the two
};

/// What goes to a device, and how it is divided. Not measured: no device was at hand.
struct DeviceLimits {
  /// How few weights a product with one row may have. A trip to a device takes some 20 to 30 µs, in which a
  /// processor reads about a megabyte of levels.
  static constexpr std::int64_t kLeastOfVector = 1 << 20;
  /// How few bytes the rows of a slab may have, those that go there and those that come back: fewer take about
  /// as long to be sent as to arrive.
  static constexpr std::size_t kLeastOfSlab = std::size_t{256} << 10;
  /// Bytes of pinned memory that copies go through: for a step's rows of most models.
  static constexpr std::size_t kStaging = std::size_t{32} << 20;

  std::int64_t leastOfVector = kLeastOfVector;
  std::size_t leastOfSlab = kLeastOfSlab;
  std::size_t staging = kStaging;
};

/// A device beside the processor that the large sums are computed on: products with weights it holds, and the
/// attention of a block. Everything else stays on the processor, which also computes what the device has no
/// room or no right kernel for. Engine thread only. Calls throw a sentence where the device fails.
class Accelerator {
 public:
  /// Where numbers of one step lie, until the next step's of the same kind.
  enum class Room { Input, Output, Inner, Hidden, Gated, Queries, Seen, Sums, Count };
  static constexpr std::size_t kStreams = 8;
  /// What is left free, in bytes: by weights, for what is attended to and the rooms; by that, for the rooms.
  static constexpr std::size_t kLeftByWeights = std::size_t{768} << 20, kLeftByKeys = std::size_t{256} << 20;

  /// Checks all kernels of the device, in about a second. Throws a sentence where it cannot be used.
  Accelerator(const KernelBackend& backend, int device, const DeviceLimits& limits = {});
  ~Accelerator();
  Accelerator(const Accelerator&) = delete;
  Accelerator& operator=(const Accelerator&) = delete;

  const std::string& name() const { return name_; }
  /// Without those that were not right.
  const KernelTable& kernels() const { return kernels_; }
  const DeviceLimits& limits() const { return limits_; }
  /// Whether a product with one row of so many weights is worth the trip.
  bool takesVector(std::int64_t weights) const {
    return weights >= limits_.leastOfVector && kernels_.multiplyVector.isWhole();
  }

  /// Memory that goes back with the object, where `left` bytes stay free beside it. Throws DeviceFull.
  DeviceMemory hold(std::size_t bytes, std::size_t left) const;
  /// Each turn's is its own, so that work on different streams does not meet. Throws DeviceFull.
  std::byte* room(Room room, std::size_t bytes, std::int64_t turn = 0);
  template <class Value>
  Value* roomOf(Room kind, std::int64_t count) {
    return reinterpret_cast<Value*>(room(kind, static_cast<std::size_t>(count) * sizeof(Value)));
  }

  void copyIn(void* to, const void* from, std::size_t bytes) const {
    require(backend_.copyIn(to, from, bytes));
  }
  /// After all work given before.
  void copyOut(void* to, const void* from, std::size_t bytes) const {
    require(backend_.copyOut(to, from, bytes));
  }
  /// Of a few, in turn: work on different ones may run side by side.
  void* stream(std::int64_t turn) const { return streams_[static_cast<std::size_t>(turn) % kStreams]; }
  template <class Argument>
  void run(Launch<Argument> kernel, const Argument& argument, std::int64_t rows = 0,
           void* stream = nullptr) const {
    require(kernel(argument, rows, stream));
  }

 private:
  friend class Trip;  // copies on streams

  void require(Failure failure) const;

  const KernelBackend& backend_;
  std::string name_;
  KernelTable kernels_;
  DeviceLimits limits_;
  StagingMemory staging_;
  std::array<std::array<DeviceMemory, kStreams>, static_cast<std::size_t>(Room::Count)> rooms_;
  std::array<void*, kStreams> streams_ = {};
};

struct FoundAccelerator {
  std::shared_ptr<Accelerator>
      accelerator;     ///< the first CUDA device that multiplies rightly; null: there is none
  std::string reason;  ///< a sentence that says why there is none; empty where there is one
};
/// folders: that may hold the library of kernels. driver: empty for the system's. Takes some tens of
/// milliseconds where there is a driver, and where there is a device as long as its check.
FoundAccelerator findAccelerator(const std::vector<std::filesystem::path>& folders,
                                 const std::filesystem::path& driver);

}  // namespace kvasir
