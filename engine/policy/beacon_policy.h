#pragma once

#include "engine/policy/window_policies.h"

namespace kvasir {

/// How a document of so many tokens is read: 0 where that is not known. As it is where it fits the budget; else
/// with the lowest ratio of 2, 4, 8, 16 and 32 at which all beacons, a window and a question fit, or with
/// `ratio` where that is not 0.
BeaconPlan planBeacons(int documentTokens, int budgetTokens, int ratio = 0);

/// Activation Beacon (Zhang et al. 2024, §3.1 and 3.2). A text is read in windows. Behind every `each` tokens
/// of a window stands a beacon, a token with an embedding and, in each layer, projections to query, key and
/// value of its own (engine/model/beacons.h); it sees the beacons before it and the window's tokens before it.
/// When the window is over its tokens' keys and values go, and the beacons' stay in all layers. Keys are kept
/// un-rotated, and positions are assigned anew over what is seen.
///
/// The window is a quarter of the budget, at most 1,024 tokens as the paper's smallest; the first four tokens
/// stay (the sinks, as the authors keep one for Llama 3). A document's last window, if it is not whole, and
/// question and answer stay as they are.
///
/// Departures: text tokens see the beacons of earlier windows only, since those of their own stand for what
/// they see anyway, so that beacons take no positions within their window; one ratio serves a whole document,
/// chosen by its length and the budget before it is read unless the number `ratio` says it, and beyond what the
/// highest holds the oldest beacons give way; so they do as question and answer grow, which the paper
/// compresses as well; layers with a window of the model's own keep their tokens and have no beacons. The
/// budget is no larger than the trained length, in which the paper has all of it stand (`requireBudget`).
std::unique_ptr<KvPolicy> beaconPolicy(const PolicySettings& settings);

}  // namespace kvasir
