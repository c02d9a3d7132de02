#include "engine/cache/codec.h"

namespace kvasir {
namespace {

class PlainCodec : public KvCodec {
 public:
  explicit PlainCodec(at::ScalarType type) : type_(type) {}

  std::size_t bytes(const KvShape& shape, int tokens) const override { return 2 * halfBytes(shape, tokens); }

  void encode(const KvTensors& kv, std::byte* out) const override {
    const KvShape shape{1, static_cast<int>(kv.keys.size(0)), static_cast<int>(kv.keys.size(2))};
    const int tokens = static_cast<int>(kv.keys.size(1));
    KvTensors stored = decode(shape, tokens, out);
    stored.keys.copy_(kv.keys);
    stored.values.copy_(kv.values);
  }

  KvTensors decode(const KvShape& shape, int tokens, const std::byte* from) const override {
    const std::vector<std::int64_t> sizes = {shape.kvHeads, tokens, shape.headDimension};
    std::byte* start = const_cast<std::byte*>(from);
    return {at::from_blob(start, sizes, type_), at::from_blob(start + halfBytes(shape, tokens), sizes, type_)};
  }

 private:
  std::size_t halfBytes(const KvShape& shape, int tokens) const {
    const std::size_t used = static_cast<std::size_t>(shape.kvHeads) * static_cast<std::size_t>(tokens) *
                             static_cast<std::size_t>(shape.headDimension) * at::elementSize(type_);
    return (used + 63) / 64 * 64;
  }

  at::ScalarType type_;
};

}  // namespace

std::unique_ptr<KvCodec> plainCodec(at::ScalarType computed) { return std::make_unique<PlainCodec>(computed); }

}  // namespace kvasir
