#include "tests/engine/model/reference_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/engine/model/synthetic_gguf.h"

namespace kvasir {
namespace {

class EveryFamily : public testing::TestWithParam<const char*> {
 protected:
  std::vector<std::byte> bytes_ = syntheticGguf({.architecture = GetParam(), .layers = 7, .slidingWindow = 4});
  GgufFile file_{bytes_};
  std::vector<TokenId> tokens_ = {1, 40, 77, 5, 200, 133, 9, 40, 77, 12};
};

TEST_P(EveryFamily, SeesOnlyWhatCameBefore) {
  const ReferenceRows whole = referenceLogits(file_, tokens_);
  const ReferenceRows part = referenceLogits(file_, {tokens_.begin(), tokens_.begin() + 5});
  for (std::size_t p = 0; p < part.size(); ++p) EXPECT_EQ(part[p], whole[p]) << p;
}

TEST_P(EveryFamily, DoesNotDependOnTheThreads) {
  EXPECT_EQ(referenceLogits(file_, tokens_, 1), referenceLogits(file_, tokens_, 3));
}

TEST_P(EveryFamily, DependsOnThePlaceOfATokenFarBack) {
  auto other = tokens_;
  std::swap(other[1], other[2]);
  const auto a = referenceLogits(file_, tokens_).back(), b = referenceLogits(file_, other).back();
  double difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference = std::max(difference, std::abs(a[i] - b[i]));
  EXPECT_GT(difference, 1e-6);
}

TEST_P(EveryFamily, GivesProbabilities) {
  const ReferenceRun run = referenceRun(file_, tokens_);
  EXPECT_EQ(run.hidden.size(), 7u);
  double sum = 0;
  for (const double value : logProbabilities(run.logits.back())) sum += std::exp(value);
  EXPECT_NEAR(sum, 1, 1e-12);
}

INSTANTIATE_TEST_SUITE_P(Families, EveryFamily, testing::Values("llama", "gemma3", "phi3"),
                         [](const auto& family) { return std::string(family.param); });

/// With one local layer alone, what lies before the window must not matter; with a global layer it does.
TEST(Gemma, LooksPastItsWindowOnlyInGlobalLayers) {
  const std::vector<TokenId> tokens = {9, 50, 51, 52, 53, 54}, other = {8, 50, 51, 52, 53, 54};
  for (const int layers : {1, 6}) {
    const auto bytes = syntheticGguf({.architecture = "gemma3", .layers = layers, .slidingWindow = 1});
    const GgufFile file(bytes);
    const bool same = referenceLogits(file, tokens).back() == referenceLogits(file, other).back();
    EXPECT_EQ(same, layers == 1);
  }
}

}  // namespace
}  // namespace kvasir
