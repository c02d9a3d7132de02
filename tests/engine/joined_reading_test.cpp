// Readings that are half read, joined, or looked at again.
#include <gtest/gtest.h>

#include "engine/answer.h"
#include "engine/passage_answer.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

constexpr int kBudget = 512;

class EveryMethodOverReadings : public testing::TestWithParam<std::string> {
 protected:
  EveryMethodOverReadings() {
    ask_.method = GetParam();
    ask_.budgetTokens = kBudget;
    ask_.maxTokens = 12;
  }
  std::filesystem::path file(const std::string& name) const { return model_.folder.path() / (name + ".kv"); }
  std::shared_ptr<const Reading> read(const std::string& name, const std::string& text) {
    return engine_.read(text, engine_.readSettingsFor(ask_), file(name), silent_);
  }
  bool isForgetful() const { return findMethod(GetParam()).sees == Sees::BudgetOnceRead; }
  /// Whether what the method keeps holds beside another document too.
  bool isJoinable() const {
    return !isForgetful() && GetParam() != "quest" && GetParam() != "arkvale" && GetParam() != "beacon";
  }
  Answer ask(const Reading& reading) { return engine_.ask(reading, "What is abcd?", ask_, silent_); }

  Listener silent_;
  TinyModel model_;
  Engine engine_{model_.settings(), silent_};
  AskSettings ask_;
};

void expectSame(const Answer& a, const Answer& b) {
  EXPECT_EQ(a.text, b.text);
  EXPECT_EQ(a.map.attended, b.map.attended);
  ASSERT_EQ(a.map.mass.size(), b.map.mass.size());
  for (std::size_t i = 0; i < a.map.mass.size(); ++i) EXPECT_NEAR(a.map.mass[i], b.map.mass[i], 1e-5);
  EXPECT_NEAR(a.logProbability, b.logProbability, 1e-3);
  ASSERT_EQ(a.evidence.size(), b.evidence.size());
  for (std::size_t i = 0; i < a.evidence.size(); ++i) EXPECT_EQ(a.evidence[i].chunk, b.evidence[i].chunk);
}

TEST_P(EveryMethodOverReadings, JoiningOneReadingChangesNothing) {
  const auto reading = read("a", randomText(700, 1));
  const auto joined = engine_.join({reading});
  EXPECT_EQ(joined->tokens(), reading->tokens());
  EXPECT_EQ(joined->tokensRead(), reading->tokensRead());
  EXPECT_EQ(joined->chunks().size(), reading->chunks().size());
  expectSame(ask(*joined), ask(*reading));
}

TEST_P(EveryMethodOverReadings, AreRefusedTogetherWhereTheyServeOneDocumentAlone) {
  const auto first = read("a", randomText(200, 1)), second = read("b", randomText(200, 2));
  if (isJoinable()) {
    EXPECT_NO_THROW(engine_.join({first, second}));
  } else {
    EXPECT_THROW(engine_.join({first, second}), std::runtime_error);
  }
}

TEST_P(EveryMethodOverReadings, JoinedChunksNameTheirDocumentAndItsBytes) {
  if (!isJoinable()) GTEST_SKIP() << "it joins no readings";
  const auto first = read("a", randomText(400, 1)), second = read("b", randomText(300, 2));
  const auto joined = engine_.join({first, second});
  ASSERT_EQ(joined->chunks().size(), first->chunks().size() + second->chunks().size());
  int token = 0;
  for (std::size_t i = 0; i < joined->chunks().size(); ++i) {
    const ChunkRange& chunk = joined->chunks()[i];
    const bool isFirst = i < first->chunks().size();
    const ChunkRange& own = isFirst ? first->chunks()[i] : second->chunks()[i - first->chunks().size()];
    EXPECT_EQ(chunk.firstToken, token);
    EXPECT_EQ(chunk.document, isFirst ? 0 : 1);
    EXPECT_EQ(chunk.start, own.start);
    EXPECT_EQ(chunk.end, own.end);
    token += chunk.tokens;
  }
  EXPECT_EQ(token, joined->tokens());
  const Answer answer = ask(*joined);
  EXPECT_EQ(answer.map.chunks, static_cast<int>(joined->chunks().size()));
  EXPECT_LE(answer.attendedTokens, findMethod(GetParam()).sees != Sees::WholeDocument ? kBudget : 10000);
  for (const EvidenceChunk& found : answer.evidence)
    EXPECT_EQ(found.document, joined->chunks()[static_cast<std::size_t>(found.chunk)].document);
}

TEST_P(EveryMethodOverReadings, SharesOutNoMoreAttentionThanThereIsOverAJoin) {
  if (!isJoinable()) GTEST_SKIP() << "it joins no readings";
  const auto joined = engine_.join({read("a", randomText(400, 1)), read("b", randomText(300, 2))});
  const EvidenceMap map = ask(*joined).map;
  for (int layer = 0; layer < map.layers; ++layer) {
    double sum = 0;
    for (int chunk = 0; chunk < map.chunks; ++chunk)
      sum += map.mass[static_cast<std::size_t>(layer * map.chunks + chunk)];
    EXPECT_LT(sum, 1.0001) << "layer " << layer;
  }
}

// Entries are written late: those of a document's last chunks when more of it comes, or never.
TEST_P(EveryMethodOverReadings, ScoresTheEndOfEveryDocument) {
  if (!isJoinable()) GTEST_SKIP() << "it joins no readings";
  const auto first = read("a", randomText(900, 1)), second = read("b", randomText(900, 2));
  const EvidenceMap map = ask(*engine_.join({first, second})).map;
  const bool scores = std::ranges::any_of(map.scores, [](float score) { return std::isfinite(score); });
  if (!scores || !answersFromReading(findMethod(GetParam()))) GTEST_SKIP() << "it scores no chunks";
  const auto end = static_cast<int>(first->chunks().size());
  for (int layer = 0; layer < map.layers; ++layer)
    for (int chunk = end - 3; chunk < end; ++chunk) {
      const float score = map.scores[static_cast<std::size_t>(layer * map.chunks + chunk)];
      EXPECT_TRUE(std::isfinite(score) && score != 0) << "layer " << layer << ", chunk " << chunk;
    }
}

TEST_P(EveryMethodOverReadings, AnswersFromAHalfReadDocumentAndReadsOnAfterwards) {
  class StopsAt : public Listener {
    void progress(const Progress& progress) override {
      if (progress.stage == Stage::Reading && progress.done >= 600) throw Cancelled();
    }
  };
  const std::string text = randomText(800, 6);
  const Answer whole = ask(*read("whole", text));
  StopsAt stops;
  ReadSettings settings = engine_.readSettingsFor(ask_);
  settings.stepTokens = 256;
  EXPECT_THROW(engine_.read(text, settings, file("half"), stops), Cancelled);
  EXPECT_EQ(engine_.open(file("half"), settings), nullptr);
  if (isForgetful()) {
    EXPECT_EQ(engine_.open(file("half"), settings, Extent::AnyChunk), nullptr);
  } else {
    const auto half = engine_.open(file("half"), settings, Extent::AnyChunk);
    ASSERT_TRUE(half);
    EXPECT_GT(half->tokensRead(), 0);
    EXPECT_LT(half->tokensRead(), half->tokens());
    const Answer answer = ask(*half);
    EXPECT_GT(answer.answerTokens, 0);
    EXPECT_LT(answer.map.chunks, whole.map.chunks);
    for (const EvidenceChunk& found : answer.evidence) EXPECT_LT(found.chunk, answer.map.chunks);
    const auto other = read("other", randomText(200, 9));
    if (isJoinable()) {
      EXPECT_GT(ask(*engine_.join({half, other})).map.chunks, answer.map.chunks);
    }
  }
  expectSame(ask(*read("half", text)), whole);
}

TEST_P(EveryMethodOverReadings, LooksAddUpToTheMap) {
  const auto reading = read("a", randomText(300, 3));
  const Answer answer = ask(*reading);
  ASSERT_GE(answer.looks.size(), 2u);
  EXPECT_EQ(answer.looks[0].start, answer.looks[0].end);
  const double queries = answer.questionTokens + static_cast<double>(answer.looks.size() - 1);
  std::vector<double> sums(answer.map.mass.size());
  for (std::size_t i = 0; i < answer.looks.size(); ++i) {
    const double weight = (i == 0 ? answer.questionTokens : 1) / queries;
    for (const AnswerLook::Share& share : answer.looks[i].shares)
      sums[static_cast<std::size_t>(share.layer * answer.map.chunks + share.chunk)] +=
          weight * static_cast<double>(share.mass);
  }
  for (std::size_t i = 0; i < sums.size(); ++i) EXPECT_NEAR(sums[i], answer.map.mass[i], 2e-4) << i;
  for (std::size_t i = 1; i < answer.looks.size(); ++i) {
    EXPECT_LE(answer.looks[i].start, answer.looks[i].end);
    EXPECT_LE(answer.looks[i].end, answer.text.size());
    EXPECT_EQ(answer.looks[i].start, answer.looks[i - 1].end);
  }
}

TEST_P(EveryMethodOverReadings, RetracesWhatAGivenAnswerLookedAt) {
  const auto reading = read("a", randomText(700, 3));
  const Answer asked = ask(*reading);
  class Hears : public Listener {
   public:
    void answerText(std::string_view text) override { text_ += text; }
    std::string text_;
  };
  Hears listener;
  const Answer traced = engine_.retrace(*reading, "What is abcd?", "abcd efgh", ask_, listener);
  EXPECT_EQ(listener.text_, "");
  EXPECT_EQ(traced.text, "abcd efgh");
  EXPECT_EQ(traced.looks.size(), static_cast<std::size_t>(traced.answerTokens) + 1);
  EXPECT_FALSE(traced.evidence.empty());
  // The question is the same, and looks where it looked.
  ASSERT_EQ(traced.looks[0].shares.size(), asked.looks[0].shares.size());
  for (std::size_t i = 0; i < asked.looks[0].shares.size(); ++i)
    EXPECT_NEAR(traced.looks[0].shares[i].mass, asked.looks[0].shares[i].mass, 1e-5);
  const Answer nothing = engine_.retrace(*reading, "What is abcd?", "", ask_, silent_);
  EXPECT_EQ(nothing.answerTokens, 0);
  EXPECT_FALSE(nothing.evidence.empty());
}

std::vector<std::string> methodNames() {
  std::vector<std::string> names;
  for (const Method& method : methods())
    if (!readsPassages(method)) names.push_back(method.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Table, EveryMethodOverReadings, testing::ValuesIn(methodNames()), [](const auto& row) {
  std::string name = row.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST(JoinedReadings, FindAFactInEither) {
  Listener silent;
  TinyModel model;
  Engine engine(model.settings(), silent);
  AskSettings ask;
  ask.budgetTokens = kBudget;
  ask.maxTokens = 4;
  const auto read = [&](const char* name, const std::string& text) {
    return engine.read(text, engine.readSettingsFor(ask), model.folder.path() / name, silent);
  };
  const std::string first = randomText(500, 1) + " The harpooneer was quiqueg. " + randomText(300, 2);
  const std::string second = randomText(300, 3) + " The steersman was tashtego. " + randomText(500, 4);
  const auto joined = engine.join({read("first", first), read("second", second)});
  const auto best = [&](const char* question) {
    const Answer answer = engine.ask(*joined, question, ask, silent);
    EXPECT_FALSE(answer.evidence.empty());
    // The best paragraph's chunks come first.
    std::string text;
    for (std::size_t i = 0; i < std::min<std::size_t>(8, answer.evidence.size()); ++i) {
      const EvidenceChunk& found = answer.evidence[i];
      text += (found.document == 0 ? first : second).substr(found.start, found.end - found.start);
    }
    return std::pair(answer.evidence.front().document, text);
  };
  const auto [harpooneer, harpooneerText] = best("Who was the harpooneer quiqueg?");
  EXPECT_EQ(harpooneer, 0);
  EXPECT_NE(harpooneerText.find("quiqueg"), std::string::npos);
  const auto [steersman, steersmanText] = best("Who was the steersman tashtego?");
  EXPECT_EQ(steersman, 1);
  EXPECT_NE(steersmanText.find("tashtego"), std::string::npos);
}

TEST(JoinedReadings, RefuseWhatWasReadInAnotherWay) {
  Listener silent;
  TinyModel model;
  Engine engine(model.settings(), silent);
  ReadSettings full, whitened;
  full.method = "full";
  const auto a = engine.read("abcd", full, model.folder.path() / "a", silent);
  const auto b = engine.read("abcd", whitened, model.folder.path() / "b", silent);
  EXPECT_THROW(engine.join({a, b}), std::runtime_error);
  EXPECT_THROW(engine.join({}), std::runtime_error);
}

}  // namespace
}  // namespace kvasir
