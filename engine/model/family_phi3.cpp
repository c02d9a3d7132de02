#include "engine/model/family_phi3.h"

#include "engine/model/model_shape.h"

namespace kvasir {

void readPhi3Shape(const GgufFile&, const std::string&, ModelShape& shape) {
  shape.pairs = PairOrder::Halves;
  shape.activation = Activation::Silu;
  shape.isFused = true;
}

}  // namespace kvasir
