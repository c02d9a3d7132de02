#pragma once

#include "engine/loaded_model.h"

namespace kvasir {

/// See Engine::trainAdapter.
std::filesystem::path trainAdapter(const LoadedModel& model, const AdapterTexts& texts,
                                   const AdapterSettings& settings, const std::filesystem::path& folder,
                                   const std::function<void(const TrainingStep&)>& report, Listener& listener);

}  // namespace kvasir
