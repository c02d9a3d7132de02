#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "importers/document.h"

namespace kvasir {

/// Box edges are stored in steps of 1/32 point, so they come back within 1/64 point (0.016) of what was given.
inline constexpr float kBoxStepsPerPoint = 32;

/// The words of one page, with every character's box: differences as variable-length integers, deflated. About
/// two bytes a character.
std::string packWords(std::span<const Word> words);

/// The reverse, for that page. Throws std::runtime_error with what is wrong with damaged bytes.
std::vector<Word> unpackWords(std::string_view bytes, std::int32_t page);

}  // namespace kvasir
