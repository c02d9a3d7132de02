#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "kernels/check.h"
#include "kernels/reference.h"

/// What checks of kernels (check.cpp) are made of.
namespace kvasir::checks {

using Half = std::uint16_t;

inline void require(Failure failure) {
  if (failure) throw std::runtime_error(failure);
}

/// A copy of numbers in the device's memory.
template <class Value>
class DeviceArray {
 public:
  template <class Values>
  DeviceArray(const KernelBackend& backend, const Values& values) : backend_(backend), size_(values.size()) {
    if (size_ == 0) return;
    require(backend.allocate(bytes(), &memory_));
    if (const Failure failure = backend.copyIn(memory_, values.data(), bytes())) {
      const std::runtime_error error(failure);
      backend.release(memory_);
      throw error;
    }
  }
  ~DeviceArray() {
    if (memory_) backend_.release(memory_);
  }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  Value* data() const { return static_cast<Value*>(memory_); }

  std::vector<Value> read() const {
    std::vector<Value> values(size_);
    if (size_ > 0) require(backend_.copyOut(values.data(), memory_, bytes()));
    return values;
  }

 private:
  std::size_t bytes() const { return size_ * sizeof(Value); }

  const KernelBackend& backend_;
  std::size_t size_;
  void* memory_ = nullptr;
};

/// One kernel's check: launches it, holds results against the reference, and keeps the worst.
class Trial {
 public:
  Trial(const KernelBackend& backend, KernelCheck& check) : backend(backend), check_(check) {}

  template <class Argument>
  void launch(Launch<Argument> kernel, const Argument& argument, std::int64_t rows = 0) {
    if (!kernel) throw std::runtime_error("it is missing");
    time([&] {
      require(kernel(argument, rows, nullptr));
      require(backend.finish());
    });
  }

  /// Work that ends with the call.
  template <class Work>
  void time(const Work& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    check_.milliseconds +=
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  }

  template <class Value>
  void compare(const reference::Expectations& expected, const Value* actual) {
    const reference::Distance found = reference::furthest(expected, actual);
    check_.isRight = check_.isRight && found.isWithin();
    if (!found.isFurtherThan({check_.difference, check_.tolerance})) return;
    check_.difference = found.difference;
    check_.tolerance = found.tolerance;
  }
  template <class Value>
  void compare(const reference::Expectations& expected, const std::vector<Value>& actual) {
    compare(expected, actual.data());
  }

  const KernelBackend& backend;

 private:
  KernelCheck& check_;
};

// The products' checks (check_products.cpp).
void checkMultiplyExactly(Trial& trial);
template <class Out>
void checkExpand(Trial& trial);
template <class In>
void checkRound(Trial& trial);
template <class Out>
void checkMultiplyPanels(Trial& trial);
template <class In>
void checkRoundBlocks(Trial& trial);
template <class Out>
void checkMultiplyBlocks(Trial& trial);
template <class Value>
void checkMultiplyDense(Trial& trial);
template <class Value>
void checkMultiplyVector(Trial& trial);

void checkCopies(Trial& trial);  // check_copies.cpp

}  // namespace kvasir::checks
