#pragma once

#include "engine/text_run.h"

namespace kvasir {

/// Reads tokens in steps and tells, for each in turn, the log-odds of what follows it: a row of the vocabulary,
/// valid during the call.
void readInRows(TextRun& run, std::span<const TokenId> tokens, int stepTokens,
                const std::function<void(std::size_t at, std::span<const float> logits)>& hear);

/// See Engine::foresee.
std::vector<std::optional<double>> foresee(const LoadedModel& model, std::string_view text,
                                           const ReadSettings& settings, const TextStretch& stretch,
                                           Listener& listener);

}  // namespace kvasir
