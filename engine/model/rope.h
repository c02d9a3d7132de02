#pragma once

#include <vector>

#include "engine/model/model_shape.h"
#include "engine/torch.h"

namespace kvasir {

/// Cosines and sines of rotary positions, grown as needed: each row computed in double from its own position,
/// so a far position is as exact as a near one.
class RopeTable {
 public:
  /// frequencies: angle of pair i at position 1. [headDimension / 2]
  /// magnitude: cosines and sines are multiplied by it.
  explicit RopeTable(std::vector<double> frequencies, double magnitude = 1)
      : frequencies_(std::move(frequencies)), magnitude_(magnitude) {}

  void grow(int positions);  ///< after it, positions below are in the table
  const float* cosines(int position) const {
    return cosines_.data() + static_cast<std::size_t>(position) * half();
  }
  const float* sines(int position) const { return sines_.data() + static_cast<std::size_t>(position) * half(); }
  std::size_t half() const { return frequencies_.size(); }
  std::size_t bytes() const { return (cosines_.size() + sines_.size()) * sizeof(float); }

 private:
  std::vector<double> frequencies_;
  double magnitude_;
  std::vector<float> cosines_, sines_;
};

/// The model's own frequencies, with the scaling its file asks for.
std::vector<double> ropeFrequencies(const ModelShape& shape, bool isLocal);

/// How rotary positions are changed for a text longer than the model was trained on; within that length none
/// is. Keys are kept un-rotated, so a change of scale amid a text is a rotation from scratch, not a repair.
enum class RopeStretch {
  None,
  Interpolated,  ///< positions divided by the scale (Chen et al. 2023, eq. 4)
  NtkAware,      ///< base · scale^(d / (d - 2)): high frequencies stay, low ones are interpolated; sharpened
  Yarn,          ///< by parts of the frequencies, and logits sharpened (Peng et al. 2023, §3.2 to 3.4)
  LongRope       ///< factors a dimension that the model file carries (Ding et al. 2024)
};

/// How many times the trained length a text of so many tokens takes: 1 within it, else the power of two that
/// covers it, so that keys are rotated anew only when a text doubles. LongRoPE: 1, or what the file's factors
/// are made for.
int stretchScale(const ModelShape& shape, RopeStretch stretch, int tokens);

/// YaRN's. β_fast and β_slow (§3.2): a pair that turns as often as `fast` within the trained length keeps its
/// frequency, one that turns no more than `slow` is interpolated, and between them is a ramp. Logits times (1 +
/// sharpening · ln scale)² (§3.4), which NTK-aware stretching takes too.
struct StretchNumbers {
  double fast = 32, slow = 1, sharpening = 0.1;
};

/// Positions of a model's global layers at a scale; at scale 1 the model's own. Throws a sentence where the
/// model carries no factors.
RopeTable stretchedTable(const ModelShape& shape, RopeStretch stretch, int scale, StretchNumbers numbers = {});

/// Where the rows of a block stand: row i at (`first` + i · `step`) / `group`.
struct RowPositions {
  int first = 0;
  int step = 1;   ///< 1, or 0 to give all rows one position
  int group = 1;  ///< so many neighbours share a position
};

/// Rotates each row of each head to a position of its own: positions [heads, rows], int64.
void rotateEach(const at::Tensor& in, at::Tensor out, const at::Tensor& positions, const RopeTable& table);

/// Rows of every head of a tensor [heads, rows, dimension], from one on. The last dimension is contiguous and
/// rows follow each other; heads may be any distance apart.
struct HeadRows {
  const at::Tensor& tensor;  ///< outlives it
  std::int64_t first = 0;

  /// Values before the first of these rows of a head.
  std::int64_t offset(std::int64_t head) const { return head * tensor.stride(0) + first * tensor.size(2); }
};

/// Rotates so many rows from `in` to `out` (float32 or bf16, both the same).
void rotate(HeadRows in, HeadRows out, std::int64_t rows, RowPositions positions, const RopeTable& table);
/// All rows of `in`.
inline void rotate(const at::Tensor& in, const at::Tensor& out, RowPositions positions,
                   const RopeTable& table) {
  rotate({in}, {out}, in.size(1), positions, table);
}

}  // namespace kvasir
