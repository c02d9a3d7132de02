#pragma once

#include <functional>
#include <map>
#include <span>

#include "engine/attention.h"
#include "engine/model/beacons.h"
#include "engine/model/weights.h"
#include "engine/tap.h"
#include "engine/token_attention.h"

namespace kvasir {

inline std::size_t bytesOf(const at::Tensor& tensor) { return tensor.defined() ? tensor.nbytes() : 0; }

/// What a pass works on. References must outlive it; tap may be null.
struct PassParts {
  const ModelShape& shape;
  const ModelWeights& weights;
  const BeaconWeights& beacons;
  DenseForm form;
  KvPolicy& policy;
  const PositionScheme& positions;
  KvCache& cache;
  int budgetTokens;  ///< bounds the model's own windows too; 0: nothing is bounded
  EvidenceTap* tap = nullptr;
  bool keepsGathered =
      true;  ///< between steps and tokens; else a layer's gathered KV goes as soon as it is done
  /// Told after every layer of every chunk; may throw to stop.
  std::function<void()> breathe = [] {};
  Accelerator* device = nullptr;  ///< attends to blocks; null: the processor does
  int mostUnpacked = kMostUnpacked;
};

/// Which rows of the last layer a reading wants.
enum class Outputs { All, LastRow };

/// Runs tokens through all layers over a cache: chunks at a time for reading and questions, one token at a time
/// for answers. One pass serves one reading or one answer. Engine thread.
class ForwardPass {
 public:
  explicit ForwardPass(PassParts parts);

  /// Tokens of whole chunks that are open in the cache, from `firstChunk` on. Returns the last layer's output,
  /// [tokens, width] in float32, or of the last token alone, [1, width], which spares the others the end of
  /// that layer: nothing keeps it.
  at::Tensor read(std::span<const TokenId> tokens, int firstChunk, Outputs outputs);

  /// Log-odds of every token after each row: [rows, vocabulary] in float32.
  at::Tensor logits(const at::Tensor& hidden) const;

  /// Adds one token to the answer's open chunk and returns the log-odds of the next: [vocabulary].
  std::span<const float> generate(TokenId token);

  /// Adds tokens on trial, as many as `mostOnTrial` at the most, and returns the log-odds after each, [tokens,
  /// vocabulary], bit for bit what one after the other gives. Then `accept` says how many of them stay; until
  /// then nothing else may be asked.
  std::span<const float> tryTokens(std::span<const TokenId> tokens);
  void accept(int tokens);
  /// 1: where a chunk begins, or chunks are chosen anew; where the policy watches attention, which could not be
  /// taken back; and on a device, where rows are multiplied one by one.
  int mostOnTrial() const;

  int attendedTokens() const { return attended_; }  ///< the most any query of any layer saw
  /// Held between tokens: gathered keys and values, tables of angles, what answers retrieve by, buffers.
  std::size_t bytes() const;

 private:
  /// What an answer's chunk retrieves by.
  struct BlockDigest {
    at::Tensor query;   ///< [heads, 1, headDimension]: the mean, or the sum so far
    at::Tensor states;  ///< [tokens, width]; undefined where the policy wants none

    std::size_t bytes() const { return bytesOf(query) + bytesOf(states); }
  };
  struct Layer {
    AttendedGroups groups;
    Selection selection;              ///< in force for the open chunk of an answer
    BlockDigest before;               ///< of the chunk before
    BlockDigest open;                 ///< of the open chunk so far; states have room for a whole one
    std::vector<float> triedQueries;  ///< [tokens, heads · headDimension], of tokens on trial
    GatheredKv beacons;               ///< those of the window being read
  };
  struct Projected {
    at::Tensor queries, keys, values;  ///< [heads or kvHeads, rows, headDimension]
    at::Tensor normed;                 ///< the layer's normed input, [rows, width]
  };
  /// Rows of a step: its tokens, and behind them the beacons of its chunks.
  struct StepRows {
    int firstChunk = 0;
    std::int64_t tokens = 0, beacons = 0;
    Outputs outputs = Outputs::All;
  };
  /// Of the tokens on trial, row by row.
  struct TokenBuffers {
    std::vector<float> x, normed, projected, attended, out, gate, hidden, logits;
    std::vector<float> nearQueries, farQueries;  ///< of one, rotated: [heads, headDimension]
    TokenAttentionMemory attention;
    ProductMemory memory;

    std::size_t bytes() const {
      std::size_t floats = 0;
      for (const auto* buffer :
           {&x, &normed, &projected, &attended, &out, &gate, &hidden, &logits, &nearQueries, &farQueries})
        floats += buffer->capacity();
      return floats * sizeof(float) + attention.bytes() + memory.bytes();
    }
  };

  at::Tensor embed(std::span<const TokenId> tokens, std::int64_t beacons) const;
  at::Tensor normalize(const at::Tensor& x, const at::Tensor& weight) const;
  int beaconsOf(int chunk) const;
  StepRows rowsOf(std::int64_t tokens, int firstChunk, Outputs outputs) const;
  Projected project(int layer, const at::Tensor& x, const StepRows& rows) const;
  at::Tensor attendStep(int layer, const Projected& projected, const StepRows& rows);
  /// Whether anything follows from the attention of tokens before the last chunk of a step.
  bool attendsAll(int layer, const StepRows& rows) const;
  at::Tensor attendChunk(int layer, const Block& block, const at::Tensor& queries, const at::Tensor& states);
  at::Tensor attendBeacons(int layer, const Block& block, const at::Tensor& queries, const KvTensors& kv);
  bool isObserved(int layer) const;
  bool isWeighed() const { return parts_.tap && parts_.tap->wantsWeights(); }
  void watch(int layer, const Block& block, const BlockQueries& rotated, const BlockOutput& output);
  void addFeedForward(const LayerWeights& weights, at::Tensor& x) const;
  void addOutput(const at::Tensor& output, const at::Tensor& postNorm, at::Tensor& x) const;

  Selection choose(int layer, const Block& block, const at::Tensor& queries, const at::Tensor& states);
  Selection localWindow(const Block& block) const;  ///< of a layer with a window of its own
  const PositionScheme& positionsOf(int layer) const;
  RopeTable& tableOf(int layer, const Block& block);
  /// As GatheredKv::arrange takes it. A device attends to what is in place only.
  int mostUnpacked() const { return parts_.device ? 0 : parts_.mostUnpacked; }

  bool wantsStates(int layer) const;
  /// Tokens that the open chunk may still take within the budget; below 0: it has too many.
  int tokensLeft(const Selection& selection) const;
  void generateLayer(int layer, const Block& block);
  void projectTokens(const LayerWeights& weights, int layer, const Block& block);
  void rotateToken(const float* queries, int position, const RopeTable& table,
                   std::vector<float>& rotated) const;
  /// place: among the tokens on trial.
  void attendToken(int layer, const Block& block, int place);
  void watchToken(int layer, const Block& block, int place);
  void addVector(const std::vector<float>& output, const at::Tensor& postNorm);

  PassParts parts_;
  KvPolicy::Needs needs_;
  std::unique_ptr<PositionScheme> localPositions_;
  std::map<int, RopeTable> tables_;  ///< of global layers, by how far positions are stretched
  RopeTable localTable_;
  std::vector<Layer> layers_;
  TokenBuffers token_;
  int attended_ = 0;
  int openChunk_ = -1;
  int onTrial_ = 0;                 ///< last tokens of the open chunk
  std::vector<int> triedAttended_;  ///< by token on trial, as `attended_`
};

}  // namespace kvasir
