#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "engine/accelerator.h"

namespace kvasir {

/// Copies to a device and back that run beside its kernels. They go through the device's staging memory, so
/// callers' own is never on its way. One trip at a time; when it ends, also by an exception, nothing of it is
/// under way. Calls throw a sentence where the device fails.
class Trip {
 public:
  explicit Trip(Accelerator& device) : device_(device) {}
  ~Trip();
  Trip(const Trip&) = delete;
  Trip& operator=(const Trip&) = delete;

  /// On a stream, behind what that was given before. `from` may change when it returns.
  void copyIn(void* to, const void* from, std::size_t bytes, void* stream);
  /// Likewise. `to` is written when the stream lands, or before; not where the trip ends without that.
  void copyOut(void* to, const void* from, std::size_t bytes, void* stream);
  /// Waits for all that a stream was given.
  void land(void* stream);
  /// All streams that copies are on.
  void landAll();

 private:
  /// A copy that its stream was given and that has not landed.
  struct Copy {
    std::size_t begin, end;  ///< of the staging memory
    void* stream;
    std::byte* to;  ///< where it goes from there; null: to the device
  };
  /// Staging memory that no copy is using; waits for the streams of those that are in its way.
  std::byte* stage(std::size_t bytes, void* stream, std::byte* to);
  std::size_t mostAtOnce() const;

  Accelerator& device_;
  std::vector<Copy> copies_;
  std::size_t next_ = 0;  ///< byte of the staging memory, which is gone through round and round
};

/// Rows of a step on a device, some of them or all.
struct Slab {
  const std::byte* x = nullptr;  ///< what goes in
  std::byte* y = nullptr;        ///< what comes out
  int count = 0;
  std::int64_t turn = 0;  ///< whose stream and rooms it has
};

/// Rows of the processor's memory that become others on a device.
struct TripRows {
  const void* in = nullptr;
  std::size_t inBytes = 0;  ///< of all rows
  void* out = nullptr;
  std::size_t outBytes = 0;
  std::int64_t count = 0;
};

/// Many rows in slabs, each on a stream of its own: copied to the device, worked on there, and copied back
/// beside the work on others. Few go as one. `work` starts what makes a slab's `y` of its `x`, on its stream.
/// Throws DeviceFull.
void forSlabs(Accelerator& device, const TripRows& rows, const std::function<void(const Slab&)>& work);

}  // namespace kvasir
