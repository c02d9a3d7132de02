#include "kernels/panels.h"

#include "kernels/cases.h"
#include "tests/kernels/every_way.h"

namespace kvasir {
namespace {

using cases::Matrix;
using cases::unwritten;

TEST(PackPanels, KeepsEveryWeightToTheBit) {
  for (const Matrix::Kind& kind : cases::everyKind()) {
    const Matrix matrix(37, 96, kind);
    const PanelMatrix packed = matrix.packed.matrix();
    for (int row = 0; row < matrix.rows; ++row)
      for (int i = 0; i < matrix.columns; ++i) {
        const int block = row * (matrix.columns / matrix.blockSize) + i / matrix.blockSize;
        ASSERT_EQ(packed.storedLevel(row, i) - packed.zero, matrix.levels[row * matrix.columns + i]);
        ASSERT_EQ(packed.scale(row, i / matrix.blockSize), matrix.scales[block]);
        ASSERT_EQ(packed.offset(row, i / matrix.blockSize), matrix.offsets.empty() ? 0 : matrix.offsets[block]);
      }
  }
}

TEST(PackPanels, TakesFourBitsWhereLevelsFitAndHalvesWhereScalesAreSuch) {
  using cases::Levels, cases::Offsets, cases::Scales;
  const auto bytes = [](Levels levels, Scales scales) {
    return Matrix(32, 64, {32, levels, Offsets::Some, scales}).packed.bytes();
  };
  constexpr std::size_t kLevels = 32 * 64, kBlocks = 32 * 2;
  EXPECT_EQ(bytes(Levels::Nibbles, Scales::Halves), kLevels / 2 + 4 * kBlocks);
  EXPECT_EQ(bytes(Levels::SignedNibbles, Scales::Floats), kLevels / 2 + 8 * kBlocks);
  EXPECT_EQ(bytes(Levels::Bytes, Scales::Halves), kLevels + 4 * kBlocks);
}

TEST(PackPanels, KeepsScalesThatNoHalfHolds) {
  for (const float scale : {70000.0f, 1e-9f, 1.0009766f * 1.0009766f, 0x1p-25f, -65520.0f}) {
    Matrix matrix(1, 32, {});
    matrix.scales = {scale};
    EXPECT_EQ(packPanels(matrix.asRows()).matrix().scale(0, 0), scale);
  }
  for (const float scale : {65504.0f, 0x1p-24f, -0x1p-14f, -0.0f, 0x1.ff8p-15f}) {
    Matrix matrix(1, 32, {});
    matrix.scales = {scale};
    const PackedPanels packed = packPanels(matrix.asRows());
    EXPECT_TRUE(packed.scales.empty()) << scale;
    EXPECT_EQ(packed.matrix().scale(0, 0), scale);
    EXPECT_EQ(std::signbit(packed.matrix().scale(0, 0)), std::signbit(scale));
  }
}

class ExpandRows : public EveryWay {
 protected:
  template <class Out>
  void expand(const PanelMatrix& matrix, std::int64_t begin, std::int64_t end, Out* out) const {
    if (!isDefinition()) return expandRows(matrix, begin, end, out);
    for (std::int64_t row = begin; row < end; ++row)
      for (int i = 0; i < matrix.columns; ++i) writeValue(matrix.weight(row, i), out++);
  }

  template <class Out>
  void expectRight(const Matrix& matrix, std::int64_t begin, std::int64_t end) const {
    std::vector<Out> out = unwritten<Out>((end - begin) * matrix.columns);
    expand(matrix.packed.matrix(), begin, end, out.data());
    EXPECT_TRUE(isNone(reference::differences(reference::expand<Out>(matrix.asRows(), begin, end), out)));
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, ExpandRows, everyWay(), nameOfWay);

TEST_P(ExpandRows, GivesEveryWeightOfEveryKind) {
  for (const Matrix::Kind& kind : cases::everyKind()) {
    const Matrix matrix(21, 96, kind);
    expectRight<float>(matrix, 0, 21);
    expectRight<std::uint16_t>(matrix, 0, 21);
  }
}

TEST_P(ExpandRows, WritesFromTheStartOfTheMemoryWhicheverRowBegins) {
  const Matrix matrix(47, 64, {16, cases::Levels::Nibbles, cases::Offsets::Some});
  for (const auto& [begin, end] : {std::pair{2, 6}, {15, 17}, {16, 32}, {46, 47}, {5, 5}}) {
    expectRight<float>(matrix, begin, end);
    expectRight<std::uint16_t>(matrix, begin, end);
  }
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
  Matrix matrix(rows, 16, {16});
  matrix.scales = numbers;
  matrix.levels.assign(matrix.levels.size(), 1);
  matrix.packed = packPanels(matrix.asRows());
  std::vector<std::uint16_t> out = unwritten<std::uint16_t>(rows * 16);
  expand(matrix.packed.matrix(), 0, rows, out.data());
  for (int i = 0; i < rows * 16; ++i) EXPECT_EQ(out[i], nearestBfloat(numbers[i / 16])) << numbers[i / 16];
}

class MultiplyExactly : public EveryWay {
 protected:
  void multiply(const ExactProduct& product, std::int64_t begin, std::int64_t end) const {
    if (!isDefinition()) return multiplyExactly(product, begin, end);
    const std::int64_t last = std::min<std::int64_t>(product.matrix.rows, end * PanelMatrix::kRows);
    for (std::int64_t row = begin * PanelMatrix::kRows; row < last; ++row) product.y[row] = product.entry(row);
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, MultiplyExactly, everyWay(), nameOfWay);

TEST_P(MultiplyExactly, TakesEveryKindAndAnyCountOfRows) {
  for (const Matrix::Kind& kind : cases::everyKind())
    for (const int rows : {1, 15, 16, 33}) {
      const Matrix matrix(rows, 96, kind);
      const std::vector<float> x = cases::randomValues<float>(96, 3, 3);
      std::vector<float> y = unwritten<float>(rows);
      const ExactProduct product{matrix.packed.matrix(), x.data(), y.data()};
      multiply(product, 0, product.matrix.panels());
      EXPECT_TRUE(isNone(reference::differences(
          reference::multiply(matrix.asRows(), [&](int i) { return double{x[i]}; }), y)));
    }
}

TEST_P(MultiplyExactly, WritesThePanelsAskedForAndNoOther) {
  const Matrix matrix(60, 32, {});
  const std::vector<float> x = cases::randomValues<float>(32, 3, 3);
  std::vector<float> y = unwritten<float>(60);
  multiply({matrix.packed.matrix(), x.data(), y.data()}, 1, 3);
  for (int row = 0; row < 60; ++row) EXPECT_EQ(std::isnan(y[row]), row < 16 || row >= 48) << row;
}

}  // namespace
}  // namespace kvasir
