#pragma once

#include "engine/policy/window_policies.h"

namespace kvasir {

/// Methods that score the single tokens of a densely read document, keep the best of each layer and KV head,
/// and attend to no others. Statistics are gathered in the reading's own pass, never as a matrix of tokens by
/// tokens.
///
/// SnapKV (§4): the attention of the prompt's last 32 tokens, summed, spread over 5 neighbours. PyramidKV
/// (§4.2): of the last 8, the greatest of 7 neighbours, and fewer tokens the higher the layer (β = 20). H2O
/// (§4): the attention of all tokens of the document, summed; half of the budget goes to the most recent.
/// KeyDiff (§3.2): keys least like the mean key. Expected attention (Devoto et al. 2025, §3): the attention
/// that queries like the document's own will pay at the next 512 positions, times the length of the value.
///
/// SnapKV and PyramidKV see the question: a document is kept whole and chosen from anew for each question.
/// Their "blind" rows, and the other three, whose scores do not depend on a question, do not: at a reading's
/// end only what the budget holds is kept, and the rest is gone.
///
/// Departures: scores are summed over the query heads of a KV head, so that a token is kept once (the first
/// implementations keep it per query head); the question itself attends to what is kept only, so that the
/// budget holds for it too; the first 4 tokens (the sinks) and a document's last 32 are always kept, as the
/// numbers `sinks` and `last` say, where the papers have the one (expected attention, which leaves the sinks
/// out of its queries too) or the other (SnapKV and PyramidKV, their window) or neither; the kept give way,
/// worst first, to the answer's own tokens, since the budget bounds all that is attended; H2O chooses at the
/// document's end, not at each token; PyramidKV's lowest layer has the budget, where the paper gives it about
/// twice the mean.
std::unique_ptr<KvPolicy> snapkvPolicy(const PolicySettings& settings);
std::unique_ptr<KvPolicy> snapkvBlindPolicy(const PolicySettings& settings);
std::unique_ptr<KvPolicy> pyramidkvPolicy(const PolicySettings& settings);
std::unique_ptr<KvPolicy> pyramidkvBlindPolicy(const PolicySettings& settings);
std::unique_ptr<KvPolicy> h2oPolicy(const PolicySettings& settings);
std::unique_ptr<KvPolicy> keydiffPolicy(const PolicySettings& settings);
std::unique_ptr<KvPolicy> expectedAttentionPolicy(const PolicySettings& settings);

}  // namespace kvasir
