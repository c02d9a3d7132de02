#pragma once

#include "engine/loaded_model.h"
#include "engine/model/rope.h"

namespace kvasir {

/// Cosines and sines of rows, [rows, half] each.
struct Angles {
  at::Tensor cosines, sines;
};
Angles anglesAt(RopeTable& table, const std::vector<int>& positions);
/// [heads, rows, dimension], float32: pairs stand as halves.
at::Tensor rotated(const at::Tensor& heads, const Angles& angles);

/// The form training computes in: the model's, but float32 where bf16 is slow.
DenseForm trainingForm(const LoadedModel& model);

/// A model as training sees it: its weights in dense form, which do not change, and the same arithmetic as
/// ForwardPass in operations that can be differentiated. Its layers must all see the whole text.
class FrozenModel {
 public:
  struct Layer {
    at::Tensor attentionNorm, feedForwardNorm, queryNorm, keyNorm, postAttentionNorm, postFeedForwardNorm;
    std::array<at::Tensor, Adapter::kProjections> projections;
  };
  /// what: is to be trained. Throws a sentence for a family whose layers do not see the whole text.
  FrozenModel(const LoadedModel& model, const char* what);

  const ModelShape& shape() const { return *shape_; }
  const Layer& layer(int layer) const { return layers_[static_cast<std::size_t>(layer)]; }
  at::ScalarType type() const { return typeOf(form_); }  ///< of `trainingForm`

  at::Tensor norm(const at::Tensor& x, const at::Tensor& weight) const;
  at::Tensor embed(const std::vector<TokenId>& tokens) const;  ///< [tokens, width], float32
  /// Of stacked projections [rows, …], some heads from the first on: [count, rows, headDimension], float32.
  at::Tensor heads(const at::Tensor& projected, int first, int count, const at::Tensor& headNorm) const;
  /// x with what a projection gave, by the layer's norm behind it if it has one.
  at::Tensor add(const at::Tensor& x, const at::Tensor& output, const at::Tensor& postNorm) const;
  /// gateUp: [rows, 2 · feedForward]
  at::Tensor gated(const at::Tensor& gateUp) const;
  /// Mean -log probability of each row's target.
  at::Tensor loss(const at::Tensor& rows, const std::vector<TokenId>& targets) const;

 private:
  const ModelShape* shape_;
  DenseForm form_;
  at::Tensor embedding_, head_, finalNorm_;
  std::vector<Layer> layers_;
};

}  // namespace kvasir
