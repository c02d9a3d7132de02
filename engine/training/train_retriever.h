#pragma once

#include "engine/loaded_model.h"

namespace kvasir {

/// See Engine::trainRetriever.
std::filesystem::path trainRetriever(const LoadedModel& model, const RetrieverTexts& texts,
                                     const RetrieverSettings& settings, const std::filesystem::path& folder,
                                     const std::function<void(const TrainingStep&)>& report,
                                     Listener& listener);

}  // namespace kvasir
