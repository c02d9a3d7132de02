#pragma once

#include <map>
#include <span>
#include <utility>
#include <vector>

#include "engine/cache/chunk_store.h"
#include "engine/cache/codec.h"

namespace kvasir {

/// Tokens of a chunk unless it closes a document or a question, which may leave it shorter.
constexpr int kChunkTokens = 128;

/// A run of cached tokens, [begin, end).
struct Run {
  int begin = 0, end = 0;
  bool operator==(const Run&) const = default;
};

/// Keys, values and index entries of one text in chunks, layer by layer. Closed chunks are encoded by the codec
/// in a store (a file while reading); chunks after a read document (question and answer) are kept in memory as
/// computed. Engine thread only.
class KvCache {
 public:
  /// What a policy keeps with each chunk and layer: an entry of the index, in memory for all chunks, and notes
  /// beside the chunk's KV, in memory only while the chunk is used.
  struct Extras {
    int indexFloats = 0, noteFloats = 0;
    /// A document, once read, is kept as so many tokens a layer, each KV head's own: rows of the first slots,
    /// best first, with their tokens in the notes. 0: it is kept whole.
    int keptTokens = 0;

    /// Slots of a document so kept: the rows, and one more, so that layers with a window find its last chunks.
    int keptSlots() const { return keptTokens > 0 ? (keptTokens + kChunkTokens - 1) / kChunkTokens + 1 : 0; }
  };

  /// store: one slot a chunk, of `slotBytes`. keptCodec: of what is left in it of a document that is not kept
  /// whole; null: the same. The cache keeps references to codecs and store.
  KvCache(const KvShape& shape, const KvCodec& codec, ChunkStore& store, Extras extras,
          const KvCodec* keptCodec = nullptr);

  static std::size_t slotBytes(const KvShape& shape, const KvCodec& codec, Extras extras);

  const KvShape& shape() const { return shape_; }
  int chunks() const { return static_cast<int>(chunks_.size()); }
  int tokens() const { return chunks_.empty() ? 0 : chunks_.back().end; }
  Run chunk(int index) const { return chunks_[static_cast<std::size_t>(index)]; }
  const std::vector<Run>& runs() const { return chunks_; }  ///< of all chunks
  int chunkOf(int token) const;

  /// Chunks whose KV and index are in the store already, kept as the extras say. Call once, first.
  void adopt(const std::vector<Run>& chunks);
  /// The KV of a whole chunk as another cache of the same codec has it in its store. Notes are not copied.
  void copy(const KvCache& from, int chunk);
  /// A further chunk to be written to the store.
  int open(int tokens);
  /// A further chunk in memory, empty; `grow` and `extend` fill it token by token.
  int openTail();
  void grow(int chunk, int tokens);    ///< so many tokens more, whose KV `extend` brings layer by layer
  void shrink(int chunk, int tokens);  ///< takes the last tokens of the last chunk away

  void write(int layer, int chunk, const KvTensors& kv);  ///< whole chunk
  /// A token of a tail chunk that grew. keys, values: [kvHeads, headDimension], kept as `type`.
  void extend(int layer, int token, const float* keys, const float* values, at::ScalarType type);
  /// Of a tail chunk that still grows, the room for tokens to come too.
  KvTensors read(int layer, int chunk) const;

  /// How many tokens, from the first on, lie in the store in less than 16 bits a number; 0 where the codec
  /// needs more.
  int packedTokens() const;
  /// A layer of a chunk of these, as the codec left it; valid as long as the store is.
  const std::byte* packed(int layer, int chunk) const;
  const KvCodec& codec() const { return *codec_; }

  /// Tokens named for each KV head, anywhere before the tail: [kvHeads, count], int64. Of a document that is
  /// not kept whole, the first rows that are.
  KvTensors readKept(int layer, const at::Tensor& tokens) const;
  bool isKeptWhole() const { return !isCompact_; }
  /// Of a document that is not kept whole: the tokens of a layer's rows, [kvHeads, count], int64.
  at::Tensor keptTokens(int layer) const;
  void writeKept(int layer, const KvTensors& rows, const at::Tensor& tokens);

  /// Keys and values of a chunk's beacons, which are its index entry.
  void writeBeacons(int layer, int chunk, const KvTensors& kv);
  KvTensors readBeacons(int layer, int chunk) const;

  /// Index entries of all chunks of a layer, zero until set: [chunks, indexFloats].
  at::Tensor index(int layer) const;
  void setIndex(int layer, int chunk, const at::Tensor& entry);

  /// Notes of a chunk in a layer, zero until written. Changes stay in memory until `storeNotes`, which keeps
  /// those that were made before `startTail`: so what a stopped step noted is not there when it is read again.
  std::span<float> notes(int layer, int chunk);
  void storeNotes();

  std::size_t bytesInMemory() const;  ///< of tail chunks, the index and changed notes
  void release() { store_.release(); }
  /// From here on chunks are kept in memory, not in the store.
  void startTail() {
    tailFrom_ = chunks();
    own_ = {};
  }
  /// Whether a chunk is of a question or an answer, not of the document.
  bool isTail(int chunk) const { return tailFrom_ >= 0 && chunk >= tailFrom_; }

 private:
  using Tail = std::vector<KvTensors>;  ///< by layer
  struct Own {
    int layer = -1, chunk = -1;
    KvTensors kv;
  };
  std::byte* layerBytes(int layer, int chunk) const;
  Tail& tail(int chunk) { return tails_[static_cast<std::size_t>(chunk - tailFrom_)]; }
  const Tail& tail(int chunk) const { return tails_[static_cast<std::size_t>(chunk - tailFrom_)]; }

  KvShape shape_;
  const KvCodec* codec_;
  const KvCodec* keptCodec_;  ///< takes its place where the store holds what is kept
  ChunkStore& store_;
  Extras extras_;
  std::size_t kvBytes_;  ///< of one layer of a full chunk
  int tailFrom_ = -1;
  bool isCompact_ = false;
  Own own_;  ///< what was written last, as computed: a chunk's own queries meet it before the codec does
  std::vector<Run> chunks_;
  std::vector<Tail> tails_;
  int adopted_ = 0;                        ///< first chunks whose index entries lie in the store
  int notedChunks_ = 0;                    ///< first chunks whose notes do
  mutable std::vector<at::Tensor> index_;  ///< by layer: [capacity, indexFloats]; undefined until looked at
  std::map<std::pair<int, int>, std::vector<float>> notes_;  ///< by layer and chunk: not stored
};

}  // namespace kvasir
