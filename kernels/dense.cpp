#include "kernels/dense.h"

namespace kvasir {
namespace {

template <class Value>
void multiplyAll(const DenseProduct<Value>& product, std::int64_t begin, std::int64_t end) {
  for (int index = 0; index < product.count; ++index)
    for (std::int64_t row = begin; row < end; ++row)
      writeValue(product.entry(index, row), product.y + index * product.rows + row);
}

template <class Value>
void multiplyEach(const VectorProduct<Value>& product, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) product.y[row] = product.withHeld(row, product.sum(row));
}

}  // namespace

void multiplyDense(const DenseProduct<float>& product, std::int64_t begin, std::int64_t end) {
  multiplyAll(product, begin, end);
}
void multiplyDense(const DenseProduct<std::uint16_t>& product, std::int64_t begin, std::int64_t end) {
  multiplyAll(product, begin, end);
}

void multiplyVector(const VectorProduct<float>& product, std::int64_t begin, std::int64_t end) {
  multiplyEach(product, begin, end);
}
void multiplyVector(const VectorProduct<std::uint16_t>& product, std::int64_t begin, std::int64_t end) {
  multiplyEach(product, begin, end);
}

}  // namespace kvasir
