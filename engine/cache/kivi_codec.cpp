#include "engine/cache/codec.h"

namespace kvasir {
namespace {

constexpr int kGroup = 32;  // numbers that share a scale and an offset (KIVI's G)

std::size_t groupsOf(std::size_t numbers) { return (numbers + kGroup - 1) / kGroup; }

/// Rows of numbers in groups: a scale and the least number of each group, then the levels, packed.
struct PackedRows {
  int bits;
  std::size_t rows, width;

  std::size_t groupBytes() const { return 2 * sizeof(float) + kGroup * static_cast<std::size_t>(bits) / 8; }
  std::size_t bytes() const { return rows * groupsOf(width) * groupBytes(); }

  void pack(const float* from, std::byte* to) const {
    for (std::size_t row = 0; row < rows; ++row)
      for (std::size_t first = 0; first < width; first += kGroup, to += groupBytes())
        packGroup(from + row * width + first, std::min<std::size_t>(kGroup, width - first), to);
  }
  void unpack(const std::byte* from, float* to) const {
    for (std::size_t row = 0; row < rows; ++row)
      for (std::size_t first = 0; first < width; first += kGroup, from += groupBytes())
        unpackGroup(from, std::min<std::size_t>(kGroup, width - first), to + row * width + first);
  }

 private:
  void packGroup(const float* from, std::size_t count, std::byte* to) const {
    const auto [least, most] = std::minmax_element(from, from + count);
    const int top = (1 << bits) - 1;
    const float range[2] = {(*most - *least) / static_cast<float>(top), *least};
    std::memcpy(to, range, sizeof range);
    auto* levels = reinterpret_cast<std::uint8_t*>(to + sizeof range);
    std::fill_n(levels, kGroup * bits / 8, std::uint8_t{0});
    const std::size_t perByte = 8 / static_cast<std::size_t>(bits);
    for (std::size_t i = 0; i < count; ++i) {
      const float level = range[0] > 0 ? std::round((from[i] - range[1]) / range[0]) : 0;
      const int kept = std::clamp(static_cast<int>(level), 0, top);
      levels[i / perByte] =
          static_cast<std::uint8_t>(levels[i / perByte] | kept << (static_cast<int>(i % perByte) * bits));
    }
  }
  void unpackGroup(const std::byte* from, std::size_t count, float* to) const {
    float range[2];
    std::memcpy(range, from, sizeof range);
    const auto* levels = reinterpret_cast<const std::uint8_t*>(from + sizeof range);
    const std::size_t perByte = 8 / static_cast<std::size_t>(bits);
    const int top = (1 << bits) - 1;
    for (std::size_t i = 0; i < count; ++i) {
      const int level = levels[i / perByte] >> (static_cast<int>(i % perByte) * bits) & top;
      to[i] = range[1] + range[0] * static_cast<float>(level);
    }
  }
};

class KiviCodec : public KvCodec {
 public:
  KiviCodec(at::ScalarType type, int bits) : type_(type), bits_(bits) {}

  std::size_t bytes(const KvShape& shape, int tokens) const override {
    return (keys(shape, tokens).bytes() + values(shape, tokens).bytes() + 63) / 64 * 64;
  }

  void encode(const KvTensors& kv, std::byte* out) const override {
    const KvShape shape{1, static_cast<int>(kv.keys.size(0)), static_cast<int>(kv.keys.size(2))};
    const PackedRows keyRows = keys(shape, static_cast<int>(kv.keys.size(1)));
    const at::Tensor byChannel = kv.keys.to(at::kFloat).transpose(1, 2).contiguous();
    keyRows.pack(byChannel.const_data_ptr<float>(), out);
    const at::Tensor byToken = kv.values.to(at::kFloat).contiguous();
    values(shape, static_cast<int>(kv.values.size(1)))
        .pack(byToken.const_data_ptr<float>(), out + keyRows.bytes());
  }

  KvTensors decode(const KvShape& shape, int tokens, const std::byte* from) const override {
    const PackedRows keyRows = keys(shape, tokens);
    at::Tensor byChannel = at::empty({shape.kvHeads, shape.headDimension, tokens}, at::kFloat);
    keyRows.unpack(from, byChannel.mutable_data_ptr<float>());
    at::Tensor byToken = at::empty({shape.kvHeads, tokens, shape.headDimension}, at::kFloat);
    values(shape, tokens).unpack(from + keyRows.bytes(), byToken.mutable_data_ptr<float>());
    return {byChannel.transpose(1, 2).contiguous().to(type_), byToken.to(type_)};
  }

 private:
  /// A row a channel, along the tokens.
  PackedRows keys(const KvShape& shape, int tokens) const {
    return {bits_, static_cast<std::size_t>(shape.kvHeads) * static_cast<std::size_t>(shape.headDimension),
            static_cast<std::size_t>(tokens)};
  }
  /// A row a token, along the channels.
  PackedRows values(const KvShape& shape, int tokens) const {
    return {bits_, static_cast<std::size_t>(shape.kvHeads) * static_cast<std::size_t>(tokens),
            static_cast<std::size_t>(shape.headDimension)};
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
