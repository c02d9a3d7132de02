#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace kvasir {

/// Memory that starts at a cache line.
template <class Value>
struct LineAllocator {
  using value_type = Value;
  static constexpr std::align_val_t kLine{64};
  LineAllocator() = default;
  template <class Other>
  LineAllocator(const LineAllocator<Other>&) {}
  Value* allocate(std::size_t count) {
    return static_cast<Value*>(::operator new(count * sizeof(Value), kLine));
  }
  void deallocate(Value* at, std::size_t) { ::operator delete(at, kLine); }
  bool operator==(const LineAllocator&) const { return true; }
};
template <class Value>
using LineVector = std::vector<Value, LineAllocator<Value>>;

}  // namespace kvasir
