#pragma once

#include <bitset>
#include <span>

#include "engine/attention.h"
#include "engine/engine.h"

namespace kvasir {

/// Records, for one question, what each layer's policy scored and chose and where its attention went, chunk by
/// chunk. Kept by the caller of a policy; a policy knows nothing of it.
class EvidenceTap {
 public:
  /// What is recorded. To weigh attention costs about as much as attention itself.
  enum class Records { All, Choices };

  /// Attention to `frames`, the tokens of the prompt's frame, is nobody's evidence: they draw most of it as
  /// sinks, whatever the question.
  EvidenceTap(int layers, int heads, std::vector<Run> frames, Records records = Records::All)
      : heads_(heads),
        records_(records),
        frames_(std::move(frames)),
        layers_(static_cast<std::size_t>(layers)) {}

  bool wantsWeights() const { return records_ == Records::All; }

  /// What a layer may attend to from here on. A chunk is attended where any KV head keeps a token of it, or
  /// beacons stand for it.
  void select(int layer, const Selection& selection, const Block& block, const KvCache& cache);
  /// Attention that gathered keys [from, …) received from each query head, summed over queries: [heads, keys].
  /// place: of tokens that are on trial together, which one's.
  void weigh(int layer, const GatheredKv& gathered, int from, const at::Tensor& sums, const KvCache& cache,
             int place = 0);
  /// So many queries are what the first place holds in every layer; what stood in the second is the first's
  /// now.
  void countQueries(int queries);
  /// What is not counted goes.
  void forgetUncounted();

  EvidenceMap map(int chunks) const;
  /// Chunks of the first ones that a layer attended to and could see only in part, and the runs of tokens that
  /// any of its KV heads saw as they are: none where only beacons stood for the chunk.
  struct Part {
    int layer = 0, chunk = 0;
    std::vector<Run> tokens;
  };
  std::vector<Part> parts(int chunks) const;
  std::vector<float> scores(int chunks) const;  ///< those of the map: all there is where nothing is weighed
  std::vector<float> words(int chunks) const;   ///< likewise
  /// What was recorded between one `countQueries` and the next, of the first chunks.
  std::vector<AnswerLook> looks(int chunks) const;
  std::size_t bytes() const;

 private:
  /// Mass that is not counted yet: of a question's queries, or of one token on trial.
  class Uncounted {
   public:
    void makeRoom(std::size_t chunks, std::size_t heads);
    void add(int chunk, std::size_t head, float share);
    void clear();
    const std::vector<int>& chunks() const { return chunks_; }  ///< that have any, each once
    std::span<const float> of(int chunk) const {
      return std::span(mass_).subspan(at(chunk), heads_);
    }  ///< by head
    std::size_t size() const { return mass_.size(); }
    std::size_t bytes() const;

   private:
    std::size_t at(int chunk) const { return static_cast<std::size_t>(chunk) * heads_; }

    std::size_t heads_ = 0;
    std::vector<float> mass_;         ///< [chunks, heads]
    std::vector<std::uint8_t> isIn_;  ///< by chunk: whether it is among `chunks_`
    std::vector<int> chunks_;
  };
  using Tokens = std::bitset<kChunkTokens>;  ///< of a chunk
  struct Layer {
    std::vector<float> scores, words;        ///< by chunk, as selected
    std::vector<double> mass;                ///< [chunks, heads]
    std::vector<Tokens> seen;                ///< by chunk, by every KV head; all bits where that is all of it
    std::vector<std::vector<Tokens>> named;  ///< by KV head and chunk: what it keeps for itself, if heads do
    std::vector<std::uint8_t> isCondensed;   ///< by chunk: whether beacons stood for it; may be shorter
    std::vector<Uncounted> uncounted;        ///< by place among the tokens on trial
  };
  /// Layer by layer the values of the first chunks, NaN where there are none.
  std::vector<float> rowsOf(std::vector<float> Layer::*values, int chunks) const;
  static void see(Layer& record, Run tokens, const KvCache& cache);
  static Tokens seenByAny(const Layer& record, std::size_t chunk);
  static bool isAttended(const Layer& record, std::size_t chunk);
  /// Of some tokens of a chunk, the share that a KV head saw, mean over the heads; 1 of no tokens.
  static float shareSeen(const Layer& record, std::size_t chunk, const Tokens& of);
  Tokens textOf(std::size_t chunk) const;  ///< tokens that are not of a frame
  int textFrom(int token) const;           ///< the first token from this one on that is not of a frame

  int heads_ = 0, queries_ = 0;
  Records records_;
  std::vector<Run> frames_;
  std::vector<Layer> layers_;
  std::vector<Run> chunks_;  ///< of the text; the last may have grown since
  std::vector<AnswerLook> looks_;
};

}  // namespace kvasir
