// Positions beyond the trained length against plain arithmetic written from the papers, on random tensors with
// grouped queries, one pair of query and key at a time.
#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <tuple>

#include "tests/engine/one_layer.h"

namespace kvasir {
namespace {

constexpr int kTrained = 256;  // so that 700 tokens are met at scales 1, 2 and 4
constexpr double kBase = 10000;
const std::vector<float> kLongFactors = {1.0f, 1.5f, 3.0f, 6.0f}, kShortFactors = {1.0f, 1.0f, 1.25f, 1.5f};

ModelShape stretchedModel() {
  ModelShape shape;
  shape.headDimension = kDimension;
  shape.trainedTokens = kTrained;
  shape.ropeBase = kBase;
  return shape;
}

std::vector<double> frequenciesOf(const std::function<double(int pair, double own)>& change) {
  std::vector<double> frequencies;
  for (int pair = 0; pair < kDimension / 2; ++pair)
    frequencies.push_back(change(pair, std::pow(kBase, -2.0 * pair / kDimension)));
  return frequencies;
}

int scaleAt(int query, int tokens) {
  const int blockEnd = std::min((query / kChunkTokens + 1) * kChunkTokens, tokens);
  return blockEnd <= kTrained ? 1 : blockEnd <= 2 * kTrained ? 2 : 4;
}

class Positions : public testing::Test {
 protected:
  void expectCeiling(int trained);
  void expectMiddle(int trained);

  /// A method over 700 tokens against dense attention with frequencies and sharpness of each query's scale.
  void expectDense(const char* method, const ModelShape& shape,
                   const std::function<std::vector<double>(int scale)>& frequencies,
                   const std::function<double(int scale)>& sharpness) {
    constexpr int kTokens = 700;
    const Tensors t = randomTensors(kTokens);
    const at::Tensor ours = OneLayer(findMethod(method), 0, shape).run(t);
    for (const int query : {0, 100, 255, 256, 400, 511, 512, 699}) {
      std::vector<Meeting> keys;
      for (int token = 0; token <= query; ++token) keys.push_back({token, double(token), double(query)});
      const int scale = scaleAt(query, kTokens);
      for (int head = 0; head < kHeads; ++head)
        expectNear(ours, attend(t, query, head, keys, frequencies(scale), sharpness(scale)), head, query);
    }
  }

  c10::InferenceMode noGradients_;
};

double unchanged(int) { return 1; }

// Chen et al. 2023, eq. 4: f'(x, m) = f(x, m L / L').
TEST_F(Positions, OfPiAreDividedByTheScale) {
  expectDense(
      "pi", stretchedModel(),
      [](int scale) { return frequenciesOf([&](int, double own) { return own / scale; }); }, unchanged);
}

// The papers fix the scale, whatever the text's length.
TEST_F(Positions, OfAFixedScaleAreStretchedFromTheFirstTokenOn) {
  expectDense(
      "pi:scale=3", stretchedModel(),
      [](int) { return frequenciesOf([](int, double own) { return own / 3; }); }, unchanged);
}

// NTK-aware: b' = b · s^(d / (d − 2)); logits as published, or sharpened as YaRN's are.
TEST_F(Positions, OfNtkHaveALargerBaseAndAreSharpened) {
  for (const auto& [method, sharpening] :
       {std::pair{"ntk", 0.1}, std::pair{"ntk:sharpening=0", 0.0}, std::pair{"ntk:sharpening=0.25", 0.25}}) {
    expectDense(
        method, stretchedModel(),
        [](int scale) {
          const double base = kBase * std::pow(scale, kDimension / (kDimension - 2.0));
          return frequenciesOf([&](int pair, double) { return std::pow(base, -2.0 * pair / kDimension); });
        },
        [&](int scale) { return std::pow(sharpening * std::log(scale) + 1, 2); });
  }
}

// Peng et al. 2023: wavelengths λ = 2π / θ; r = L / λ turns; by the code's rounding of the two dimensions where
// r passes β_fast and β_slow, a ramp between; logits times (0.1 ln s + 1)².
TEST_F(Positions, OfYarnAreSlowedByPartsAndSharpened) {
  const auto pairWith = [](double turns) {
    return kDimension * std::log(kTrained / (turns * 2 * M_PI)) / (2 * std::log(kBase));
  };
  std::vector<std::pair<double, double>> ramps;  // none like another
  for (const auto& [method, fast, slow] :
       {std::tuple{"yarn", 32.0, 1.0}, std::tuple{"yarn:beta_fast=4:beta_slow=0.25", 4.0, 0.25},
        std::tuple{"yarn:beta_slow=0.0625", 32.0, 0.0625}}) {
    const double low = std::max(0.0, std::floor(pairWith(fast))), high = std::ceil(pairWith(slow));
    EXPECT_TRUE(std::ranges::find(ramps, std::pair{low, high}) == ramps.end()) << method;
    ramps.push_back({low, high});
    expectDense(
        method, stretchedModel(),
        [&](int scale) {
          return frequenciesOf([&](int pair, double own) {
            const double ramp = std::clamp((pair - low) / (high - low), 0.0, 1.0);
            return scale == 1 ? own : own / scale * ramp + own * (1 - ramp);
          });
        },
        [](int scale) { return std::pow(0.1 * std::log(scale) + 1, 2); });
  }
}

// Phi-3's LongRoPE: short factors up to the original length, long ones beyond, √(1 + ln s / ln L) at both.
TEST_F(Positions, OfLongRopeAreThoseOfTheFilesFactors) {
  ModelShape shape = stretchedModel();
  shape.originalTokens = kTrained;
  shape.trainedTokens = 4 * kTrained;
  shape.ropeFactors = kShortFactors;
  shape.longRopeFactors = kLongFactors;
  shape.ropeMagnitude = std::sqrt(1 + std::log(4.0) / std::log(kTrained));
  expectDense(
      "longrope", shape,
      [](int scale) {
        return frequenciesOf([&](int pair, double own) {
          const auto at = static_cast<std::size_t>(pair);
          return own / static_cast<double>(scale == 1 ? kShortFactors[at] : kLongFactors[at]);
        });
      },
      [](int) { return 1 + std::log(4.0) / std::log(kTrained); });
}

TEST_F(Positions, OfLongRopeNeedFactorsInTheFile) {
  EXPECT_THROW(stretchedTable(stretchedModel(), RopeStretch::LongRope, 1), std::runtime_error);
}

TEST_F(Positions, AreTheModelsOwnWithinTheTrainedLength) {
  for (const RopeStretch stretch : {RopeStretch::Interpolated, RopeStretch::NtkAware, RopeStretch::Yarn})
    EXPECT_EQ(stretchScale(stretchedModel(), stretch, kTrained), 1);
}

// SelfExtend, eq. 3 and 4 with W = 1,024 and G = 8: within W true distances, beyond it those of ⌊k/G⌋ and ⌊q/G⌋
// + W − W/G.
struct Grouping {
  const char* method;
  int window, group;
};

class SelfExtend : public testing::TestWithParam<Grouping> {};

TEST_P(SelfExtend, IsGroupedBeyondTheWindow) {
  const c10::InferenceMode noGradients;
  constexpr int kTokens = 1600;
  const auto [method, kWindow, kGrouped] = GetParam();
  const Tensors t = randomTensors(kTokens);
  const at::Tensor ours = OneLayer(findMethod(method), 0).run(t);
  for (const int query : {0, 500, 1023, 1024, 1025, 1100, 1151, 1152, 1599}) {
    std::vector<Meeting> keys;
    for (int token = 0; token <= query; ++token)
      keys.push_back(query - token < kWindow
                         ? Meeting{token, double(token), double(query)}
                         : Meeting{token, double(token / kGrouped),
                                   double(query / kGrouped + kWindow - kWindow / kGrouped)});
    for (int head = 0; head < kHeads; ++head) expectNear(ours, attend(t, query, head, keys), head, query);
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, SelfExtend,
                         testing::Values(Grouping{"selfextend", 1024, 8},
                                         Grouping{"selfextend:window=300:group=5", 300, 5}),
                         [](const auto& row) { return "window" + std::to_string(row.param.window); });

// LM-Infinite §3.2: Λ mask and distance ceiling, which sets in for a chunk's queries as one.
void Positions::expectCeiling(int trained) {
  constexpr int kTokens = 1100, kFirst = 100;
  const int reach = trained > 0 ? std::min(kBudget, trained) : kBudget;
  const int window = std::min(kBudget - kFirst, reach);
  const Tensors t = randomTensors(kTokens);
  const at::Tensor ours = OneLayer(findMethod("lm-infinite"), kBudget, {}, trained).run(t);
  for (const int query : {0, 99, 100, 255, 256, 383, 411, 412, 500, 511, 512, 513, 640, 1099}) {
    const bool isBeyond = std::min((query / kChunkTokens + 1) * kChunkTokens, kTokens) > reach;
    std::vector<Meeting> keys;
    for (int token = 0; token <= query; ++token) {
      const bool isFirst = token < kFirst;
      if (!isFirst && query - token >= window) continue;
      keys.push_back(isFirst && isBeyond && query / kChunkTokens > 0
                         ? Meeting{token, 0, double(std::min(query, reach))}
                         : Meeting{token, double(token), double(query)});
      EXPECT_LE(keys.back().queryPosition - keys.back().keyPosition, reach);
    }
    for (int head = 0; head < kHeads; ++head) expectNear(ours, attend(t, query, head, keys), head, query);
  }
}

TEST_F(Positions, OfLmInfiniteHaveACeiling) { expectCeiling(0); }
TEST_F(Positions, OfLmInfiniteHaveTheTrainedLengthAsCeilingAndWindow) { expectCeiling(kTrained); }

// The same with tokens of the middle: for each KV head those five that its query heads score best from the
// question's last token, at the ceiling's distance; every head sees them all.
void Positions::expectMiddle(int trained) {
  constexpr int kDocument = 8 * kChunkTokens, kQuestion = 40, kLast = kDocument + kQuestion - 1, kFirst = 100;
  const int reach = trained > 0 ? std::min(kBudget, trained) : kBudget;
  const Tensors t = randomTensors(kDocument + kQuestion);
  OneLayer layer(findMethod("lm-infinite-middle"), kBudget, {}, trained);
  for (int first = 0; first < kDocument; first += kChunkTokens) layer.chunk(t, first, kChunkTokens);
  layer.startQuestion();
  const at::Tensor ours = layer.chunk(t, kDocument, kQuestion);

  std::set<int> middle;
  for (int kvHead = 0; kvHead < kKvHeads; ++kvHead) {
    std::vector<std::pair<double, int>> order;
    for (int token = kFirst; token < kDocument - reach; ++token) {
      double best = -1e30;
      for (int head = kvHead * kGroup; head < (kvHead + 1) * kGroup; ++head) {
        const auto q = rotated(t.queries[head][kLast], reach), k = rotated(t.keys[kvHead][token], 0);
        best = std::max(best, std::inner_product(q.begin(), q.end(), k.begin(), 0.0));
      }
      order.push_back({-best, token});
    }
    std::ranges::sort(order);
    for (std::size_t i = 0; i < 5; ++i) middle.insert(order[i].second);
  }
  const int room = kBudget - kChunkTokens - kFirst - static_cast<int>(middle.size());
  const int recent = std::max(kDocument - room, kLast + 1 - reach);
  for (const int query : {kDocument, kDocument + 17, kLast}) {
    std::vector<Meeting> keys;
    for (int token = 0; token <= query; ++token)
      if (token < kFirst || middle.contains(token))
        keys.push_back({token, 0, double(reach)});
      else if (token >= recent)
        keys.push_back({token, double(token), double(query)});
    for (int head = 0; head < kHeads; ++head)
      expectNear(ours, attend(t, query, head, keys), head, query - kDocument);
  }
}

TEST_F(Positions, OfLmInfinitesMiddleAreTheCeiling) { expectMiddle(0); }
TEST_F(Positions, OfLmInfinitesMiddleAreTheCeilingOfTheTrainedLength) { expectMiddle(kTrained); }

// A pinned chunk stands where it was, or at the ceiling where that is out of a query's reach.
TEST_F(Positions, OfLmInfiniteAreWithinReachWhateverIsPinned) {
  constexpr int kChunks = 8, kDocument = kChunks * kChunkTokens, kQuestion = 40;
  const Method& method = findMethod("lm-infinite-middle");
  const KvShape shape{1, kKvHeads, kDimension};
  const Tensors t = randomTensors(kDocument + kQuestion);
  for (const int trained : {0, kTrained})
    for (int pinned = 1; pinned < kChunks; ++pinned) {
      const int reach = reachOf(kBudget, trained);
      PolicySettings settings{shape, kHeads, kBudget};
      settings.wishes.pinned = {pinned};
      settings.trainedTokens = trained;
      const auto policy = method.makePolicy(settings);
      const auto positions = method.makePositions(reach);
      const auto codec = plainCodec(at::kFloat);
      MemoryChunks store(KvCache::slotBytes(shape, *codec, {}));
      KvCache cache(shape, *codec, store, {});
      const auto add = [&](int first, int tokens) {
        const Block block{cache.open(tokens), first, tokens};
        cache.write(0, block.chunk, {t.keys.narrow(1, first, tokens), t.values.narrow(1, first, tokens)});
        return block;
      };
      for (int first = 0; first < kDocument; first += kChunkTokens) add(first, kChunkTokens);
      cache.startTail();
      const Block block = add(kDocument, kQuestion);
      const at::Tensor queries = t.queries.narrow(1, kDocument, kQuestion);
      const Selection selection = policy->select(0, block, {queries, queries}, cache);
      int seen = 0;  // of the pinned chunk
      for (const kvasir::Run& run : selection.runs) {
        for (int token = run.begin; token < run.end; ++token) seen += token / kChunkTokens == pinned;
        if (!positions->place(run, block).isFar) {
          EXPECT_LT(kDocument + kQuestion - 1 - run.begin, reach) << "chunk " << pinned;
        }
      }
      EXPECT_EQ(seen, kChunkTokens) << "chunk " << pinned << ", trained on " << trained;
    }
}

}  // namespace
}  // namespace kvasir
