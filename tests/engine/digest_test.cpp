// Quest and ArkVale against plain loops written from their papers, on random tensors with grouped queries.
#include <gtest/gtest.h>

#include <set>

#include "tests/engine/one_layer.h"

namespace kvasir {
namespace {

struct Rule {
  const char* method;
  int page;
  bool isMeanRadius;
  int ends;        ///< pages always seen at either end
  bool isReading;  ///< retrieves while reading: keys un-rotated, queries at one distance
};

class Digest : public testing::TestWithParam<Rule> {
 protected:
  /// A page's score for queries [first, end): what its cuboid could give, mean over the queries, sum over the
  /// heads.
  double score(const Tensors& t, kvasir::Run page, int first, int end) const {
    const Rule rule = GetParam();
    double sum = 0;
    for (int head = 0; head < kHeads; ++head) {
      std::vector<std::vector<double>> keys;
      for (int token = page.begin; token < page.end; ++token)
        keys.push_back(rotated(t.keys[head / kGroup][token], rule.isReading ? 0 : token));
      for (int d = 0; d < kDimension; ++d) {
        const auto at = static_cast<std::size_t>(d);
        double low = keys[0][at], high = keys[0][at], radius = 0;
        for (const auto& key : keys) low = std::min(low, key[at]), high = std::max(high, key[at]);
        const double centre = (low + high) / 2;
        for (const auto& key : keys) radius += std::abs(centre - key[at]) / static_cast<double>(keys.size());
        if (rule.isMeanRadius) low = centre - radius, high = centre + radius;
        for (int query = first; query < end; ++query) {
          const double q = rotated(t.queries[head][query], rule.isReading ? kBudget - 1 : query)[at];
          sum += std::max(q * low, q * high) / (end - first);
        }
      }
    }
    return sum;
  }

  /// The best pages of [begin, end) that `left` tokens hold.
  void addBest(const Tensors& t, int begin, int end, int first, int last, int left, std::set<int>& seen) const {
    std::vector<std::pair<double, int>> order;
    for (int page = begin; page < end; page += GetParam().page)
      order.push_back({-score(t, kvasir::Run{page, std::min(page + GetParam().page, end)}, first, last), page});
    std::ranges::sort(order);
    for (const auto& [unused, page] : order) {
      const int tokens = std::min(page + GetParam().page, end) - page;
      if (tokens > left) continue;
      left -= tokens;
      addTokens(page, page + tokens, seen);
    }
  }
  static void addTokens(int begin, int end, std::set<int>& seen) {
    for (int token = begin; token < end; ++token) seen.insert(token);
  }
  static std::set<int> tokensOf(const Selection& selection) {
    std::set<int> tokens;
    for (const kvasir::Run& run : selection.runs) addTokens(run.begin, run.end, tokens);
    return tokens;
  }

  c10::InferenceMode noGradients_;
};

TEST_P(Digest, RetrievesForAQuestionWhatAPlainSimulationRetrieves) {
  constexpr int kDocument = 8 * kChunkTokens, kQuestion = 40;
  const Tensors t = randomTensors(kDocument + kQuestion);
  OneLayer layer(findMethod(GetParam().method), kBudget);
  for (int first = 0; first < kDocument; first += kChunkTokens) layer.chunk(t, first, kChunkTokens);
  layer.startQuestion();
  const at::Tensor ours = layer.chunk(t, kDocument, kQuestion);
  const std::set<int> seen = tokensOf(layer.selections().back());

  const int ends = GetParam().ends * GetParam().page;
  std::set<int> expected;
  addTokens(0, ends, expected);
  addTokens(kDocument - ends, kDocument, expected);
  addBest(t, ends, kDocument - ends, kDocument, kDocument + kQuestion, kBudget - kChunkTokens - 2 * ends,
          expected);
  EXPECT_EQ(seen, expected);

  if (GetParam().isReading) return;  // its attention is that of infllm's positions
  for (const int query : {0, 17, kQuestion - 1}) {
    std::vector<Meeting> keys;
    for (const int token : expected) keys.push_back({token, double(token), double(kDocument + query)});
    for (int token = kDocument; token <= kDocument + query; ++token)
      keys.push_back({token, double(token), double(kDocument + query)});
    for (int head = 0; head < kHeads; ++head) {
      const std::vector<double> plain = attend(t, kDocument + query, head, keys);
      for (int d = 0; d < kDimension; ++d)
        ASSERT_NEAR(ours[head][query][d].item<double>(), plain[static_cast<std::size_t>(d)], 2e-4);
    }
  }
}

TEST_P(Digest, ReadsDenselyOrRetrieves) {
  constexpr int kTokens = 7 * kChunkTokens, kLast = kTokens - kChunkTokens;
  const Tensors t = randomTensors(kTokens);
  OneLayer layer(findMethod(GetParam().method), kBudget);
  layer.run(t);
  const std::set<int> seen = tokensOf(layer.selections().back());
  std::set<int> expected;
  if (!GetParam().isReading) {
    addTokens(0, kLast, expected);
  } else {
    const int ends = GetParam().ends * GetParam().page;
    addTokens(0, ends, expected);
    addTokens(kLast - kChunkTokens, kLast, expected);  // a quarter of the budget is recent
    addBest(t, ends, kLast - kChunkTokens, kLast, kTokens, kBudget - 2 * kChunkTokens - ends, expected);
  }
  EXPECT_EQ(seen, expected);
}

INSTANTIATE_TEST_SUITE_P(Rows, Digest,
                         testing::Values(Rule{"quest", 16, false, 1, false},
                                         Rule{"arkvale", 32, true, 2, false},
                                         Rule{"quest-reading", 16, false, 1, true},
                                         Rule{"arkvale-reading", 32, true, 2, true},
                                         Rule{"quest:page=64:ends=2", 64, false, 2, false},
                                         Rule{"arkvale-reading:page=8:ends=3", 8, true, 3, true}));

}  // namespace
}  // namespace kvasir
