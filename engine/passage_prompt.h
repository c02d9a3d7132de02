#pragma once

#include "engine/generation.h"
#include "engine/question.h"
#include "engine/reading.h"
#include "engine/retrieval/passages.h"

namespace kvasir {

/// Of a document's tokens, those of the best passages that fit `room`: pinned chunks first, nothing of blocked
/// ones, nor a passage that speaks of them alone. worth: if above 0, passages that score less than this share
/// of the best that may be chosen are left out.
std::vector<char> chooseTokens(const std::vector<Run>& chunks, const std::vector<ScoredPassage>& passages,
                               const AskSettings& settings, int room, float worth = 0);

/// Tokens that a prompt may have with what is asked after it and the answer: those of the budget, but no more
/// than texts had that the model was trained on, since all of them stand in a row.
int promptTokens(const LoadedModel& model, int budgetTokens);

/// Those of them that passages may take beside the frame, what is asked after them, and the answer. Throws a
/// sentence where that is less than a chunk.
int roomForPassages(const LoadedModel& model, const AskSettings& settings, std::size_t asked);

/// What a model reads in place of the document: the frame, passages in the document's order, and notes.
struct Prompt {
  std::vector<TokenId> tokens;
  std::vector<int> sizes, owners;  ///< of its chunks: tokens, and the document's chunk they are of, -1 for none
  int frame = 0;                   ///< tokens of the frame, which come first
  /// Of the document's chunks in turn, what stands in the prompt: its bytes, and the share of its text tokens.
  struct Part {
    std::vector<std::pair<std::size_t, std::size_t>> bytes;  ///< ascending, disjoint
    double share = 0;
  };
  std::vector<Part> chunks;

  void add(std::span<const TokenId> more, int owner);
  int parts() const { return static_cast<int>(sizes.size()); }
};

/// isChosen: by token of the reading. notes: what stands after the passages, or nothing.
Prompt promptOf(const LoadedModel& model, const ChunkedReading& reading, const std::vector<char>& isChosen,
                std::string_view notes = "");
/// With nothing to read.
Prompt emptyPrompt(const LoadedModel& model);

/// Which weights read what comes after a prompt, and the prompt where the adapter was trained on prompts: it
/// acts where a question is to be answered.
enum class Weights { Plain, Adapted };
inline Weights weightsFor(std::string_view question) {
  return isQuestion(question) ? Weights::Adapted : Weights::Plain;
}

/// A prompt that has been read with full attention, for any number of continuations, one after the other. The
/// model must outlive it.
class ReadPrompt {
 public:
  ReadPrompt(const LoadedModel& model, const AskSettings& settings, Prompt prompt, Weights weights,
             std::function<void()> breathe);

  const Prompt& prompt() const { return prompt_; }
  /// Where question and answer go; the tap may be null. Serves as long as the prompt does.
  std::unique_ptr<TextRun> goOn(EvidenceTap* tap = nullptr) const;
  /// Log-probability of `said` after `asked`.
  double logProbability(std::span<const TokenId> asked, std::span<const TokenId> said) const;
  int attendedTokens() const { return attended_; }        ///< the most a query of `logProbability` saw
  std::size_t bytes() const { return memory_->bytes(); }  ///< of its keys and values

 private:
  const LoadedModel& model_;
  Method method_;
  int budgetTokens_;
  Prompt prompt_;
  Weights weights_;
  std::function<void()> breathe_;
  std::unique_ptr<MemoryChunks> memory_;
  std::vector<Run> chunks_;
  mutable int attended_ = 0;
};

/// Answers a question after a prompt. scores: of the reading's chunks, the same for every layer or layer by
/// layer. words: what of them is of words, layer by layer; empty: nothing. What the prompt's chunks drew is
/// told of the chunks they stand for.
Answer answerAfter(const LoadedModel& model, const ReadPrompt& prompt, const ChunkedReading& reading,
                   const std::vector<float>& scores, std::string_view question, const Asking& asking,
                   const std::vector<float>& words = {});

/// What a model writes when it is not the answer: greedy or sampled as the settings say, at most `most` tokens.
/// asked: frameTask's. The listener hears that it goes on, not what is said.
std::string write(const LoadedModel& model, TextRun& run, std::span<const TokenId> asked, int most,
                  const Asking& asking);

}  // namespace kvasir
