#include "kernels/cuda.h"
#include "kernels/launch.cuh"

namespace kvasir {
namespace {

/// One query head, by a block.
template <class Value>
struct AttendQuery {
  TokenAttention<Value> a;

  __device__ void operator()(std::int64_t head) const {
    const int query = static_cast<int>(head), thread = static_cast<int>(threadIdx.x);
    const float largest = combineBlock(scoreKeys(query), Largest());
    const float sum = combineBlock(weighKeys(query, largest), Sum());
    for (int i = thread; i < a.dimension; i += kThreads)
      a.output[query * a.dimension + i] = a.sumValue(query, i);
    if (thread != 0) return;
    a.largest[query] = largest;
    a.sum[query] = sum;
  }

 private:
  /// Scores of this thread's keys, and the largest of them.
  __device__ float scoreKeys(int query) const {
    float largest = -INFINITY;
    for (int k = static_cast<int>(threadIdx.x); k < a.count; k += kThreads) {
      const Value* key = a.keys + static_cast<std::int64_t>(k) * a.dimension;
      const float score = a.score(a.queries + query * a.dimension, key);
      a.weights[query * a.weightStride + k] = score;
      largest = fmaxf(largest, score);
    }
    return largest;
  }

  /// Weights of this thread's keys, and their sum.
  __device__ float weighKeys(int query, float largest) const {
    float sum = 0;
    for (int k = static_cast<int>(threadIdx.x); k < a.count; k += kThreads) {
      float& weight = a.weights[query * a.weightStride + k];
      weight = a.weigh(weight, largest);
      sum += weight;
    }
    return sum;
  }
};

/// One row of a block, by a thread.
template <class Value>
struct AttendRow {
  BlockAttention<Value> attention;
  __device__ void operator()(std::int64_t row) const { attention.attendRow(row); }
};

}  // namespace

void attendTokenOnDevice(const TokenAttention<float>& attention, void* stream) {
  launchRows("attendToken", AttendQuery<float>{attention}, attention.group, stream);
}
void attendTokenOnDevice(const TokenAttention<std::uint16_t>& attention, void* stream) {
  launchRows("attendToken", AttendQuery<std::uint16_t>{attention}, attention.group, stream);
}

void attendRowsOnDevice(const BlockAttention<float>& attention, std::int64_t rows, void* stream) {
  launchEach("attendRows", AttendRow<float>{attention}, rows, stream);
}
void attendRowsOnDevice(const BlockAttention<std::uint16_t>& attention, std::int64_t rows, void* stream) {
  launchEach("attendRows", AttendRow<std::uint16_t>{attention}, rows, stream);
}

}  // namespace kvasir
