#pragma once

#include <string>

#include "tests/engine/model/gguf_writer.h"

namespace kvasir {

/// The keys of a byte-level vocabulary of `size` tokens (at least 259) with a ChatML template: control tokens 0
/// to 2, one token a byte, merges of frequent English pairs as far as they fit, then unused ones.
void addSyntheticVocabulary(GgufWriter& writer, int size, const std::string& preTokenizer = "smollm");

}  // namespace kvasir
