#pragma once

#include <memory>

#include "engine/model/tokenizer.h"

namespace kvasir {

/// Byte-level byte-pair vocabularies ("gpt2" in GGUF). Throws a sentence naming an unknown pre-tokenizer.
std::unique_ptr<Tokenizer> makeBytePairTokenizer(const GgufFile& file);

}  // namespace kvasir
