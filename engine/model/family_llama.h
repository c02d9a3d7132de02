#pragma once

#include <string>

namespace kvasir {

class GgufFile;
struct ModelShape;

/// SmolLM2, Llama 2 and 3, Mistral, Yi: what the file's keys do not say already.
void readLlamaShape(const GgufFile& file, const std::string& prefix, ModelShape& shape);

}  // namespace kvasir
