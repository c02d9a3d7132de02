#include <cuda_bf16.h>
#include <mma.h>

#include <type_traits>

#include "kernels/cuda.h"
#include "kernels/launch.cuh"

namespace kvasir {
namespace {

/// A block of kThreads computes kTile rows of x with kTile rows of weights, kDepth columns at a time.
constexpr int kTile = 64, kDepth = 32;

/// A tile of rows of a matrix on its way to shared memory: what one thread carries. Nothing lies outside.
template <class Value>
class TileLoad {
 public:
  static constexpr int kEach = kTile * kDepth / kThreads;  // neighbours in a row
  static_assert(kEach == 8 && kDepth % kEach == 0, "bf16 is moved 16 bytes at a time");

  __device__ TileLoad(const Value* matrix, std::int64_t firstRow, std::int64_t rows, int columns)
      : row_(static_cast<int>(threadIdx.x) / (kDepth / kEach)),
        column_(static_cast<int>(threadIdx.x) % (kDepth / kEach) * kEach),
        columns_(firstRow + row_ < rows ? columns : 0),
        from_(matrix + (firstRow + row_) * columns) {}

  __device__ void fetch(int column) {
    const int first = column + column_;
    if (movesVectors()) {
      const uint4 nothing = {};
      asVector(values_) = first < columns_ ? asVector(from_ + first) : nothing;
      return;
    }
#pragma unroll
    for (int i = 0; i < kEach; ++i) values_[i] = first + i < columns_ ? from_[first + i] : Value{};
  }

  /// Rows of kRow values.
  template <class Shared, int kRow>
  __device__ void put(Shared (&to)[kTile][kRow]) const {
    if constexpr (std::is_same_v<Shared, Value> && sizeof(Value) == 2) {
      static_assert(kRow * sizeof(Shared) % sizeof(uint4) == 0, "vectors are aligned");
      asVector(&to[row_][column_]) = asVector(values_);
    } else {
#pragma unroll
      for (int i = 0; i < kEach; ++i) place(values_[i], &to[row_][column_ + i]);
    }
  }

 private:
  /// Rows that begin at a vector; columns_ is 0 for rows outside.
  __device__ bool movesVectors() const {
    return sizeof(Value) * kEach == sizeof(uint4) && columns_ % kEach == 0;
  }
  static __device__ uint4& asVector(void* values) { return *static_cast<uint4*>(values); }
  static __device__ const uint4& asVector(const void* values) { return *static_cast<const uint4*>(values); }
  static __device__ void place(Value value, Value* to) { *to = value; }
  template <class Shared>
  static __device__ void place(Value value, Shared* to) {
    *to = readValue(&value);
  }

  int row_, column_, columns_;
  const Value* from_;
  alignas(sizeof(uint4)) Value values_[kEach];
};

template <class Value>
__device__ void writeEntry(const DenseProduct<Value>& product, std::int64_t index, std::int64_t row,
                           float sum) {
  if (index >= product.count || row >= product.rows) return;
  const int at = static_cast<int>(index);
  writeValue(product.withHeld(at, row, sum), product.y + index * product.rows + row);
}

/// By the threads' own arithmetic: each computes 4 by 4 entries.
template <class Value>
__device__ void multiplyTile(const DenseProduct<Value>& product) {
  constexpr int kSide = 4, kAcross = kTile / kSide;
  __shared__ float x[kTile][kDepth + 1], weights[kTile][kDepth + 1];
  const std::int64_t firstIndex = std::int64_t{blockIdx.y} * kTile, firstRow = std::int64_t{blockIdx.x} * kTile;
  TileLoad<Value> nextX(product.x, firstIndex, product.count, product.columns);
  TileLoad<Value> nextWeights(product.weights, firstRow, product.rows, product.columns);
  const int left = static_cast<int>(threadIdx.x) / kAcross, right = static_cast<int>(threadIdx.x) % kAcross;
  float sums[kSide][kSide] = {};
  for (int column = 0; column < product.columns; column += kDepth) {
    nextX.fetch(column);
    nextWeights.fetch(column);
    __syncthreads();
    nextX.put(x);
    nextWeights.put(weights);
    __syncthreads();
    for (int k = 0; k < kDepth; ++k) {
#pragma unroll
      for (int i = 0; i < kSide; ++i)
#pragma unroll
        for (int j = 0; j < kSide; ++j)
          sums[i][j] += x[left + i * kAcross][k] * weights[right + j * kAcross][k];
    }
  }
  for (int i = 0; i < kSide; ++i)
    for (int j = 0; j < kSide; ++j)
      writeEntry(product, firstIndex + left + i * kAcross, firstRow + right + j * kAcross, sums[i][j]);
}

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
/// bf16 on tensor cores: each warp computes 32 by 16 entries.
__device__ void multiplyTile(const DenseProduct<std::uint16_t>& product) {
  namespace wmma = nvcuda::wmma;
  constexpr int kSide = 16, kRow = kDepth + 8, kSums = kTile + 4;  // rows of shared memory in different banks
  __shared__ __align__(32) std::uint16_t x[kTile][kRow];
  __shared__ __align__(32) std::uint16_t weights[kTile][kRow];
  __shared__ __align__(32) float sums[kTile][kSums];
  const std::int64_t firstIndex = std::int64_t{blockIdx.y} * kTile, firstRow = std::int64_t{blockIdx.x} * kTile;
  TileLoad<std::uint16_t> nextX(product.x, firstIndex, product.count, product.columns);
  TileLoad<std::uint16_t> nextWeights(product.weights, firstRow, product.rows, product.columns);
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int top = warp / 4 * 2 * kSide, left = warp % 4 * kSide;
  wmma::fragment<wmma::accumulator, kSide, kSide, kSide, float> upper, lower;
  wmma::fill_fragment(upper, 0.0f);
  wmma::fill_fragment(lower, 0.0f);
  nextX.fetch(0);
  nextWeights.fetch(0);
  for (int column = 0; column < product.columns; column += kDepth) {
    __syncthreads();
    nextX.put(x);
    nextWeights.put(weights);
    __syncthreads();
    // On their way while these are multiplied; past the end they are zeros.
    nextX.fetch(column + kDepth);
    nextWeights.fetch(column + kDepth);
    __syncwarp();
#pragma unroll
    for (int k = 0; k < kDepth; k += kSide) {
      wmma::fragment<wmma::matrix_a, kSide, kSide, kSide, __nv_bfloat16, wmma::row_major> a;
      wmma::fragment<wmma::matrix_b, kSide, kSide, kSide, __nv_bfloat16, wmma::col_major> b;
      wmma::load_matrix_sync(b, reinterpret_cast<const __nv_bfloat16*>(&weights[left][k]), kRow);
      wmma::load_matrix_sync(a, reinterpret_cast<const __nv_bfloat16*>(&x[top][k]), kRow);
      wmma::mma_sync(upper, a, b, upper);
      wmma::load_matrix_sync(a, reinterpret_cast<const __nv_bfloat16*>(&x[top + kSide][k]), kRow);
      wmma::mma_sync(lower, a, b, lower);
    }
  }
  wmma::store_matrix_sync(&sums[top][left], upper, kSums, wmma::mem_row_major);
  wmma::store_matrix_sync(&sums[top + kSide][left], lower, kSums, wmma::mem_row_major);
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < kTile * kTile; i += kThreads)
    writeEntry(product, firstIndex + i / kTile, firstRow + i % kTile, sums[i / kTile][i % kTile]);
}
#endif

template <class Value>
__global__ void multiplyTiles(DenseProduct<Value> product) {
  multiplyTile(product);
}

unsigned tilesOf(std::int64_t rows) { return static_cast<unsigned>((rows + kTile - 1) / kTile); }

template <class Value>
void multiply(const DenseProduct<Value>& product, void* stream) {
  constexpr int kMostTiles = 65535;  // of a grid's second side
  if (product.rows == 0) return;
  for (int first = 0; first < product.count; first += kMostTiles * kTile) {
    DenseProduct<Value> part = product;
    part.x += std::int64_t{first} * product.columns;
    part.y += std::int64_t{first} * product.rows;
    part.count = std::min(product.count - first, kMostTiles * kTile);
    const dim3 tiles(tilesOf(part.rows), tilesOf(part.count));
    multiplyTiles<<<tiles, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(part);
    checkLaunch("multiplyDense");
  }
}

template <class Value>
struct MultiplyRow {
  VectorProduct<Value> product;
  __device__ void operator()(std::int64_t row, int lane) const {
    const float sum = sumWarp(product.sum(row, lane, kWarp));
    if (lane == 0) product.y[row] = product.withHeld(row, sum);
  }
};

template <class Value>
void multiply(const VectorProduct<Value>& product, void* stream) {
  launchWarps("multiplyVector", MultiplyRow<Value>{product}, product.rows, stream);
}

}  // namespace

void multiplyDenseOnDevice(const DenseProduct<float>& product, void* stream) { multiply(product, stream); }
void multiplyDenseOnDevice(const DenseProduct<std::uint16_t>& product, void* stream) {
  multiply(product, stream);
}

void multiplyVectorOnDevice(const VectorProduct<float>& product, void* stream) { multiply(product, stream); }
void multiplyVectorOnDevice(const VectorProduct<std::uint16_t>& product, void* stream) {
  multiply(product, stream);
}

}  // namespace kvasir
