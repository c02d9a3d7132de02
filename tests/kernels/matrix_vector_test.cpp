#include "kernels/matrix_vector.h"

#include "tests/kernels/cases.h"
#include "tests/kernels/every_way.h"

namespace kvasir {
namespace {

using cases::Offsets;
using cases::Product;
using cases::unwritten;

class MultiplyRows : public EveryWay {
 protected:
  void multiply(const AffineProduct& product, std::int64_t begin, std::int64_t end) const {
    if (!isDefinition()) return multiplyRows(product, begin, end);
    for (std::int64_t row = begin; row < end; ++row) product.y[row] = product.entry(row);
  }

  void expectRight(int rows, int columns, int blockSize, Offsets offsets) const {
    SCOPED_TRACE(testing::Message() << rows << " rows of " << columns << " in blocks of " << blockSize);
    const Product product(rows, columns, blockSize, offsets);
    std::vector<float> y = unwritten<float>(rows);
    const AffineProduct argument = product.argument(y.data());
    multiply(argument, 0, rows);
    EXPECT_TRUE(isNone(reference::differences(reference::multiply(argument, 0, rows), y)));
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, MultiplyRows, everyWay(), nameOfWay);

TEST_P(MultiplyRows, TakesAnyCountOfRows) {
  for (int rows = 1; rows <= 9; ++rows) expectRight(rows, 64, 32, Offsets::Some);
}

TEST_P(MultiplyRows, TakesOneBlockAndMore) {
  for (const int blockSize : {16, 32}) {
    for (const int blocks : {1, 2, 3, 18}) {
      expectRight(5, blocks * blockSize, blockSize, Offsets::Some);
      expectRight(5, blocks * blockSize, blockSize, Offsets::None);
    }
  }
}

TEST_P(MultiplyRows, WritesTheRowsAskedForAndNoOther) {
  const Product product(11, 96, 32, Offsets::Some);
  std::vector<float> y = unwritten<float>(11);
  const AffineProduct argument = product.argument(y.data());
  multiply(argument, 3, 9);
  EXPECT_TRUE(isNone(reference::differences(reference::multiply(argument, 3, 9), y.data() + 3)));
  for (const int row : {0, 1, 2, 9, 10}) EXPECT_TRUE(std::isnan(y[row])) << row;
}

TEST_P(MultiplyRows, WritesNothingForNoRows) {
  const Product product(4, 32, 32, Offsets::None);
  std::vector<float> y = unwritten<float>(4);
  multiply(product.argument(y.data()), 2, 2);
  for (const float entry : y) EXPECT_TRUE(std::isnan(entry));
}

class ExpandRows : public EveryWay {
 protected:
  template <class Out>
  void expand(const AffineProduct& product, std::int64_t begin, std::int64_t end, Out* out) const {
    if (!isDefinition()) return expandRows(product, begin, end, out);
    for (std::int64_t row = begin; row < end; ++row)
      for (int i = 0; i < product.columns; ++i) writeValue(product.weight(row, i), out++);
  }

  template <class Out>
  void expectRight(const Product& product, std::int64_t begin, std::int64_t end) const {
    std::vector<Out> out = unwritten<Out>((end - begin) * product.columns);
    expand(product.argument(), begin, end, out.data());
    EXPECT_TRUE(isNone(reference::differences(reference::expand<Out>(product.argument(), begin, end), out)));
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, ExpandRows, everyWay(), nameOfWay);

TEST_P(ExpandRows, GivesEveryWeight) {
  for (const int blockSize : {16, 32}) {
    for (const Offsets offsets : {Offsets::None, Offsets::Some}) {
      const Product product(5, 3 * blockSize, blockSize, offsets);
      expectRight<float>(product, 0, 5);
      expectRight<std::uint16_t>(product, 0, 5);
    }
  }
}

TEST_P(ExpandRows, WritesFromTheStartOfTheMemoryWhicheverRowBegins) {
  const Product product(7, 64, 16, Offsets::Some);
  expectRight<float>(product, 2, 6);
  expectRight<std::uint16_t>(product, 2, 6);
}

// The bf16 nearest to a float by their distances, even when there are two.
std::uint16_t nearestBfloat(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const auto low = static_cast<std::uint16_t>(bits >> 16);
  const auto high = static_cast<std::uint16_t>(low + 1);
  const bool overflows = (high & 0x7fff) == 0x7f80;
  const double beyond = overflows ? std::copysign(0x1p128, value) : reference::number(high);
  const double below = std::abs(value - reference::number(low)), above = std::abs(beyond - value);
  if (below != above) return below < above ? low : high;
  return low % 2 == 0 ? low : high;
}

float fromBits(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// Numbers on, beside and between ties, from the smallest to the largest, of both signs.
std::vector<float> roundedNumbers() {
  std::vector<float> numbers;
  for (const std::uint32_t high : {0x0000u, 0x0001u, 0x0002u, 0x007fu, 0x0080u, 0x3f7fu, 0x3f80u, 0x3f81u,
                                   0x3fffu, 0x4049u, 0x7f7eu, 0x7f7fu}) {
    for (const std::uint32_t low : {0x0000u, 0x0001u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) {
      const std::uint32_t bits = high << 16 | low;
      if (bits == 0) continue;  // the sign of zero is not kept: 0 is added
      numbers.push_back(fromBits(bits));
      numbers.push_back(fromBits(bits | 0x80000000u));
    }
  }
  return numbers;
}

TEST_P(ExpandRows, RoundsToTheNearestBfloatAndTiesToEven) {
  const std::vector<float> numbers = roundedNumbers();
  const int rows = static_cast<int>(numbers.size());
  Product product(rows, 16, 16, Offsets::None);
  product.scales = numbers;
  product.levels.assign(product.levels.size(), 1);
  std::vector<std::uint16_t> out = unwritten<std::uint16_t>(rows * 16);
  expand(product.argument(), 0, rows, out.data());
  for (int i = 0; i < rows * 16; ++i) EXPECT_EQ(out[i], nearestBfloat(numbers[i / 16])) << numbers[i / 16];
}

TEST(SumBlocks, AddsEachBlock) {
  for (const int blockSize : {16, 32}) {
    const std::vector<float> x = cases::randomValues<float>(5 * blockSize, 3, 11);
    std::vector<float> sums = unwritten<float>(5);
    sumBlocks(x.data(), 5 * blockSize, blockSize, sums.data());
    EXPECT_TRUE(isNone(reference::differences(reference::sumBlocks(x, blockSize), sums)));
  }
}

}  // namespace
}  // namespace kvasir
