#include "app/word_packing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "tests/app/sample_document.h"
#include "tests/app/scratch.h"

namespace kvasir {
namespace {

TEST(WordPacking, KeepsPositionsOfLargePagesWithinASixtyFourthOfAPoint) {
  Word word;
  word.start = 3'000'000'000;
  word.end = 3'000'000'005;
  word.box = {-12.345F, 14'399.99F, 14'400, 20'000.02F};
  word.characters = {{0.008F, 0.02F, 0.03F, 0.047F}};
  const std::vector<Word> words = unpackWords(packWords(std::vector{word}), 7);
  ASSERT_EQ(words.size(), 1u);
  EXPECT_EQ(words[0].start, word.start);
  EXPECT_EQ(words[0].end, word.end);
  EXPECT_EQ(words[0].page, 7);
  EXPECT_NEAR(words[0].box.left, -12.345F, 0.0157F);
  EXPECT_NEAR(words[0].box.bottom, 20'000.02F, 0.0157F);
  EXPECT_NEAR(words[0].characters[0].bottom, 0.047F, 0.0157F);
}

TEST(WordPacking, TakesFewBytesACharacter) {
  const Document document = sampleDocument(1, 500);
  EXPECT_LT(packWords(document.words).size(), 500u * 5 * 4);
}

TEST(WordPacking, TakesNoWordsAndBoxesThatAreNoNumbers) {
  EXPECT_TRUE(unpackWords(packWords({}), 0).empty());
  Word word;
  word.box = {std::nanf(""), std::numeric_limits<float>::infinity(), 1e30F, -1e30F};
  EXPECT_EQ(unpackWords(packWords(std::vector{word}), 0).size(), 1u);
}

TEST(WordPacking, RefusesDamagedBytes) {
  const std::string whole = packWords(sampleDocument(1).words);
  EXPECT_THROW(unpackWords("", 0), std::runtime_error);
  EXPECT_THROW(unpackWords(whole.substr(0, whole.size() / 2), 0), std::runtime_error);
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = whole;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    try {
      unpackWords(damaged, 0);  // whatever it holds, it ends: with words or with a sentence
    } catch (const std::runtime_error&) {
    }
  }
}

}  // namespace
}  // namespace kvasir
