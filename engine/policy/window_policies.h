#pragma once

#include "engine/numbers.h"
#include "engine/policy/policy.h"
#include "engine/retrieval/paragraphs.h"

namespace kvasir {

class Bookmarks;

/// Told of a block's normed hidden states in a layer, [tokens, width]. Those of retrievers that are trained.
using HearStates = std::function<void(int layer, const Block& block, const at::Tensor& states)>;

/// What the user asked for beside the budget; for policies that choose chunks.
struct ChunkWishes {
  std::vector<int> pinned;   ///< attended by every layer, as far as the budget goes
  std::vector<int> blocked;  ///< attended by no layer; the first chunk, which holds the sinks, is not blocked
  std::vector<ScoredParagraph> paragraphs;  ///< of the document, with what words say of them; empty: none known
  /// Where what the policy makes of `paragraphs` goes, if it scores them: by words and states. Outlives the
  /// policy.
  std::vector<float>* paragraphScores = nullptr;
  /// Told of each block whose states the policy sees: how retrievers are trained. Outlives the policy.
  const HearStates* hear = nullptr;
};

/// What the table's row gives to make its policy. References outlive the policy.
struct PolicySettings {
  KvShape shape;
  int heads = 0;  ///< query heads
  int budgetTokens = 0;
  ChunkWishes wishes = {};
  const Bookmarks* whitened = nullptr;       ///< of the loaded model, gathering evenly
  const Bookmarks* bookmarks = nullptr;      ///< as they were trained
  std::vector<double> ropeFrequencies = {};  ///< of the model's global layers
  std::vector<int> globalLayers = {};        ///< ascending: those that the policy is asked about; empty: all
  int documentTokens = 0;                    ///< of the document, read or to be read; 0: not known
  int trainedTokens = 0;                     ///< of the longest texts the model was trained on; 0: not known
  float attentionScale = 0;                  ///< of the products of queries and keys
  double ropeMagnitude = 1;                  ///< that the queries carry (RopeTable)
  std::function<void()> breathe = [] {};     ///< called in long work; may throw to end it
  Numbers numbers = {};                      ///< of the row
};

/// Dense attention: everything before the block but blocked chunks. Knows no budget.
std::unique_ptr<KvPolicy> fullPolicy(const PolicySettings& settings);
/// The same over chunks that were written with the index entries and notes of another policy.
std::unique_ptr<KvPolicy> fullPolicyOver(KvCache::Extras extras);

/// StreamingLLM (§3.2): the first four tokens and the most recent ones; what leaves the window is gone for
/// good. Positions are places in the cache, so it may hold no more than the trained length (`requireBudget`).
std::unique_ptr<KvPolicy> streamingPolicy(const PolicySettings& settings);

/// LM-Infinite's Λ mask (§3.2): the first hundred tokens (its n_global; a quarter of a budget below 400) and
/// the most recent ones, no farther than the trained length, which is the paper's window. Departure: it is
/// smaller where the budget leaves less.
std::unique_ptr<KvPolicy> lambdaPolicy(const PolicySettings& settings);
/// The same with its optional tokens of the middle: the document is kept, and in an answer's layers from the
/// fifth on the last query of a block picks 5 tokens beyond the reach (`reachOf`) for each KV head, which stand
/// at the ceiling, as pinned chunks do that are out of a query's reach. Departures: all heads see what one
/// picks; in an answer the window moves with the chunk; generating, they are picked anew as the number `again`
/// says, usually every 128 tokens.
std::unique_ptr<KvPolicy> lambdaMiddlePolicy(const PolicySettings& settings);

}  // namespace kvasir
