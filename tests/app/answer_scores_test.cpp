#include "app/answer_scores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvasir {
namespace {

constexpr auto kEnglish = ScoringLanguage::English;
constexpr auto kChinese = ScoringLanguage::Chinese;

TEST(AnswerScores, NormaliseAsSquadDoes) {
  EXPECT_EQ(normalisedEnglish("The  Tower, an \"Old\" one."), "tower old one");
  EXPECT_EQ(normalisedEnglish("U.S.-based"), "usbased");
  EXPECT_EQ(normalisedEnglish("ÉCOLE Москва ŁÓDŹ"), "école москва łódź");
  EXPECT_EQ(normalisedEnglish("“curly” – kept"), "“curly” – kept");
  EXPECT_EQ(normalisedEnglish("an"), "");
}

TEST(AnswerScores, F1IsTheOverlapOfTokens) {
  // prediction: 4 tokens, answer: 3, shared: 2; precision 1/2, recall 2/3
  EXPECT_DOUBLE_EQ(f1Of("in the old stone tower", {"the stone bell tower"}, kEnglish), 4.0 / 7);
  EXPECT_DOUBLE_EQ(f1Of("A tower.", {"tower"}, kEnglish), 1);
  EXPECT_DOUBLE_EQ(f1Of("no such word", {"tower"}, kEnglish), 0);
  EXPECT_DOUBLE_EQ(f1Of("red red", {"red"}, kEnglish), 2.0 / 3);  // a token counts as often as it occurs
}

TEST(AnswerScores, F1TakesTheBestAnswer) {
  EXPECT_DOUBLE_EQ(f1Of("April 1793", {"1793", "April 1793", "in spring"}, kEnglish), 1);
  EXPECT_DOUBLE_EQ(f1Of("anything", {}, kEnglish), 0);
}

TEST(AnswerScores, F1OfEmptyTextsIsOneOnlyWhenBothAre) {
  EXPECT_DOUBLE_EQ(f1Of("", {"the"}, kEnglish), 1);
  EXPECT_DOUBLE_EQ(f1Of("", {"tower"}, kEnglish), 0);
  EXPECT_DOUBLE_EQ(f1Of("tower", {""}, kEnglish), 0);
}

TEST(AnswerScores, CutChineseIntoCharactersAndOtherWords) {
  EXPECT_THAT(chineseTokens("辐鳍鱼，DNA 3.5《纲》"),
              testing::ElementsAre("辐", "鳍", "鱼", "dna", "3.5", "纲"));
  EXPECT_EQ(scoringLanguageOf("1998年?"), kChinese);
  EXPECT_EQ(scoringLanguageOf("Où est l’école?"), kEnglish);
}

TEST(AnswerScores, F1OfChineseIsTheLongestCommonRun) {
  EXPECT_DOUBLE_EQ(f1Of("辐鳍鱼纲。", {"辐鳍鱼纲"}, kChinese), 1);
  // prediction 6, answer 4, longest common run 鳍鱼 = 2
  EXPECT_DOUBLE_EQ(f1Of("是鳍鱼的一种", {"辐鳍鱼纲"}, kChinese), 4.0 / 10);
}

TEST(AnswerScores, ExactComparesAfterNormalising) {
  EXPECT_TRUE(isExact("The Bell Tower.", {"bell tower"}, kEnglish));
  EXPECT_FALSE(isExact("old bell tower", {"bell tower"}, kEnglish));
  EXPECT_TRUE(isExact("《雀鲷科》", {"雀鲷科"}, kChinese));
}

TEST(AnswerScores, ContainsLooksForAnAnswerAnywhere) {
  EXPECT_TRUE(containsAnswer("The code is 65358.", {"65358"}, kEnglish));
  EXPECT_TRUE(containsAnswer("By Park Jin-pyo, in 2008", {"nobody", "Park Jinpyo"}, kEnglish));
  EXPECT_FALSE(containsAnswer("The code is 6535", {"65358"}, kEnglish));
  EXPECT_FALSE(containsAnswer("anything", {"the", ""}, kEnglish));
  EXPECT_FALSE(containsAnswer("The document does not say.", {"no"}, kEnglish));
  EXPECT_TRUE(containsAnswer("No, it is not.", {"no"}, kEnglish));
  EXPECT_TRUE(containsAnswer("165358", {"65358"}, kEnglish, Parts::Characters));
  EXPECT_TRUE(containsAnswer("属于隆头鱼亚目、雀鲷科。", {"隆头鱼亚目雀鲷科"}, kChinese));
}

TEST(AnswerScores, ChoiceTakesTheClassNamedFirst) {
  const std::string question =
      "What was it? Choose from: significantly increased, significantly decreased, no significant difference.";
  EXPECT_TRUE(choosesAnswer("It was Significantly decreased.", question, {"significantly decreased"}));
  EXPECT_FALSE(choosesAnswer("No significant difference; not significantly decreased", question,
                             {"significantly decreased"}));
  EXPECT_FALSE(choosesAnswer("It fell.", question, {"significantly decreased"}));
  EXPECT_TRUE(choosesAnswer("yes, it did", "Did it?", {"yes"}));
}

}  // namespace
}  // namespace kvasir
