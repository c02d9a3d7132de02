#include <algorithm>
#include <numeric>

#include "kernels/cases.h"
#include "kernels/check_trial.h"

namespace kvasir::checks {
namespace {

/// Numbers of the host in pinned memory, or where there is none in any other.
class HostArray {
 public:
  HostArray(const KernelBackend& backend, std::size_t size) : backend_(backend) {
    if (backend.allocatePinned(size * sizeof(float), &pinned_)) pinned_ = nullptr;
    if (!pinned_) plain_.resize(size);
  }
  ~HostArray() {
    if (pinned_) backend_.releasePinned(pinned_);
  }
  HostArray(const HostArray&) = delete;
  HostArray& operator=(const HostArray&) = delete;

  float* data() { return pinned_ ? static_cast<float*>(pinned_) : plain_.data(); }

 private:
  const KernelBackend& backend_;
  void* pinned_ = nullptr;
  std::vector<float> plain_;
};

/// Streams whose work ends with the object at the latest.
class Streams {
 public:
  explicit Streams(const KernelBackend& backend) : backend_(backend) {
    for (int i = 0; i < kCount; ++i) {
      void* stream = nullptr;
      if (const Failure failure = backend.makeStream(&stream)) {
        const std::runtime_error error(failure);
        end();
        throw error;
      }
      streams_.push_back(stream);
    }
  }
  ~Streams() { end(); }
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  static constexpr int kCount = 4;
  void* operator[](int i) const { return streams_[static_cast<std::size_t>(i)]; }

 private:
  void end() {
    backend_.finish();
    for (void* stream : streams_) backend_.endStream(stream);
  }

  const KernelBackend& backend_;
  std::vector<void*> streams_;
};

}  // namespace

/// On each of some streams numbers go to the device and back, behind each other.
void checkCopies(Trial& trial) {
  constexpr int kEach = 100'003, kAll = Streams::kCount * kEach;
  const KernelBackend& backend = trial.backend;
  HostArray in(backend, kAll), out(backend, kAll);
  std::iota(in.data(), in.data() + kAll, 1.0f);
  std::fill_n(out.data(), kAll, 0.0f);
  const DeviceArray<float> there(backend, cases::unwritten<float>(kAll));
  const Streams streams(backend);
  trial.time([&] {
    for (int i = 0; i < Streams::kCount; ++i) {
      const int first = i * kEach;
      constexpr std::size_t kBytes = kEach * sizeof(float);
      require(backend.startCopyIn(there.data() + first, in.data() + first, kBytes, streams[i]));
      require(backend.startCopyOut(out.data() + first, there.data() + first, kBytes, streams[i]));
    }
    for (int i = 0; i < Streams::kCount; ++i) require(backend.waitFor(streams[i]));
  });
  reference::Expectations expected;
  for (int i = 0; i < kAll; ++i) expected.push_back({in.data()[i], 0});
  trial.compare(expected, out.data());
}

}  // namespace kvasir::checks
