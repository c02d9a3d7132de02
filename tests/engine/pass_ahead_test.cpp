// Answers with tokens that are tried before the model says them, beside answers without.
#include "engine/pass_ahead.h"

#include <gtest/gtest.h>

#include "engine/methods.h"
#include "tests/engine/on_trial.h"

namespace kvasir {
namespace {

constexpr int kBudget = 512;

TEST(OnTrial, IsTheSameInFastPrecision) {
  const c10::InferenceMode noGradients;
  for (const char* architecture : {"llama", "gemma3"}) {
    const TinyModel tiny(architecture);
    EngineSettings settings = tiny.settings();
    settings.precision = Precision::Fast;
    Listener silent;
    const LoadedModel model = loadModel(settings, silent);
    for (const char* method : {"full", "retrolm", "kivi-4"})
      expectTheSameOnTrial(model, findMethod(method), kBudget);
    expectTheSameOnTrial(model, findMethod("kivi-4"), kBudget, 2 * kChunkTokens);
  }
}

TEST(OnTrial, IsTheSameOverWhatStaysPacked) {
  const c10::InferenceMode noGradients;
  const TinyModel model;
  for (const char* method : {"kivi-4", "quest+kivi-4", "yarn+kivi-2"})
    expectTheSameOnTrial(model.loaded, findMethod(method), kBudget, 2 * kChunkTokens);
}

class PassAheadTest : public testing::Test {
 protected:
  /// A pass that has read a text, and a question's token.
  std::unique_ptr<TextRun> started() {
    auto run = std::make_unique<TextRun>(model_.loaded, TextRun::Settings{findMethod("full")});
    run->read(randomTokens(300, 1), 512);
    run->cache().startTail();
    run->read(randomTokens(1, 2), 512);
    return run;
  }
  static std::vector<float> copied(std::span<const float> logits) { return {logits.begin(), logits.end()}; }

  c10::InferenceMode noGradients_;
  TinyModel model_;
};

TEST_F(PassAheadTest, GivesWhatThePassGives) {
  const std::vector<TokenId> answer = randomTokens(150, 3), wrong = randomTokens(3, 4);
  const auto plain = started(), ahead = started();
  std::size_t said = 0;
  int turn = 0, tried = 0, came = 0;
  const auto next = [&](int most) {
    std::vector<TokenId> tokens;  // by turns right, right and then wrong, wrong, none
    const int kind = turn++ % 4;
    for (std::size_t i = 0; kind < 2 && i < 2 && said + 1 + i < answer.size(); ++i)
      tokens.push_back(answer[said + 1 + i]);
    if (kind == 1 || kind == 2) tokens.insert(tokens.end(), wrong.begin(), wrong.end());
    tokens.resize(std::min(tokens.size(), static_cast<std::size_t>(std::max(0, most))));
    return tokens;
  };
  PassAhead pass(ahead->pass(), next, [&](int triedNow, int cameNow, double cost) {
    EXPECT_GT(cost, 0);
    tried += triedNow;
    came += cameNow;
  });
  for (; said < answer.size(); ++said)
    ASSERT_EQ(copied(pass.after(answer[said])), copied(plain->pass().generate(answer[said]))) << said;
  pass.settle();
  EXPECT_EQ(ahead->cache().tokens(), plain->cache().tokens());
  EXPECT_GT(came, 50);
  EXPECT_GT(tried, came + 30);
}

TEST_F(PassAheadTest, TakesBackWhatDidNotCome) {
  const auto run = started();
  const int before = run->cache().tokens();
  PassAhead pass(
      run->pass(),
      [&](int most) { return std::vector<TokenId>(static_cast<std::size_t>(std::min(most, 3)), 7); },
      [](int, int, double) {});
  pass.after(5);
  EXPECT_EQ(run->cache().tokens(), before + 1) << "where a chunk begins nothing is tried";
  pass.after(6);
  EXPECT_EQ(run->cache().tokens(), before + 5);
  pass.after(7);
  EXPECT_EQ(run->cache().tokens(), before + 5);
  pass.settle();
  EXPECT_EQ(run->cache().tokens(), before + 3);
  pass.settle();
  EXPECT_EQ(run->cache().tokens(), before + 3);
}

/// Asks and retraces the answer, with tokens on trial and without.
class GuessedAnswer : public testing::TestWithParam<const char*> {};

TEST_P(GuessedAnswer, IsTheSameAsWithoutGuesses) {
  const TinyModel tiny;
  Listener silent;
  Engine engine(tiny.settings(), silent);
  AskSettings ask;
  ask.method = GetParam();
  ask.budgetTokens = kBudget;
  ask.maxTokens = 150;
  ask.repeats = Repeats::Allow;
  std::string text = randomText(300, 1);
  for (int round = 0; round < 3; ++round) {
    const auto file = tiny.folder.path() / ("guessed" + std::to_string(round));
    const auto reading = engine.read(text, engine.readSettingsFor(ask), file, silent);
    ask.sampling.temperature = round == 2 ? 0.5f : 0.0f;
    ask.speculates = true;
    const Answer ahead = engine.ask(*reading, "What is abcd?", ask, silent);
    const Answer known = engine.retrace(*reading, "What is abcd?", ahead.text, ask, silent);
    ask.speculates = false;
    const Answer plain = engine.ask(*reading, "What is abcd?", ask, silent);
    const Answer again = engine.retrace(*reading, "What is abcd?", ahead.text, ask, silent);
    for (const auto& [a, b] : {std::pair{&ahead, &plain}, std::pair{&known, &again}}) {
      EXPECT_EQ(a->text, b->text);
      EXPECT_EQ(a->logProbability, b->logProbability);
      EXPECT_EQ(a->answerTokens, b->answerTokens);
      EXPECT_EQ(a->attendedTokens, b->attendedTokens);
      EXPECT_EQ(a->map.headMass, b->map.headMass);
      EXPECT_EQ(a->looks.size(), b->looks.size());
    }
    EXPECT_EQ(plain.guessedTokens, 0);
    EXPECT_EQ(known.guessedTokens, 0) << "what is known is no guess";
    text += " " + ahead.text + "\n";
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, GuessedAnswer, testing::Values("full", "retrolm", "streaming"));

}  // namespace
}  // namespace kvasir
