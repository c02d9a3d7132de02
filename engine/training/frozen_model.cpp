#include "engine/training/frozen_model.h"

#include "kernels/processor.h"

namespace kvasir {
namespace {

/// A copy that can stand in a differentiable expression: what the engine holds was made in inference mode.
at::Tensor ordinary(const at::Tensor& tensor) { return tensor.defined() ? tensor.clone() : tensor; }

}  // namespace

Angles anglesAt(RopeTable& table, const std::vector<int>& positions) {
  const auto half = static_cast<std::int64_t>(table.half()), rows = static_cast<std::int64_t>(positions.size());
  Angles angles{at::empty({rows, half}, at::kFloat), at::empty({rows, half}, at::kFloat)};
  table.grow(*std::ranges::max_element(positions) + 1);
  for (std::int64_t row = 0; row < rows; ++row) {
    const int position = positions[static_cast<std::size_t>(row)];
    std::copy_n(table.cosines(position), half, angles.cosines.data_ptr<float>() + row * half);
    std::copy_n(table.sines(position), half, angles.sines.data_ptr<float>() + row * half);
  }
  return angles;
}

at::Tensor rotated(const at::Tensor& heads, const Angles& angles) {
  const auto& [cosines, sines] = angles;
  const std::int64_t half = heads.size(2) / 2;
  const at::Tensor first = heads.narrow(2, 0, half), second = heads.narrow(2, half, half);
  return at::cat({first * cosines - second * sines, first * sines + second * cosines}, 2);
}

DenseForm trainingForm(const LoadedModel& model) {
  return multipliesBfloat16() ? model.form : DenseForm::Float32;
}

FrozenModel::FrozenModel(const LoadedModel& model, const char* what)
    : shape_(&model.shape), form_(trainingForm(model)) {
  for (int layer = 0; layer < model.shape.layers; ++layer)
    if (model.shape.isLocal(layer))
      throw std::runtime_error(std::string(what) + " cannot be trained for " + model.info.name +
                               ": some of its layers see only a window of the text.");
  embedding_ = ordinary(model.weights.embedding.dense(form_));
  head_ = model.weights.head.rows() ? ordinary(model.weights.head.dense(form_)) : embedding_;
  finalNorm_ = ordinary(model.weights.finalNorm);
  for (const LayerWeights& weights : model.weights.layers) {
    Layer& layer = layers_.emplace_back();
    layer.attentionNorm = ordinary(weights.attentionNorm);
    layer.feedForwardNorm = ordinary(weights.feedForwardNorm);
    layer.queryNorm = ordinary(weights.queryNorm);
    layer.keyNorm = ordinary(weights.keyNorm);
    layer.postAttentionNorm = ordinary(weights.postAttentionNorm);
    layer.postFeedForwardNorm = ordinary(weights.postFeedForwardNorm);
    for (int i = 0; i < Adapter::kProjections; ++i)
      layer.projections[static_cast<std::size_t>(i)] =
          ordinary(projectionOf(weights, static_cast<Adapter::Projection>(i)).dense(form_));
  }
}

at::Tensor FrozenModel::norm(const at::Tensor& x, const at::Tensor& weight) const {
  const at::Tensor exact = x.to(at::kFloat);
  return exact * at::rsqrt(exact.square().mean(-1, true) + shape_->normEpsilon) * weight;
}

at::Tensor FrozenModel::embed(const std::vector<TokenId>& tokens) const {
  const std::vector<std::int64_t> ids(tokens.begin(), tokens.end());
  return embedding_.index_select(0, at::tensor(ids, at::kLong)).to(at::kFloat) * shape_->embeddingScale;
}

at::Tensor FrozenModel::heads(const at::Tensor& projected, int first, int count,
                              const at::Tensor& headNorm) const {
  const at::Tensor rows =
      projected
          .narrow(1, std::int64_t{first} * shape_->headDimension, std::int64_t{count} * shape_->headDimension)
          .reshape({projected.size(0), count, shape_->headDimension})
          .transpose(0, 1)
          .to(at::kFloat);
  return headNorm.defined() ? norm(rows, headNorm) : rows;
}

at::Tensor FrozenModel::add(const at::Tensor& x, const at::Tensor& output, const at::Tensor& postNorm) const {
  return x + (postNorm.defined() ? norm(output, postNorm) : output.to(at::kFloat));
}

at::Tensor FrozenModel::gated(const at::Tensor& gateUp) const {
  const at::Tensor gate = gateUp.narrow(1, 0, shape_->feedForward);
  return (shape_->activation == Activation::Gelu ? at::gelu(gate, "tanh") : at::silu(gate)) *
         gateUp.narrow(1, shape_->feedForward, shape_->feedForward);
}

at::Tensor FrozenModel::loss(const at::Tensor& rows, const std::vector<TokenId>& targets) const {
  const std::vector<std::int64_t> wanted(targets.begin(), targets.end());
  const at::Tensor normed = norm(rows, finalNorm_).to(type());
  return at::nll_loss(at::log_softmax(at::linear(normed, head_).to(at::kFloat), 1),
                      at::tensor(wanted, at::kLong));
}

}  // namespace kvasir
