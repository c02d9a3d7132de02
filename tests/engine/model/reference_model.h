#pragma once

#include <vector>

#include "engine/model/gguf.h"
#include "engine/model/tokenizer.h"

namespace kvasir {

/// One value a channel, one row a position.
using ReferenceRows = std::vector<std::vector<double>>;

struct ReferenceRun {
  ReferenceRows logits;               ///< [position][vocabulary]
  std::vector<ReferenceRows> hidden;  ///< [layer][position][width]: what each layer is given, before its norm
};

/// The whole model in plain loops and double precision, to compare the engine with: Llama family, Phi-3 and
/// Gemma 3, every position attending to all before it (Gemma's local layers to their window). Rows of weights
/// are shared out among `threads`; the result does not depend on their number.
ReferenceRun referenceRun(const GgufFile& file, const std::vector<TokenId>& tokens, int threads = 2);

ReferenceRows referenceLogits(const GgufFile& file, const std::vector<TokenId>& tokens, int threads = 2);

/// log-softmax of one row.
std::vector<double> logProbabilities(const std::vector<double>& logits);

}  // namespace kvasir
