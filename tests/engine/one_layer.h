#pragma once

// One layer at work on random tensors with grouped queries, and plain attention beside it: one query at a time,
// in double.
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "engine/attention.h"
#include "engine/methods.h"

namespace kvasir {

inline constexpr int kHeads = 6, kKvHeads = 2, kDimension = 8, kBudget = 512, kGroup = kHeads / kKvHeads;
inline const std::vector<double> kFrequencies = {1.0, 0.3, 0.05, 0.01};
inline constexpr double kScale = 0.35;

/// One layer's tensors of a text: [heads, tokens, dimension].
struct Tensors {
  at::Tensor queries, keys, values;
};

inline Tensors randomTensors(int tokens) {
  at::manual_seed(3);
  const auto random = [&](int heads) { return at::randn({heads, tokens, kDimension}, at::kFloat); };
  return {random(kHeads) * 2, random(kKvHeads) * 2, random(kKvHeads)};
}

inline std::vector<double> rotated(const at::Tensor& row, double position,
                                   const std::vector<double>& frequencies = kFrequencies) {
  std::vector<double> out(kDimension);
  for (int i = 0; i < kDimension / 2; ++i) {
    const double angle = position * frequencies[static_cast<std::size_t>(i)];
    const double a = row[i].item<double>(), b = row[i + kDimension / 2].item<double>();
    out[static_cast<std::size_t>(i)] = a * std::cos(angle) - b * std::sin(angle);
    out[static_cast<std::size_t>(i + kDimension / 2)] = b * std::cos(angle) + a * std::sin(angle);
  }
  return out;
}

/// A key as a query meets it: which token, at which position, against the query at which.
struct Meeting {
  int token = 0;
  double keyPosition = 0, queryPosition = 0;
};

/// Attention of one query; scores are multiplied by `sharpness` beside the scale.
inline std::vector<double> attend(const Tensors& t, int query, int head, const std::vector<Meeting>& keys,
                                  const std::vector<double>& frequencies = kFrequencies, double sharpness = 1) {
  std::vector<double> scores, out(kDimension, 0.0);
  double sum = 0;
  for (const Meeting& key : keys) {
    const auto q = rotated(t.queries[head][query], key.queryPosition, frequencies);
    const auto k = rotated(t.keys[head / kGroup][key.token], key.keyPosition, frequencies);
    double score = 0;
    for (int i = 0; i < kDimension; ++i)
      score += q[static_cast<std::size_t>(i)] * k[static_cast<std::size_t>(i)];
    scores.push_back(std::exp(score * kScale * sharpness));
    sum += scores.back();
  }
  for (std::size_t i = 0; i < keys.size(); ++i)
    for (int d = 0; d < kDimension; ++d)
      out[static_cast<std::size_t>(d)] +=
          scores[i] / sum * t.values[head / kGroup][keys[i].token][d].item<double>();
  return out;
}

/// Counts how often slots are looked up.
class CountedChunks : public MemoryChunks {
 public:
  using MemoryChunks::MemoryChunks;
  std::byte* slot(int chunk) override {
    ++lookups;
    return MemoryChunks::slot(chunk);
  }
  int lookups = 0;
};

/// Runs a method's policy and positions over a text chunk by chunk, as a pass does for one layer.
class OneLayer {
 public:
  /// shape: of the model whose positions are stretched; nothing: positions of kFrequencies at any length.
  /// trainedTokens: of the model; 0: not known. mostUnpacked: as in GatheredKv::arrange.
  OneLayer(const Method& method, int budget, std::optional<ModelShape> shape = {}, int trainedTokens = 0,
           int mostUnpacked = 0)
      : model_(std::move(shape)),
        mostUnpacked_(mostUnpacked),
        codec_(method.codec.make(at::kFloat)),
        policy_(method.makePolicy({.shape = shape_,
                                   .heads = kHeads,
                                   .budgetTokens = budget,
                                   .ropeFrequencies = kFrequencies,
                                   .trainedTokens = trainedTokens,
                                   .attentionScale = 1 / std::sqrt(static_cast<float>(kDimension))})),
        positions_(method.makePositions(reachOf(budget, trainedTokens))),
        store_(KvCache::slotBytes(shape_, *codec_, policy_->needs().extras)),
        cache_(shape_, *codec_, store_, policy_->needs().extras) {}

  at::Tensor run(const Tensors& t) {
    std::vector<at::Tensor> outputs;
    const int tokens = static_cast<int>(t.queries.size(1));
    for (int first = 0; first < tokens; first += kChunkTokens)
      outputs.push_back(chunk(t, first, std::min(kChunkTokens, tokens - first)));
    return at::cat(outputs, 1);
  }

  /// What comes from here on is of a question.
  void startQuestion() { cache_.startTail(); }
  /// Tokens of one chunk.
  at::Tensor chunk(const Tensors& t, int first, int tokens) {
    const Block block{cache_.open(tokens), first, tokens};
    cache_.write(0, block.chunk, {t.keys.narrow(1, first, tokens), t.values.narrow(1, first, tokens)});
    return attendChunk(t, block);
  }

  const std::vector<Selection>& selections() const { return selections_; }
  const KvCache& cache() const { return cache_; }
  int lookups() const { return store_.lookups; }
  const AttendedGroups& groups() const { return groups_; }

 private:
  at::Tensor attendChunk(const Tensors& t, const Block& block) {
    const int first = block.first, tokens = block.tokens;
    const at::Tensor queries = t.queries.narrow(1, first, tokens).contiguous();
    RopeTable& table = tableFor(first + tokens);
    const Selection selection =
        policy_->select(0, block, {queries, rotateFar(queries, block, *positions_, table)}, cache_);
    arrangeGroups(selection, block, *positions_, 0, cache_, table, groups_, mostUnpacked_);
    const at::Tensor near = rotateNear(queries, block, groups_, table),
                     far = rotateFar(queries, block, *positions_, table);
    const BlockOutput output = attendBlock(groups_, near, far, block, static_cast<float>(kScale));
    const int observed = std::min(countInARow(groups_.near), policy_->needs().observedTokens + tokens);
    if (policy_->needs().observedTokens > 0)
      policy_->observe(0, block,
                       receivedNear(groups_, near, output.logSums, groups_.near.count() - observed, block,
                                    static_cast<float>(kScale))
                           .view({kKvHeads, -1, observed})
                           .sum(1),
                       {first + tokens - observed, first + tokens}, cache_);
    selections_.push_back(selection);
    return output.values;
  }

  RopeTable& tableFor(int tokens) {
    const PositionScheme::Rules& rules = positions_->rules();
    const int scale = !model_           ? 1
                      : rules.scale > 0 ? rules.scale
                                        : stretchScale(*model_, rules.stretch, tokens);
    const auto known = tables_.find(scale);
    if (known != tables_.end()) return known->second;
    return tables_
        .emplace(scale, model_ ? stretchedTable(*model_, rules.stretch, scale, rules.numbers)
                               : RopeTable(kFrequencies))
        .first->second;
  }

  std::optional<ModelShape> model_;
  int mostUnpacked_;
  KvShape shape_{1, kKvHeads, kDimension};
  std::unique_ptr<KvCodec> codec_;
  std::unique_ptr<KvPolicy> policy_;
  std::unique_ptr<PositionScheme> positions_;
  CountedChunks store_;
  KvCache cache_;
  std::map<int, RopeTable> tables_;
  AttendedGroups groups_;
  std::vector<Selection> selections_;
};

inline void expectNear(const at::Tensor& ours, const std::vector<double>& expected, int head, int token) {
  for (int d = 0; d < kDimension; ++d)
    ASSERT_NEAR(ours[head][token][d].item<double>(), expected[static_cast<std::size_t>(d)], 2e-4)
        << "head " << head << " token " << token;
}

}  // namespace kvasir
