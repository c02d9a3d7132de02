#pragma once

#include "engine/reading.h"

namespace kvasir {

/// Several readings as one; see Engine::join. Keys are stored without positions, so chunks of several files can
/// stand in one sequence. Each document keeps the prompt's frame before its text: of those the first serves as
/// the sink, the others are seen only with the chunk they begin.
std::shared_ptr<const ChunkedReading> joinReadings(const LoadedModel& model,
                                                   std::vector<std::shared_ptr<const StoredReading>> readings);

}  // namespace kvasir
