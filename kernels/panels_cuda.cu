#include "kernels/cuda.h"
#include "kernels/launch.cuh"

namespace kvasir {
namespace {

struct MultiplyRowExactly {
  ExactProduct product;
  __device__ void operator()(std::int64_t row) const { product.y[row] = product.entry(row); }
};

template <class Out>
struct ExpandWeight {
  PanelMatrix matrix;
  Out* out;
  __device__ void operator()(std::int64_t i) const {
    writeValue(matrix.weight(i / matrix.columns, static_cast<int>(i % matrix.columns)), out + i);
  }
};

template <class Out>
void expand(const PanelMatrix& matrix, std::int64_t rows, Out* out, void* stream) {
  launchEach("expandRows", ExpandWeight<Out>{matrix, out}, rows * matrix.columns, stream);
}

}  // namespace

void multiplyExactlyOnDevice(const ExactProduct& product, void* stream) {
  launchEach("multiplyExactly", MultiplyRowExactly{product}, product.matrix.rows, stream);
}

void expandRowsOnDevice(const PanelMatrix& matrix, std::int64_t rows, float* out, void* stream) {
  expand(matrix, rows, out, stream);
}
void expandRowsOnDevice(const PanelMatrix& matrix, std::int64_t rows, std::uint16_t* out, void* stream) {
  expand(matrix, rows, out, stream);
}

}  // namespace kvasir
