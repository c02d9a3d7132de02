#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/model/gguf.h"
#include "engine/model/tokenizer.h"

namespace kvasir {

/// The vocabulary of a file as the sentencepiece library loads it: a serialised ModelProto. Its last piece is
/// one of ours where the file names no token for the unknown. `hasBytes`: whether all 256 byte tokens are
/// there, so that nothing is unknown.
std::string sentencePieceModel(const Tokenizer::Vocabulary& vocabulary, const std::vector<double>& scores,
                               std::optional<TokenId> unknown, bool hasBytes);

/// The byte of a token written "<0x0A>".
std::optional<unsigned char> byteWritten(const std::string& text);

}  // namespace kvasir
