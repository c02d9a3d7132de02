#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kvasir {

/// What a model wrote, taken as clues to search by: a line each, without bullets, numbers, quotation marks and
/// control characters, cut after 40 words. As in MemoRAG's own program, clues of three words or fewer say too
/// little; left out are also repeated ones and those that only say the question again. The first `most`.
std::vector<std::string> cluesOf(std::string_view written, std::string_view question, std::size_t most);

}  // namespace kvasir
