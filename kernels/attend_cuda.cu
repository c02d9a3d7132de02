#include "kernels/cuda.h"
#include "kernels/launch.cuh"

namespace kvasir {
namespace {

/// One query head, by a block.
template <class Attention>
struct AttendQuery {
  Attention a;

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
      const float score = a.score(query, k);
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

/// Rows of a block, each by kLanes threads that share its dimensions; keys and values come a tile at a time
/// through shared memory. kEach: dimensions of a thread.
constexpr int kLanes = 8, kTileRows = kThreads / kLanes, kTileKeys = 16;

template <class Value, int kEach>
class RowTile {
 public:
  __device__ RowTile(const BlockAttention<Value>& attention, std::int64_t rows)
      : a_(attention),
        firstRow_(std::int64_t{blockIdx.x} * kTileRows),
        row_(firstRow_ + threadIdx.x / kLanes),
        lane_(static_cast<int>(threadIdx.x) % kLanes) {
    if (row_ < rows) {
      begin_ = a_.begins[row_];
      end_ = a_.ends[row_];
    }
    if (!sees()) return;
    for (int i = 0; i < kEach; ++i) {
      if (dimension(i) >= a_.dimension) continue;
      query_[i] = readValue(a_.queries + row_ * a_.dimension + dimension(i));
      output_[i] = a_.output[row_ * a_.dimension + dimension(i)];
    }
    largest_ = a_.largest[row_];
    sum_ = a_.sum[row_];
  }

  /// Every thread of the block comes along, whatever it sees.
  __device__ void attend(std::int64_t rows) {
    __shared__ float keys[kTileKeys][kLanes * kEach], values[kTileKeys][kLanes * kEach];
    int from = a_.count, to = 0;  // what any row of the block sees
    for (std::int64_t row = firstRow_; row < rows && row < firstRow_ + kTileRows; ++row) {
      if (a_.begins[row] >= a_.ends[row]) continue;
      from = min(from, a_.begins[row]);
      to = max(to, a_.ends[row]);
    }
    for (int first = from; first < to; first += kTileKeys) {
      __syncthreads();
      load(a_.keys, first, to, keys);
      load(a_.values, first, to, values);
      __syncthreads();
      add(first, keys, values);
    }
    if (!sees()) return;
    for (int i = 0; i < kEach; ++i)
      if (dimension(i) < a_.dimension) a_.output[row_ * a_.dimension + dimension(i)] = output_[i];
    if (lane_ != 0) return;
    a_.largest[row_] = largest_;
    a_.sum[row_] = sum_;
  }

 private:
  using Tile = float[kTileKeys][kLanes * kEach];

  __device__ bool sees() const { return begin_ < end_; }
  __device__ int dimension(int i) const { return lane_ + kLanes * i; }

  __device__ void load(const Value* rows, int first, int to, Tile& tile) const {
    for (int i = static_cast<int>(threadIdx.x); i < kTileKeys * kLanes * kEach; i += kThreads) {
      const int key = i / (kLanes * kEach), at = i % (kLanes * kEach);
      const bool isThere = first + key < to && at < a_.dimension;
      tile[key][at] = isThere ? readValue(rows + std::int64_t{first + key} * a_.dimension + at) : 0.0f;
    }
  }

  __device__ void add(int first, const Tile& keys, const Tile& values) {
    float scores[kTileKeys];
    float most = largest_;
#pragma unroll
    for (int key = 0; key < kTileKeys; ++key) {
      float score = 0;
#pragma unroll
      for (int i = 0; i < kEach; ++i) score += query_[i] * keys[key][dimension(i)];
#pragma unroll
      for (int half = kLanes / 2; half > 0; half /= 2) score += __shfl_xor_sync(0xffffffffu, score, half);
      const bool isSeen = first + key >= begin_ && first + key < end_;
      scores[key] = isSeen ? score * a_.scale : -INFINITY;
      most = fmaxf(most, scores[key]);
    }
    if (most == -INFINITY) return;
    const float factor = expf(largest_ - most);
    largest_ = most;
    sum_ *= factor;
#pragma unroll
    for (int i = 0; i < kEach; ++i) output_[i] *= factor;
#pragma unroll
    for (int key = 0; key < kTileKeys; ++key) {
      const float weight = expf(scores[key] - most);  // 0 of what is not seen
      sum_ += weight;
#pragma unroll
      for (int i = 0; i < kEach; ++i) output_[i] += weight * values[key][dimension(i)];
    }
  }

  const BlockAttention<Value>& a_;
  std::int64_t firstRow_, row_;
  int lane_, begin_ = 0, end_ = 0;
  float query_[kEach] = {}, output_[kEach] = {};
  float largest_ = -INFINITY, sum_ = 0;
};

template <class Value, int kEach>
__global__ void attendTiles(BlockAttention<Value> attention, std::int64_t rows) {
  RowTile<Value, kEach>(attention, rows).attend(rows);
}

/// One row of a block, by a thread.
template <class Value>
struct AttendRow {
  BlockAttention<Value> attention;
  __device__ void operator()(std::int64_t row) const { attention.attendRow(row); }
};

template <class Value, int kEach>
void launchTiles(const BlockAttention<Value>& attention, std::int64_t rows, void* stream) {
  if (rows == 0) return;
  const auto blocks = static_cast<unsigned>((rows + kTileRows - 1) / kTileRows);
  attendTiles<Value, kEach><<<blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(attention, rows);
  checkLaunch("attendRows");
}

template <class Value>
void attendBlock(const BlockAttention<Value>& attention, std::int64_t rows, void* stream) {
  if (attention.dimension <= kLanes * 8) return launchTiles<Value, 8>(attention, rows, stream);
  if (attention.dimension <= kLanes * 16) return launchTiles<Value, 16>(attention, rows, stream);
  if (attention.dimension <= kLanes * 32) return launchTiles<Value, 32>(attention, rows, stream);
  launchEach("attendRows", AttendRow<Value>{attention}, rows, stream);
}

}  // namespace

void attendTokenOnDevice(const TokenAttention<float>& attention, void* stream) {
  launchRows("attendToken", AttendQuery<TokenAttention<float>>{attention}, attention.group, stream);
}
void attendTokenOnDevice(const TokenAttention<std::uint16_t>& attention, void* stream) {
  launchRows("attendToken", AttendQuery<TokenAttention<std::uint16_t>>{attention}, attention.group, stream);
}
void attendPackedOnDevice(const PackedAttention& attention, void* stream) {
  launchRows("attendPacked", AttendQuery<PackedAttention>{attention}, attention.group, stream);
}

void attendRowsOnDevice(const BlockAttention<float>& attention, std::int64_t rows, void* stream) {
  attendBlock(attention, rows, stream);
}
void attendRowsOnDevice(const BlockAttention<std::uint16_t>& attention, std::int64_t rows, void* stream) {
  attendBlock(attention, rows, stream);
}

}  // namespace kvasir
