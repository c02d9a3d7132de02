#pragma once

#include <vector>

#include "engine/cache/kv_cache.h"
#include "engine/torch.h"

namespace kvasir {

/// The queries that are being answered together: consecutive tokens of one chunk.
struct Block {
  int chunk = 0;   ///< the chunk they belong to
  int first = 0;   ///< token of the first query
  int tokens = 0;  ///< queries
};

/// Un-rotated queries of a block, and the same as far keys see them (PositionScheme). [heads, tokens,
/// headDimension]
struct BlockQueries {
  at::Tensor plain, far;
  at::Tensor states = {};    ///< [tokens, width]: the layer's normed input, where needs() asks
  bool areOwnStates = true;  ///< false: an answer's chunk has no tokens yet, and they are of the chunk before
};

/// How a document is read with beacons: tokens of the reader's own, whose keys and values stay when those of
/// the text are gone (beacon_policy.h).
struct BeaconPlan {
  int each = 0;    ///< text tokens that one beacon stands for, a part of a chunk; 0: there are no beacons
  int window = 0;  ///< text tokens that see each other as they are; whole chunks
  int end = 0;     ///< beacons stand for the tokens before it, whole windows; what follows stays as it is

  /// Where the window begins that a token of the document is in.
  int windowBegin(int token) const { return std::min(token / std::max(1, window) * window, end); }
};

/// Tokens of whole chunks that are seen by their beacons only.
struct BeaconRun {
  Run run;
  int each = 0;  ///< tokens of a beacon; 0: there are none

  int count() const { return each > 0 ? (run.end - run.begin) / each : 0; }
};

/// What a block's queries may attend to before their own chunk; of their own chunk they see what is not after
/// them.
struct Selection {
  std::vector<Run> runs;   ///< ascending, disjoint, all before the chunk
  BeaconRun beacons = {};  ///< seen behind the first of the runs. Only with positions that close up
  /// Further tokens, before all runs, which each KV head names for itself: [kvHeads, count], int64, in any
  /// order. Only with true distances. The same tensor as long as they are the same, so that gathered keys stay
  /// in place.
  at::Tensor kept = {};
  int window = 0;  ///< a query sees nothing this many tokens before it or further, but for sinks; 0: no limit
  int sinks = 0;   ///< first tokens that every query sees
  std::vector<float>
      scores;  ///< of every chunk before the block's; NaN where not scored; empty where nothing is
  /// What of each score is of shared words, for the evidence; empty where words are no part of it.
  std::vector<float> words = {};
};

/// Decides which cached positions a query attends to. One object serves one reading or one answer; what must
/// outlive it is kept in the cache (index entries, notes). Calls come on the engine thread: for every block,
/// layer by layer; layers of a model that see only a window of their own are not asked about.
class KvPolicy {
 public:
  static constexpr int kAllTokens = 1 << 29;

  struct Needs {
    KvCache::Extras extras;
    int observedTokens = 0;  ///< of how many tokens before the block's chunk `observe` hears, as far as they
                             ///< are seen without a gap
    int keptTokens = 0;      ///< how far back from its end a reading must be kept; 0: all of it
    std::vector<int> stateLayers = {};  ///< layers whose `select` wants BlockQueries::states, ascending
    BeaconPlan beacons = {};            ///< what is written beside the document's tokens, in the index
    /// For rows that read densely: how many of a document's last tokens must come to `select` and `observe`
    /// while they are read. Of those before, keys and values serve that another dense row left.
    int heardTokens = kAllTokens;
    bool isPlaced = false;  ///< whether what it keeps of a document holds only where that document stands first
  };

  virtual ~KvPolicy() = default;
  virtual Needs needs() const { return {}; }

  /// After the end of a document whose extras say that it is not kept whole, asked once for a block of no
  /// tokens and without queries: what of it is `kept`. No query may see more than the budget, its own chunk
  /// included.
  virtual Selection select(int layer, const Block& block, const BlockQueries& queries, KvCache& cache) = 0;

  /// Attention that nearby keys received from the block, summed over its queries and the query heads of each KV
  /// head: [kvHeads, keys] for the tokens of `keys`, which ends with the block's last. Only where needs() asks.
  virtual void observe(int /*layer*/, const Block& /*block*/, const at::Tensor& /*received*/, Run /*keys*/,
                       KvCache& /*cache*/) {}

  /// What it holds itself, beside what it keeps in the cache.
  std::size_t bytes() const { return bytes_; }

 protected:
  void setBytes(std::size_t bytes) { bytes_ = bytes; }

 private:
  std::size_t bytes_ = 0;
};

}  // namespace kvasir
