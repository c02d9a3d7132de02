#include "engine/model/tokenizer_split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvasir {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> words(std::string_view row, std::string_view text) {
  const PreTokenizer* found = findPreTokenizer(row);
  if (found == nullptr) throw std::runtime_error("no such row");
  const WordSplitter splitter(*found);
  std::vector<std::string> result;
  for (const std::string_view word : splitter.split(text)) result.emplace_back(word);
  return result;
}

TEST(PreTokenizers, GptKeepsASpaceWithItsWord) {
  EXPECT_THAT(words("gpt-2", "Hello  world,it's 12345!\n\n x"),
              ElementsAre("Hello", " ", " world", ",", "it", "'s", " 12345", "!", "\n\n", " x"));
}

TEST(PreTokenizers, SmollmDividesDigitsFirst) {
  EXPECT_THAT(words("smollm", "a  12 b3c"), ElementsAre("a", "  ", "1", "2", " b", "3", "c"));
}

TEST(PreTokenizers, LlamaTakesDigitsByThrees) {
  EXPECT_THAT(words("llama-bpe", "x 1234567"), ElementsAre("x", " ", "123", "456", "7"));
}

TEST(PreTokenizers, QwenTakesDigitsByOnes) {
  EXPECT_THAT(words("qwen2", "x 123"), ElementsAre("x", " ", "1", "2", "3"));
}

TEST(PreTokenizers, LlamaJoinsMarksWithWordsAndLineEnds) {
  EXPECT_THAT(words("llama-bpe", "(foo) IT'S  \n\n  bar;\n"),
              ElementsAre("(foo", ")", " IT", "'S", "  \n\n", " ", " bar", ";\n"));
}

TEST(PreTokenizers, LetterRunsHoldEveryScript) {
  for (const char* row : {"gpt-2", "llama-bpe", "qwen2", "smollm", "default"}) {
    EXPECT_THAT(words(row, "naïve книга 漢字かな"), ElementsAre("naïve", " книга", " 漢字かな")) << row;
  }
}

TEST(PreTokenizers, KnowOtherNamesOfTheSameRules) {
  EXPECT_EQ(findPreTokenizer("llama-v3"), findPreTokenizer("llama-bpe"));
  EXPECT_EQ(findPreTokenizer("deepseek-r1-qwen"), findPreTokenizer("qwen2"));
  EXPECT_EQ(findPreTokenizer("runes"), nullptr);
}

TEST(PreTokenizers, TakeLongRunsOfOneKind) {
  for (const PreTokenizer& row : preTokenizers()) {
    for (const char c : {' ', '\n', 'a', '-'}) {
      const std::string text(300000, c);
      std::size_t bytes = 0;
      for (const auto& word : words(row.name, text)) bytes += word.size();
      EXPECT_EQ(bytes, text.size()) << row.name;
    }
  }
}

TEST(PreTokenizers, LoseNothingOfCharactersBeyondTheFirstPlane) {
  std::string joined;
  for (const auto& word : words("qwen2", "a🦉 🏽‍🔬𝔄𝕭1️⃣é ﷽")) joined += word;
  EXPECT_EQ(joined, "a🦉 🏽‍🔬𝔄𝕭1️⃣é ﷽");
}

}  // namespace
}  // namespace kvasir
