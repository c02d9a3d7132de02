#include <gtest/gtest.h>

#include "engine/answer.h"

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
