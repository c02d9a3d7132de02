#include "engine/cache/codec.h"

#include "kernels/level_groups.h"

namespace kvasir {
namespace {

template <class Value>
void packHeads(const at::Tensor& from, const LevelGroups& groups, std::byte* to) {
  for (std::int64_t head = 0; head < from.size(0); ++head)
    packLevels(LevelPacking<Value>{groups,
                                   static_cast<const Value*>(from.const_data_ptr()) + head * from.stride(0),
                                   reinterpret_cast<std::uint8_t*>(to) + head * groups.bytes()});
}

/// [heads, tokens, dimension]; the groups are those of one head.
void pack(const at::Tensor& numbers, const LevelGroups& groups, std::byte* to) {
  // Heads lie further apart than a chunk is long where several chunks were computed at once.
  const bool isInRows = numbers.stride(2) == 1 && numbers.stride(1) == numbers.size(2);
  const at::Tensor from = isInRows ? numbers : numbers.contiguous();
  if (from.scalar_type() == at::kBFloat16) return packHeads<std::uint16_t>(from, groups, to);
  packHeads<float>(from.to(at::kFloat), groups, to);
}

template <class Value>
void unpackHeads(const std::byte* from, const LevelGroups& groups, const at::Tensor& to) {
  for (std::int64_t head = 0; head < to.size(0); ++head)
    unpackLevels(LevelUnpacking<Value>{groups,
                                       reinterpret_cast<const std::uint8_t*>(from) + head * groups.bytes(),
                                       static_cast<Value*>(to.mutable_data_ptr()) + head * to.stride(0)});
}

class KiviCodec : public KvCodec {
 public:
  KiviCodec(at::ScalarType type, int bits) : type_(type), bits_(bits) {}

  std::size_t bytes(const KvShape& shape, int tokens) const override {
    const std::int64_t head = keys(shape, tokens).bytes() + values(shape, tokens).bytes();
    return (static_cast<std::size_t>(shape.kvHeads * head) + 63) / 64 * 64;
  }

  void encode(const KvTensors& kv, std::byte* out) const override {
    const KvShape shape{1, static_cast<int>(kv.keys.size(0)), static_cast<int>(kv.keys.size(2))};
    const int tokens = static_cast<int>(kv.keys.size(1));
    const LevelGroups keyGroups = keys(shape, tokens);
    pack(kv.keys, keyGroups, out);
    pack(kv.values, values(shape, tokens), out + shape.kvHeads * keyGroups.bytes());
  }

  KvTensors decode(const KvShape& shape, int tokens, const std::byte* from) const override {
    const LevelGroups keyGroups = keys(shape, tokens);
    return {unpack(shape, tokens, keyGroups, from),
            unpack(shape, tokens, values(shape, tokens), from + shape.kvHeads * keyGroups.bytes())};
  }

  PackedHead packedHead(const KvShape& shape, int tokens, const std::byte* from, int kvHead) const override {
    const std::int64_t keyBytes = keys(shape, tokens).bytes(), valueBytes = values(shape, tokens).bytes();
    const auto* levels = reinterpret_cast<const std::uint8_t*>(from);
    return {levels + kvHead * keyBytes, levels + shape.kvHeads * keyBytes + kvHead * valueBytes, bits_};
  }

 private:
  /// Of one head: along the tokens of a channel.
  LevelGroups keys(const KvShape& shape, int tokens) const { return {1, tokens, shape.headDimension, bits_}; }
  /// Of one head: along the channels of a token.
  LevelGroups values(const KvShape& shape, int tokens) const { return {tokens, shape.headDimension, 1, bits_}; }

  at::Tensor unpack(const KvShape& shape, int tokens, const LevelGroups& groups, const std::byte* from) const {
    at::Tensor to = at::empty({shape.kvHeads, tokens, shape.headDimension}, type_);
    if (type_ == at::kFloat)
      unpackHeads<float>(from, groups, to);
    else
      unpackHeads<std::uint16_t>(from, groups, to);
    return to;
  }

  at::ScalarType type_;
  int bits_;
};

}  // namespace

std::unique_ptr<KvCodec> kivi4Codec(at::ScalarType computed) {
  return std::make_unique<KiviCodec>(computed, 4);
}
std::unique_ptr<KvCodec> kivi2Codec(at::ScalarType computed) {
  return std::make_unique<KiviCodec>(computed, 2);
}

}  // namespace kvasir
