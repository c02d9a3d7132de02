#pragma once

#include "engine/loaded_model.h"

namespace kvasir {

/// See Engine::trainWhitening.
std::filesystem::path trainWhitening(const LoadedModel& model, const std::vector<Engine::WhiteningText>& texts,
                                     const Engine::WhiteningSettings& settings,
                                     const std::filesystem::path& folder, Listener& listener);

}  // namespace kvasir
