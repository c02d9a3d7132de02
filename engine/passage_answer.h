#pragma once

#include "engine/generation.h"
#include "engine/passage_index.h"

namespace kvasir {

/// Answers from the best passages that fit the budget with the question and the answer, in the order of the
/// document.
Answer answerFromPassages(const LoadedModel& model, const ChunkedReading& reading, std::string_view question,
                          const Asking& asking);

/// The same from passages that were found already.
Answer answerFromFound(const LoadedModel& model, const ChunkedReading& reading, const PassageFinder& finder,
                       const std::vector<ScoredPassage>& passages, std::string_view question,
                       const Asking& asking);

}  // namespace kvasir
