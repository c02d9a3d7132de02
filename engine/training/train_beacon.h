#pragma once

#include "engine/loaded_model.h"

namespace kvasir {

/// See Engine::trainBeacons.
std::filesystem::path trainBeacons(const LoadedModel& model, const BeaconTexts& texts,
                                   const BeaconSettings& settings, const std::filesystem::path& folder,
                                   const std::function<void(const TrainingStep&)>& report, Listener& listener);

}  // namespace kvasir
