#pragma once

#include <string_view>

namespace kvasir {

/// Whether a text asks something, rather than wishes something done ("Summarize …", "Could you list …"): its
/// last line has a question mark, or begins with an English question word. Adapters are trained to answer
/// questions shortly or to refuse; wishes are for the model as it comes.
bool isQuestion(std::string_view text);

}  // namespace kvasir
