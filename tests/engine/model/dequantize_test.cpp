#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include "engine/model/dequantize.h"
#include "engine/model/gguf.h"
#include "tests/engine/model/synthetic_gguf.h"

namespace kvasir {
namespace {

constexpr TensorType kQuantised[] = {TensorType::Q4_0, TensorType::Q4_1, TensorType::Q5_0, TensorType::Q5_1,
                                     TensorType::Q8_0, TensorType::Q2_K, TensorType::Q3_K, TensorType::Q4_K,
                                     TensorType::Q5_K, TensorType::Q6_K};

std::vector<std::byte> readFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

/// Blocks of one type and the values the format's own library gives for them.
struct Golden {
  std::vector<std::byte> bytes;
  GgufTensor tensor;
  std::vector<float> values;
};

Golden goldenOf(TensorType type) {
  Golden golden;
  golden.bytes = readFile(std::filesystem::path(KVASIR_TEST_DATA) / "model" /
                          (std::string("blocks_") + nameOf(type) + ".bin"));
  const BlockFormat& format = *blockFormat(static_cast<std::uint32_t>(type));
  const std::size_t withValues =
      static_cast<std::size_t>(format.blockBytes) + 4u * static_cast<std::size_t>(format.blockValues);
  const std::size_t blocks = golden.bytes.size() / withValues;
  const std::size_t stored = blocks * static_cast<std::size_t>(format.blockBytes);
  golden.values.resize(blocks * static_cast<std::size_t>(format.blockValues));
  std::memcpy(golden.values.data(), golden.bytes.data() + stored, golden.values.size() * sizeof(float));
  golden.tensor = {
      "golden", type, {static_cast<std::int64_t>(golden.values.size())}, {golden.bytes.data(), stored}};
  return golden;
}

class EveryQuantisedType : public testing::TestWithParam<TensorType> {};

TEST_P(EveryQuantisedType, GivesTheValuesOfTheFormatsLibrary) {
  const Golden golden = goldenOf(GetParam());
  ASSERT_FALSE(golden.values.empty());
  std::vector<float> values(golden.values.size());
  dequantize(golden.tensor, 0, golden.tensor.count(), values.data());
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(values[i], golden.values[i]) << i;
}

TEST_P(EveryQuantisedType, IsExactlyScaleTimesLevelPlusOffset) {
  const Golden golden = goldenOf(GetParam());
  const auto affine = toAffineBlocks(golden.tensor);
  ASSERT_TRUE(affine);
  ASSERT_EQ(affine->levels.size(), golden.values.size());
  for (std::size_t i = 0; i < golden.values.size(); ++i) {
    const std::size_t group = i / static_cast<std::size_t>(affine->blockSize);
    const float offset = affine->offsets.empty() ? 0 : affine->offsets.at(group);
    ASSERT_EQ(affine->scales.at(group) * affine->levels[i] + offset, golden.values[i]) << i;
  }
}

TEST_P(EveryQuantisedType, ReadsFromTheMiddleAsFromTheStart) {
  const auto bytes = randomTensor(GetParam(), 1024, 1, 7);
  const GgufTensor tensor{"random", GetParam(), {2, 512}, bytes};
  std::vector<float> whole(1024), part(300);
  dequantize(tensor, 0, 1024, whole.data());
  dequantize(tensor, 512, 300, part.data());
  for (std::size_t i = 0; i < part.size(); ++i) ASSERT_EQ(part[i], whole[512 + i]);
}

TEST_P(EveryQuantisedType, IsWrittenRandomWithTheDeviationAsked) {
  const auto bytes = randomTensor(GetParam(), 1 << 16, 0.5f, 3);
  const GgufTensor tensor{"random", GetParam(), {1 << 16}, bytes};
  std::vector<float> values(1 << 16);
  dequantize(tensor, 0, 1 << 16, values.data());
  double sum = 0, squares = 0;
  for (const float value : values) sum += value, squares += static_cast<double>(value) * value;
  const double mean = sum / (1 << 16);
  EXPECT_NEAR(mean, 0, 0.06);
  EXPECT_NEAR(std::sqrt(squares / (1 << 16) - mean * mean), 0.5, 0.15);
}

INSTANTIATE_TEST_SUITE_P(Types, EveryQuantisedType, testing::ValuesIn(kQuantised),
                         [](const auto& type) { return std::string(nameOf(type.param)); });

TEST(PlainTypes, HaveNoAffineForm) {
  for (const TensorType type : {TensorType::F32, TensorType::F16, TensorType::BF16}) {
    const auto bytes = randomTensor(type, 32, 1, 1);
    EXPECT_FALSE(toAffineBlocks({"plain", type, {32}, bytes}));
  }
}

TEST(PlainTypes, AgreeToTheirPrecision) {
  std::vector<float> exact(256), rounded(256);
  const auto bytes = randomTensor(TensorType::F32, 256, 1, 5);
  dequantize({"exact", TensorType::F32, {256}, bytes}, 0, 256, exact.data());
  for (const TensorType type : {TensorType::F16, TensorType::BF16}) {
    const auto rough = randomTensor(type, 256, 1, 5);
    dequantize({"rough", type, {256}, rough}, 0, 256, rounded.data());
    for (int i = 0; i < 256; ++i) EXPECT_NEAR(rounded[i], exact[i], std::abs(exact[i]) / 127 + 1e-4);
  }
}

TEST(HalfPrecision, IsExactForEveryKindOfNumber) {
  EXPECT_EQ(halfToFloat(0x3c00), 1.0f);
  EXPECT_EQ(halfToFloat(0xc000), -2.0f);
  EXPECT_EQ(halfToFloat(0x3555), 0.333251953125f);
  EXPECT_EQ(halfToFloat(0x7bff), 65504.0f);
  EXPECT_EQ(halfToFloat(0x0001), 0x1p-24f);
  EXPECT_EQ(halfToFloat(0x83ff), -1023 * 0x1p-24f);
  EXPECT_EQ(halfToFloat(0x7c00), std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(halfToFloat(0x7e00)));
  EXPECT_TRUE(std::signbit(halfToFloat(0x8000)));
}

}  // namespace
}  // namespace kvasir
