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
  /// Each block looks for its row's largest by itself.
  __device__ void operator()(std::int64_t i) const {
    const std::int64_t row = i / rounding.blocks();
    const int block = static_cast<int>(i % rounding.blocks());
    const float largest = rounding.largest(row);
    if (block == 0) rounding.scales[row] = rounding.scale(largest);
    rounding.roundBlock(row, block, largest);
  }
};

template <class In>
void round(const RowRounding<In>& rounding, std::int64_t rows, void* stream) {
  launchEach("roundRows", RoundBlock<In>{rounding}, rows * rounding.blocks(), stream);
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
