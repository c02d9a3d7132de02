// What evicting methods keep, against plain loops written from their papers, on random tensors with grouped
// queries.
#include <gtest/gtest.h>

#include <set>

#include "tests/engine/one_layer.h"

namespace kvasir {
namespace {

constexpr int kDocument = 6 * kChunkTokens + 50, kQuestion = 40, kAll = kDocument + kQuestion, kSinks = 4,
              kLast = 32;
using Scores = std::vector<double>;  // by token of the document

/// Rotated queries and keys of a text as plain numbers.
class Plain {
 public:
  explicit Plain(const Tensors& tensors) : t_(tensors) {
    for (int head = 0; head < kHeads; ++head)
      for (int token = 0; token < kAll; ++token)
        queries_[{head, token}] = rotated(t_.queries[head][token], token);
    for (int head = 0; head < kKvHeads; ++head)
      for (int token = 0; token < kAll; ++token) keys_[{head, token}] = rotated(t_.keys[head][token], token);
  }

  const std::vector<double>& key(int kvHead, int token) const { return keys_.at({kvHead, token}); }

  /// Softmax attention of one query to all before it.
  Scores weights(int head, int query) const {
    Scores weights;
    double sum = 0;
    for (int token = 0; token <= query; ++token) {
      double score = 0;
      for (std::size_t i = 0; i < kDimension; ++i)
        score += queries_.at({head, query})[i] * key(head / kGroup, token)[i];
      weights.push_back(std::exp(score / std::sqrt(double(kDimension))));
      sum += weights.back();
    }
    for (double& weight : weights) weight /= sum;
    return weights;
  }

  /// Summed over queries [first, end) and the heads of a KV head; only tokens of the document.
  Scores received(int kvHead, int first, int end) const {
    Scores sums(kDocument, 0.0);
    for (int head = kvHead * kGroup; head < (kvHead + 1) * kGroup; ++head)
      for (int query = first; query < end; ++query) {
        const Scores row = weights(head, query);
        for (int token = 0; token <= std::min(query, kDocument - 1); ++token)
          sums[static_cast<std::size_t>(token)] += row[static_cast<std::size_t>(token)];
      }
    return sums;
  }

  /// Expected attention: moments of the un-rotated queries but the sinks', mean rotation over the next 512
  /// positions.
  Scores expected(int kvHead, int sinks) const {
    Scores scores(kDocument, 0.0);
    for (int head = kvHead * kGroup; head < (kvHead + 1) * kGroup; ++head) addExpected(head, sinks, scores);
    return scores;
  }

 private:
  void addExpected(int head, int sinks, Scores& scores) const {
    constexpr int kHalf = kDimension / 2, kSpan = 512;
    double mean[kDimension] = {}, spread[kDimension][kDimension] = {}, turn[kDimension][kDimension] = {};
    const auto query = [&](int token, int d) { return t_.queries[head][token][d].item<double>(); };
    for (int token = sinks; token < kDocument; ++token)
      for (int a = 0; a < kDimension; ++a) mean[a] += query(token, a) / (kDocument - sinks);
    for (int token = sinks; token < kDocument; ++token) {
      double away[kDimension];
      for (int a = 0; a < kDimension; ++a) away[a] = query(token, a) - mean[a];
      for (int a = 0; a < kDimension; ++a)
        for (int b = 0; b < kDimension; ++b) spread[a][b] += away[a] * away[b] / (kDocument - sinks);
    }
    for (int position = kDocument; position < kDocument + kSpan; ++position)
      for (int i = 0; i < kHalf; ++i) {
        const double angle = position * kFrequencies[static_cast<std::size_t>(i)];
        turn[i][i] += std::cos(angle) / kSpan;
        turn[i][i + kHalf] -= std::sin(angle) / kSpan;
        turn[i + kHalf][i] += std::sin(angle) / kSpan;
        turn[i + kHalf][i + kHalf] += std::cos(angle) / kSpan;
      }
    Scores logs;
    double sum = 0;
    for (int token = 0; token < kDocument; ++token) {
      const std::vector<double>& k = key(head / kGroup, token);
      double back[kDimension] = {}, linear = 0, square = 0;  // the key turned back
      for (int a = 0; a < kDimension; ++a)
        for (int b = 0; b < kDimension; ++b) back[b] += k[static_cast<std::size_t>(a)] * turn[a][b];
      for (int a = 0; a < kDimension; ++a) {
        linear += back[a] * mean[a];
        for (int b = 0; b < kDimension; ++b) square += back[a] * spread[a][b] * back[b];
      }
      logs.push_back(std::exp(linear / std::sqrt(double(kDimension)) + square / (2 * kDimension)));
      sum += logs.back();
    }
    for (int token = 0; token < kDocument; ++token) {
      double length = 0;
      for (int d = 0; d < kDimension; ++d)
        length += std::pow(t_.values[head / kGroup][token][d].item<double>(), 2);
      scores[static_cast<std::size_t>(token)] +=
          logs[static_cast<std::size_t>(token)] / sum * std::sqrt(length) / kGroup;
    }
  }

  const Tensors& t_;
  std::map<std::pair<int, int>, std::vector<double>> queries_, keys_;
};

/// The mean (or the greatest) of five (or seven) neighbours; what lies outside counts as nothing.
Scores spread(const Scores& scores, int neighbours, bool isMax) {
  Scores out;
  for (int token = 0; token < std::ssize(scores); ++token) {
    double sum = 0, most = 0;
    for (int i = token - neighbours / 2; i <= token + neighbours / 2; ++i) {
      if (i < 0 || i >= std::ssize(scores)) continue;
      sum += scores[static_cast<std::size_t>(i)] / neighbours;
      most = std::max(most, scores[static_cast<std::size_t>(i)]);
    }
    out.push_back(isMax ? most : sum);
  }
  return out;
}

/// What the document's last tokens attended to before them.
Scores blind(const Plain& plain, int kvHead, int window, int neighbours, bool isMax) {
  Scores before = plain.received(kvHead, kDocument - window, kDocument);
  before.resize(static_cast<std::size_t>(kDocument - window));
  Scores scores = spread(before, neighbours, isMax);
  scores.resize(kDocument);
  return scores;
}

Scores difference(const Plain& plain, int kvHead) {
  std::vector<double> anchor(kDimension, 0.0);
  const auto length = [](const std::vector<double>& row) {
    double sum = 0;
    for (const double x : row) sum += x * x;
    return std::sqrt(sum);
  };
  for (int token = 0; token < kDocument; ++token)
    for (std::size_t i = 0; i < kDimension; ++i)
      anchor[i] += plain.key(kvHead, token)[i] / length(plain.key(kvHead, token)) / kDocument;
  Scores scores;
  for (int token = 0; token < kDocument; ++token) {
    double product = 0;
    for (std::size_t i = 0; i < kDimension; ++i) product += anchor[i] * plain.key(kvHead, token)[i];
    scores.push_back(-product / length(anchor) / length(plain.key(kvHead, token)));
  }
  return scores;
}

struct Rule {
  const char* method;
  std::function<Scores(const Plain& plain, int kvHead)> scores;
  int recent = kLast, sinks = kSinks;  ///< tokens of the document that always stay
};

class Evicting : public testing::TestWithParam<Rule> {
 protected:
  static std::set<int> best(const Scores& scores, int count) {
    std::vector<std::pair<double, int>> order;
    for (int token = 0; token < kDocument; ++token) {
      const bool isAlways = token < GetParam().sinks || token >= kDocument - GetParam().recent;
      order.push_back({isAlways ? -1e9 : -scores[static_cast<std::size_t>(token)], token});
    }
    std::ranges::sort(order);
    std::set<int> kept;
    for (int i = 0; i < count; ++i) kept.insert(order[static_cast<std::size_t>(i)].second);
    return kept;
  }

  c10::InferenceMode noGradients_;
};

TEST_P(Evicting, KeepsForEachKvHeadWhatAPlainSimulationKeeps) {
  const Tensors t = randomTensors(kAll);
  OneLayer layer(findMethod(GetParam().method), kBudget);
  for (int first = 0; first < kDocument; first += kChunkTokens)
    layer.chunk(t, first, std::min(kChunkTokens, kDocument - first));
  layer.startQuestion();
  const at::Tensor ours = layer.chunk(t, kDocument, kQuestion);
  const Selection& selection = layer.selections().back();
  ASSERT_TRUE(selection.kept.defined());
  EXPECT_TRUE(selection.runs.empty());
  ASSERT_EQ(selection.kept.size(0), kKvHeads);
  ASSERT_EQ(selection.kept.size(1), kBudget - kChunkTokens);
  const Plain plain(t);
  std::vector<std::set<int>> kept;
  for (int head = 0; head < kKvHeads; ++head) {
    std::set<int>& mine = kept.emplace_back();
    for (std::int64_t i = 0; i < selection.kept.size(1); ++i) mine.insert(selection.kept[head][i].item<int>());
    EXPECT_EQ(mine, best(GetParam().scores(plain, head), kBudget - kChunkTokens)) << "head " << head;
  }
  EXPECT_NE(kept[0], kept[1]);
  for (const int query : {0, kQuestion - 1})
    for (int head = 0; head < kHeads; ++head) {
      std::vector<Meeting> keys;
      for (const int token : kept[static_cast<std::size_t>(head / kGroup)])
        keys.push_back({token, double(token), double(kDocument + query)});
      for (int token = kDocument; token <= kDocument + query; ++token)
        keys.push_back({token, double(token), double(kDocument + query)});
      const std::vector<double> expected = attend(t, kDocument + query, head, keys);
      for (int d = 0; d < kDimension; ++d)
        ASSERT_NEAR(ours[head][query][d].item<double>(), expected[static_cast<std::size_t>(d)], 2e-4);
    }
}

INSTANTIATE_TEST_SUITE_P(
    Rows, Evicting,
    testing::Values(
        Rule{"snapkv",
             [](const Plain& p, int head) { return spread(p.received(head, kAll - 32, kAll), 5, false); }},
        Rule{"snapkv-blind", [](const Plain& p, int head) { return blind(p, head, 32, 5, false); }},
        Rule{"snapkv:window=3:neighbours=9",
             [](const Plain& p, int head) { return spread(p.received(head, kAll - 3, kAll), 9, false); }},
        Rule{"snapkv:max=1",
             [](const Plain& p, int head) { return spread(p.received(head, kAll - 32, kAll), 5, true); }},
        Rule{"pyramidkv",
             [](const Plain& p, int head) { return spread(p.received(head, kAll - 8, kAll), 7, true); }},
        Rule{"pyramidkv-blind", [](const Plain& p, int head) { return blind(p, head, 8, 7, true); }},
        Rule{"keydiff", difference},
        Rule{"expected-attention", [](const Plain& p, int head) { return p.expected(head, 4); }},
        Rule{"snapkv:sinks=0:last=1",
             [](const Plain& p, int head) { return spread(p.received(head, kAll - 32, kAll), 5, false); }, 1,
             0},
        Rule{"pyramidkv-blind:sinks=64:last=100",
             [](const Plain& p, int head) { return blind(p, head, 8, 7, true); }, 100, 64},
        Rule{"keydiff:sinks=0:last=7", difference, 7, 0},
        Rule{"expected-attention:sinks=20:last=8",
             [](const Plain& p, int head) { return p.expected(head, 20); }, 8, 20}),
    [](const auto& row) {
      std::string name = row.param.method;
      std::ranges::replace_if(
          name, [](char letter) { return !std::isalnum(letter); }, '_');
      return name;
    });

// What is always kept of a document is so beside a question that alone would fill the budget.
TEST_P(Evicting, KeepsStartAndEndBesideALongQuestion) {
  constexpr int kLong = 4 * kChunkTokens;
  const Tensors t = randomTensors(kDocument + kLong);
  OneLayer layer(findMethod(GetParam().method), kBudget);
  for (int first = 0; first < kDocument; first += kChunkTokens)
    layer.chunk(t, first, std::min(kChunkTokens, kDocument - first));
  layer.startQuestion();
  for (int first = 0; first < kLong; first += kChunkTokens) layer.chunk(t, kDocument + first, kChunkTokens);
  const Selection& selection = layer.selections().back();
  ASSERT_TRUE(selection.kept.defined());
  std::int64_t seen = selection.kept.size(1) + kChunkTokens;
  for (const kvasir::Run& run : selection.runs) seen += run.end - run.begin;
  EXPECT_LE(seen, kBudget);
  for (int head = 0; head < kKvHeads; ++head) {
    std::set<int> mine;
    for (std::int64_t i = 0; i < selection.kept.size(1); ++i) mine.insert(selection.kept[head][i].item<int>());
    for (int token = 0; token < kDocument; ++token)
      EXPECT_TRUE((token >= GetParam().sinks && token < kDocument - GetParam().recent) || mine.contains(token))
          << token;
  }
}

struct KeptByH2o {
  const char* method;
  int recent, sinks = kSinks;
};

class EvictingByH2o : public testing::TestWithParam<KeptByH2o> {};

// The method's own scale of scores is one over the root of the dimension; the harness attends by another, which
// H2O counts.
TEST_P(EvictingByH2o, KeepsRecentTokensAndThoseThatDrewMost) {
  const c10::InferenceMode noGradients;
  const auto [method, recent, sinks] = GetParam();
  const Tensors t = randomTensors(kAll);
  OneLayer layer(findMethod(method), kBudget);
  for (int first = 0; first < kDocument; first += kChunkTokens)
    layer.chunk(t, first, std::min(kChunkTokens, kDocument - first));
  layer.startQuestion();
  layer.chunk(t, kDocument, kQuestion);
  const at::Tensor kept = layer.selections().back().kept;
  Tensors scaled{t.queries * (kScale * std::sqrt(double(kDimension))), t.keys, t.values};
  const Plain plain(scaled);
  for (int head = 0; head < kKvHeads; ++head) {
    std::set<int> mine;
    for (std::int64_t i = 0; i < kept.size(1); ++i) mine.insert(kept[head][i].item<int>());
    const Scores scores = plain.received(head, 0, kDocument);
    std::vector<std::pair<double, int>> order;
    for (int token = sinks; token < kDocument - recent; ++token)
      order.push_back({-scores[static_cast<std::size_t>(token)], token});
    std::ranges::sort(order);
    std::set<int> expected;
    for (int token = 0; token < sinks; ++token) expected.insert(token);
    for (int token = kDocument - recent; token < kDocument; ++token) expected.insert(token);
    for (std::size_t i = 0; std::ssize(expected) < kBudget - kChunkTokens; ++i)
      expected.insert(order[i].second);
    EXPECT_EQ(mine, expected) << "head " << head;
  }
}

INSTANTIATE_TEST_SUITE_P(Recent, EvictingByH2o,
                         testing::Values(KeptByH2o{"h2o", kBudget / 2},
                                         KeptByH2o{"h2o:recent=0.25", kBudget / 4},
                                         KeptByH2o{"h2o:recent=0:sinks=9:last=50", 50, 9}),
                         [](const auto& row) { return std::to_string(row.param.recent) + "tokens"; });

// PyramidKV §4.2: equal steps from the lowest layer, here of the whole budget, to 1 / (2β − 1) of it at the
// highest, β = 20; never fewer than twice what is always kept.
TEST(EvictingByPyramid, GivesHigherLayersLess) {
  const c10::InferenceMode noGradients;
  constexpr int kLayers = 5, kLarge = 2048, kTokens = 2304;
  const KvShape shape{kLayers, kKvHeads, kDimension};
  const auto policy =
      findMethod("pyramidkv-blind").makePolicy({shape, kHeads, kLarge, {}, nullptr, nullptr, kFrequencies});
  const auto codec = plainCodec(at::kFloat);
  MemoryChunks store(KvCache::slotBytes(shape, *codec, policy->needs().extras));
  KvCache cache(shape, *codec, store, policy->needs().extras);
  const Tensors t = randomTensors(kTokens);
  for (int first = 0; first < kTokens; first += kChunkTokens) {
    const Block block{cache.open(kChunkTokens), first, kChunkTokens};
    for (int layer = 0; layer < kLayers; ++layer) {
      cache.write(layer, block.chunk,
                  {t.keys.narrow(1, first, kChunkTokens), t.values.narrow(1, first, kChunkTokens)});
      const at::Tensor queries = t.queries.narrow(1, first, kChunkTokens);
      policy->select(layer, block, {queries, queries}, cache);
    }
  }
  for (int layer = 0; layer < kLayers; ++layer) {
    const double lowest = 2048, highest = lowest / 39, step = (lowest - highest) / (kLayers - 1);
    const auto kept = policy->select(layer, {cache.chunks(), kTokens, 0}, {}, cache).kept;
    EXPECT_NEAR(static_cast<double>(kept.size(1)), std::max(72.0, lowest - layer * step), 1)
        << "layer " << layer;
  }
}

}  // namespace
}  // namespace kvasir
