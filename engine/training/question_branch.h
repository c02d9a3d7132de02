#pragma once

#include <span>

#include "engine/reading.h"
#include "engine/training/frozen_model.h"

namespace kvasir {

/// A question asked of a reading with the answer that should follow: one block of tokens after the document's
/// end.
struct QuestionBranch {
  std::unique_ptr<TextRun> run;  ///< over the reading's chunks, with the method's policy and positions
  std::vector<TokenId> tokens;   ///< question, then answer without its last token
  int questionTokens = 0;
  std::vector<TokenId>
      targets;  ///< the answer's tokens with the model's end: what follows from the question's last token on
};

/// Nothing where question and answer do not fit one chunk together.
std::optional<QuestionBranch> makeBranch(const LoadedModel& model, const StoredReading& reading,
                                         int budgetTokens, std::string_view question, std::string_view answer);

/// The model as training an adapter sees it: only the tokens of branches run on its frozen weights, so that
/// gradients never reach the document's keys and values.
class BranchForward {
 public:
  /// Throws a sentence for a family whose layers do not.
  explicit BranchForward(const LoadedModel& model);

  /// Mean over branches of the mean -log probability of a target. Each layer's policy chooses by the question's
  /// tokens under the adapter as it is now, as it does when answering.
  at::Tensor loss(
      std::span<QuestionBranch> branches, const std::vector<Adapter::Layer>& adapter,
      const std::function<void()>& breathe = [] {});

 private:
  at::Tensor product(int layer, Adapter::Projection projection, const at::Tensor& x,
                     const Adapter::Layer& changes) const;
  at::Tensor attend(int layer, QuestionBranch& branch, const at::Tensor& projected, const at::Tensor& normed);

  const LoadedModel& model_;
  FrozenModel frozen_;
  RopeTable table_;
};

}  // namespace kvasir
