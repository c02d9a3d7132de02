#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>

/// How the CUDA files launch work: one thread an entry, one warp a row, or one block of kThreads a row.
namespace kvasir {

constexpr int kThreads = 256;

inline void checkLaunch(const char* kernel) {
  const cudaError_t error = cudaGetLastError();
  if (error == cudaSuccess) return;
  throw std::runtime_error(std::string("the CUDA device refused ") + kernel + ": " + cudaGetErrorString(error));
}

template <class Work>
__global__ void runEach(Work work, std::int64_t count) {
  const std::int64_t step = std::int64_t{gridDim.x} * blockDim.x;
  for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) work(i);
}

/// work(i) for every i in [0, count), in any order.
template <class Work>
void launchEach(const char* kernel, const Work& work, std::int64_t count, void* stream) {
  if (count == 0) return;
  const std::int64_t blocks = std::min<std::int64_t>((count + kThreads - 1) / kThreads, 1 << 20);
  runEach<<<static_cast<unsigned>(blocks), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(work, count);
  checkLaunch(kernel);
}

template <class Work>
__global__ void runRows(Work work, std::int64_t rows) {
  for (std::int64_t row = blockIdx.x; row < rows; row += gridDim.x) work(row);
}

/// work(row) for every row in [0, rows), by a whole block each.
template <class Work>
void launchRows(const char* kernel, const Work& work, std::int64_t rows, void* stream) {
  if (rows == 0) return;
  const std::int64_t blocks = std::min<std::int64_t>(rows, 1 << 20);
  runRows<<<static_cast<unsigned>(blocks), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(work, rows);
  checkLaunch(kernel);
}

constexpr int kWarp = 32;

template <class Work>
__global__ void runWarps(Work work, std::int64_t rows) {
  const int thread = static_cast<int>(threadIdx.x);
  const std::int64_t row = std::int64_t{blockIdx.x} * (kThreads / kWarp) + thread / kWarp;
  if (row < rows) work(row, thread % kWarp);  // the whole warp, or none of it
}

/// work(row, lane) for every row in [0, rows), by a warp each, whose threads are its lanes.
template <class Work>
void launchWarps(const char* kernel, const Work& work, std::int64_t rows, void* stream) {
  constexpr int kRows = kThreads / kWarp;
  if (rows == 0) return;
  const auto blocks = static_cast<unsigned>((rows + kRows - 1) / kRows);
  runWarps<<<blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(work, rows);
  checkLaunch(kernel);
}

/// The values of a warp's threads added up; the same for every thread.
__device__ inline float sumWarp(float value) {
  for (int half = kWarp / 2; half > 0; half /= 2) value += __shfl_xor_sync(0xffffffffu, value, half);
  return value;
}

struct Sum {
  __device__ float operator()(float a, float b) const { return a + b; }
};
struct Largest {
  __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};

/// The values of the block's threads combined; the same for every thread. What the threads wrote before is seen
/// after.
template <class Combine>
__device__ float combineBlock(float value, Combine combine) {
  __shared__ float values[kThreads];
  const int thread = static_cast<int>(threadIdx.x);
  values[thread] = value;
  __syncthreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (thread < half) values[thread] = combine(values[thread], values[thread + half]);
    __syncthreads();
  }
  const float result = values[0];
  __syncthreads();
  return result;
}

}  // namespace kvasir
