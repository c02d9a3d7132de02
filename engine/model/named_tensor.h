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

/// A name for numbers as a file keeps them: eight hexadecimal digits.
inline std::string idOf(const std::vector<at::Tensor>& numbers) {
  std::uint32_t hash = 0x811c9dc5u;  // FNV-1a
  for (const at::Tensor& tensor : numbers) {
    const at::Tensor rounded = tensor.detach().to(at::kBFloat16).contiguous();
    const auto* bytes = static_cast<const unsigned char*>(rounded.const_data_ptr());
    for (std::size_t i = 0; i < rounded.nbytes(); ++i) hash = (hash ^ bytes[i]) * 0x01000193u;
  }
  char text[9];
  std::snprintf(text, sizeof text, "%08x", hash);
  return text;
}

}  // namespace kvasir
