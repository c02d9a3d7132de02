#pragma once

#include "engine/policy/window_policies.h"

namespace kvasir {

/// InfLLM (§3.2): the first chunk, the recent chunks, and in each layer the chunks whose representative keys
/// the block's mean query finds. Representatives are the keys of a chunk that drew most attention while it was
/// recent.
///
/// Departures: representatives are chosen per KV head, over the query heads that share it, so that an entry is
/// as small as a key; a block is a chunk of 128 tokens, not 512; while answering retrieval is repeated as the
/// number `again` says, usually every 128 tokens, not at every token; the budget bounds all a query sees: of
/// its chunks one is the first, one the query's own, a quarter recent, the rest retrieved.
std::unique_ptr<KvPolicy> infllmPolicy(const PolicySettings& settings);

}  // namespace kvasir
