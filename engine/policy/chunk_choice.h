#pragma once

#include "engine/policy/window_policies.h"

namespace kvasir {

/// Chunks before a block's that are always seen: a quarter of the budget.
int recentChunks(int budgetTokens);

/// What a block sees of what comes before it, ascending: everything where everything fits; else the first chunk, the
/// pinned ones, the recent ones, and as many of the best scored as there is room for, with a whole chunk kept free for
/// the block's own. Blocked chunks never, but for the first. scores: of every chunk before the block's, NaN where not
/// scored; empty where nothing was.
std::vector<int> chooseChunks(const Block& block, const KvCache& cache, const std::vector<float>& scores,
                              const PolicySettings& settings);

/// Throws a sentence where the budget leaves no room to retrieve anything.
void requireChunkBudget(int budgetTokens, const char* method);

}  // namespace kvasir
