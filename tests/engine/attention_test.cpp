// The selections and positions of the methods against plain simulations written from their papers, on random
// tensors with grouped queries, one token at a time and in double precision.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/engine/one_layer.h"

namespace kvasir {
namespace {

class Attention : public testing::Test {
 protected:
  c10::InferenceMode noGradients_;
};

TEST_F(Attention, OfFullIsDenseAndCausal) {
  const Tensors t = randomTensors(300);
  const at::Tensor ours = OneLayer(findMethod("full"), 0).run(t);
  for (const int query : {0, 1, 127, 128, 200, 299}) {
    std::vector<Meeting> keys;
    for (int token = 0; token <= query; ++token) keys.push_back({token, double(token), double(query)});
    for (int head = 0; head < kHeads; ++head) expectNear(ours, attend(t, query, head, keys), head, query);
  }
}

// What a layer gathered for one chunk stays in place for the next: each is looked up a few times, not once for
// every chunk that follows.
TEST_F(Attention, OfDenseReadingOnlyAppends) {
  constexpr int kChunks = 40, kLookupsEach = 9;  // near keys of selfextend move now and then
  for (const char* method : {"full", "pi", "selfextend", "kivi-4", "h2o", "snapkv", "quest"}) {
    OneLayer layer(findMethod(method), kBudget);
    layer.run(randomTensors(kChunks * kChunkTokens));
    EXPECT_LE(layer.lookups(), kLookupsEach * kChunks) << method;
  }
}

// StreamingLLM §3.2: a cache of four sinks (or as many as are chosen) and the most recent tokens, evicted one
// at a time; positions are places in the cache.
class StreamingSinks : public testing::TestWithParam<int> {};

TEST_P(StreamingSinks, AreOfACacheThatEvictsTokenByToken) {
  const c10::InferenceMode noGradients;
  const Tensors t = randomTensors(900);
  const std::string method = GetParam() == 4 ? "streaming" : "streaming:sinks=" + std::to_string(GetParam());
  for (const int budget : {kBudget, kChunkTokens}) {
    const at::Tensor ours = OneLayer(findMethod(method), budget).run(t);
    std::vector<int> cache;
    for (int token = 0; token < 900; ++token) {
      cache.push_back(token);
      if (static_cast<int>(cache.size()) > budget) cache.erase(cache.begin() + GetParam());
      if (token % 67 != 0 && token != 127 && token != 511 && token != 512 && token != 513 && token != 899)
        continue;
      std::vector<Meeting> keys;
      for (std::size_t place = 0; place < cache.size(); ++place)
        keys.push_back({cache[place], double(place), double(cache.size() - 1)});
      for (int head = 0; head < kHeads; ++head) expectNear(ours, attend(t, token, head, keys), head, token);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sinks, StreamingSinks, testing::Values(0, 1, 4, 50));

/// InfLLM §3.2 by the departures that infllm_policy.h states: keys visible to each chunk, by plain loops.
class PlainInfllm {
 public:
  /// Of a budget of four chunks one is the first and one the query's own, `recent` the most recent.
  PlainInfllm(const Tensors& tensors, int recent, int representatives)
      : t_(tensors),
        tokens_(static_cast<int>(tensors.queries.size(1))),
        recent_(recent),
        retrieved_(static_cast<std::size_t>(2 - recent)),
        representatives_(representatives) {}

  std::set<int> chunksFor(int chunk) const {
    std::set<int> chosen;
    for (int recent = std::max(0, chunk - recent_); recent < chunk; ++recent) chosen.insert(recent);
    if (chunk > 0) chosen.insert(0);
    std::vector<std::pair<double, int>> scored;
    for (int candidate = 1; candidate < chunk - recent_; ++candidate)
      scored.push_back({-score(chunk, candidate), candidate});
    std::ranges::sort(scored);
    for (std::size_t i = 0; i < std::min(retrieved_, scored.size()); ++i) chosen.insert(scored[i].second);
    return chosen;
  }

  std::vector<Meeting> keysFor(int query, const std::set<int>& chunks) const {
    const int chunk = query / kChunkTokens, last = std::min((chunk + 1) * kChunkTokens, tokens_) - 1;
    std::vector<Meeting> keys;
    for (const int from : chunks) {
      const bool isFar = last - from * kChunkTokens >= kBudget;
      for (int token = from * kChunkTokens; token < (from + 1) * kChunkTokens; ++token)
        keys.push_back(isFar ? Meeting{token, 0, kBudget - 1} : Meeting{token, double(token), double(query)});
    }
    for (int token = chunk * kChunkTokens; token <= query; ++token)
      keys.push_back({token, double(token), double(query)});
    return keys;
  }

  /// To be called chunk after chunk: what the chunk's queries gave to recent keys.
  void observe(int chunk) {
    const std::set<int> chunks = chunksFor(chunk);
    for (int query = chunk * kChunkTokens; query < std::min((chunk + 1) * kChunkTokens, tokens_); ++query) {
      const std::vector<Meeting> keys = keysFor(query, chunks);
      for (int head = 0; head < kHeads; ++head) observeRow(query, head, keys, chunk);
    }
  }

 private:
  void observeRow(int query, int head, const std::vector<Meeting>& keys, int chunk) {
    std::vector<double> weights;
    double sum = 0;
    for (const Meeting& key : keys) {
      const auto q = rotated(t_.queries[head][query], key.queryPosition);
      const auto k = rotated(t_.keys[head / kGroup][key.token], key.keyPosition);
      double score = 0;
      for (int i = 0; i < kDimension; ++i)
        score += q[static_cast<std::size_t>(i)] * k[static_cast<std::size_t>(i)];
      weights.push_back(std::exp(score * kScale));
      sum += weights.back();
    }
    for (std::size_t i = 0; i < keys.size(); ++i)
      if (keys[i].token / kChunkTokens >= chunk - recent_)
        received_[{head / kGroup, keys[i].token}] += weights[i] / sum;
  }

  double score(int chunk, int candidate) const {
    double sum = 0;
    const int begin = chunk * kChunkTokens, end = std::min(begin + kChunkTokens, tokens_);
    for (int head = 0; head < kHeads; ++head) {
      const auto query = rotated(t_.queries[head].slice(0, begin, end).mean(0), kBudget - 1);
      const std::vector<double> key = representative(candidate, head / kGroup);
      for (int i = 0; i < kDimension; ++i)
        sum += query[static_cast<std::size_t>(i)] * key[static_cast<std::size_t>(i)];
    }
    return sum;
  }

  std::vector<double> representative(int chunk, int kvHead) const {
    std::vector<std::pair<double, int>> tokens;
    for (int token = chunk * kChunkTokens; token < (chunk + 1) * kChunkTokens; ++token)
      tokens.push_back({-received_.at({kvHead, token}), token});
    std::ranges::sort(tokens);
    std::vector<double> mean(kDimension, 0.0);
    for (int i = 0; i < representatives_; ++i)
      for (int d = 0; d < kDimension; ++d)
        mean[static_cast<std::size_t>(d)] +=
            t_.keys[kvHead][tokens[static_cast<std::size_t>(i)].second][d].item<double>() / representatives_;
    return mean;
  }

  const Tensors& t_;
  const int tokens_, recent_;
  const std::size_t retrieved_;
  const int representatives_;
  std::map<std::pair<int, int>, double> received_;
};

class Infllm : public testing::TestWithParam<std::pair<const char*, int>> {};

TEST_P(Infllm, IsThatOfItsPlainSimulation) {
  const c10::InferenceMode noGradients;
  const auto [method, representatives] = GetParam();
  const Tensors t = randomTensors(128 * 7 + 40);
  OneLayer layer(findMethod(method), kBudget);
  const at::Tensor ours = layer.run(t);
  PlainInfllm plain(t, 1, representatives);
  bool hasRetrieved = false;
  for (int chunk = 0; chunk < 8; ++chunk) {
    const std::set<int> expected = plain.chunksFor(chunk);
    std::set<int> chosen;
    for (const kvasir::Run& run : layer.selections()[static_cast<std::size_t>(chunk)].runs)
      chosen.insert(layer.cache().chunkOf(run.begin));
    ASSERT_EQ(chosen, expected) << "chunk " << chunk;
    hasRetrieved = hasRetrieved || expected.size() == 3;
    const int query = std::min(chunk * kChunkTokens + 37, 128 * 7 + 39);
    for (int head = 0; head < kHeads; ++head)
      expectNear(ours, attend(t, query, head, plain.keysFor(query, expected)), head, query);
    plain.observe(chunk);
  }
  EXPECT_TRUE(hasRetrieved);
}

INSTANTIATE_TEST_SUITE_P(Rows, Infllm,
                         testing::Values(std::pair{"infllm", 4}, std::pair{"infllm:representatives=1", 1}),
                         [](const auto& row) { return "representatives" + std::to_string(row.param.second); });

}  // namespace
}  // namespace kvasir
