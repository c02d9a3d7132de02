#pragma once

#include <memory>

#include "engine/model/tokenizer.h"

namespace kvasir {

/// Sentencepiece vocabularies joined by score ("llama" in GGUF: Llama 1 and 2, Mistral, Gemma, Phi-3).
std::unique_ptr<Tokenizer> makeSentencePieceTokenizer(const GgufFile& file);

}  // namespace kvasir
