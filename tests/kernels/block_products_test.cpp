#include "kernels/block_products.h"

#include "kernels/cases.h"
#include "tests/kernels/every_way.h"

namespace kvasir {
namespace {

using cases::Levels, cases::Matrix, cases::Offsets, cases::unwritten;

class RoundBlocks : public EveryWay {
 protected:
  template <class In>
  void expectRight(int rows, int columns, int blockSize, float range) const {
    cases::RoundedBlocks<In> rounded{rows, columns, blockSize, range};
    const BlockRounding<In> argument = rounded.argument();
    round(argument, 0, rows);
    std::vector<float> back;
    for (int row = 0; row < rows; ++row)
      for (int column = 0; column < columns; ++column)
        back.push_back(static_cast<float>(rounded.back(row, column)));
    EXPECT_TRUE(isNone(reference::differences(reference::roundBlocks(argument, rows), back)));
    for (int row = 0, at = 0; row < rows; ++row)
      for (int block = 0; block < argument.blocks(); ++block, ++at) {
        double sum = 0, fine = 0;
        for (int i = block * blockSize; i < (block + 1) * blockSize; ++i) {
          sum += rounded.back(row, i);
          fine += std::abs(rounded.fine[row * columns + i]);
        }
        EXPECT_NEAR(rounded.sums[at], sum, 1e-5 * rounded.scales[at] * 127 * blockSize) << row << " " << block;
        EXPECT_EQ(rounded.hasFine[at], at % 3 == 2) << row << " " << block;
        EXPECT_EQ(fine != 0, at % 3 == 2) << row << " " << block;
      }
  }
  template <class In>
  void round(const BlockRounding<In>& rounding, std::int64_t begin, std::int64_t end) const {
    if (!isDefinition()) return roundBlocks(rounding, begin, end);
    for (std::int64_t row = begin; row < end; ++row) rounding.roundRow(row);
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, RoundBlocks, everyWay(), nameOfWay);

TEST_P(RoundBlocks, TakesEveryRange) {
  for (const float range : {1e-6f, 3.0f, 1e6f}) {
    expectRight<float>(3, 96, 32, range);
    expectRight<float>(3, 96, 16, range);
    expectRight<std::uint16_t>(3, 96, 32, range);
  }
}

TEST_P(RoundBlocks, GivesTheSameAsTheDefinition) {
  cases::RoundedBlocks<float> rounded{4, 192, 32}, defined = rounded;
  roundBlocks(rounded.argument(), 0, 4);
  for (int row = 0; row < 4; ++row) defined.argument().roundRow(row);
  EXPECT_EQ(rounded.levels, defined.levels);
  EXPECT_EQ(rounded.fine, defined.fine);
  EXPECT_EQ(rounded.scales, defined.scales);
  EXPECT_EQ(rounded.sums, defined.sums);
}

TEST_P(RoundBlocks, WritesTheRowsAskedForAndNoOther) {
  cases::RoundedBlocks<float> rounded{3, 64, 32};
  round(rounded.argument(), 1, 2);
  for (int block = 0; block < 6; ++block) EXPECT_EQ(std::isnan(rounded.scales[block]), block / 2 != 1) << block;
}

class MultiplyBlocks : public EveryWay {
 protected:
  template <class Out>
  static BlockProduct<Out> productOf(const Matrix& matrix, const cases::RoundedBlocks<float>& x, Out* y,
                                     std::int64_t stride) {
    return {matrix.packed.matrix(),
            x.levels.data(),
            x.fine.data(),
            x.hasFine.data(),
            x.scales.data(),
            x.sums.data(),
            x.rows,
            y,
            stride};
  }
  template <class Out>
  void multiply(const BlockProduct<Out>& product, std::int64_t begin, std::int64_t end) const {
    if (!isDefinition()) return multiplyBlocks(product, begin, end);
    multiplyByDefinition(product, begin, end);
  }
  /// Against the product in double of the rounded rows; and what lies between the rows of y stays unwritten.
  template <class Out>
  void expectRight(const Matrix& matrix, int count) const {
    SCOPED_TRACE(testing::Message() << matrix.rows << " rows of " << matrix.columns << " in blocks of "
                                    << matrix.blockSize << " times " << count);
    cases::RoundedBlocks<float> x{count, matrix.columns, matrix.blockSize};
    roundBlocks(x.argument(), 0, count);
    const std::int64_t stride = matrix.rows + 3;
    std::vector<Out> y = unwritten<Out>(count * stride);
    const BlockProduct<Out> product = productOf(matrix, x, y.data(), stride);
    multiply(product, 0, product.matrix.panels());
    for (int index = 0; index < count; ++index) {
      reference::Expectations expected =
          reference::multiply(matrix.asRows(), [&](int i) { return x.back(index, i); });
      for (reference::Expected& entry : expected) entry = reference::stored<Out>(entry);
      EXPECT_TRUE(isNone(reference::differences(expected, y.data() + index * stride))) << index;
      for (std::int64_t i = matrix.rows; i < stride; ++i)
        EXPECT_TRUE(std::isnan(reference::number(y[index * stride + i])));
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, MultiplyBlocks, everyWay(), nameOfWay);

TEST_P(MultiplyBlocks, TakesEveryKindOfMatrixOfFourBits) {
  for (const Matrix::Kind& kind : cases::everyKind())
    if (kind.levels != Levels::Bytes)
      for (const int count : {1, 5}) {
        const Matrix matrix(41, 96, kind);
        expectRight<float>(matrix, count);
        expectRight<std::uint16_t>(matrix, count);
      }
}

TEST_P(MultiplyBlocks, TakesAnyCountOfRows) {
  for (const int rows : {1, 2, 15, 16, 17, 31, 32, 33, 48, 49})
    for (const int count : {1, 2, 3, 4, 9}) expectRight<float>(Matrix(rows, 64, {32, Levels::Nibbles}), count);
}

TEST_P(MultiplyBlocks, TakesMoreRowsThanMeetATileAtATimeAndMoreColumnsThanOneHas) {
  expectRight<float>(Matrix(19, 64, {32, Levels::Nibbles, Offsets::Some}), 259);
  expectRight<float>(Matrix(40, 32 * 19, {32, Levels::SignedNibbles, Offsets::None}), 6);
  expectRight<float>(Matrix(40, 16 * 35, {16, Levels::SignedNibbles, Offsets::None}), 6);
}

TEST_P(MultiplyBlocks, TakesTheLargestLevelsThereAre) {
  Matrix matrix(16, 32, {32, Levels::Nibbles});
  std::ranges::fill(matrix.levels, std::int8_t{15});
  matrix.packed = packPanels(matrix.asRows());
  cases::RoundedBlocks<float> x{1, 32, 32};
  std::ranges::fill(x.levels, std::int8_t{-127});
  std::ranges::fill(x.fine, std::int8_t{-128});
  x.hasFine = {1};
  x.scales = {1};
  x.sums = {-32 * 127.5f};
  std::vector<float> y = unwritten<float>(16);
  multiply(productOf(matrix, x, y.data(), 16), 0, 1);
  for (int row = 0; row < 16; ++row) EXPECT_FLOAT_EQ(y[row], matrix.scales[row] * 15 * 32 * -127.5f);
}

TEST_P(MultiplyBlocks, GivesARowTheSameWhateverComesWithIt) {
  const Matrix matrix(48, 320, {32, Levels::Nibbles, Offsets::Some});
  cases::RoundedBlocks<float> x{150, 320, 32};
  roundBlocks(x.argument(), 0, 150);
  std::vector<float> all = unwritten<float>(150 * 48);
  multiply(productOf(matrix, x, all.data(), 48), 0, 3);
  for (const int count : {1, 2, 3, 4, 5})
    for (const int index : {0, 5, 62, 127, 145}) {
      std::vector<float> some = unwritten<float>(count * 48);
      BlockProduct<float> product = productOf(matrix, x, some.data(), 48);
      product.count = count;
      product.levels += index * 320;
      product.fine += index * 320;
      product.hasFine += index * 10;
      product.scales += index * 10;
      product.sums += index * 10;
      multiply(product, 0, 3);
      for (int i = 0; i < count * 48; ++i) EXPECT_EQ(some[i], all[index * 48 + i]) << count << " " << index;
    }
}

}  // namespace
}  // namespace kvasir
