#include "engine/training/adam.h"

namespace kvasir {

Adam::Adam(std::vector<at::Tensor> parameters) : parameters_(std::move(parameters)) {
  for (const at::Tensor& parameter : parameters_) {
    means_.push_back(at::zeros_like(parameter));
    squares_.push_back(at::zeros_like(parameter));
  }
}

bool Adam::step(double learningRate) {
  constexpr double kMeanDecay = 0.9, kSquareDecay = 0.98, kEpsilon = 1e-8, kMostNorm = 1;
  const at::NoGradGuard noGradients;
  double norm = 0;
  for (const at::Tensor& parameter : parameters_)
    if (parameter.grad().defined()) norm += parameter.grad().square().sum().item<double>();
  if (!std::isfinite(norm)) return false;
  ++steps_;
  const double factor = std::min(1.0, kMostNorm / (std::sqrt(norm) + 1e-6));
  const double meanBias = 1 - std::pow(kMeanDecay, steps_), squareBias = 1 - std::pow(kSquareDecay, steps_);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].grad().defined()) continue;
    const at::Tensor gradient = parameters_[i].grad() * factor;
    means_[i].mul_(kMeanDecay).add_(gradient, 1 - kMeanDecay);
    squares_[i].mul_(kSquareDecay).addcmul_(gradient, gradient, 1 - kSquareDecay);
    const at::Tensor spread = (squares_[i] / squareBias).sqrt_().add_(kEpsilon);
    parameters_[i].addcdiv_(means_[i], spread, -learningRate / meanBias);
  }
  forgetGradients();
  return true;
}

void Adam::forgetGradients() {
  for (at::Tensor& parameter : parameters_) parameter.mutable_grad() = at::Tensor();
}

}  // namespace kvasir
