#pragma once

#include <vector>

#include "engine/model/model_shape.h"
#include "engine/torch.h"

namespace kvasir {

/// Cosines and sines of rotary positions, grown as needed: each row computed in double from its own position, so a
/// far position is as exact as a near one.
class RopeTable {
 public:
  /// frequencies: angle of pair i at position 1. [headDimension / 2]
  explicit RopeTable(std::vector<double> frequencies) : frequencies_(std::move(frequencies)) {}

  void grow(int positions);  ///< after it, positions below are in the table
  const float* cosines(int position) const { return cosines_.data() + static_cast<std::size_t>(position) * half(); }
  const float* sines(int position) const { return sines_.data() + static_cast<std::size_t>(position) * half(); }
  std::size_t half() const { return frequencies_.size(); }

 private:
  std::vector<double> frequencies_;
  std::vector<float> cosines_, sines_;
};

/// The model's own frequencies, with the scaling its file asks for.
std::vector<double> ropeFrequencies(const ModelShape& shape, bool isLocal);

/// Where the rows of a block stand: row i at `first` + i · `step`.
struct RowPositions {
  int first = 0;
  int step = 1;  ///< 1, or 0 to give all rows one position
};

/// Rotates [heads, rows, dimension] from `in` to `out` (float32 or bf16, both the same). The last dimension is
/// contiguous and rows follow each other; heads may be any distance apart.
void rotate(const at::Tensor& in, at::Tensor out, RowPositions positions, const RopeTable& table);

}  // namespace kvasir
