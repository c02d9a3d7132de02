#pragma once

#include "engine/model/model_shape.h"
#include "engine/model/weights.h"

namespace kvasir {

/// The feed-forward of a layer: down · (activation(gate) · up). normed: [rows, width] in the type of `form`;
/// gives [rows, width] in it. Where both matrices lie on a device it does all of it.
at::Tensor feedForward(const LayerWeights& weights, const at::Tensor& normed, Activation activation,
                       DenseForm form);

}  // namespace kvasir
