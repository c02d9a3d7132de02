#pragma once

#include <random>

#include "engine/torch.h"

namespace kvasir {

/// Numbers spread nearly as a normal distribution spreads them, [rows, columns] in float32, that the seed alone
/// decides: sums of uniform numbers, since normal_distribution gives other ones with other libraries.
inline at::Tensor seededNormal(std::int64_t rows, std::int64_t columns, float spread, std::mt19937_64& random) {
  at::Tensor numbers = at::empty({rows, columns}, at::kFloat);
  float* data = numbers.data_ptr<float>();
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    double sum = 0;
    for (int k = 0; k < 12; ++k) sum += static_cast<double>(random() >> 11) * 0x1p-53;
    data[i] = static_cast<float>(sum - 6) * spread;
  }
  return numbers;
}

}  // namespace kvasir
