// KIVI against plain arithmetic written from its paper.
#include <gtest/gtest.h>

#include "tests/engine/one_layer.h"

namespace kvasir {
namespace {

/// The values of one group after b bits: levels between the least and the greatest.
std::vector<double> quantised(const std::vector<double>& values, int bits) {
  const auto [least, most] = std::ranges::minmax(values);
  const double scale = (most - least) / ((1 << bits) - 1);
  std::vector<double> out;
  for (const double value : values)
    out.push_back(scale > 0 ? std::round((value - least) / scale) * scale + least : value);
  return out;
}

/// [rows, columns], groups of 32 along the columns.
at::Tensor quantisedRows(const at::Tensor& rows, int bits) {
  at::Tensor out = rows.clone();
  for (std::int64_t row = 0; row < rows.size(0); ++row)
    for (std::int64_t first = 0; first < rows.size(1); first += 32) {
      std::vector<double> group;
      for (std::int64_t i = first; i < std::min(first + 32, rows.size(1)); ++i)
        group.push_back(rows[row][i].item<double>());
      const std::vector<double> levels = quantised(group, bits);
      for (std::size_t i = 0; i < levels.size(); ++i)
        out[row][first + static_cast<std::int64_t>(i)] = levels[i];
    }
  return out;
}

class Kivi : public testing::TestWithParam<int> {
 protected:
  std::string row() const { return "kivi-" + std::to_string(GetParam()); }

  KvTensors recoded(at::ScalarType type, const KvShape& shape, const KvTensors& kv) const {
    const auto codec = findMethod(row()).codec.make(type);
    const int tokens = static_cast<int>(kv.keys.size(1));
    std::vector<std::byte> bytes(codec->bytes(shape, tokens));
    codec->encode(kv, bytes.data());
    return codec->decode(shape, tokens, bytes.data());
  }

  c10::InferenceMode noGradients_;
};

TEST_P(Kivi, KeepsKeysByChannelAndValuesByToken) {
  constexpr int kTokens = 70, kWidth = 48;  // groups of 32, 32 and 6, and of 32 and 16
  at::manual_seed(2);
  const KvTensors kv{at::randn({2, kTokens, kWidth}) + at::randn({1, 1, kWidth}) * 5,
                     at::randn({2, kTokens, kWidth})};
  const KvTensors back = recoded(at::kFloat, {1, 2, kWidth}, kv);
  for (int head = 0; head < 2; ++head) {
    EXPECT_TRUE(at::allclose(back.keys[head], quantisedRows(kv.keys[head].t().contiguous(), GetParam()).t(),
                             1e-5, 1e-5));
    EXPECT_TRUE(at::allclose(back.values[head], quantisedRows(kv.values[head], GetParam()), 1e-5, 1e-5));
  }
}

TEST_P(Kivi, TakesItsShareOfBytes) {
  const KvShape shape{1, 3, 64};
  const double plain = static_cast<double>(plainCodec(at::kBFloat16)->bytes(shape, kChunkTokens));
  const double share =
      static_cast<double>(findMethod(row()).codec.make(at::kBFloat16)->bytes(shape, kChunkTokens)) / plain;
  EXPECT_NEAR(share, (GetParam() + 2) / 16.0, 0.01);  // a scale and an offset for 32 numbers: two bits a number
}

TEST_P(Kivi, TakesBf16AsTheSameNumbersInFloat) {
  constexpr int kTokens = 70, kWidth = 80;
  const KvShape shape{1, 2, kWidth};
  at::manual_seed(3);
  const KvTensors kv{at::randn({2, kTokens, kWidth}).to(at::kBFloat16),
                     at::randn({2, kTokens, kWidth}).to(at::kBFloat16)};
  const KvTensors rounded = recoded(at::kBFloat16, shape, kv);
  const KvTensors exact = recoded(at::kFloat, shape, {kv.keys.to(at::kFloat), kv.values.to(at::kFloat)});
  EXPECT_TRUE(at::equal(rounded.keys, exact.keys.to(at::kBFloat16)));
  EXPECT_TRUE(at::equal(rounded.values, exact.values.to(at::kBFloat16)));
}

TEST_P(Kivi, TakesTokensAsAPartOfMore) {
  const KvShape shape{1, 2, 64};
  at::manual_seed(4);
  const KvTensors all{at::randn({2, 300, 64}), at::randn({2, 64, 300}).transpose(1, 2)};
  const KvTensors part{all.keys.narrow(1, 100, 128), all.values.narrow(1, 100, 128)};
  const KvTensors back = recoded(at::kFloat, shape, part);
  const KvTensors expected = recoded(at::kFloat, shape, {part.keys.contiguous(), part.values.contiguous()});
  EXPECT_TRUE(at::equal(back.keys, expected.keys));
  EXPECT_TRUE(at::equal(back.values, expected.values));
}

// A chunk's own queries meet its keys and values as computed, later ones meet levels: unpacked before, or as
// they are attended to.
TEST_P(Kivi, IsMetByLaterChunksOnly) {
  const Tensors t = randomTensors(300);
  const at::Tensor ours = OneLayer(findMethod(row()), 0).run(t);
  const at::Tensor packed = OneLayer(findMethod(row()), 0, {}, 0, kChunkTokens).run(t);
  for (const int query : {5, 127, 128, 255, 256, 299}) {
    Tensors met{t.queries, t.keys.clone(), t.values.clone()};
    for (int chunk = 0; chunk < query / kChunkTokens; ++chunk)
      for (int head = 0; head < kKvHeads; ++head) {
        const auto own = [&](const at::Tensor& all) {
          return all[head].narrow(0, chunk * kChunkTokens, kChunkTokens);
        };
        own(met.keys).copy_(quantisedRows(own(t.keys).t().contiguous(), GetParam()).t());
        own(met.values).copy_(quantisedRows(own(t.values), GetParam()));
      }
    std::vector<Meeting> keys;
    for (int token = 0; token <= query; ++token) keys.push_back({token, double(token), double(query)});
    for (int head = 0; head < kHeads; ++head) {
      const std::vector<double> expected = attend(met, query, head, keys);
      expectNear(ours, expected, head, query);
      expectNear(packed, expected, head, query);
    }
  }
}

// Only what is in place takes memory: here the chunk that is being read.
TEST_P(Kivi, StaysPackedWhereMuchIsAttendedTo) {
  constexpr int kTokens = 20 * kChunkTokens;
  const Tensors t = randomTensors(kTokens);
  OneLayer unpacked(findMethod(row()), 0), packed(findMethod(row()), 0, {}, 0, 4 * kChunkTokens);
  unpacked.run(t);
  packed.run(t);
  EXPECT_EQ(unpacked.groups().near.packedCount(), 0);
  EXPECT_EQ(packed.groups().near.packedCount(), kTokens - kChunkTokens);
  EXPECT_EQ(packed.groups().near.count(), kTokens);
  EXPECT_LE(packed.groups().near.bytes(), unpacked.groups().near.bytes() / 8);
  EXPECT_TRUE(at::allclose(packed.groups().near.keysAt(100, kTokens - 7),
                           unpacked.groups().near.keysInPlace().narrow(1, 100, kTokens - 107), 1e-6, 1e-6));
  EXPECT_LE(packed.lookups(), 9 * 20) << "what stays packed is looked up once";
}

// Where the first of what is seen is no whole chunk nothing stays packed, and what is in place stays there.
TEST_P(Kivi, GathersOnceWhatCannotStayPacked) {
  const Method& method = findMethod("quest+" + row());
  const Tensors t = randomTensors(12 * kChunkTokens);
  OneLayer layer(method, 8 * kChunkTokens, {}, 0, 2 * kChunkTokens), unpacked(method, 8 * kChunkTokens);
  for (OneLayer* each : {&layer, &unpacked}) {
    for (int first = 0; first < 10 * kChunkTokens; first += kChunkTokens) each->chunk(t, first, kChunkTokens);
    each->startQuestion();
    for (int token = 10 * kChunkTokens; token < 10 * kChunkTokens + 40; ++token) each->chunk(t, token, 1);
  }
  EXPECT_LE(layer.lookups(), unpacked.lookups() + 10);
}

INSTANTIATE_TEST_SUITE_P(Bits, Kivi, testing::Values(4, 2));

TEST(PackedMethod, IsARowWithAnotherCodec) {
  const Method& packed = findMethod("quest+kivi-2");
  const Method& row = findMethod("quest");
  EXPECT_STREQ(packed.name, "quest+kivi-2");
  EXPECT_EQ(packed.codec.make, findMethod("kivi-2").codec.make);
  EXPECT_EQ(packed.policy.make, row.policy.make);
  EXPECT_EQ(packed.positions.make, row.positions.make);
}

// Beacons are no keys of the text, and lie in the index.
TEST(PackedMethod, IsThereWhereverACodecKeepsKeysAndValues) {
  for (const Method& row : methods()) {
    const bool isThere = keepsKv(row) && row.codec.make == plainCodec && std::string_view(row.name) != "beacon";
    for (const char* packing : {"+kivi-4", "+kivi-2"})
      EXPECT_EQ(methodNamed(std::string(row.name) + packing) != nullptr, isThere) << row.name;
  }
  for (const char* name : {"rag+kivi-4", "kivi-4+kivi-2", "beacon+kivi-2", "quest+kivi-3", "quest+"})
    EXPECT_EQ(methodNamed(name), nullptr) << name;
  EXPECT_NE(methodNamed("h2o+kivi-4"), nullptr);
  EXPECT_THROW(findMethod("beacon+kivi-2"), std::runtime_error);
}

}  // namespace
}  // namespace kvasir
