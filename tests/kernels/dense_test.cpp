#include "kernels/dense.h"

#include "kernels/cases.h"
#include "tests/kernels/every_way.h"

namespace kvasir {
namespace {

using cases::Held;
using cases::unwritten;

template <class Value>
class Dense : public testing::Test {};
using Values = testing::Types<float, std::uint16_t>;
TYPED_TEST_SUITE(Dense, Values);

TYPED_TEST(Dense, MultipliesManyRows) {
  for (cases::Dense<TypeParam>& dense : cases::everyDense<TypeParam>()) {
    SCOPED_TRACE(std::to_string(dense.count) + " × " + std::to_string(dense.rows) + " × " +
                 std::to_string(dense.columns));
    const DenseProduct<TypeParam> product = dense.argument();
    const reference::Expectations expected = reference::multiplyDense(product);
    multiplyDense(product, 0, dense.rows);
    EXPECT_TRUE(isNone(reference::differences(expected, dense.y)));
  }
}

TYPED_TEST(Dense, MultipliesOneVector) {
  for (const cases::Dense<TypeParam>& dense : cases::everyDense<TypeParam>()) {
    SCOPED_TRACE(std::to_string(dense.rows) + " × " + std::to_string(dense.columns));
    cases::DenseVector<TypeParam> vector{dense};
    const VectorProduct<TypeParam> product = vector.argument();
    const reference::Expectations expected = reference::multiplyVector(product);
    multiplyVector(product, 0, dense.rows);
    EXPECT_TRUE(isNone(reference::differences(expected, vector.y)));
  }
}

TYPED_TEST(Dense, WritesTheColumnsAskedForAndNoOther) {
  cases::Dense<TypeParam> dense{3, 10, 20};
  const DenseProduct<TypeParam> product = dense.argument();
  const reference::Expectations expected = reference::multiplyDense(product);
  multiplyDense(product, 4, 7);
  for (int i = 0; i < 30; ++i) {
    const bool isAsked = i % 10 >= 4 && i % 10 < 7;
    EXPECT_EQ(std::isnan(reference::number(dense.y[i])), !isAsked) << i;
    if (!isAsked) continue;
    EXPECT_TRUE(reference::distance(expected[i], dense.y[i]).isWithin()) << i;
  }
}

}  // namespace
}  // namespace kvasir
