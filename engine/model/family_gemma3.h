#pragma once

#include <string>

namespace kvasir {

class GgufFile;
struct ModelShape;

/// Gemma 3: five sliding-window layers to one that sees everything, norms on heads and after each half, scaled
/// embeddings.
void readGemma3Shape(const GgufFile& file, const std::string& prefix, ModelShape& shape);

}  // namespace kvasir
