#include "engine/model/family_gemma3.h"

#include <cmath>

#include "engine/model/gguf.h"
#include "engine/model/model_shape.h"

namespace kvasir {

void readGemma3Shape(const GgufFile& file, const std::string& prefix, ModelShape& shape) {
  shape.pairs = PairOrder::Halves;
  shape.activation = Activation::Gelu;
  shape.hasHeadNorms = true;
  shape.hasPostNorms = true;
  shape.embeddingScale = std::sqrt(static_cast<float>(shape.width));
  shape.window = static_cast<int>(file.integer(prefix + "attention.sliding_window").value_or(0));
  shape.windowPattern = 6;
  shape.localRopeBase = 10000;
  if (!file.real(prefix + "rope.freq_base")) shape.ropeBase = 1e6;
  // The 27B model scales by its width per head, the others by the head dimension.
  constexpr int kLayersOf27B = 62;
  if (shape.layers == kLayersOf27B)
    shape.attentionScale = 1 / std::sqrt(static_cast<float>(shape.width) / static_cast<float>(shape.heads));
}

}  // namespace kvasir
