#include "kernels/rounding.h"

#include "kernels/cases.h"
#include "tests/kernels/every_way.h"

namespace kvasir {
namespace {

class RoundRows : public EveryWay {
 protected:
  template <class In>
  void round(const RowRounding<In>& rounding, std::int64_t begin, std::int64_t end) const {
    if (!isDefinition()) return roundRows(rounding, begin, end);
    for (std::int64_t row = begin; row < end; ++row) rounding.roundRow(row);
  }

  template <class In>
  void expectRight(cases::Rounded<In> rounded) const {
    const RowRounding<In> argument = rounded.argument();
    round(argument, 0, rounded.rows);
    std::vector<float> back;
    for (std::int64_t i = 0; i < std::ssize(rounded.in); ++i) back.push_back(rounded.back(i));
    EXPECT_TRUE(isNone(reference::differences(reference::roundRows(argument, rounded.rows), back)));
    for (std::size_t block = 0; block < rounded.sums.size(); ++block) {
      int sum = 0;
      for (int i = 0; i < rounded.blockSize; ++i) sum += rounded.levels[block * rounded.blockSize + i];
      EXPECT_EQ(rounded.sums[block], static_cast<float>(sum));
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, RoundRows, everyWay(), nameOfWay);

TEST_P(RoundRows, StaysWithinHalfALevelOfEveryNumber) {
  for (const int blockSize : {16, 32})
    for (const float range : {1e-3f, 3.0f, 1e6f}) {
      expectRight(cases::Rounded<float>{5, 3 * blockSize, blockSize, range});
      expectRight(cases::Rounded<std::uint16_t>{5, 3 * blockSize, blockSize, range});
    }
}

TEST_P(RoundRows, GivesZerosForARowOfZerosAndOfNumbersTooSmall) {
  cases::Rounded<float> rounded{2, 32, 32};
  std::fill_n(rounded.in.begin(), 32, 0.0f);
  std::fill_n(rounded.in.begin() + 32, 32, 1e-38f);
  round(rounded.argument(), 0, 2);
  for (const std::int16_t level : rounded.levels) EXPECT_EQ(level, 0);
  EXPECT_EQ(rounded.scales, (std::vector<float>{0, 0}));
  EXPECT_EQ(rounded.sums, (std::vector<float>{0, 0}));
}

TEST_P(RoundRows, GivesTheLargestTheLargestLevelWhateverItsSign) {
  cases::Rounded<float> rounded{1, 64, 32};
  rounded.in[37] = -11;
  round(rounded.argument(), 0, 1);
  EXPECT_EQ(rounded.levels[37], -32767);
}

TEST_P(RoundRows, WritesTheRowsAskedForAndNoOther) {
  cases::Rounded<float> rounded{4, 32, 32};
  round(rounded.argument(), 1, 3);
  for (int row = 0; row < 4; ++row) EXPECT_EQ(std::isnan(rounded.scales[row]), row == 0 || row == 3) << row;
  for (int i = 0; i < 32; ++i) {
    EXPECT_EQ(rounded.levels[i], 12345);
    EXPECT_EQ(rounded.levels[96 + i], 12345);
  }
}

}  // namespace
}  // namespace kvasir
