#include "kernels/cuda.h"
#include "kernels/launch.cuh"

namespace kvasir {
namespace {

struct MultiplyRow {
  AffineProduct product;
  __device__ void operator()(std::int64_t row) const { product.y[row] = product.entry(row); }
};

struct AddBlock {
  const float* x;
  int blockSize;
  float* sums;
  __device__ void operator()(std::int64_t block) const {
    sums[block] = sumBlock(x, blockSize, static_cast<int>(block));
  }
};

template <class Out>
struct ExpandWeight {
  AffineProduct product;
  Out* out;
  __device__ void operator()(std::int64_t i) const {
    writeValue(product.weight(i / product.columns, static_cast<int>(i % product.columns)), out + i);
  }
};

template <class Out>
void expand(const AffineProduct& product, std::int64_t rows, Out* out, void* stream) {
  launchEach("expandRows", ExpandWeight<Out>{product, out}, rows * product.columns, stream);
}

}  // namespace

void multiplyRowsOnDevice(const AffineProduct& product, std::int64_t rows, void* stream) {
  launchEach("multiplyRows", MultiplyRow{product}, rows, stream);
}

void sumBlocksOnDevice(const float* x, int columns, int blockSize, float* sums, void* stream) {
  launchEach("sumBlocks", AddBlock{x, blockSize, sums}, columns / blockSize, stream);
}

void expandRowsOnDevice(const AffineProduct& product, std::int64_t rows, float* out, void* stream) {
  expand(product, rows, out, stream);
}
void expandRowsOnDevice(const AffineProduct& product, std::int64_t rows, std::uint16_t* out, void* stream) {
  expand(product, rows, out, stream);
}

}  // namespace kvasir
