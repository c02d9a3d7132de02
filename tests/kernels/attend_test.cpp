#include "kernels/attend.h"

#include "kernels/cases.h"
#include "tests/kernels/every_way.h"

namespace kvasir {
namespace {

using cases::Attended;
using cases::AttentionResult;

class AttendToken : public EveryWay {
 protected:
  template <class Value>
  void attend(const TokenAttention<Value>& attention) const {
    isDefinition() ? cases::attendByDefinition(attention) : attendToken(attention);
  }

  template <class Value>
  void expectRight(const Attended<Value>& attended) const {
    SCOPED_TRACE(testing::Message() << "group " << attended.group << ", dimension " << attended.dimension
                                    << ", count " << attended.count);
    TokenAttention<Value> argument = attended.argument();
    AttentionResult result(argument);
    result.pointFrom(argument);
    attend(argument);
    EXPECT_TRUE(isNone(result.differences(argument)));
    for (int query = 0; query < attended.group; ++query)
      EXPECT_TRUE(std::isnan(result.weights[query * argument.weightStride + attended.count]))
          << "written past the end";
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, AttendToken, everyWay(), nameOfWay);

TEST_P(AttendToken, TakesAnyGroup) {
  for (int group = 1; group <= 9; ++group) {
    expectRight(Attended<float>{group, 64, 37});
    expectRight(Attended<std::uint16_t>{group, 64, 37});
  }
}

TEST_P(AttendToken, TakesAnyDimension) {
  for (const int dimension : {1, 2, 7, 15, 16, 17, 33, 64, 80, 127, 128}) {
    expectRight(Attended<float>{3, dimension, 21});
    expectRight(Attended<std::uint16_t>{3, dimension, 21});
  }
}

TEST_P(AttendToken, TakesAnyCount) {
  for (const int count : {1, 2, 7, 16, 128, 1000}) {
    expectRight(Attended<float>{3, 32, count});
    expectRight(Attended<std::uint16_t>{3, 32, count});
  }
}

TEST_P(AttendToken, GivesNothingForNoKeys) {
  Attended<float> attended{3, 20, 0};
  expectRight(attended);
  TokenAttention<float> argument = attended.argument();
  AttentionResult result(argument);
  result.pointFrom(argument);
  attend(argument);
  for (const float largest : result.largest) EXPECT_EQ(largest, -std::numeric_limits<float>::infinity());
  for (const float sum : result.sum) EXPECT_EQ(sum, 0.0f);
  for (const float output : result.output) EXPECT_EQ(output, 0.0f);
}

TEST_P(AttendToken, TakesScoresWhoseExponentialsWouldOverflow) {
  for (const float range : {12.0f, 40.0f}) {
    expectRight(Attended<float>{4, 64, 50, range});
    expectRight(Attended<std::uint16_t>{4, 64, 50, range});
  }
}

TEST_P(AttendToken, GivesEqualWeightsToEqualKeys) {
  Attended<float> attended{2, 16, 19};
  for (std::size_t i = 16; i < attended.keys.size(); ++i) attended.keys[i] = attended.keys[i % 16];
  TokenAttention<float> argument = attended.argument();
  AttentionResult result(argument);
  result.pointFrom(argument);
  attend(argument);
  for (int k = 0; k < 19; ++k) EXPECT_EQ(result.weights[k], 1.0f);
  EXPECT_EQ(result.sum[0], 19.0f);
}

}  // namespace
}  // namespace kvasir
