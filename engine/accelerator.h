#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
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

/// A device beside the processor that the large sums are computed on: products with weights it holds, and the
/// attention of a block. Everything else stays on the processor, which also computes what the device has no
/// room or no right kernel for. Engine thread only. Calls throw a sentence where the device fails.
class Accelerator {
 public:
  /// Where numbers of one step lie, until the next step's of the same kind.
  enum class Room { Input, Output, Inner, Hidden, Gated, Queries, Seen, Sums, Count };
  /// How few weights a product with one row may have. A trip to a device takes some 20 to 30 µs, in which a
  /// processor reads about a megabyte of levels. Not measured: no device was at hand.
  static constexpr std::int64_t kLeastOfVector = 1 << 20;
  /// What is left free, in bytes: by weights, for what is attended to and the rooms; by that, for the rooms.
  static constexpr std::size_t kLeftByWeights = std::size_t{768} << 20, kLeftByKeys = std::size_t{256} << 20;

  /// Checks all kernels of the device, in about a second. Throws a sentence where it cannot be used.
  Accelerator(const KernelBackend& backend, int device, std::int64_t leastOfVector = kLeastOfVector);
  ~Accelerator();
  Accelerator(const Accelerator&) = delete;
  Accelerator& operator=(const Accelerator&) = delete;

  const std::string& name() const { return name_; }
  /// Without those that were not right.
  const KernelTable& kernels() const { return kernels_; }
  /// Whether a product with one row of so many weights is worth the trip.
  bool takesVector(std::int64_t weights) const {
    return weights >= leastOfVector_ && kernels_.multiplyVector.isWhole();
  }

  /// Memory that goes back with the object, where `left` bytes stay free beside it. Throws DeviceFull.
  DeviceMemory hold(std::size_t bytes, std::size_t left) const;
  /// Throws DeviceFull.
  std::byte* room(Room room, std::size_t bytes);
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
  void* stream(std::int64_t turn) const { return streams_[static_cast<std::size_t>(turn) % streams_.size()]; }
  template <class Argument>
  void run(Launch<Argument> kernel, const Argument& argument, std::int64_t rows = 0,
           void* stream = nullptr) const {
    require(kernel(argument, rows, stream));
  }

 private:
  void require(Failure failure) const;

  const KernelBackend& backend_;
  std::string name_;
  KernelTable kernels_;
  std::int64_t leastOfVector_;
  std::array<DeviceMemory, static_cast<std::size_t>(Room::Count)> rooms_;
  std::array<void*, 8> streams_ = {};
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
