#include "kernels/chunk_scores.h"

#include "kernels/cases.h"
#include "tests/kernels/every_way.h"

namespace kvasir {
namespace {

using cases::ScoredChunks;

class ScoreChunks : public EveryWay {
 protected:
  void score(const ChunkScores& scores, std::int64_t begin, std::int64_t end) const {
    if (!isDefinition()) return scoreChunks(scores, begin, end);
    for (std::int64_t chunk = begin; chunk < end; ++chunk)
      scores.scores[chunk] = scores.withHeld(chunk, scores.product(chunk));
  }

  void expectRight(ScoredChunks chunks) const {
    SCOPED_TRACE(testing::Message() << chunks.count << " chunks of " << chunks.width << ", " << chunks.stride
                                    << " apart");
    const ChunkScores argument = chunks.argument();
    const reference::Expectations expected = reference::scoreChunks(argument, chunks.count);
    score(argument, 0, chunks.count);
    EXPECT_TRUE(isNone(reference::differences(expected, chunks.scores)));
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, ScoreChunks, everyWay(), nameOfWay);

TEST_P(ScoreChunks, TakesAnyWidthAndCount) {
  for (const int width : {1, 7, 8, 31, 64, 576})
    for (const int count : {0, 1, 3, 5, 1000}) expectRight({count, width, width});
}

TEST_P(ScoreChunks, ReadsNothingBetweenEntries) {
  for (const int width : {1, 7, 31, 64})
    for (const int gap : {1, 9}) expectRight({11, width, width + gap});
}

TEST_P(ScoreChunks, AddsToTheScoresOfCallsBefore) {
  ScoredChunks chunks{6, 33, 33};
  chunks.scores.assign(6, 0.0f);
  const ChunkScores once = chunks.argument();
  ChunkScores tripled = once;
  tripled.weight *= 3;
  const reference::Expectations expected = reference::scoreChunks(tripled, 6);
  for (int call = 0; call < 3; ++call) score(once, 0, 6);
  EXPECT_TRUE(isNone(reference::differences(expected, chunks.scores)));
}

TEST_P(ScoreChunks, WritesTheChunksAskedForAndNoOther) {
  for (const auto& [begin, end] : {std::pair{3, 4}, {2, 9}, {5, 5}, {1, 5}}) {
    ScoredChunks chunks{11, 20, 23};
    const std::vector<float> held = chunks.scores;
    const ChunkScores argument = chunks.argument();
    const reference::Expectations expected = reference::scoreChunks(argument, 11);
    score(argument, begin, end);
    for (int chunk = 0; chunk < 11; ++chunk) {
      if (chunk < begin || chunk >= end)
        EXPECT_EQ(chunks.scores[chunk], held[chunk]) << chunk;
      else
        EXPECT_TRUE(reference::distance(expected[chunk], chunks.scores[chunk]).isWithin()) << chunk;
    }
  }
}

TEST_P(ScoreChunks, GivesAChunkTheSameWhateverComesWithIt) {
  for (const int width : {7, 64, 577}) {
    ScoredChunks together{11, width, width}, alone = together;
    score(together.argument(), 0, 11);
    for (int chunk = 0; chunk < 11; ++chunk) score(alone.argument(), chunk, chunk + 1);
    EXPECT_EQ(together.scores, alone.scores) << width;
  }
}

}  // namespace
}  // namespace kvasir
