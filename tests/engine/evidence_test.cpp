#include <gtest/gtest.h>

#include "engine/answer.h"
#include "engine/tap.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

EvidenceMap mapOf(int layers, int chunks) {
  EvidenceMap map;
  map.layers = layers;
  map.chunks = chunks;
  map.scores.assign(static_cast<std::size_t>(layers * chunks), kNone);
  map.mass.assign(static_cast<std::size_t>(layers * chunks), 0);
  map.attended.assign(static_cast<std::size_t>(layers * chunks), 0);
  return map;
}

TEST(Coverage, IsWholeWhereEveryChunkWasAttended) {
  EvidenceMap map = mapOf(2, 3);
  map.attended.assign(6, 1);
  EXPECT_EQ(estimateCoverage(map, 1, 1), 1.0);
}

TEST(Coverage, IsUnknownWhereSomethingLeftOutHasNoScore) {
  EvidenceMap map = mapOf(1, 3);
  map.attended = {1, 0, 1};
  EXPECT_FALSE(estimateCoverage(map, 1, 1));
}

TEST(Coverage, FallsByTheAttentionThatEqualScoresWouldHaveDrawn) {
  EvidenceMap map = mapOf(1, 4);
  map.attended = {1, 1, 0, 0};
  map.scores = {kNone, 2, 2, 2};
  map.mass = {0.5f, 0.25f, 0, 0};
  // Two chunks left out, each as good as the one that drew a quarter: a half is missed beside the whole.
  EXPECT_NEAR(*estimateCoverage(map, 1, 1), 1 / 1.5, 1e-6);
}

TEST(Coverage, HardlyFallsByChunksOfMuchLowerScore) {
  EvidenceMap map = mapOf(1, 3);
  map.attended = {1, 1, 0};
  map.scores = {kNone, 20, 2};
  map.mass = {0.5f, 0.25f, 0};
  EXPECT_GT(*estimateCoverage(map, 1, 1), 0.999);
}

// Gemma 3: nothing is chosen for layers that see only a window of their own, of which some come last.
TEST(Coverage, LeavesLayersWithAWindowOfTheirOwnOut) {
  EvidenceMap map = mapOf(2, 3);
  map.attended = {1, 1, 1, 0, 0, 1};
  EXPECT_FALSE(estimateCoverage(map, 1, 1));
  EXPECT_EQ(estimateCoverage(map, 1, 1, [](int layer) { return layer == 1; }), 1.0);
  EXPECT_FALSE(estimateCoverage(map, 1, 1, [](int) { return true; }));
}

TEST(Coverage, IsUnknownWhereAChunkSeenInPartHasNoScore) {
  EvidenceMap map = mapOf(2, 2);
  map.attended.assign(4, 1);
  map.seenShare = {1, 1, 1, 1.0f / 128};
  EXPECT_FALSE(estimateCoverage(map, 1, 1));
  EXPECT_EQ(estimateCoverage(map, 1, 1, [](int layer) { return layer == 1; }), 1.0);
  map.seenShare = {1, 1, 1, 0};  // beacons stood for it
  EXPECT_FALSE(estimateCoverage(map, 1, 1));
}

TEST(Coverage, FallsByTheHiddenShareOfAChunkSeenInPart) {
  EvidenceMap map = mapOf(1, 3);
  map.attended.assign(3, 1);
  map.seenShare = {1, 1, 0.5f};
  map.scores = {kNone, 2, 2};
  map.mass = {0.5f, 0.25f, 0.125f};
  // One and a half chunks drew three eighths; the half that was hidden would have drawn one more.
  EXPECT_NEAR(*estimateCoverage(map, 1, 1), 1 / 1.125, 1e-6);
  map.seenShare = {1, 1, 1};
  EXPECT_EQ(estimateCoverage(map, 1, 1), 1.0);
}

Answer askTiny(const TinyModel& model, const std::string& method, std::size_t tokens) {
  Listener silent;
  Engine engine(model.settings(), silent);
  std::string text = randomText(1000, 3);
  text.resize(engine.tokenizer().encode(text).at(tokens - 1).end);
  AskSettings ask;
  ask.method = method;
  ask.budgetTokens = 512;
  ask.maxTokens = 3;
  const auto reading =
      engine.read(text, engine.readSettingsFor(ask), model.folder.path() / (method + ".kv"), silent);
  return engine.ask(*reading, "What is abcd?", ask, silent);
}

TEST(Coverage, IsNotWholeWhereMethodsSeePartsOfChunks) {
  const TinyModel model;
  for (const char* method : {"snapkv", "pyramidkv", "snapkv-blind", "h2o", "keydiff", "expected-attention"})
    EXPECT_FALSE(askTiny(model, method, 1500).coverage) << method;
  EXPECT_FALSE(askTiny(model, "streaming", 530).coverage) << "the first chunks are seen in part";
  for (const char* method : {"quest", "arkvale"}) {
    const auto coverage = askTiny(model, method, 1500).coverage;
    ASSERT_TRUE(coverage) << method;
    EXPECT_GT(*coverage, 0) << method;
    EXPECT_LT(*coverage, 0.99) << method;
  }
}

/// A text of three chunks, whose first four tokens are a frame's, as two KV heads of a layer may see it.
struct Seen : testing::Test {
  static constexpr KvShape kShape{1, 2, 8};
  std::unique_ptr<KvCodec> codec = plainCodec(at::kFloat);
  MemoryChunks store{KvCache::slotBytes(kShape, *codec, {})};
  KvCache cache{kShape, *codec, store, {}};
  EvidenceTap tap{1, 2, {{0, 4}}};

  Seen() {
    for (int chunk = 0; chunk < 3; ++chunk) cache.open(kChunkTokens);
  }
  void select(std::vector<kvasir::Run> runs, const BeaconRun& beacons = {}, const at::Tensor& kept = {}) {
    Selection selection;
    selection.runs = std::move(runs);
    selection.beacons = beacons;
    selection.kept = kept;
    tap.select(0, selection, {2, 2 * kChunkTokens, 1}, cache);
  }
};

TEST_F(Seen, IsOfEachChunkTheShareOfItsText) {
  select({{0, 128}, {128, 144}});
  const EvidenceMap map = tap.map(3);
  EXPECT_EQ(map.attended, (std::vector<std::uint8_t>{1, 1, 0}));
  EXPECT_EQ(map.seenShare, (std::vector<float>{1, 0.125f, 0}));
  ASSERT_EQ(tap.parts(3).size(), 1u);
  EXPECT_EQ(tap.parts(3)[0].chunk, 1);
  EXPECT_EQ(tap.parts(3)[0].tokens, (std::vector<kvasir::Run>{{128, 144}}));
}

TEST_F(Seen, IsNothingOfAChunkWhoseFrameAloneIsSeen) {
  select({{0, 4}});
  EXPECT_EQ(tap.map(1).attended, std::vector<std::uint8_t>{1});
  EXPECT_EQ(tap.map(1).seenShare, std::vector<float>{0});
}

TEST_F(Seen, IsWhatASingleHeadSeesOnTheMean) {
  select({}, {}, at::arange(128, 256).view({2, 64}));  // a half of the second chunk each
  EXPECT_EQ(tap.map(3).seenShare, (std::vector<float>{0, 0.5f, 0}));
  EXPECT_TRUE(tap.parts(3).empty()) << "one of them saw it";
  select({{128, 192}});
  EXPECT_EQ(tap.map(3).seenShare, (std::vector<float>{0, 0.75f, 0}));
}

TEST_F(Seen, IsNoTokenThatBeaconsStandFor) {
  select({{128, 160}}, {{0, 256}, 8});
  const EvidenceMap map = tap.map(3);
  EXPECT_EQ(map.attended, (std::vector<std::uint8_t>{1, 1, 0}));
  EXPECT_EQ(map.seenShare, (std::vector<float>{0, 0.25f, 0}));
  const auto parts = tap.parts(3);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_TRUE(parts[0].tokens.empty());
  EXPECT_EQ(parts[1].tokens, (std::vector<kvasir::Run>{{128, 160}}));
}

TEST(Evidence, GoesByTheLastLayerThatHasScores) {
  EvidenceMap map = mapOf(3, 2);
  map.attended.assign(6, 1);
  map.scores = {5, 1, 2, 3, kNone, kNone};
  const std::vector<ChunkRange> chunks = {{0, 128, 0, 500}, {128, 128, 500, 900}};
  const std::vector<EvidenceChunk> evidence = rankEvidence(map, chunks, Judge::Score);
  ASSERT_EQ(evidence.size(), 2u);
  EXPECT_EQ(evidence[0].chunk, 1);
  EXPECT_EQ(evidence[0].score, 3);
}

TEST(Evidence, HasTheTwoPartsOfAScoreThatAddsWordsToStates) {
  EvidenceMap map = mapOf(2, 3);
  map.attended.assign(6, 1);
  map.scores = {9, 9, 9, 1.25f, 0.5f, 2};
  const std::vector<ChunkRange> chunks = {{0, 128, 0, 500}, {128, 128, 500, 900}, {256, 128, 900, 950}};
  for (const EvidenceChunk& found : rankEvidence(map, chunks, Judge::Score)) EXPECT_FALSE(found.parts);
  map.words = {8, 8, 8, 1, 0, kNone};
  const std::vector<EvidenceChunk> evidence = rankEvidence(map, chunks, Judge::Score);
  ASSERT_EQ(evidence.size(), 3u);
  EXPECT_FALSE(evidence[0].parts);
  ASSERT_TRUE(evidence[1].parts && evidence[2].parts);
  EXPECT_EQ(evidence[1].chunk, 0);
  EXPECT_EQ(evidence[1].parts->words, 1);
  EXPECT_EQ(evidence[1].parts->states, 0.25);
  EXPECT_EQ(evidence[2].parts->words, 0);
  EXPECT_EQ(evidence[2].parts->states, 0.5);
  for (const EvidenceChunk& found : rankEvidence(map, chunks, Judge::Attention)) EXPECT_FALSE(found.parts);
}

TEST(Evidence, HoldsOnlyChunksThatHaveTextAndWereAttended) {
  EvidenceMap map = mapOf(1, 3);
  map.attended = {1, 1, 0};
  map.mass = {0.9f, 0.1f, 0};
  const std::vector<ChunkRange> chunks = {{0, 128, 0, 0}, {128, 128, 0, 500}, {256, 128, 500, 900}};
  const std::vector<EvidenceChunk> evidence = rankEvidence(map, chunks, Judge::Attention);
  ASSERT_EQ(evidence.size(), 1u);
  EXPECT_EQ(evidence[0].chunk, 1);
  EXPECT_EQ(evidence[0].start, 0u);
  EXPECT_EQ(evidence[0].end, 500u);
  EXPECT_EQ(evidence[0].layers, 1);
}

}  // namespace
}  // namespace kvasir
