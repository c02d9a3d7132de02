#include "kernels/rows.h"

#include "kernels/cases.h"
#include "tests/kernels/every_way.h"

namespace kvasir {
namespace {

using cases::unwritten;

constexpr int kWidths[] = {1, 3, 15, 16, 17, 31, 64, 577};

class NormalizeRows : public EveryWay {
 protected:
  template <class Out>
  void normalize(const RowNorm<Out>& norm, std::int64_t begin, std::int64_t end) const {
    if (!isDefinition()) return normalizeRows(norm, begin, end);
    for (std::int64_t row = begin; row < end; ++row) {
      const float factor = norm.factor(norm.sumSquares(row));
      for (int i = 0; i < norm.width; ++i) norm.writeEntry(row, i, factor);
    }
  }

  template <class Out>
  void expectRight(const cases::Norm<Out>& norm) const {
    SCOPED_TRACE(norm.width);
    std::vector<Out> out = unwritten<Out>(norm.in.size());
    const RowNorm<Out> argument = norm.argument(out.data());
    normalize(argument, 0, norm.rows);
    EXPECT_TRUE(isNone(reference::differences(reference::normalize(argument, 0, norm.rows), out)));
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, NormalizeRows, everyWay(), nameOfWay);

TEST_P(NormalizeRows, TakesAnyWidth) {
  for (const int width : kWidths) {
    expectRight(cases::Norm<float>{3, width});
    expectRight(cases::Norm<std::uint16_t>{3, width});
  }
}

TEST_P(NormalizeRows, MayWriteWhereItReads) {
  const cases::Norm<float> norm{4, 37};
  std::vector<float> memory = norm.in;
  RowNorm<float> argument = norm.argument(memory.data());
  const reference::Expectations expected = reference::normalize(argument, 0, 4);
  argument.in = memory.data();
  normalize(argument, 0, 4);
  EXPECT_TRUE(isNone(reference::differences(expected, memory)));
}

TEST_P(NormalizeRows, KeepsRowsOfZeros) {
  cases::Norm<float> norm{2, 21};
  norm.in.assign(norm.in.size(), 0.0f);
  expectRight(norm);
}

TEST_P(NormalizeRows, WritesTheRowsAskedForAndNoOther) {
  const cases::Norm<float> norm{5, 18};
  std::vector<float> out = unwritten<float>(norm.in.size());
  const RowNorm<float> argument = norm.argument(out.data());
  normalize(argument, 1, 3);
  EXPECT_TRUE(isNone(reference::differences(reference::normalize(argument, 1, 3), out.data() + 18)));
  EXPECT_TRUE(std::isnan(out[17]));
  EXPECT_TRUE(std::isnan(out[3 * 18]));
}

class GateRows : public EveryWay {
 protected:
  template <class Value>
  void gate(const RowGate<Value>& argument, std::int64_t begin, std::int64_t end) const {
    if (!isDefinition()) return gateRows(argument, begin, end);
    for (std::int64_t row = begin; row < end; ++row)
      for (int i = 0; i < argument.width; ++i) argument.writeEntry(row, i);
  }

  template <class Value>
  void expectRight(const cases::Gate<Value>& gated) const {
    SCOPED_TRACE(gated.width);
    std::vector<Value> out = unwritten<Value>(gated.in.size() / 2);
    const RowGate<Value> argument = gated.argument(out.data());
    gate(argument, 0, gated.rows);
    EXPECT_TRUE(isNone(reference::differences(reference::gate(argument, 0, gated.rows), out)));
  }

  // Gates from −range to range, each in a whole vector and alone.
  template <class Value>
  void expectRightUpTo(float range, typename RowGate<Value>::Activation activation) const {
    constexpr int kCount = 401;
    cases::Gate<Value> gated{1, kCount, activation};
    for (int i = 0; i < kCount; ++i) writeValue(range * static_cast<float>(i - 200) / 200, &gated.in[i]);
    expectRight(gated);
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, GateRows, everyWay(), nameOfWay);

TEST_P(GateRows, TakesAnyWidth) {
  for (const int width : kWidths) {
    expectRight(cases::Gate<float>{3, width, RowGate<float>::Activation::Silu});
    expectRight(cases::Gate<float>{3, width, RowGate<float>::Activation::GeluTanh});
    expectRight(cases::Gate<std::uint16_t>{3, width, RowGate<std::uint16_t>::Activation::Silu});
    expectRight(cases::Gate<std::uint16_t>{3, width, RowGate<std::uint16_t>::Activation::GeluTanh});
  }
}

TEST_P(GateRows, TakesSmallAndLargeGates) {
  for (const float range : {1e-20f, 1e-3f, 1.0f, 20.0f, 200.0f, 3e4f}) {
    SCOPED_TRACE(range);
    expectRightUpTo<float>(range, RowGate<float>::Activation::Silu);
    expectRightUpTo<float>(range, RowGate<float>::Activation::GeluTanh);
    expectRightUpTo<std::uint16_t>(range, RowGate<std::uint16_t>::Activation::Silu);
    expectRightUpTo<std::uint16_t>(range, RowGate<std::uint16_t>::Activation::GeluTanh);
  }
}

TEST_P(GateRows, WritesTheRowsAskedForAndNoOther) {
  const cases::Gate<float> gated{5, 18, RowGate<float>::Activation::Silu};
  std::vector<float> out = unwritten<float>(5 * 18);
  const RowGate<float> argument = gated.argument(out.data());
  gate(argument, 1, 3);
  EXPECT_TRUE(isNone(reference::differences(reference::gate(argument, 1, 3), out.data() + 18)));
  EXPECT_TRUE(std::isnan(out[17]));
  EXPECT_TRUE(std::isnan(out[3 * 18]));
}

}  // namespace
}  // namespace kvasir
