#pragma once

#include <cstdint>
#include <string_view>

#include "engine/model/gguf.h"
#include "engine/model/tokenizer.h"

namespace kvasir {

// Token types of the file format.
constexpr std::int32_t kNormalToken = 1, kUnknownToken = 2, kControlToken = 3, kUserDefinedToken = 4,
                       kUnusedToken = 5, kByteToken = 6;

/// Whether the token must never come from a text nor give any: control marks, and the token for the unknown.
bool isSilent(std::int32_t type);

/// The vocabulary of a file, its lists checked against each other. Marks of conversations count as control
/// tokens even where the file calls them user-defined. `beginsByDefault`: whether this kind of model expects a
/// beginning when the file does not say.
Tokenizer::Vocabulary readVocabulary(const GgufFile& file, bool beginsByDefault);

[[noreturn]] void damagedVocabulary(const GgufFile& file, std::string_view what);

}  // namespace kvasir
