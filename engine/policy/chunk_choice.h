#pragma once

#include "engine/policy/window_policies.h"

namespace kvasir {

/// Chunks before a block's that are always seen while reading: the share of the budget that the number `recent`
/// says, a quarter unless chosen.
int recentChunks(const PolicySettings& settings);

/// The first of the chunks that a block always sees: those of `recentChunks` while reading; of a question and
/// its answer all that came of them, and the document's last. Where a document ends matters little to what is
/// asked of it, and every chunk kept for it is one fewer retrieved.
int firstRecentChunk(const Block& block, const KvCache& cache, const PolicySettings& settings);

/// All chunks before a block's but blocked ones, each a run of its own, so that keys gathered for one block
/// stay in place for the next. The first is never blocked.
std::vector<Run> chunksBefore(const Block& block, const KvCache& cache, const std::vector<int>& blocked);

/// What a block sees of what comes before it, ascending: everything where everything fits; else the first
/// chunk, the pinned ones, the recent ones, and as many of the best scored as there is room for, with a whole
/// chunk kept free for the block's own. Blocked chunks never, but for the first. scores: of every chunk before
/// the block's, NaN where not scored; empty where nothing was. firstRecent: from this chunk on all are seen
/// that there is room for.
std::vector<int> chooseChunks(const Block& block, const KvCache& cache, const std::vector<float>& scores,
                              const PolicySettings& settings, int firstRecent);

/// Chunks of [begin, end) whose index entry begins with zero, as those do that were never set.
std::vector<int> chunksWithoutEntry(int layer, Run chunks, const KvCache& cache);

/// Throws a sentence where the budget leaves no room to retrieve anything.
void requireChunkBudget(int budgetTokens, const char* method);

}  // namespace kvasir
