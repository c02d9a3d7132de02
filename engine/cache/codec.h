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

/// How keys and values are stored. Stateless; any thread.
class KvCodec {
 public:
  virtual ~KvCodec() = default;

  /// Bytes of one layer of a chunk of that many tokens; a multiple of 64.
  virtual std::size_t bytes(const KvShape& shape, int tokens) const = 0;
  virtual void encode(const KvTensors& kv, std::byte* out) const = 0;
  /// In the dtype the codec was made for; may be a view of `from`.
  virtual KvTensors decode(const KvShape& shape, int tokens, const std::byte* from) const = 0;
};

/// Keeps the numbers as they are computed: bf16 where the engine is fast, float32 where it is exact.
std::unique_ptr<KvCodec> plainCodec(at::ScalarType computed);

}  // namespace kvasir
