#include "kernels/products.h"

#include "kernels/cases.h"
#include "tests/kernels/every_way.h"

namespace kvasir {
namespace {

using cases::Matrix;
using cases::unwritten;

class MultiplyPanels : public EveryWay {
 protected:
  template <class Out>
  void multiply(const PanelProduct<Out>& product, std::int64_t begin, std::int64_t end) const {
    if (!isDefinition()) return multiplyPanels(product, begin, end);
    multiplyByDefinition(product, begin, end);
  }

  template <class Out>
  static PanelProduct<Out> productOf(const Matrix& matrix, const cases::Rounded<float>& x, Out* y,
                                     std::int64_t stride) {
    return {matrix.packed.matrix(), x.levels.data(), x.scales.data(), x.sums.data(), x.rows, y, stride};
  }

  /// Against the product in double of the rounded rows; and what lies between the rows of y stays unwritten.
  template <class Out>
  void expectRight(const Matrix& matrix, int count) const {
    SCOPED_TRACE(testing::Message() << matrix.rows << " rows of " << matrix.columns << " in blocks of "
                                    << matrix.blockSize << ", " << matrix.packed.shape.bits << " bits, times "
                                    << count);
    cases::Rounded<float> x{count, matrix.columns, matrix.blockSize};
    roundRows(x.argument(), 0, count);
    const std::int64_t stride = matrix.rows + 3;
    std::vector<Out> y = unwritten<Out>(count * stride);
    const PanelProduct<Out> product = productOf(matrix, x, y.data(), stride);
    multiply(product, 0, product.matrix.panels());
    for (int index = 0; index < count; ++index) {
      const auto number = [&](int i) {
        return double{x.scales[index]} * x.levels[std::size_t(index) * matrix.columns + i];
      };
      reference::Expectations expected = reference::multiply(matrix.asRows(), number);
      for (reference::Expected& entry : expected) entry = reference::stored<Out>(entry);
      EXPECT_TRUE(isNone(reference::differences(expected, y.data() + index * stride))) << index;
      for (std::int64_t i = matrix.rows; i < stride; ++i)
        EXPECT_TRUE(std::isnan(reference::number(y[index * stride + i])));
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, MultiplyPanels, everyWay(), nameOfWay);

TEST_P(MultiplyPanels, TakesEveryKindOfMatrixWithOneRowAndMore) {
  for (const Matrix::Kind& kind : cases::everyKind())
    for (const int count : {1, 5}) {
      const Matrix matrix(41, 96, kind);
      expectRight<float>(matrix, count);
      expectRight<std::uint16_t>(matrix, count);
    }
}

TEST_P(MultiplyPanels, TakesAnyCountOfRows) {
  for (const int rows : {1, 2, 15, 16, 17, 31, 32, 33, 48, 49})
    for (const int count : {1, 2, 3, 4, 9}) expectRight<float>(Matrix(rows, 64, {}), count);
}

TEST_P(MultiplyPanels, TakesMoreRowsThanMeetATileAtATimeAndMoreColumnsThanOneHas) {
  using cases::Levels, cases::Offsets;
  expectRight<float>(Matrix(19, 64, {32, Levels::Nibbles, Offsets::Some}), 259);
  expectRight<float>(Matrix(40, 32 * 19, {32, Levels::SignedNibbles, Offsets::None}), 6);
  expectRight<float>(Matrix(40, 16 * 35, {16, Levels::Bytes, Offsets::None}), 6);
}

TEST_P(MultiplyPanels, WritesThePanelsAskedForAndNoOther) {
  const Matrix matrix(80, 64, {});
  for (const int count : {1, 5}) {
    cases::Rounded<float> x{count, 64, 32};
    roundRows(x.argument(), 0, count);
    std::vector<float> y = unwritten<float>(count * 80);
    const PanelProduct<float> product = productOf(matrix, x, y.data(), 80);
    multiply(product, 2, 2);
    for (const float entry : y) EXPECT_TRUE(std::isnan(entry));
    multiply(product, 1, 4);
    for (int i = 0; i < count * 80; ++i) EXPECT_EQ(std::isnan(y[i]), i % 80 < 16 || i % 80 >= 64) << i;
  }
}

TEST_P(MultiplyPanels, GivesARowTheSameWhateverComesWithIt) {
  const Matrix matrix(48, 320, {32, cases::Levels::Nibbles, cases::Offsets::Some});
  cases::Rounded<float> x{70, 320, 32};
  roundRows(x.argument(), 0, 70);
  std::vector<float> all = unwritten<float>(70 * 48);
  multiply(productOf(matrix, x, all.data(), 48), 0, 3);
  for (const int count : {1, 2, 3, 4, 5})
    for (const int index : {0, 5, 62, 65}) {
      std::vector<float> some = unwritten<float>(count * 48);
      PanelProduct<float> product = productOf(matrix, x, some.data(), 48);
      product.count = count;
      product.levels += index * 320;
      product.scales += index;
      product.sums += index * 10;
      multiply(product, 0, 3);
      for (int i = 0; i < count * 48; ++i) EXPECT_EQ(some[i], all[index * 48 + i]) << count << " " << index;
    }
}

}  // namespace
}  // namespace kvasir
