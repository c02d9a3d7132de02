#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/gguf.h"
#include "engine/model/model_shape.h"
#include "engine/torch.h"
#include "engine/trip.h"
#include "kernels/panels.h"

namespace kvasir {

/// Which form a matrix product wants its weights in.
enum class DenseForm { Float32, Bfloat16 };
at::ScalarType typeOf(DenseForm form);

/// How far products in bf16 may round x, where that is faster and weights have 4 bits.
enum class Rounded { To16Bits, To8Bits };

struct LowRankChange;

/// Memory of products with one row, kept from one to the next.
struct ProductMemory {
  std::vector<std::int16_t> levels;
  std::vector<float> scales, sums;  ///< of the levels
  std::vector<float> inner, added;  ///< of a low-rank change

  std::size_t bytes() const {
    return levels.capacity() * sizeof(std::int16_t) +
           (scales.capacity() + sums.capacity() + inner.capacity() + added.capacity()) * sizeof(float);
  }
};

/// One projection, or several stacked on each other: rows of outputs, columns of inputs. Quantised types are
/// kept as exact levels of 4 or 8 bits with scales; others as they are. Products work on the levels; those that
/// LibTorch does better (`multiply`) use a dense form, made at first use and kept where `keepsDense`. Copies
/// share what they hold.
class WeightMatrix {
 public:
  /// Rows of a head are reordered from neighbours to halves where `headDimension` is not 0.
  struct Part {
    std::string tensor;
    int rows = 0;
    int headDimension = 0;
  };
  WeightMatrix() = default;
  WeightMatrix(const GgufFile& file, const std::vector<Part>& parts, int columns, bool keepsDense,
               Rounded rounded);
  /// Of [rows, columns] values: in 8-bit levels with a scale for every 32 or 16 columns, else in float32 where
  /// columns are no multiple of 16 or `form` is Float32.
  WeightMatrix(const at::Tensor& values, DenseForm form);

  /// The same matrix with a change added to every product.
  WeightMatrix changedBy(LowRankChange change) const;

  /// From here on products of `form` are computed by the device, with weights rounded to that type, also those
  /// of copies; the change goes first. Where one does not fit all stay with the processor, and the answer is
  /// false. Once only.
  bool placeOn(const std::shared_ptr<Accelerator>& device, DenseForm form) const;

  int rows() const { return rows_; }
  int columns() const { return columns_; }
  std::size_t bytes() const;  ///< without the change

  /// x: [n, columns] in the dtype of `form`; gives [n, rows] in it. Float32: in float32 throughout. Bfloat16:
  /// on levels, x rounded as `Rounded` lets it, each row the same whichever come with it; or by LibTorch where
  /// the processor multiplies tiles of bf16 and there are many rows. By the device where it lies there.
  at::Tensor multiply(const at::Tensor& x, DenseForm form) const;
  /// A few rows: y[count, rows] of x[count, columns], on at's threads; weights as exact as the file. Float32:
  /// so is x. Bfloat16: x is rounded to 16 bits by a scale of each row's own, which is much closer than bf16.
  /// On a device, where that is worth it: x as it is, and weights in the type of `form`. Each row gives, bit
  /// for bit, what it gives alone.
  void multiply(const float* x, float* y, int count, DenseForm form, ProductMemory& memory) const;
  /// One row, for embeddings. Without the change.
  void row(std::int64_t index, float* out) const;
  /// The whole matrix without the change, [rows, columns].
  at::Tensor dense(DenseForm form) const;

  /// The device that computes its products of `form`; null: the processor does.
  Accelerator* device(DenseForm form) const;
  /// On the device, on the slab's stream: x [count, columns] and y [count, rows], in the type of the form it
  /// was placed in. Throws DeviceFull.
  void multiplyOnDevice(const Slab& slab) const;

 private:
  struct Block {
    int rows = 0;
    PackedPanels panels;  ///< quantised, else
    at::Tensor plain;     ///< [rows, columns], float32 or bf16
  };
  /// Whether a product is all that is in its place, or comes to what is there.
  enum class Result { Written, Added };
  /// The same numbers on a device.
  struct Placed {
    std::shared_ptr<Accelerator> device;
    DenseForm form = DenseForm::Bfloat16;
    DeviceMemory weights;  ///< [rows, columns]
  };
  struct Stored {
    bool keepsDense = true;
    Rounded rounded = Rounded::To16Bits;
    std::vector<Block> blocks;
    mutable at::Tensor dense[2];
    mutable std::optional<Placed> placed;
  };
  void expand(const Block& block, at::Tensor out) const;
  void multiplyExact(const Block& block, const float* x, float* y) const;  ///< one row, as the weights are kept
  at::Tensor expanded(DenseForm form) const;
  template <class Value>
  void multiplyPlaced(const Slab& slab, Result result) const;
  template <class Value>
  void multiplyPlaced(const float* x, float* y, Result result) const;
  bool isQuantised() const;
  at::Tensor multiplyOn(Accelerator& device, const at::Tensor& x) const;
  void multiplyOn(Accelerator& device, const float* x, float* y) const;
  at::Tensor multiplyLevels(const at::Tensor& x) const;
  void multiplyStored(const float* x, float* y, int count, DenseForm form, ProductMemory& memory) const;

  int rows_ = 0, columns_ = 0;
  std::shared_ptr<const Stored> stored_ = std::make_shared<const Stored>();
  std::shared_ptr<const LowRankChange> change_;
};

/// Added to a projection: up · down · x. Ranks are small, so it costs little beside the projection's own
/// product.
struct LowRankChange {
  WeightMatrix down;  ///< [rank, columns]
  WeightMatrix up;    ///< [rows, rank]
};

struct LayerWeights {
  at::Tensor attentionNorm, feedForwardNorm;          ///< [width], float32
  at::Tensor postAttentionNorm, postFeedForwardNorm;  ///< undefined where the family has none
  at::Tensor queryNorm, keyNorm;                      ///< [headDimension], likewise
  WeightMatrix queryKeyValue;  ///< [(heads + 2 kvHeads) · headDimension, width], pairs as halves
  WeightMatrix output;         ///< [width, heads · headDimension]
  WeightMatrix gateUp;         ///< [2 · feedForward, width]
  WeightMatrix down;           ///< [width, feedForward]
};

struct ModelWeights {
  WeightMatrix embedding;  ///< [vocabulary, width]
  WeightMatrix head;       ///< no rows: the embedding serves
  at::Tensor finalNorm;
  std::vector<LayerWeights> layers;

  const WeightMatrix& outputHead() const { return head.rows() ? head : embedding; }
};

/// Copies and checks every tensor the shape needs. Throws a sentence naming a tensor that is missing or
/// misshapen. `progress` is told after each layer and may throw.
ModelWeights loadWeights(const GgufFile& file, const ModelShape& shape,
                         const std::function<void(int layer)>& progress);

}  // namespace kvasir
