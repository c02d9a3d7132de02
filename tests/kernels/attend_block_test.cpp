#include "kernels/attend_block.h"

#include "kernels/cases.h"
#include "tests/kernels/every_way.h"

namespace kvasir {
namespace {

using cases::AttendedRows;
using cases::Sight;

class AttendRows : public EveryWay {
 protected:
  template <class Value>
  void attend(const BlockAttention<Value>& attention, std::int64_t begin, std::int64_t end) const {
    if (!isDefinition()) return attendRows(attention, begin, end);
    for (std::int64_t row = begin; row < end; ++row) attention.attendRow(row);
  }

  template <class Value>
  void expectRows(const AttendedRows<Value>& rows, const BlockAttention<Value>& all, int begin, int end) const {
    for (int row = begin; row < end; ++row) {
      const auto expected = reference::attendRow(all, row);
      std::vector<float> divided;
      for (int i = 0; i < rows.dimension; ++i)
        divided.push_back(rows.output[row * rows.dimension + i] / rows.sum[row]);
      EXPECT_TRUE(isNone(reference::differences(expected.output, divided))) << "row " << row;
      EXPECT_NEAR(rows.largest[row] + std::log(rows.sum[row]), expected.logSum.value, expected.logSum.error)
          << row;
    }
  }

  template <class Value>
  void expectRight(AttendedRows<Value> rows) const {
    SCOPED_TRACE(testing::Message() << rows.rows << " rows of " << rows.dimension << " over " << rows.count);
    const BlockAttention<Value> attention = rows.argument();
    attend(attention, 0, rows.rows);
    expectRows(rows, attention, 0, rows.rows);
  }

  /// One row of six sees nothing.
  template <class Value>
  void expectBlindRowLeft() const {
    AttendedRows<Value> rows{6, 64, 40};
    const BlockAttention<Value> attention = rows.argument();
    rows.begins[2] = rows.ends[2] = 7;
    rows.output[2 * 64] = 5;
    rows.largest[2] = 3;
    rows.sum[2] = 2;
    attend(attention, 0, 6);
    EXPECT_EQ(rows.output[2 * 64], 5);
    EXPECT_EQ(rows.output[2 * 64 + 1], 0);
    EXPECT_EQ(rows.largest[2], 3);
    EXPECT_EQ(rows.sum[2], 2);
    expectRows(rows, attention, 0, 2);
    expectRows(rows, attention, 3, 6);
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, AttendRows, everyWay(), nameOfWay);

TEST_P(AttendRows, TakesAnyCountOfRowsAndKeys) {
  for (const int rows : {1, 2, 3, 4, 5, 13})
    for (const int count : {1, 3, 31, 32, 33, 100}) expectRight<float>({rows, 64, count});
}

TEST_P(AttendRows, TakesAnyDimensionInBothForms) {
  for (const int dimension : {1, 3, 16, 20, 64, 80, 256}) {
    expectRight<float>({6, dimension, 70});
    expectRight<std::uint16_t>({6, dimension, 70});
  }
}

TEST_P(AttendRows, TakesMoreRowsThanAStripHas) { expectRight<std::uint16_t>({450, 64, 460, Sight::Causal}); }

TEST_P(AttendRows, HidesWhatARowDoesNotSee) {
  for (const Sight sight : {Sight::Causal, Sight::Window}) {
    expectRight<float>({70, 64, 70, sight});
    expectRight<std::uint16_t>({50, 32, 173, sight});
  }
}

TEST_P(AttendRows, StaysExactWhereScoresAreLarge) { expectRight<float>({9, 64, 100, Sight::All, 60}); }

TEST_P(AttendRows, CountsManyKeysOfHardlyAnyWeightBesideOneOfMuch) {
  AttendedRows<std::uint16_t> rows{4, 64, 4000};
  for (int i = 0; i < 64; ++i) {  // the first key gets e¹⁰ times what any other does
    for (int row = 0; row < 4; ++row) writeValue(1.0f, &rows.queries[row * 64 + i]);
    for (int key = 0; key < 4000; ++key) {
      writeValue(key == 0 ? 10.0f / 64 / rows.argument().scale : 0.0f, &rows.keys[key * 64 + i]);
      writeValue(key == 0 ? 0.0f : 1.0f, &rows.values[key * 64 + i]);
    }
  }
  attend(rows.argument(), 0, 4);
  const double others = 3999 / (3999 + std::exp(10.0));
  for (int row = 0; row < 4; ++row) EXPECT_NEAR(rows.output[row * 64] / rows.sum[row], others, 0.02 * others);
}

TEST_P(AttendRows, GoesOnWhereAnEarlierCallEnded) {
  AttendedRows<float> rows{11, 64, 150};
  const BlockAttention<float> all = rows.argument();
  BlockAttention<float> part = all;
  std::fill(rows.ends.begin(), rows.ends.end(), 67);
  part.count = 67;
  attend(part, 0, 11);
  part.keys += 67 * 64;
  part.values += 67 * 64;
  part.count = 83;
  std::fill(rows.ends.begin(), rows.ends.end(), 83);
  attend(part, 0, 11);
  std::fill(rows.ends.begin(), rows.ends.end(), 150);
  expectRows(rows, all, 0, 11);
}

TEST_P(AttendRows, LeavesARowThatSeesNothingAsItWas) {
  expectBlindRowLeft<float>();
  expectBlindRowLeft<std::uint16_t>();
}

TEST_P(AttendRows, KeepsToTheLargestWeightWhereScoresAreVast) {
  AttendedRows<std::uint16_t> rows{4, 64, 64};
  for (auto* numbers : {&rows.queries, &rows.keys})
    for (std::uint16_t& number : *numbers) writeValue(60, &number);
  for (std::uint16_t& number : rows.values) writeValue(3, &number);
  attend(rows.argument(), 0, 4);
  for (int row = 0; row < 4; ++row) EXPECT_NEAR(rows.output[row * 64] / rows.sum[row], 3, 3e-3) << row;
}

TEST_P(AttendRows, WritesTheRowsAskedForAndNoOther) {
  AttendedRows<float> rows{12, 64, 40};
  const BlockAttention<float> attention = rows.argument();
  attend(attention, 5, 10);
  expectRows(rows, attention, 5, 10);
  for (const int row : {0, 4, 10, 11}) {
    EXPECT_EQ(rows.sum[row], 0) << row;
    for (int i = 0; i < 64; ++i) EXPECT_EQ(rows.output[row * 64 + i], 0);
  }
}

}  // namespace
}  // namespace kvasir
