#pragma once

#include "engine/torch.h"

namespace kvasir {

/// Adam (Kingma and Ba 2015, algorithm 1) without weight decay, after the gradients' common norm is cut to 1.
class Adam {
 public:
  explicit Adam(std::vector<at::Tensor> parameters);

  /// Takes the parameters' gradients and empties them. False where one of them is no number: nothing is changed
  /// then, and the gradients stay.
  [[nodiscard]] bool step(double learningRate);
  void forgetGradients();

  int steps() const { return steps_; }
  const std::vector<at::Tensor>& parameters() const { return parameters_; }
  /// Running means of gradients and of their squares, to be kept and given back.
  std::vector<at::Tensor>& means() { return means_; }
  std::vector<at::Tensor>& squares() { return squares_; }
  const std::vector<at::Tensor>& means() const { return means_; }
  const std::vector<at::Tensor>& squares() const { return squares_; }
  void resumeAt(int steps) { steps_ = steps; }

 private:
  std::vector<at::Tensor> parameters_, means_, squares_;
  int steps_ = 0;
};

}  // namespace kvasir
