#pragma once

#include <cstddef>

#include "engine/torch.h"

namespace kvasir {

/// K and V of one layer of one chunk: [kvHeads, tokens, headDimension] each, keys un-rotated.
struct KvTensors {
  at::Tensor keys, values;
};

struct KvShape {
  int layers = 0, kvHeads = 0, headDimension = 0;
};

/// Where the levels of one KV head lie, as attention over packed keys takes them (kernels/attend_packed.h).
struct PackedHead {
  const std::uint8_t *keys = nullptr, *values = nullptr;  ///< null: the codec keeps no levels
  int bits = 0;
};

/// How keys and values are stored. Stateless; any thread.
class KvCodec {
 public:
  virtual ~KvCodec() = default;

  /// Bytes of one layer of a chunk of that many tokens; a multiple of 64.
  virtual std::size_t bytes(const KvShape& shape, int tokens) const = 0;
  virtual void encode(const KvTensors& kv, std::byte* out) const = 0;
  /// In the dtype the codec was made for; may be a view of `from`.
  virtual KvTensors decode(const KvShape& shape, int tokens, const std::byte* from) const = 0;
  /// Of what `encode` left: the levels of a KV head.
  virtual PackedHead packedHead(const KvShape& /*shape*/, int /*tokens*/, const std::byte* /*from*/,
                                int /*kvHead*/) const {
    return {};
  }
};

/// Keeps the numbers as they are computed: bf16 where the engine is fast, float32 where it is exact.
std::unique_ptr<KvCodec> plainCodec(at::ScalarType computed);

/// KIVI (§3.2, 3.3): levels of 4 or 2 bits between the least and the greatest of 32 numbers; keys along the
/// tokens of a channel, values along the channels of a token (kernels/level_groups.h). The recent tokens in
/// full precision are a chunk's own (KvCache::write), as with the paper's residual of 128 for keys; question
/// and answer stay in full precision, too. Departures: keys are quantised before rotation, since the cache
/// keeps them so; values become levels with their chunk's keys, not one token at a time; what is read later
/// meets levels, where the paper's first pass meets none, but for rows that choose from a document when it is
/// read, which pack what they keep then, best first (methods.h); scales are float32.
std::unique_ptr<KvCodec> kivi4Codec(at::ScalarType computed);
std::unique_ptr<KvCodec> kivi2Codec(at::ScalarType computed);

}  // namespace kvasir
