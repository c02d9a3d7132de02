#include "app/perplexities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace kvasir {
namespace {

using testing::DoubleEq;
using testing::HasSubstr;
using testing::Optional;

constexpr auto kNone = std::nullopt;

std::vector<std::pair<int, int>> pairsOf(const std::vector<TokenBand>& bands) {
  std::vector<std::pair<int, int>> pairs;
  for (const TokenBand& band : bands) pairs.emplace_back(band.begin, band.end);
  return pairs;
}

TEST(Bands, EndWhereTheyAreAskedTo) {
  EXPECT_THAT(pairsOf(bandsUpTo({400, 100, 400, 200})),
              testing::ElementsAre(std::pair(0, 100), std::pair(100, 200), std::pair(200, 400)));
  EXPECT_TRUE(bandsUpTo({}).empty());
}

TEST(Perplexity, IsOfTheTokensThatSomethingForesaw) {
  const double half = std::log(0.5), quarter = std::log(0.25);
  EXPECT_THAT(perplexityOf({kNone, half, quarter, quarter}, {0, 2}), Optional(DoubleEq(2)));
  EXPECT_THAT(perplexityOf({kNone, half, quarter, quarter}, {2, 4}), Optional(DoubleEq(4)));
  EXPECT_THAT(perplexityOf({kNone, half, quarter, quarter}, {1, 9}),
              Optional(testing::DoubleNear(3.175, 0.001)));
  EXPECT_EQ(perplexityOf({kNone, half}, {0, 1}), kNone);
}

TEST(Perplexity, IsToldWhereItIsNotFinite) {
  const double never = -std::numeric_limits<double>::infinity();
  const std::vector<TokenBand> bands = bandsUpTo({2, 4});
  const MethodPerplexity anew = perplexityBy("anew", {-1, -1, -1, -1}, bands),
                         broken = perplexityBy("broken", {-1, -1, -1, never}, bands),
                         worse = perplexityBy("worse", {-1, -1, -1.1, -1.1}, bands);
  EXPECT_EQ(excessAtEnd(broken, anew), kNone);
  EXPECT_THAT(excessAtEnd(worse, anew), Optional(testing::DoubleNear(std::exp(0.1) - 1, 1e-9)));
  const std::string table = tableOf({anew, broken, worse}, bands);
  EXPECT_THAT(table, HasSubstr("not finite"));
  EXPECT_THAT(table, HasSubstr("+10.5 %"));
}

}  // namespace
}  // namespace kvasir
