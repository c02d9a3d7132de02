#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <hwy/highway.h>

namespace kvasir {

constexpr std::int64_t kDefinition = 0;

/// A test that runs over a kernel's own definition, entry by entry, and over every SIMD target of this machine.
class EveryWay : public testing::TestWithParam<std::int64_t> {
 protected:
  void SetUp() override {
    if (!isDefinition()) hwy::SetSupportedTargetsForTest(GetParam());
  }
  void TearDown() override { hwy::SetSupportedTargetsForTest(0); }

  bool isDefinition() const { return GetParam() == kDefinition; }
};

inline testing::AssertionResult isNone(const std::string& differences) {
  return differences.empty() ? testing::AssertionSuccess() : testing::AssertionFailure() << differences;
}

inline auto everyWay() {
  std::vector<std::int64_t> ways = hwy::SupportedAndGeneratedTargets();
  ways.push_back(kDefinition);
  return testing::ValuesIn(ways);
}

inline std::string nameOfWay(const testing::TestParamInfo<std::int64_t>& way) {
  return way.param == kDefinition ? "Definition" : hwy::TargetName(way.param);
}

}  // namespace kvasir
