#include "kernels/cuda.h"
#include "kernels/launch.cuh"

namespace kvasir {
namespace {

template <class Out>
struct NormalizeRow {
  RowNorm<Out> norm;
  __device__ void operator()(std::int64_t row) const {
    const int thread = static_cast<int>(threadIdx.x);
    const float factor = norm.factor(combineBlock(norm.sumSquares(row, thread, kThreads), Sum()));
    for (int i = thread; i < norm.width; i += kThreads) norm.writeEntry(row, i, factor);
  }
};

template <class Value>
struct GateEntry {
  RowGate<Value> gate;
  __device__ void operator()(std::int64_t i) const {
    gate.writeEntry(i / gate.width, static_cast<int>(i % gate.width));
  }
};

}  // namespace

void normalizeRowsOnDevice(const RowNorm<float>& norm, std::int64_t rows, void* stream) {
  launchRows("normalizeRows", NormalizeRow<float>{norm}, rows, stream);
}
void normalizeRowsOnDevice(const RowNorm<std::uint16_t>& norm, std::int64_t rows, void* stream) {
  launchRows("normalizeRows", NormalizeRow<std::uint16_t>{norm}, rows, stream);
}
void gateRowsOnDevice(const RowGate<float>& gate, std::int64_t rows, void* stream) {
  launchEach("gateRows", GateEntry<float>{gate}, rows * gate.width, stream);
}
void gateRowsOnDevice(const RowGate<std::uint16_t>& gate, std::int64_t rows, void* stream) {
  launchEach("gateRows", GateEntry<std::uint16_t>{gate}, rows * gate.width, stream);
}

}  // namespace kvasir
