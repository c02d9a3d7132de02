#include "kernels/rotate.h"

#include "kernels/cases.h"
#include "tests/kernels/every_way.h"

namespace kvasir {
namespace {

using cases::Angles;
using cases::Rotated;
using cases::unwritten;

class RotateRows : public EveryWay {
 protected:
  template <class Value>
  void rotate(const Rotation<Value>& rotation) const {
    if (!isDefinition()) return rotateRows(rotation);
    for (int row = 0; row < rotation.rows; ++row)
      for (int i = 0; i < rotation.half; ++i) rotation.rotatePair(row, i);
  }

  template <class Value>
  void expectRight(const Rotated<Value>& rotated) const {
    SCOPED_TRACE(rotated.half);
    std::vector<Value> out = unwritten<Value>(rotated.in.size());
    const Rotation<Value> argument = rotated.argument(out.data());
    rotate(argument);
    EXPECT_TRUE(isNone(reference::differences(reference::rotate(argument), out)));
  }

  template <class Value>
  void expectRightInPlace(const Rotated<Value>& rotated) const {
    std::vector<Value> memory = rotated.in;
    Rotation<Value> argument = rotated.argument(memory.data());
    const reference::Expectations expected = reference::rotate(argument);
    argument.in = memory.data();
    rotate(argument);
    EXPECT_TRUE(isNone(reference::differences(expected, memory)));
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, RotateRows, everyWay(), nameOfWay);

TEST_P(RotateRows, TakesAnyHalf) {
  for (const int half : {1, 3, 8, 17, 32, 64}) {
    for (const Angles angles : {Angles::One, Angles::EachRow}) {
      expectRight(Rotated<float>(5, half, angles));
      expectRight(Rotated<std::uint16_t>(5, half, angles));
    }
  }
}

TEST_P(RotateRows, MayWriteWhereItReads) {
  for (const int half : {3, 32, 37}) {
    expectRightInPlace(Rotated<float>(4, half, Angles::EachRow));
    expectRightInPlace(Rotated<std::uint16_t>(4, half, Angles::EachRow));
  }
}

TEST_P(RotateRows, TakesNoRows) { expectRight(Rotated<float>(0, 8, Angles::EachRow)); }

}  // namespace
}  // namespace kvasir
