#pragma once

#include <span>
#include <vector>

#include "engine/accelerator.h"
#include "engine/model/rope.h"
#include "engine/policy/policy.h"
#include "engine/policy/positions.h"

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

/// So many tokens of a layer are held unpacked, where the codec packs: what a budget allows is unpacked once
/// for many queries, and a whole document takes no more memory than it does packed.
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

  /// Of the last run, which is the block's own chunk, the last tokens go.
  void dropLast(int tokens);

  int count() const { return packedCount_ + count_; }
  int packedCount() const { return packedCount_; }  ///< the first ones
  const std::vector<PackedChunk>& packedChunks() const { return packed_; }
  /// Rotated keys, and values, of some of these: [kvHeads, tokens, headDimension]. Any thread; on at's threads.
  KvTensors unpacked(std::span<const PackedChunk> chunks) const;
  /// Rotated keys [from, to): [kvHeads, to - from, headDimension].
  at::Tensor keysAt(int from, int to) const;
  /// Of those in place, [kvHeads, count - packedCount, headDimension].
  at::Tensor keys() const { return keys_.narrow(1, 0, count_); }
  at::Tensor values() const { return values_.narrow(1, 0, count_); }
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
  /// The same on a device, where what is in place already stays too; nothing is packed. Throws DeviceFull.
  template <class Value>
  KvRows<Value> onDevice(const Accelerator& device) const;

 private:
  /// What a device holds of it: the first `count` rows.
  struct Mirror {
    DeviceMemory keys, values;
    std::int64_t capacity = 0;
    int count = 0;
  };
  void startWith(const at::Tensor& kept, int layer, const KvCache& cache, const RopeTable& table);
  void leavePacked(std::vector<PlacedRun>& runs, int layer, const KvCache& cache);
  void keepPrefix(const std::vector<PlacedRun>& runs);
  void append(const PlacedRun& placed, int layer, const KvCache& cache, const RopeTable& table);
  void reserve(int tokens, const at::Tensor& like);

  at::Tensor keys_, values_;  ///< [kvHeads, capacity, headDimension]
  int count_ = 0;             ///< in place
  std::vector<PackedChunk> packed_;
  int packedCount_ = 0;
  const KvCodec* codec_ = nullptr;  ///< of what is packed
  int expected_ = 0;                ///< tokens of what is being arranged: room is made for all at once
  bool grows_ = false;              ///< it holds the block's own chunk, which may still grow
  at::Tensor kept_;
  std::vector<PlacedRun> runs_, inPlace_;  ///< all, and those that are in place
  const RopeTable* table_ = nullptr;       ///< the keys were rotated by
  mutable Mirror mirror_;
};

/// Of gathered keys, ascending: how many come before a token.
int countBefore(const GatheredKv& gathered, int token);

/// Which keys of the near group a block's queries see, in places of the gathered keys: none before `hidden`,
/// some of [hidden, open) by the window, all of [open, own), and of [own, count) those not after them.
struct NearView {
  int hidden = 0, open = 0, own = 0;
};

/// The two groups of keys of one layer, arranged for a block.
struct AttendedGroups {
  GatheredKv near, far;
  NearView view;
  int nearOrigin = 0;  ///< token that stands at position 0 of the near group
  int window = 0;      ///< near keys so far from a query, or further, are hidden from it; 0: none is
  int farFrom = 0;     ///< far keys nearer to a query than this are hidden from it
  int farOpen = 0;     ///< so many far keys are seen by every query
};

/// Divides a selection and the block's own chunk into near and far keys and gathers them. mostUnpacked: as in
/// GatheredKv::arrange; only keys that every query sees may stay packed.
void arrangeGroups(const Selection& selection, const Block& block, const PositionScheme& positions, int layer,
                   const KvCache& cache, RopeTable& table, AttendedGroups& groups, int mostUnpacked = 0);

/// Queries of a block rotated for a group's keys.
at::Tensor rotateNear(const at::Tensor& queries, const Block& block, const AttendedGroups& groups,
                      const RopeTable& table);
at::Tensor rotateFar(const at::Tensor& queries, const Block& block, const PositionScheme& positions,
                     RopeTable& table);

/// KV entries the block's last query sees: what the budget bounds.
int attendedBy(const AttendedGroups& groups, const Block& block);

struct BlockOutput {
  at::Tensor values;   ///< [heads, tokens, headDimension], dtype of the queries
  at::Tensor logSums;  ///< [heads, tokens], float32: log of the sum of exp(scores)
};

/// Softmax attention of a block over both groups as one. near, far: rotated queries [heads, tokens,
/// headDimension]. device: computes it where it can; null: the processor does.
BlockOutput attendBlock(const AttendedGroups& groups, const at::Tensor& near, const at::Tensor& far,
                        const Block& block, float scale, Accelerator* device = nullptr);

/// The beacons of a block's chunk: queries at `position`, `each` apart, see the near keys of the tokens before
/// them, and of `own`, the beacons of their window up to the last of the chunk, those not after them. own: may
/// be empty. queries: rotated, [heads, beacons, headDimension].
BlockOutput attendBeacons(const AttendedGroups& groups, const GatheredKv& own, const at::Tensor& queries,
                          const Block& block, float scale, Accelerator* device = nullptr);

/// Attention that the gathered near keys [from, count), or all far keys, received from each query head, summed
/// over the block's queries: [heads, keys] in float32.
at::Tensor receivedNear(const AttendedGroups& groups, const at::Tensor& near, const at::Tensor& logSums,
                        int from, const Block& block, float scale);
at::Tensor receivedFar(const AttendedGroups& groups, const at::Tensor& far, const at::Tensor& logSums,
                       const Block& block, float scale);

}  // namespace kvasir
