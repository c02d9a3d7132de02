#pragma once

#include "engine/model/safetensors.h"
#include "engine/torch.h"

namespace kvasir {

/// Between tensors and what a safetensors file holds, in float32.
inline NamedTensor named(const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach().to(at::kFloat).contiguous();
  const float* data = values.const_data_ptr<float>();
  return {values.sizes().vec(), std::vector<float>(data, data + values.numel())};
}
inline at::Tensor tensorOf(const NamedTensor& tensor) {
  return at::from_blob(const_cast<float*>(tensor.values.data()), tensor.shape, at::kFloat).clone();
}

}  // namespace kvasir
