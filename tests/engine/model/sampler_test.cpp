#include "engine/model/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace kvasir {
namespace {

const std::vector<float> kLogits = {std::log(0.1f), std::log(0.5f), std::log(0.05f), std::log(0.3f),
                                    std::log(0.05f)};

std::map<TokenId, double> shares(const SamplerSettings& settings, int times = 20000) {
  Sampler sampler(settings);
  std::map<TokenId, double> counts;
  for (int i = 0; i < times; ++i) counts[sampler.pick(kLogits)] += 1.0 / times;
  return counts;
}

TEST(Sampler, IsGreedyUnlessTold) {
  Sampler sampler({});
  EXPECT_EQ(sampler.pick(kLogits), 1);
  EXPECT_EQ(sampler.pick(std::vector<float>{1, 2, 2}), 1);
}

TEST(Sampler, FollowsTheProbabilities) {
  const auto counts = shares({.temperature = 1, .seed = 1});
  EXPECT_NEAR(counts.at(1), 0.5, 0.02);
  EXPECT_NEAR(counts.at(3), 0.3, 0.02);
  EXPECT_NEAR(counts.at(4), 0.05, 0.01);
}

TEST(Sampler, SharpensWithLowTemperature) {
  const auto counts = shares({.temperature = 0.5f, .seed = 1});
  EXPECT_NEAR(counts.at(1), 0.25 / 0.355, 0.02);
}

TEST(Sampler, KeepsTheTopK) {
  const auto counts = shares({.temperature = 1, .topK = 2, .seed = 1});
  EXPECT_EQ(counts.size(), 2u);
  EXPECT_NEAR(counts.at(1), 0.5 / 0.8, 0.02);
}

TEST(Sampler, KeepsTheShareOfTopP) {
  EXPECT_EQ(shares({.temperature = 1, .topP = 0.79f, .seed = 1}).size(), 2u);
  EXPECT_EQ(shares({.temperature = 1, .topP = 0.85f, .seed = 1}).size(), 3u);
  EXPECT_EQ(shares({.temperature = 1, .topP = 0.0001f, .seed = 1}).size(), 1u);
}

TEST(Sampler, KeepsWhatIsNearTheLikeliest) {
  EXPECT_EQ(shares({.temperature = 1, .minP = 0.5f, .seed = 1}).size(), 2u);
  EXPECT_EQ(shares({.temperature = 1, .minP = 0.15f, .seed = 1}).size(), 3u);
}

TEST(Sampler, FiltersBeforeTheTemperature) {
  EXPECT_EQ(shares({.temperature = 50, .topP = 0.79f, .seed = 1}).size(), 2u);
}

TEST(Sampler, GivesTheSameTokensForTheSameSeed) {
  const SamplerSettings settings{.temperature = 1.5f, .seed = 42};
  Sampler first(settings), second(settings);
  std::vector<TokenId> tokens;
  for (int i = 0; i < 12; ++i) {
    tokens.push_back(first.pick(kLogits));
    EXPECT_EQ(tokens.back(), second.pick(kLogits));
  }
  // Written down, because other systems must give them too.
  EXPECT_EQ(tokens, (std::vector<TokenId>{0, 3, 0, 1, 2, 1, 3, 1, 1, 1, 1, 3}));
}

TEST(Sampler, RefusesSettingsOutOfRange) {
  for (const SamplerSettings& settings : {SamplerSettings{.temperature = -1},
                                          {.temperature = NAN},
                                          {.topK = -1},
                                          {.topP = 0},
                                          {.topP = 1.1f},
                                          {.minP = 2}}) {
    EXPECT_THROW(Sampler{settings}, std::runtime_error);
  }
}

TEST(LogProbability, IsExactForLargeLogits) {
  const std::vector<float> logits = {1000, 1000, -1000};
  EXPECT_NEAR(logProbability(logits, 0), -std::log(2.0), 1e-12);
  EXPECT_NEAR(logProbability(kLogits, 3), std::log(0.3), 1e-6);
}

}  // namespace
}  // namespace kvasir
