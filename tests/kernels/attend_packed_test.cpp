#include "kernels/attend_packed.h"

#include "kernels/cases.h"
#include "tests/kernels/every_way.h"

namespace kvasir {
namespace {

using cases::AttentionResult;
using cases::PackedAttended;

class AttendPacked : public EveryWay {
 protected:
  void attend(const PackedAttention& attention) const {
    isDefinition() ? cases::attendByDefinition(attention) : attendPacked(attention);
  }

  AttentionResult<PackedAttention> resultOf(const PackedAttended& attended) const {
    PackedAttention argument = attended.argument();
    AttentionResult result(argument);
    result.pointFrom(argument);
    attend(argument);
    return result;
  }

  void expectRight(const PackedAttended& attended) const {
    SCOPED_TRACE(testing::Message() << "group " << attended.group << ", dimension " << attended.dimension
                                    << ", count " << attended.count << ", " << attended.bits << " bits");
    const PackedAttention argument = attended.argument();
    const AttentionResult result = resultOf(attended);
    EXPECT_TRUE(isNone(result.differences(argument)));
    for (int query = 0; query < attended.group; ++query)
      EXPECT_TRUE(std::isnan(result.weights[query * argument.weightStride + attended.count]))
          << "written past the end";
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, AttendPacked, everyWay(), nameOfWay);

TEST_P(AttendPacked, TakesAnyGroup) {
  for (int group = 1; group <= 9; ++group)
    for (const int bits : {4, 2}) expectRight({group, 64, 37, bits});
}

TEST_P(AttendPacked, TakesAnyDimension) {
  for (const int dimension : {2, 6, 16, 30, 34, 64, 72, 80, 128, 256})
    for (const int bits : {4, 2}) expectRight({3, dimension, 41, bits});
}

TEST_P(AttendPacked, TakesAnyCount) {
  for (const int count : {0, 1, 7, 8, 15, 17, 32, 33, 127, 128})
    for (const int bits : {4, 2}) expectRight({3, 32, count, bits});
}

TEST_P(AttendPacked, TakesNeighboursThatShareAPositionAndOnePositionForAll) {
  for (const int place : {0, 1, 3}) expectRight({2, 64, 50, 4, 1, 4, place});
  expectRight({2, 64, 50, 4, 0});
}

TEST_P(AttendPacked, TakesScoresWhoseExponentialsWouldOverflow) {
  for (const float range : {12.0f, 40.0f}) expectRight({4, 64, 50, 4, 1, 1, 0, range});
}

/// What attention of keys and values that were unpacked and rotated before gives.
TEST_P(AttendPacked, GivesWhatTheUnpackedKeysGive) {
  const PackedAttended attended{3, 64, 100, 4};
  const PackedAttention argument = attended.argument();
  std::vector<float> keys(std::size_t(100) * 64), values(keys.size());
  unpackLevels(LevelUnpacking<float>{argument.keyLevels(), argument.keys, keys.data()});
  unpackLevels(LevelUnpacking<float>{argument.valueLevels(), argument.values, values.data()});
  rotateRows(Rotation<float>{keys.data(), keys.data(), argument.cosines, argument.sines, 100, 32, 32});
  TokenAttention<float> plain{argument.queries, 3, 64, keys.data(), values.data(), 100, argument.scale};
  plain.weightStride = argument.weightStride;
  AttentionResult expected(plain);
  expected.pointFrom(plain);
  attendToken(plain);
  const AttentionResult result = resultOf(attended);
  for (std::size_t i = 0; i < result.output.size(); ++i)
    EXPECT_NEAR(result.output[i], expected.output[i], 1e-4f);
  for (std::size_t i = 0; i < result.sum.size(); ++i) EXPECT_NEAR(result.sum[i], expected.sum[i], 1e-4f);
}

}  // namespace
}  // namespace kvasir
