#include "kernels/cuda.h"
#include "kernels/launch.cuh"

namespace kvasir {
namespace {

template <class Out>
struct MultiplyEntry {
  PanelProduct<Out> product;
  __device__ void operator()(std::int64_t i) const {
    const std::int64_t row = i % product.matrix.rows;
    const auto index = static_cast<int>(i / product.matrix.rows);
    writeValue(product.entry(index, row), product.y + index * product.stride + row);
  }
};

template <class Out>
void multiply(const PanelProduct<Out>& product, void* stream) {
  launchEach("multiplyPanels", MultiplyEntry<Out>{product}, std::int64_t{product.count} * product.matrix.rows,
             stream);
}

template <class In>
struct RoundBlock {
  RowRounding<In> rounding;
  __device__ void operator()(std::int64_t i) const {
    const int blocks = rounding.columns / rounding.blockSize;
    rounding.roundBlock(i / blocks, static_cast<int>(i % blocks));
  }
};

template <class In>
void round(const RowRounding<In>& rounding, std::int64_t rows, void* stream) {
  launchEach("roundRows", RoundBlock<In>{rounding}, rows * (rounding.columns / rounding.blockSize), stream);
}

}  // namespace

void multiplyPanelsOnDevice(const PanelProduct<float>& product, void* stream) { multiply(product, stream); }
void multiplyPanelsOnDevice(const PanelProduct<std::uint16_t>& product, void* stream) {
  multiply(product, stream);
}

void roundRowsOnDevice(const RowRounding<float>& rounding, std::int64_t rows, void* stream) {
  round(rounding, rows, stream);
}
void roundRowsOnDevice(const RowRounding<std::uint16_t>& rounding, std::int64_t rows, void* stream) {
  round(rounding, rows, stream);
}

}  // namespace kvasir
