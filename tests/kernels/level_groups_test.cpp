#include "kernels/level_groups.h"

#include "kernels/cases.h"
#include "tests/kernels/every_way.h"

namespace kvasir {
namespace {

using cases::Grouped;
using cases::unwritten;

class PackLevels : public EveryWay {
 protected:
  template <class Value>
  void pack(const LevelPacking<Value>& packing) const {
    if (isDefinition()) return cases::packByDefinition(packing);
    packLevels(packing);
  }

  template <class Value>
  void unpack(const LevelUnpacking<Value>& unpacking) const {
    if (!isDefinition()) return unpackLevels(unpacking);
    const LevelGroups& groups = unpacking.groups;
    for (std::int64_t sheet = 0; sheet < groups.sheets; ++sheet)
      for (int band = 0; band < groups.bands(); ++band)
        for (int row = 0; row < groups.rows(); ++row)
          for (int lane = 0; lane < groups.lanes; ++lane) unpacking.unpackByte(sheet, band, row, lane);
  }

  /// What numbers come back as, and one entry more that is not written.
  template <class Value>
  std::vector<Value> back(Grouped<Value>& grouped) const {
    pack(grouped.packing());
    std::vector<Value> out = unwritten<Value>(std::ssize(grouped.numbers) + 1);
    unpack(grouped.unpacking(out.data()));
    return out;
  }

  template <class Value>
  void expectRight(Grouped<Value> grouped) const {
    const LevelGroups& groups = grouped.groups;
    SCOPED_TRACE(testing::Message() << groups.sheets << " x " << groups.length << " x " << groups.lanes << ", "
                                    << groups.bits << " bits");
    const std::vector<Value> out = back(grouped);
    const std::vector<double> kept = reference::keptNumbers(groups, grouped.packed.data());
    EXPECT_TRUE(isNone(reference::differences(reference::packLevels(grouped.packing()), kept)));
    EXPECT_TRUE(
        isNone(reference::differences(reference::unpackLevels(grouped.unpacking(nullptr)), out.data())));
    EXPECT_TRUE(std::isnan(reference::number(out.back()))) << "written past the end";
    EXPECT_EQ(grouped.packed.back(), Grouped<Value>::kUnwritten) << "written past the end";
  }

  template <class Value>
  void expectTheDefinitionsBytes(Grouped<Value> grouped) const {
    Grouped<Value> defined = grouped;
    pack(grouped.packing());
    cases::packByDefinition(defined.packing());
    EXPECT_EQ(grouped.packed, defined.packed);
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, PackLevels, everyWay(), nameOfWay);

TEST_P(PackLevels, StaysWithinHalfALevelOfEveryNumberInAnyShape) {
  for (const LevelGroups& groups : cases::everyGroups()) {
    expectRight(Grouped<float>{groups});
    expectRight(Grouped<std::uint16_t>{groups});
  }
}

TEST_P(PackLevels, TakesAnyRange) {
  for (const float range : {1e-30f, 1e-3f, 1e30f}) {
    expectRight(Grouped<float>{cases::keysOf(70, 80, 4), range});
    expectRight(Grouped<std::uint16_t>{cases::valuesOf(70, 80, 2), range});
  }
}

TEST_P(PackLevels, KeepsTheSameBytesInEveryWay) {
  for (const LevelGroups& groups : cases::everyGroups()) {
    expectTheDefinitionsBytes(Grouped<float>{groups});
    expectTheDefinitionsBytes(Grouped<std::uint16_t>{groups});
  }
}

TEST_P(PackLevels, GivesEqualNumbersBackExactly) {
  for (const LevelGroups& groups : {cases::keysOf(37, 64, 4), cases::valuesOf(3, 80, 2)}) {
    Grouped<float> grouped{groups};
    std::fill(grouped.numbers.begin(), grouped.numbers.end(), -1.1f);
    const std::vector<float> out = back(grouped);
    EXPECT_EQ(std::vector<float>(out.begin(), out.end() - 1), grouped.numbers);
  }
}

TEST_P(PackLevels, GivesTheLeastAndTheGreatestTheEndsOfTheLevels) {
  Grouped<float> grouped{cases::valuesOf(1, 32, 2)};
  std::fill(grouped.numbers.begin(), grouped.numbers.end(), 1.0f);
  grouped.numbers[9] = -2;
  grouped.numbers[17] = 4;
  const std::vector<float> out = back(grouped);
  EXPECT_EQ(out[9], -2);
  EXPECT_EQ(out[17], 4);
  EXPECT_EQ(out[0], 2) << "a half is rounded up";
}

TEST_P(PackLevels, TakesNothing) {
  expectRight(Grouped<float>{cases::keysOf(0, 64, 4)});
  expectRight(Grouped<float>{cases::valuesOf(0, 64, 2)});
}

}  // namespace
}  // namespace kvasir
