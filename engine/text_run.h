#pragma once

#include "engine/loaded_model.h"
#include "engine/methods.h"
#include "engine/pass.h"

namespace kvasir {

/// Throws a sentence where a method cannot have a budget with this model: one too small for anything; or, where
/// positions are places in what the budget holds (`countsPlaces`), one larger than the trained length, with the
/// largest it can have. Whatever reads or answers asks it first.
void requireBudget(const LoadedModel& model, const Method& method, int budgetTokens);

/// One method at work on one text: its policy, positions and codec, a cache over a store, and the pass that
/// runs tokens through the model. Serves one reading, or one answer over a reading's chunks.
class TextRun {
 public:
  struct Settings {
    const Method& method;
    int budgetTokens = 0;
    EvidenceTap* tap = nullptr;
    std::function<void()> breathe = [] {};
    ChunkWishes wishes = {};
    /// In place of the method's own, seeing everything without a budget: how a reading's chunks are looked at
    /// by something that did not read them. For one pass: a layer's gathered KV goes when it is done.
    std::unique_ptr<KvPolicy> onlooker = nullptr;
    bool isAdapted =
        false;  ///< the tokens are of a question (isQuestion) and its answer, which the adapter acts on
    int documentTokens = 0;  ///< of the whole document, with its frame; 0: not known
    int mostUnpacked = kMostUnpacked;
  };
  /// Over the store, which must outlive it, or over memory of its own where it is null. The model must outlive
  /// it.
  TextRun(const LoadedModel& model, Settings settings, ChunkStore* store = nullptr);

  /// What a store for this model and method must offer, for a document of so many tokens.
  static ChunkFileHeader fileHeader(const LoadedModel& model, const Method& method, int budgetTokens,
                                    int documentTokens);
  /// The same while it is read: for all of it, as `readingCodec` has it, where only a part is kept then.
  static ChunkFileHeader readingHeader(const LoadedModel& model, const Method& method, int budgetTokens,
                                       int documentTokens);

  /// Of a method that keeps only what the budget holds of a document: writes that to another store, when all is
  /// read.
  bool isKeptWhole() const;
  void keepInto(ChunkStore& store);

  KvCache& cache() { return cache_; }
  ForwardPass& pass() { return pass_; }
  KvPolicy& policy() { return *policy_; }
  const PositionScheme& positions() const { return *positions_; }
  /// What it holds of the text: gathered keys and values, the cache's tail and index, the policy's own. A
  /// store's mapped file is the system's to keep or to drop.
  std::size_t bytesInMemory() const;

  /// Reads further tokens, in chunks, `stepTokens` at a time. The last chunk of a document, and the first of
  /// what is asked, may be short; both close: what comes later begins a new one. `afterStep` is told the chunks
  /// that are whole. Returns the last row's output, [1, width].
  at::Tensor read(std::span<const TokenId> tokens, int stepTokens,
                  const std::function<void(int chunks)>& afterStep = {});
  /// Goes on after chunks that the store holds, and reads what is asked of them in one step: they are its
  /// document, and what is asked begins the tail. Returns the last row's output.
  at::Tensor readAfter(const std::vector<Run>& chunks, std::span<const TokenId> asked);

 private:
  const LoadedModel& model_;
  std::unique_ptr<KvCodec> codec_, keptCodec_;  ///< while a document is read; of what is kept of it then
  bool isOnlooker_;
  std::unique_ptr<PositionScheme> positions_;
  int budgetTokens_;
  std::unique_ptr<KvPolicy> policy_;
  std::unique_ptr<MemoryChunks> memory_;
  KvCache cache_;
  ForwardPass pass_;
};

}  // namespace kvasir
