#include "kernels/cuda.h"
#include "kernels/launch.cuh"

namespace kvasir {
namespace {

/// What a key received of one query head, by a thread; threads side by side have keys side by side.
template <class Value>
struct ReceiveKey {
  ReceivedAttention<Value> a;
  __device__ void operator()(std::int64_t i) const { a.received[i] = a.sumOf(i / a.count, i % a.count); }
};

template <class Value>
void receive(const ReceivedAttention<Value>& attention, void* stream) {
  launchEach("receiveAttention", ReceiveKey<Value>{attention}, attention.heads() * attention.count, stream);
}

}  // namespace

void receiveAttentionOnDevice(const ReceivedAttention<float>& attention, void* stream) {
  receive(attention, stream);
}
void receiveAttentionOnDevice(const ReceivedAttention<std::uint16_t>& attention, void* stream) {
  receive(attention, stream);
}

}  // namespace kvasir
