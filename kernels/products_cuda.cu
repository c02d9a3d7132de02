#include "kernels/cuda.h"
#include "kernels/launch.cuh"

namespace kvasir {
namespace {

/// Product: PanelProduct or BlockProduct.
template <class Product>
struct MultiplyEntry {
  Product product;
  __device__ void operator()(std::int64_t i) const {
    const std::int64_t row = i % product.matrix.rows;
    const auto index = static_cast<int>(i / product.matrix.rows);
    writeValue(product.entry(index, row), product.y + index * product.stride + row);
  }
};

template <class Product>
void multiply(const char* kernel, const Product& product, void* stream) {
  launchEach(kernel, MultiplyEntry<Product>{product}, std::int64_t{product.count} * product.matrix.rows,
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

template <class In>
struct RoundBlockAlone {
  BlockRounding<In> rounding;
  __device__ void operator()(std::int64_t i) const {
    rounding.roundBlock(i / rounding.blocks(), static_cast<int>(i % rounding.blocks()));
  }
};

template <class In>
void round(const BlockRounding<In>& rounding, std::int64_t rows, void* stream) {
  launchEach("roundBlocks", RoundBlockAlone<In>{rounding}, rows * rounding.blocks(), stream);
}

}  // namespace

void multiplyPanelsOnDevice(const PanelProduct<float>& product, void* stream) {
  multiply("multiplyPanels", product, stream);
}
void multiplyPanelsOnDevice(const PanelProduct<std::uint16_t>& product, void* stream) {
  multiply("multiplyPanels", product, stream);
}

void multiplyBlocksOnDevice(const BlockProduct<float>& product, void* stream) {
  multiply("multiplyBlocks", product, stream);
}
void multiplyBlocksOnDevice(const BlockProduct<std::uint16_t>& product, void* stream) {
  multiply("multiplyBlocks", product, stream);
}

void roundBlocksOnDevice(const BlockRounding<float>& rounding, std::int64_t rows, void* stream) {
  round(rounding, rows, stream);
}
void roundBlocksOnDevice(const BlockRounding<std::uint16_t>& rounding, std::int64_t rows, void* stream) {
  round(rounding, rows, stream);
}

void roundRowsOnDevice(const RowRounding<float>& rounding, std::int64_t rows, void* stream) {
  round(rounding, rows, stream);
}
void roundRowsOnDevice(const RowRounding<std::uint16_t>& rounding, std::int64_t rows, void* stream) {
  round(rounding, rows, stream);
}

}  // namespace kvasir
