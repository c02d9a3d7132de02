#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "app/progress_line.h"

namespace kvasir {

/// The whole program: `words` without its name. Gives the exit status: 0, 1 after a sentence that says what
/// failed, 2 for wrong usage. Takes Ctrl-C while it runs.
int runCli(std::vector<std::string> words, std::ostream& out, std::ostream& err,
           ProgressStyle style = ProgressStyle::Lines);

}  // namespace kvasir
