#include "engine/prompt_lookup.h"

#include <gtest/gtest.h>

namespace kvasir {
namespace {

using Tokens = std::vector<TokenId>;

const Tokens kText = {1, 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 50, 60, 70, 11, 12};

Tokens guess(PromptLookup& lookup, const Tokens& said, int most = 9) { return lookup.guess(said, most); }

TEST(PromptLookup, GuessesWhatFollowsInTheText) {
  PromptLookup lookup{std::span<const TokenId>(kText)};
  EXPECT_EQ(guess(lookup, {4, 5, 6}), Tokens{7});
  EXPECT_EQ(guess(lookup, {99, 99, 5, 6, 7}), Tokens{8}) << "only the last tokens count";
}

TEST(PromptLookup, GuessesNothingThatTheTextDoesNotSay) {
  PromptLookup lookup{std::span<const TokenId>(kText)};
  EXPECT_EQ(guess(lookup, {4, 5, 99}), Tokens());
  EXPECT_EQ(guess(lookup, {5, 6}), Tokens()) << "two tokens say too little before any guess came true";
  EXPECT_EQ(guess(lookup, {}), Tokens());
  EXPECT_EQ(guess(lookup, {70, 11, 12}), Tokens()) << "nothing follows the end";
  EXPECT_EQ(guess(lookup, {4, 5, 6}, 0), Tokens());
  EXPECT_EQ(PromptLookup(TokenView()).guess(Tokens{4, 5, 6}, 9), Tokens());
}

// Of places that agree as far the last one; of others the one that agrees further.
TEST(PromptLookup, TakesThePlaceThatAgreesFurthest) {
  PromptLookup lookup{std::span<const TokenId>(kText)};
  EXPECT_EQ(guess(lookup, {2, 3, 4}), Tokens{50});
  EXPECT_EQ(guess(lookup, {1, 2, 3, 4}), Tokens{5});
}

TEST(PromptLookup, GuessesFurtherOnceItWasRight) {
  PromptLookup lookup{std::span<const TokenId>(kText)};
  lookup.judge(1, 1, 1);
  EXPECT_EQ(guess(lookup, {5, 6}), (Tokens{7, 8, 9}));
  EXPECT_EQ(guess(lookup, {5, 6}, 2), (Tokens{7, 8}));
  EXPECT_EQ(guess(lookup, {60, 70}), (Tokens{11, 12})) << "as far as the text goes";
  lookup.judge(3, 1, 2);
  EXPECT_EQ(guess(lookup, {5, 6}), Tokens{7});
}

TEST(PromptLookup, WantsMoreToAgreeOnceItWasWrong) {
  PromptLookup lookup{std::span<const TokenId>(kText)};
  lookup.judge(1, 0, 1);
  EXPECT_EQ(guess(lookup, {3, 4, 5, 6}), Tokens());
  EXPECT_EQ(guess(lookup, {2, 3, 4, 5, 6}), Tokens{7});
  for (int i = 0; i < 9; ++i) lookup.judge(1, 0, 1);
  EXPECT_EQ(guess(lookup, {2, 3, 4, 5, 6, 7, 8}), Tokens()) << "seven agree";
  EXPECT_EQ(guess(lookup, {1, 2, 3, 4, 5, 6, 7, 8}), Tokens{9}) << "eight always do";
}

TEST(PromptLookup, EndsWhereGuessesCostMoreThanTheySpare) {
  const Tokens said = {1, 2, 3, 4, 5, 6, 7, 8};
  PromptLookup slow{std::span<const TokenId>(kText)}, wrong = slow, lucky = slow;
  for (int i = 0; i < 9; ++i) slow.judge(1, 1, 2.1);
  EXPECT_EQ(guess(slow, said), (Tokens{9, 2, 3})) << "right, and little is lost so far";
  for (int i = 0; i < 9; ++i) slow.judge(1, 1, 2.1);
  EXPECT_EQ(guess(slow, said), Tokens()) << "never wrong, and still too dear";
  for (int i = 0; i < 3; ++i) wrong.judge(1, 0, 1.4);
  EXPECT_EQ(guess(wrong, said), Tokens{9});
  for (int i = 0; i < 2; ++i) wrong.judge(1, 0, 1.4);
  EXPECT_EQ(guess(wrong, said), Tokens());
  for (int i = 0; i < 99; ++i) lucky.judge(3, 3, 2);
  for (int i = 0; i < 9; ++i) lucky.judge(1, 0, 2);
  EXPECT_EQ(guess(lucky, said), Tokens()) << "earlier luck is soon used up";
}

TEST(PromptLookup, ReadsTokensWithinRecords) {
  struct Record {
    TokenId id;
    int other;
  };
  std::vector<Record> records;
  for (const TokenId token : kText) records.push_back({token, 5});
  PromptLookup lookup({&records[0].id, records.size(), sizeof(Record)});
  EXPECT_EQ(lookup.guess(Tokens{4, 5, 6}, 3), Tokens{7});
}

}  // namespace
}  // namespace kvasir
