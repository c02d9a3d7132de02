#pragma once

#include <span>
#include <vector>

#include "engine/cache/kv_cache.h"
#include "engine/model/rope.h"
#include "engine/torch.h"
#include "engine/trip.h"
#include "kernels/attend_packed.h"

namespace kvasir {

/// A run of keys and where they are placed.
struct PlacedRun {
  Run run;
  int position = 0, step = 1, group = 1;
  bool isOwn = false;  ///< the block's own chunk, as computed: others meet it as the codec gives it back
  int each = 0;        ///< its keys are beacons, one for so many tokens of whole chunks; 0: the tokens' own

  int keys() const { return (run.end - run.begin) / std::max(1, each); }
  bool operator==(const PlacedRun&) const = default;
};

/// Where keys and values lie, on the processor or on a device: [kvHeads, room, headDimension] each, rows of the
/// next KV head `headStride` values further on.
template <class Value>
struct KvRows {
  const Value* keys = nullptr;
  const Value* values = nullptr;
  std::int64_t headStride = 0;
};

/// At most so many tokens of a layer are held unpacked, where the codec packs: what a budget allows is unpacked
/// once for many queries, and a whole document takes no more memory than it does packed.
inline constexpr int kMostUnpacked = 8192;

/// Keys and values of the runs one layer attends to: rotated and side by side, or, the first of them, packed
/// where the cache has them. What is in place already stays there when the next list of runs begins with it:
/// dense attention only appends, and so does generating.
class GatheredKv {
 public:
  /// A chunk that is unpacked and rotated each time it is attended to.
  struct PackedChunk {
    PlacedRun placed;
    const std::byte* bytes = nullptr;
  };

  /// kept: as Selection::kept, before the runs, at true positions; undefined: none. mostUnpacked: of more
  /// tokens those that begin the list in whole chunks stay as a codec packed them, if it did; 0: all are
  /// unpacked. The cache and the table outlive what is arranged.
  void arrange(const at::Tensor& kept, const std::vector<PlacedRun>& runs, int layer, const KvCache& cache,
               const RopeTable& table, int mostUnpacked = 0);

  /// Takes the last tokens of the last run away, which is the block's own chunk.
  void dropLast(int tokens);

  int count() const { return packedCount_ + count_; }
  int packedCount() const { return packedCount_; }  ///< the first ones
  const std::vector<PackedChunk>& packedChunks() const { return packed_; }
  /// One of these as attention over levels takes it, without queries and room for what it gives. Any thread.
  PackedAttention packedHead(const PackedChunk& chunk, int kvHead) const;
  /// Rotated keys, and values, of some of these: [kvHeads, tokens, headDimension]. Any thread; on at's threads.
  KvTensors unpacked(std::span<const PackedChunk> chunks) const;
  /// Rotated keys [from, to): [kvHeads, to - from, headDimension].
  at::Tensor keysAt(int from, int to) const;
  int countInPlace() const { return count_; }  ///< those behind the packed ones
  int kvHeads() const { return static_cast<int>(keys_.size(0)); }
  at::Tensor keysInPlace() const {
    return keys_.narrow(1, 0, count_);
  }  ///< [kvHeads, countInPlace, headDimension]
  at::Tensor valuesInPlace() const { return values_.narrow(1, 0, count_); }
  /// Rows in place of the first KV head, the type's own; those of the next head lie `headStride` values further
  /// on.
  template <class Value>
  const Value* keyRows() const {
    return static_cast<const Value*>(keys_.const_data_ptr());
  }
  template <class Value>
  const Value* valueRows() const {
    return static_cast<const Value*>(values_.const_data_ptr());
  }
  std::int64_t headStride() const { return keys_.stride(0); }
  at::ScalarType type() const { return keys_.scalar_type(); }
  const at::Tensor& kept() const { return kept_; }
  int keptCount() const { return kept_.defined() ? static_cast<int>(kept_.size(1)) : 0; }
  const std::vector<PlacedRun>& runs() const { return runs_; }  ///< packed ones, too
  std::size_t bytes() const { return keys_.defined() ? keys_.nbytes() + values_.nbytes() : 0; }
  /// Where the same lies on a device; nothing is packed. What is in place there already stays too, the rest
  /// comes by copyHead. Between trips. Throws DeviceFull.
  template <class Value>
  KvRows<Value> onDevice(const Accelerator& device) const;
  /// Starts the copies of what the device lacks of a KV head. Head after head, each once.
  template <class Value>
  void copyHead(std::int64_t head, Trip& trip, void* stream) const;

 private:
  /// What a device holds of it: the first `count` rows.
  struct Mirror {
    DeviceMemory keys, values;
    std::int64_t capacity = 0;
    int count = 0;
  };
  KvShape shape() const;  ///< of one layer
  void startWith(const at::Tensor& kept, int layer, const KvCache& cache, const RopeTable& table);
  void leavePacked(std::vector<PlacedRun>& runs, int layer, const KvCache& cache);
  void keepPrefix(const std::vector<PlacedRun>& runs);
  void append(const PlacedRun& placed, int layer, const KvCache& cache, const RopeTable& table);
  void reserve(int tokens, const at::Tensor& like);

  at::Tensor keys_, values_;  ///< [kvHeads, capacity, headDimension]
  int count_ = 0;             ///< in place
  std::vector<PackedChunk> packed_;
  int packedCount_ = 0;
  const KvCodec* codec_ = nullptr;  ///< of what is packed; null: nothing may stay so
  int expected_ = 0;                ///< tokens of what is being arranged: room is made for all at once
  bool grows_ = false;              ///< it holds the block's own chunk, which may still grow
  at::Tensor kept_;
  std::vector<PlacedRun> runs_, inPlace_;  ///< all, and those that are in place
  const RopeTable* table_ = nullptr;       ///< the keys were rotated by
  mutable Mirror mirror_;
};

/// Of gathered keys, ascending: how many come before a token.
int countBefore(const GatheredKv& gathered, int token);
/// How many of the last ones are of tokens that follow each other without a gap.
int countInARow(const GatheredKv& gathered);

}  // namespace kvasir
