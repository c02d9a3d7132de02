#include "app/needles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "app/needle_results.h"

namespace kvasir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::string kText =
    "# The lighthouse\n\nThe keeper, Dr. Moe, climbed the stair every night. Nobody asked why! The lamp burned "
    "whale oil until 1846.\n\n- salt\n- herring\n\nShips came “for salt.” They left with timber.\n";

/// A token a byte.
Haystack byBytes(const std::string& text) {
  std::vector<std::size_t> ends;
  for (std::size_t i = 1; i <= text.size(); ++i) ends.push_back(i);
  return {text, ends};
}

std::vector<std::string> piecesOf(const std::string& text) {
  const std::vector<std::size_t> places = plantingPlaces(text);
  std::vector<std::string> pieces;
  for (std::size_t i = 1; i < places.size(); ++i)
    pieces.push_back(text.substr(places[i - 1], places[i] - places[i - 1]));
  return pieces;
}

TEST(PlantingPlaces, AreTheStartAndTheEndsOfParagraphsAndSentences) {
  EXPECT_THAT(piecesOf(kText),
              ElementsAre("# The lighthouse", "\n\nThe keeper, Dr. Moe, climbed the stair every night.",
                          " Nobody asked why!", " The lamp burned whale oil until 1846.",
                          "\n\n- salt\n- herring", "\n\nShips came “for salt.”", " They left with timber."));
}

TEST(PlantingPlaces, FollowTheSignsOfOtherScripts) {
  EXPECT_THAT(piecesOf("灯台は古い。船が来た！\n\nمتى؟ الآن."),
              ElementsAre("灯台は古い。", "船が来た！", "\n\nمتى؟", " الآن."));
}

TEST(PlantingPlaces, AreOnlyTheEndsOfATextWithoutSentences) {
  EXPECT_THAT(plantingPlaces("one line\nafter the other"), ElementsAre(0, 24));
  EXPECT_THAT(plantingPlaces(" \n"), ElementsAre(0));
  EXPECT_THAT(plantingPlaces(""), ElementsAre(0));
}

TEST(Haystack, IsCutBetweenSentences) {
  const std::string text = "One two. Three four. Five six.";
  EXPECT_EQ(byBytes(text).ofTokens(8), "One two.");
  EXPECT_EQ(byBytes(text).ofTokens(19), "One two.");
  EXPECT_EQ(byBytes(text).ofTokens(20), "One two. Three four.");
  EXPECT_EQ(byBytes(text).ofTokens(30), text);
}

TEST(Haystack, BeginsAgainWhereTheLengthIsMore) {
  const std::string text = "One two. Three four.\n";
  EXPECT_EQ(byBytes(text).ofTokens(33), "One two. Three four.\n\nOne two.");
  const std::string long_ = byBytes(text).ofTokens(1000);
  EXPECT_GT(long_.size(), 950u);
  EXPECT_LE(long_.size(), 1000u);
  EXPECT_THAT(long_, testing::EndsWith("."));
}

TEST(Haystack, CutsASentenceBetweenWordsOnlyWhereItIsTooLong) {
  EXPECT_EQ(byBytes("One two three four.").ofTokens(9), "One two");
  EXPECT_EQ(byBytes("Donaudampfschiff.").ofTokens(6), "Donaud");
  EXPECT_EQ(byBytes("灯台灯台。").ofTokens(4), "灯");
  EXPECT_EQ(byBytes("One.").ofTokens(0), "");
  EXPECT_EQ(byBytes("").ofTokens(10), "");
}

TEST(Plant, PutsNeedlesAtTheirDepthsAndTellsWhere) {
  const std::vector<Needle> needles = {{"Last.", 1}, {"First.", 0}, {"Second.", 0}, {"Middle.", 0.5}};
  const PlantedText planted = plant(kText, needles);
  for (std::size_t i = 0; i < needles.size(); ++i) {
    const auto& [start, end] = planted.spans[i];
    EXPECT_EQ(planted.text.substr(start, end - start), needles[i].sentence);
  }
  EXPECT_EQ(
      planted.text,
      "First. Second.\n\n# The lighthouse\n\nThe keeper, Dr. Moe, climbed the stair every night. Nobody asked "
      "why! Middle. The lamp burned whale oil until 1846.\n\n- salt\n- herring\n\nShips came “for salt.” They "
      "left with timber. Last.\n");
}

TEST(Plant, GivesANeedleAParagraphAfterWhatEndsWithoutAFullStop) {
  EXPECT_EQ(plant("# Heading\n\nText of some length.", {{"Needle.", 0.3}}).text,
            "# Heading\n\nNeedle.\n\nText of some length.");
  EXPECT_EQ(plant("", {{"Needle.", 0.7}}).text, "Needle.");
}

TEST(Plant, LeavesEverySentenceWhole) {
  const std::string text = byBytes(kText).ofTokens(3000);
  const std::vector<std::string> before = piecesOf(text);
  for (int depth = 0; depth <= 100; ++depth) {
    std::string planted = plant(text, {{"A needle.", depth / 100.0}}).text;
    for (const std::string& piece : before)
      EXPECT_THAT(planted, HasSubstr(piece.substr(piece.find_first_not_of("\n ")))) << depth;
  }
}

TEST(Needles, AreAskedByTheirKindsRecipe) {
  const NeedleTask single = makeNeedles(NeedleKind::Single, 0.25, 1, kText);
  ASSERT_THAT(single.needles, SizeIs(1));
  EXPECT_EQ(single.needles[0].depth, 0.25);
  EXPECT_THAT(single.needles[0].sentence,
              testing::MatchesRegex("One of the special magic numbers for [a-z]+-[a-z]+ is: [0-9]+\\."));
  ASSERT_THAT(single.expected, SizeIs(1));
  EXPECT_THAT(single.needles[0].sentence, HasSubstr(single.expected[0]));
  EXPECT_THAT(single.question,
              testing::MatchesRegex(
                  "What is the special magic number for [a-z]+-[a-z]+ mentioned in the provided text\\?"));

  const NeedleTask keys = makeNeedles(NeedleKind::MultiKey, 0.25, 1, kText);
  ASSERT_THAT(keys.needles, SizeIs(4));
  EXPECT_THAT(keys.expected, SizeIs(1));
  EXPECT_TRUE(keys.needles[0].isAsked);
  for (std::size_t i = 1; i < 4; ++i) EXPECT_FALSE(keys.needles[i].isAsked);

  const NeedleTask values = makeNeedles(NeedleKind::MultiValue, 0.25, 1, kText);
  EXPECT_THAT(values.expected, SizeIs(4));
  const std::string key = values.needles[0].sentence.substr(0, values.needles[0].sentence.find(" is:"));
  for (const Needle& needle : values.needles) EXPECT_THAT(needle.sentence, testing::StartsWith(key));
  EXPECT_THAT(values.question, testing::StartsWith("What are all the special magic numbers for "));

  const NeedleTask queries = makeNeedles(NeedleKind::MultiQuery, 0.25, 1, kText);
  EXPECT_THAT(queries.expected, SizeIs(4));
  EXPECT_THAT(queries.question,
              testing::MatchesRegex(".* for [a-z-]+, [a-z-]+, [a-z-]+, and [a-z-]+ mentioned.*"));
}

TEST(Needles, AreTheSameForASeedAndOthersForAnother) {
  const auto sentence = [](std::uint64_t seed, const std::string& text) {
    return makeNeedles(NeedleKind::Single, 0, seed, text).needles[0].sentence;
  };
  EXPECT_EQ(sentence(3, kText), sentence(3, kText));
  EXPECT_NE(sentence(3, kText), sentence(4, kText));
  EXPECT_NE(sentence(3, kText), sentence(3, kText + sentence(3, kText)));  // none of the text's own
}

/// What a planted text looks like, whole: read the difference when this changes.
TEST(Needles, AreAsTheGoldenTextHasThem) {
  std::string all;
  for (const NeedleKind kind :
       {NeedleKind::Single, NeedleKind::MultiKey, NeedleKind::MultiValue, NeedleKind::MultiQuery}) {
    const NeedleTask task = makeNeedles(kind, 0.5, 7, kText);
    all += std::string("== ") + needleKindName(kind) + "\n" + plant(kText, task.needles).text + "?? " +
           task.question + "\n";
    for (const std::string& expected : task.expected) all += "-> " + expected + "\n";
  }
  const std::string file = KVASIR_TEST_DATA "/app/needles.txt";
  if (std::getenv("UPDATE_GOLDEN")) std::ofstream(file, std::ios::binary) << all;
  std::ifstream stream(file, std::ios::binary);
  std::stringstream golden;
  golden << stream.rdbuf();
  EXPECT_EQ(all, golden.str());
}

TEST(ShareFound, CountsStringsWhateverTheirCase) {
  EXPECT_EQ(shareFound("They are 12 and Thirteen.", {"12", "thirteen"}), 1);
  EXPECT_EQ(shareFound("It is 12.", {"12", "13", "14", "15"}), 0.25);
  EXPECT_EQ(shareFound("", {"12"}), 0);
  EXPECT_EQ(shareFound("12", {}), 0);
}

NeedleResult resultOf(int length, double depth, double found, double recall) {
  NeedleResult result;
  result.length = length;
  result.depth = depth;
  result.found = found;
  result.recall = recall;
  return result;
}

TEST(NeedleGrid, IsOfMeansByLengthAndDepth) {
  NeedleGrid grid("full");
  grid.add(resultOf(4096, 50, 1, 1));
  grid.add(resultOf(4096, 50, 0, 1));
  grid.add(resultOf(1024, 50, 1, 0));
  grid.add(resultOf(4096, 0, 0.25, 0.5));
  EXPECT_THAT(grid.lengths(), ElementsAre(1024, 4096));
  EXPECT_THAT(grid.depths(), ElementsAre(0, 50));
  const std::vector<NeedleCell> cells = grid.cells();
  ASSERT_THAT(cells, SizeIs(3));
  EXPECT_EQ(cells[0].length, 1024);
  EXPECT_EQ(cells[2].rows, 2);
  EXPECT_EQ(cells[2].found, 0.5);
  EXPECT_EQ(cells[2].recall, 1);
  EXPECT_EQ(grid.all().found, 2.25 / 4);
  EXPECT_EQ(grid.table(),
            "     length        0 %       50 %        all\n"
            "      1,024          -  1.00/0.00  1.00/0.00\n"
            "      4,096  0.25/0.50  0.50/1.00  0.42/0.83\n");
}

}  // namespace
}  // namespace kvasir
