#include "kernels/cuda.h"
#include "kernels/launch.cuh"

namespace kvasir {
namespace {

template <class Value>
struct RotatePair {
  Rotation<Value> rotation;
  __device__ void operator()(std::int64_t i) const {
    rotation.rotatePair(static_cast<int>(i / rotation.half), static_cast<int>(i % rotation.half));
  }
};

template <class Value>
void rotate(const Rotation<Value>& rotation, void* stream) {
  launchEach("rotateRows", RotatePair<Value>{rotation}, std::int64_t{rotation.rows} * rotation.half, stream);
}

}  // namespace

void rotateRowsOnDevice(const Rotation<float>& rotation, void* stream) { rotate(rotation, stream); }
void rotateRowsOnDevice(const Rotation<std::uint16_t>& rotation, void* stream) { rotate(rotation, stream); }

}  // namespace kvasir
