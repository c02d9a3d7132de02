#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kvasir {

/// Words as lexical scores count them: by ICU's word boundaries (dictionaries where a script has no spaces),
/// case folded, without punctuation; a plural's or genitive's s at the end of a longer word is cut.
std::vector<std::string> lexicalWords(std::string_view text);

/// BM25 (Robertson and Zaragoza 2009; k1 = 1.2, b = 0.75) of each chunk's text for the question, divided by the
/// best: 0 to 1. All zero where no word is shared.
std::vector<float> lexicalScores(const std::vector<std::string>& chunks, std::string_view question);

}  // namespace kvasir
