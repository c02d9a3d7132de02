#pragma once

#include "engine/policy/window_policies.h"

namespace kvasir {

/// Quest (§3.2 to 3.4): of every page of 16 keys the least and the greatest of each channel; a page's score is
/// the most that any key between them could give the query. ArkVale (§4.2, its best digest): pages of 32,
/// centre of that cuboid plus and minus the mean distance of the keys from it, channel by channel. Always seen:
/// ArkVale's two first and two last pages, Quest's first and last one.
///
/// Departures: one choice a layer, by the sum over query heads (ArkVale's one group; Quest chooses per query
/// head), so that a page is gathered once; the mean over a question's queries, and while answering as the
/// number `again` says, usually every 128 tokens, not at every token; no layer is left dense (both leave the
/// first two so), because the budget bounds every layer.
///
/// The first two read all of a document densely, as the papers do, and retrieve for the question: keys are
/// scored and attended to at their true positions. The other two retrieve while reading too, as RetroLM does,
/// with a quarter of the budget for recent chunks; keys are scored un-rotated, by queries at one far distance
/// (InfLLM §3.2).
std::unique_ptr<KvPolicy> questPolicy(const PolicySettings& settings);
std::unique_ptr<KvPolicy> arkvalePolicy(const PolicySettings& settings);
std::unique_ptr<KvPolicy> questReadingPolicy(const PolicySettings& settings);
std::unique_ptr<KvPolicy> arkvaleReadingPolicy(const PolicySettings& settings);

}  // namespace kvasir
