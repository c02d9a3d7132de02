#include "engine/model/family_llama.h"

#include "engine/model/gguf.h"
#include "engine/model/model_shape.h"

namespace kvasir {

void readLlamaShape(const GgufFile& file, const std::string&, ModelShape& shape) {
  // The converter of this family interleaves the pairs of queries and keys.
  shape.pairs = PairOrder::Neighbours;
  shape.activation = Activation::Silu;
  if (const GgufTensor* factors = file.find("rope_freqs.weight")) {
    shape.ropeFactors.resize(static_cast<std::size_t>(factors->count()));
    dequantize(*factors, 0, factors->count(), shape.ropeFactors.data());
  }
}

}  // namespace kvasir
