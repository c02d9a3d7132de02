#pragma once

#include "engine/policy/policy.h"

namespace kvasir {

/// What the table's row gives to make its policy.
struct PolicySettings {
  KvShape shape;
  int heads = 0;  ///< query heads
  int budgetTokens = 0;
};

/// Dense attention: everything before the block. Knows no budget.
std::unique_ptr<KvPolicy> fullPolicy(const PolicySettings& settings);

/// StreamingLLM (§3.2): the first four tokens and the most recent ones; what leaves the window is gone for good.
std::unique_ptr<KvPolicy> streamingPolicy(const PolicySettings& settings);

}  // namespace kvasir
