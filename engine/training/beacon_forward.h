#pragma once

#include "engine/training/frozen_model.h"

namespace kvasir {

/// A text of whole windows, and of each window but the last how many tokens a beacon stands for.
struct BeaconLesson {
  std::vector<TokenId> tokens;
  int windowTokens = 0;
  std::vector<int> ratios;  ///< of each window but the last
};

/// What the method "beacon" computes (engine/policy/beacon_policy.h), all windows of a text at once and in
/// operations that can be differentiated.
class BeaconForward {
 public:
  /// What is trained; tensors may want gradients.
  struct Trained {
    at::Tensor embedding;                 ///< [width]
    std::vector<Adapter::Change> layers;  ///< of the stacked projections to query, key and value
  };
  /// Throws a sentence for a family whose layers see only a window of the text.
  explicit BeaconForward(const LoadedModel& model)
      : frozen_(model, "Beacons"), table_(ropeFrequencies(model.shape, false), model.shape.ropeMagnitude) {}

  /// Mean -log probability of the tokens of all windows but the first, each after those before it.
  at::Tensor loss(
      const BeaconLesson& lesson, const Trained& trained, const std::function<void()>& breathe = [] {});

 private:
  struct Rows;
  at::Tensor attend(const Rows& rows, const at::Tensor& queries, const at::Tensor& keys,
                    const at::Tensor& values);
  at::Tensor attendWindow(const Rows& rows, int window, const at::Tensor& queries, const at::Tensor& keys,
                          const at::Tensor& values);

  FrozenModel frozen_;
  RopeTable table_;
};

}  // namespace kvasir
