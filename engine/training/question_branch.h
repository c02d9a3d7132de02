#pragma once

#include <span>

#include "engine/reading.h"
#include "engine/training/frozen_model.h"

namespace kvasir {

/// A question asked of a reading, or after a prompt, with the answer that should follow: one block of tokens
/// after the document's end. Or the end of a plain text, after what comes before it.
struct QuestionBranch {
  std::unique_ptr<TextRun> run;  ///< over the reading's chunks, with the method's policy and positions; null
                                 ///< after a prompt
  std::vector<TokenId> tokens;   ///< question, then answer without its last token
  int questionTokens = 0;
  std::vector<TokenId>
      targets;  ///< the answer's tokens with the model's end: what follows from the question's last token on
  std::string words = {};  ///< by which paragraphs are found: the question as it was asked
};

/// Nothing where question and answer do not fit one chunk together.
std::optional<QuestionBranch> makeBranch(const LoadedModel& model, const StoredReading& reading,
                                         int budgetTokens, std::string_view question, std::string_view answer);
/// The same after a prompt that is read anew, or before it is put after a reading.
std::optional<QuestionBranch> makeBranch(const LoadedModel& model, std::string_view question,
                                         std::string_view answer);
/// Puts a branch after a reading, which must outlive it.
void placeAfter(const LoadedModel& model, const StoredReading& reading, int budgetTokens,
                QuestionBranch& branch);

/// The last tokens of a plain text: a chunk and one before it, or half of the text where that is less.
struct TextEnd {
  std::size_t start = 0;  ///< byte of the text, at a character's begin; the text before it is to be read
  std::vector<TokenId> tokens;
  std::string words;
};
/// Nothing where the text is too short to be cut.
std::optional<TextEnd> endOfText(const LoadedModel& model, std::string_view text);
/// Each token but the first is to be foreseen from those before it. Chunks are retrieved by all of them, as
/// reading has it.
QuestionBranch plainBranch(const TextEnd& end);

/// The model as training an adapter sees it: only the tokens of branches run on its frozen weights, so that
/// gradients never reach a reading's keys and values; or those of a prompt and of the branches after it.
class BranchForward {
 public:
  /// Throws a sentence for a family whose layers do not.
  explicit BranchForward(const LoadedModel& model);

  /// Mean over branches of the mean -log probability of a target. Each layer's policy chooses by the question's
  /// tokens under the adapter as it is now, as it does when answering.
  at::Tensor loss(
      std::span<QuestionBranch> branches, const std::vector<Adapter::Layer>& adapter,
      const std::function<void()>& breathe = [] {});
  /// The same of branches that all come after one prompt, which the adapter acts on too and all of which they
  /// see.
  at::Tensor lossAfter(
      std::span<const TokenId> prompt, std::span<QuestionBranch> branches,
      const std::vector<Adapter::Layer>& adapter, const std::function<void()>& breathe = [] {});

 private:
  /// Un-rotated rows of a block by head, float32: [heads or kvHeads, tokens, headDimension].
  struct BlockHeads {
    at::Tensor queries, keys, values;
  };
  /// Keys and values that all queries of a block see, rotated, and the queries as they meet them; undefined:
  /// as they meet their own block.
  struct Seen {
    at::Tensor keys, values, queries = {};
  };
  at::Tensor product(int layer, Adapter::Projection projection, const at::Tensor& x,
                     const Adapter::Layer& changes) const;
  BlockHeads headsOf(int layer, const at::Tensor& projected) const;
  /// Queries by KV head, those that share one below each other, rotated.
  at::Tensor byKvHead(const at::Tensor& queries, const Angles& angles) const;
  /// Attention to what is seen, and of each row to its block up to itself. [tokens, heads * headDimension]
  at::Tensor attend(const BlockHeads& block, const Angles& angles, const std::vector<Seen>& before) const;
  at::Tensor attendReading(int layer, QuestionBranch& branch, const BlockHeads& block,
                           const at::Tensor& normed);
  /// What a layer attends to, of all rows that run together.
  using Attend = std::function<at::Tensor(int layer, const at::Tensor& projected, const at::Tensor& normed)>;
  at::Tensor hidden(const std::vector<TokenId>& ids, const std::vector<Adapter::Layer>& adapter,
                    const Attend& attend);
  at::Tensor lossOf(std::span<const QuestionBranch> branches, const at::Tensor& hidden,
                    std::int64_t firstRow) const;

  const LoadedModel& model_;
  FrozenModel frozen_;
  RopeTable table_;
};

}  // namespace kvasir
