#pragma once

#include "engine/gathered_kv.h"
#include "engine/policy/policy.h"
#include "engine/policy/positions.h"

namespace kvasir {

/// Which keys of the near group a block's queries see, in places of the gathered keys: none before `hidden`,
/// of [hidden, own) those within the window, and of [own, count) those not after them.
struct NearView {
  int hidden = 0, own = 0;
};

/// The two groups of keys of one layer, arranged for a block.
struct AttendedGroups {
  GatheredKv near, far;
  NearView view;
  int nearOrigin = 0;  ///< token that stands at position 0 of the near group
  int window = 0;      ///< near keys so far from a query, or further, are hidden from it; 0: none is
  int farFrom = 0;     ///< far keys nearer to a query than this are hidden from it
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
                        int from, const Block& block, float scale, Accelerator* device = nullptr);
at::Tensor receivedFar(const AttendedGroups& groups, const at::Tensor& far, const at::Tensor& logSums,
                       const Block& block, float scale, Accelerator* device = nullptr);

}  // namespace kvasir
