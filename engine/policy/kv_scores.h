#pragma once

#include <functional>

#include "engine/cache/kv_cache.h"

namespace kvasir {

/// Keys of a layer's tokens, chunk by chunk: what scores of single tokens are made from. Nothing the size of
/// tokens by tokens is ever held.
struct KeySource {
  std::vector<Run> chunks;  ///< from the text's start
  std::function<KvTensors(int chunk)>
      read;  ///< keys rotated to their positions, float32: [kvHeads, tokens, dimension]

  int tokens() const { return chunks.empty() ? 0 : chunks.back().end; }
};

/// Softmax attention that each key gets from queries, summed over them and the query heads of a KV head:
/// [kvHeads, tokens]. queries: [heads, count, dimension], rotated, of consecutive tokens from `firstQuery` on.
at::Tensor attentionReceived(const at::Tensor& queries, int firstQuery, float scale, int kvHeads,
                             const KeySource& keys);

enum class Pool { Mean, Max };
/// Scores spread over their neighbours (SnapKV §4.2), an odd number of them: [kvHeads, tokens].
at::Tensor pooled(const at::Tensor& scores, int neighbours, Pool pool);

/// KeyDiff (§3.2): minus the cosine of a key and the mean of all keys, each of length 1.
at::Tensor keyDifference(int kvHeads, const KeySource& keys);

/// Mean and covariance of queries, by query head.
class QueryMoments {
 public:
  void add(const at::Tensor& queries);  ///< un-rotated, [heads, count, dimension]
  bool isEmpty() const { return count_ == 0; }

  /// Expected attention (Devoto et al. 2025): log of the expected weight of each key for queries drawn from
  /// these moments at the average of the positions [first, first + span), softmax over the keys, mean over the
  /// query heads of a KV head, times the length of the key's value: [kvHeads, tokens].
  at::Tensor expectedAttention(int first, int span, float scale, int kvHeads,
                               const std::vector<double>& frequencies, const KeySource& keys) const;

 private:
  at::Tensor sums_, products_;  ///< [heads, dimension], [heads, dimension, dimension]; float64
  double count_ = 0;
};

}  // namespace kvasir
