// What every method must hold whose model reads only passages.
#include <gtest/gtest.h>

#include <array>

#include "engine/answer.h"
#include "engine/loaded_model.h"
#include "engine/methods.h"
#include "engine/part_answer.h"
#include "engine/passage_answer.h"
#include "engine/passage_prompt.h"
#include "tests/engine/plain_encoder.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

constexpr int kBudget = 512;

TEST(RoomForPassages, IsRefusedWithWhatWouldHelp) {
  TinyModel model;
  AskSettings asking;
  asking.maxTokens = 12;
  const std::size_t asked = frameQuestion(model.loaded, "What is abcd?").size();
  const auto complaint = [&](int budget, int trained) -> std::string {
    model.loaded.shape.trainedTokens = trained;
    asking.budgetTokens = budget;
    try {
      roomForPassages(model.loaded, asking, asked);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  };
  const int needed =
      static_cast<int>(framePrefix(model.loaded).size() + asked) + asking.maxTokens + kChunkTokens;
  EXPECT_EQ(complaint(needed, needed), "");
  EXPECT_EQ(complaint(needed, 0), "");
  EXPECT_NE(complaint(needed - 1, 8192).find("give a budget of"), std::string::npos);
  EXPECT_NE(complaint(4096, needed - 1).find("trained on texts of " + std::to_string(needed - 1)),
            std::string::npos);
}

// The answer's part of the budget grows with it, up to its longest.
TEST(RoomForPassages, IsThereWithTheBudgetThatIsNamed) {
  const TinyModel model;
  AskSettings asking;
  asking.maxTokens = 2048;
  asking.budgetTokens = 1024;
  std::string complaint;
  try {
    roomForPassages(model.loaded, asking, 1500);
  } catch (const std::runtime_error& error) {
    complaint = error.what();
  }
  const std::size_t at = complaint.find("a budget of ");
  ASSERT_NE(at, std::string::npos) << complaint;
  asking.budgetTokens = std::stoi(complaint.substr(at + 12));
  EXPECT_GE(roomForPassages(model.loaded, asking, 1500), kChunkTokens);
}

// A score below nothing says as little of what is worth reading as of what is not.
TEST(ChosenTokens, HoldTheBestPassagesWhateverTheirScores) {
  const std::vector<kvasir::Run> chunks = {{0, 100}, {100, 200}, {200, 300}};
  const auto chosen = [&](float best, float second) {
    const std::vector<char> isChosen =
        chooseTokens(chunks, {{chunks[0], chunks[0], second}, {chunks[2], chunks[2], best}}, {}, 512, 0.5f);
    return std::array<bool, 2>{isChosen[0] != 0, isChosen[250] != 0};
  };
  EXPECT_EQ(chosen(1, 0.6f), (std::array{true, true}));
  EXPECT_EQ(chosen(1, 0.4f), (std::array{false, true}));
  EXPECT_EQ(chosen(-0.1f, -0.2f), (std::array{true, true}));
}

// ---- Every method that answers from passages read anew ----

struct PassageCase {
  std::string method, architecture = "llama";
};

std::vector<PassageCase> passageCases() {
  std::vector<PassageCase> cases;
  for (const Method& method : methods())
    if (!answersFromReading(method)) cases.push_back({method.name});
  // Numbers far from the usual, and another family for each way to answer.
  for (const char* name :
       {"rag:rank=0", "rag:passages=2", "landmark:before=1", "memorag:clues=1:hits=8:draft=1",
        "lcboost:part=2:parts=4", "reread:tokens=256:worth=1"})
    cases.push_back({name});
  for (const char* name : {"rag", "memorag", "lcboost", "reread"}) cases.push_back({name, "gemma3"});
  return cases;
}

class EveryPassageMethod : public testing::TestWithParam<PassageCase> {
 protected:
  EveryPassageMethod() {
    writeEmbedder(model_.folder.path() / "all-minilm-l6-v2");
    asking_.method = GetParam().method;
    asking_.budgetTokens = kBudget;
    asking_.maxTokens = 12;
  }
  const Method& method() const { return findMethod(GetParam().method); }
  /// Paragraphs are found by words too, but which of their chunks is read first says a random model; the row as
  /// it comes reads enough of them.
  bool foundByWords() const {
    const bool isUsual = numbersOf(GetParam().method).empty() && GetParam().architecture == "llama";
    const bool knowsWords = method().passages.make == fusedPassages ||
                            method().passages.make == lexicalPassages || (!readsPassages(method()) && isUsual);
    return knowsWords && method().answers.answer != answerFromParts;
  }
  /// Whether a prompt has only so many passages, however many there is room for.
  bool countsPassages() const { return GetParam().method.find(":passages=") != std::string::npos; }
  std::shared_ptr<const Reading> read(Engine& engine, const std::string& text) {
    return engine.read(text, engine.readSettingsFor(asking_),
                       model_.folder.path() / (std::to_string(text.size()) + ".kv"), silent_);
  }

  c10::InferenceMode noGradients_;
  TinyModel model_{GetParam().architecture};
  Listener silent_;
  AskSettings asking_;
};

constexpr const char* kQuestion = "What is abcd?";

double massOf(const AnswerLook& look) {
  double sum = 0;
  for (const AnswerLook::Share& share : look.shares) sum += share.mass;
  return sum;
}

void expectSame(const Answer& a, const Answer& b) {
  EXPECT_EQ(a.text, b.text);
  EXPECT_EQ(a.map.attended, b.map.attended);
  EXPECT_NEAR(a.logProbability, b.logProbability, 1e-3);
  ASSERT_EQ(a.steps.size(), b.steps.size());
  for (std::size_t i = 0; i < a.steps.size(); ++i) {
    EXPECT_EQ(a.steps[i].asked, b.steps[i].asked);
    EXPECT_EQ(a.steps[i].said, b.steps[i].said);
  }
}

TEST_P(EveryPassageMethod, KeepsWithinBudget) {
  Engine engine(model_.settings(), silent_);
  const Answer answer = engine.ask(*read(engine, randomText(1200, 3)), kQuestion, asking_, silent_);
  EXPECT_LE(answer.attendedTokens, kBudget);
  EXPECT_GT(answer.attendedTokens, kBudget / 2);
}

TEST_P(EveryPassageMethod, KeepsWithinBudgetInALongAnswer) {
  Engine engine(model_.settings(), silent_);
  asking_.maxTokens = kBudget;
  asking_.repeats = Repeats::Allow;
  const Answer answer = engine.ask(*read(engine, randomText(1200, 3)), kQuestion, asking_, silent_);
  EXPECT_LE(answer.attendedTokens, kBudget);
  EXPECT_TRUE(answer.answerTokens > 64 || !answer.stoppedByLimit) << answer.answerTokens;
}

// What is read anew stands in a row with question and answer: with a larger budget than that it is no longer
// than the texts that the model was trained on.
TEST_P(EveryPassageMethod, ReadsNoLongerPromptThanTheModelWasTrainedOn) {
  constexpr int kTrained = 512;
  LoadedModel& model = model_.loaded;
  const std::string text = randomText(1200, 3);
  const auto answer = [&](int budget, int trained) {
    model.shape.trainedTokens = trained;
    asking_.budgetTokens = budget;
    const auto file = model_.folder.path() / (std::to_string(budget) + "of" + std::to_string(trained) + ".kv");
    const auto reading = readText(model, text, {GetParam().method, budget, 512}, file, silent_);
    const Answer said = answerQuestion(model, *reading, kQuestion, asking_, silent_);
    double prompt = said.questionTokens + said.answerTokens;
    for (const EvidenceChunk& chunk : said.evidence)
      prompt += chunk.readShare * reading->chunks()[static_cast<std::size_t>(chunk.chunk)].tokens;
    return std::pair{said, prompt};
  };
  const auto [bounded, tokens] = answer(4 * kTrained, kTrained);
  EXPECT_LE(tokens, kTrained);
  if (method().answers.answer == answerFromPassages && !countsPassages()) {
    EXPECT_GT(answer(4 * kTrained, 8192).second, kTrained);
  }
  if (keepsKv(method())) return;  // of the reading it sees what the budget says
  expectSame(bounded, answer(kTrained, 8192).first);
}

TEST_P(EveryPassageMethod, EqualsFullAttentionWhenAllFits) {
  if (countsPassages()) GTEST_SKIP() << "it reads so many, whatever fits";
  Engine engine(model_.settings(), silent_);
  asking_.budgetTokens = 2048;
  const std::string text = randomText(180, 8);
  const Answer ours = engine.ask(*read(engine, text), kQuestion, asking_, silent_);
  AskSettings full = asking_;
  full.method = "full";
  const auto reading =
      engine.read(text, engine.readSettingsFor(full), model_.folder.path() / "full.kv", silent_);
  const Answer whole = engine.ask(*reading, kQuestion, full, silent_);
  EXPECT_EQ(ours.text, whole.text);
  EXPECT_NEAR(ours.logProbability, whole.logProbability, 1e-3);
  ASSERT_EQ(ours.map.mass.size(), whole.map.mass.size());
  for (std::size_t i = 0; i < ours.map.mass.size(); ++i) EXPECT_NEAR(ours.map.mass[i], whole.map.mass[i], 1e-4);
  ASSERT_EQ(ours.looks.size(), whole.looks.size());
  for (std::size_t i = 0; i < ours.looks.size(); ++i) {
    EXPECT_EQ(ours.looks[i].start, whole.looks[i].start);
    EXPECT_NEAR(massOf(ours.looks[i]), massOf(whole.looks[i]), 1e-3);
  }
}

TEST_P(EveryPassageMethod, LeavesNothingForTheNextDocument) {
  Engine used(model_.settings(), silent_), fresh(model_.settings(), silent_);
  const std::string first = randomText(700, 1), second = randomText(500, 2);
  used.ask(*read(used, first), kQuestion, asking_, silent_);
  const Answer after = used.ask(*read(used, second), kQuestion, asking_, silent_);
  const Answer alone = fresh.ask(*read(fresh, second), kQuestion, asking_, silent_);
  EXPECT_EQ(after.text, alone.text);
  EXPECT_EQ(after.map.attended, alone.map.attended);
}

TEST_P(EveryPassageMethod, SeesNothingOfABlockedChunkAndAllOfAPinnedOne) {
  Engine engine(model_.settings(), silent_);
  const auto reading = read(engine, randomText(1200, 8));
  const Answer before = engine.ask(*reading, kQuestion, asking_, silent_);
  ASSERT_FALSE(before.evidence.empty());
  asking_.blockedChunks = {before.evidence.front().chunk};
  int pinned = 0;
  while (before.map.attended[static_cast<std::size_t>(pinned)] || pinned == asking_.blockedChunks[0]) ++pinned;
  asking_.pinnedChunks = {pinned};
  const Answer after = engine.ask(*reading, kQuestion, asking_, silent_);
  EXPECT_FALSE(after.map.attended[static_cast<std::size_t>(asking_.blockedChunks[0])]);
  EXPECT_TRUE(after.map.attended[static_cast<std::size_t>(pinned)]);
}

TEST_P(EveryPassageMethod, PutsTheChunkThatSharesTheQuestionsWordsFirst) {
  if (!foundByWords()) GTEST_SKIP() << "random embeddings know no words, a random model no use of them";
  Engine engine(model_.settings(), silent_);
  const std::string text = randomText(500, 4) + "The quokka abcd. " + randomText(500, 5);
  const auto reading = read(engine, text);
  const Answer answer = engine.ask(*reading, "What is the quokka abcd?", asking_, silent_);
  ASSERT_FALSE(answer.evidence.empty());
  bool isFound = false;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, answer.evidence.size()); ++i) {
    const EvidenceChunk& best = answer.evidence[i];
    isFound = isFound || text.substr(best.start, best.end - best.start).find("quokka") != std::string::npos;
  }
  EXPECT_TRUE(isFound);
}

TEST_P(EveryPassageMethod, FindsWhatStandsInTheSecondOfJoinedDocuments) {
  if (!foundByWords()) GTEST_SKIP() << "random embeddings know no words, a random model no use of them";
  Engine engine(model_.settings(), silent_);
  const std::string second = randomText(300, 5) + "The quokka abcd. " + randomText(100, 6);
  const auto joined = engine.join({read(engine, randomText(700, 4)), read(engine, second)});
  const Answer answer = engine.ask(*joined, "What is the quokka abcd?", asking_, silent_);
  ASSERT_FALSE(answer.evidence.empty());
  bool isFound = false;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, answer.evidence.size()); ++i) {
    const EvidenceChunk& best = answer.evidence[i];
    isFound = isFound || (best.document == 1 &&
                          second.substr(best.start, best.end - best.start).find("quokka") != std::string::npos);
  }
  EXPECT_TRUE(isFound);
}

TEST_P(EveryPassageMethod, LooksAgainWhereItLookedForTheQuestion) {
  Engine engine(model_.settings(), silent_);
  const auto reading = read(engine, randomText(900, 9));
  const Answer said = engine.ask(*reading, kQuestion, asking_, silent_);
  const Answer again = engine.retrace(*reading, kQuestion, "abcd efgh", asking_, silent_);
  EXPECT_EQ(again.text, "abcd efgh");
  EXPECT_EQ(again.map.attended, said.map.attended);
  ASSERT_FALSE(said.looks.empty());
  EXPECT_EQ(again.looks.size(), static_cast<std::size_t>(again.answerTokens) + 1);
  EXPECT_NEAR(massOf(again.looks[0]), massOf(said.looks[0]), 1e-4);
}

TEST_P(EveryPassageMethod, SaysWhatIsMissingWithoutAnEmbedder) {
  if (method().passages.make == lexicalPassages || !readsPassages(method())) GTEST_SKIP() << "it needs none";
  std::filesystem::remove_all(model_.folder.path() / "all-minilm-l6-v2");
  Engine engine(model_.settings(), silent_);
  try {
    read(engine, randomText(100, 1));
    FAIL() << "it found an embedder";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("./dev setup"), std::string::npos) << error.what();
  }
}

TEST_P(EveryPassageMethod, LeavesNothingForTheNextQuestion) {
  Engine engine(model_.settings(), silent_);
  const auto reading = read(engine, randomText(900, 4));
  const Answer first = engine.ask(*reading, kQuestion, asking_, silent_);
  engine.ask(*reading, "Who is efgh, and where?", asking_, silent_);
  expectSame(first, engine.ask(*reading, kQuestion, asking_, silent_));
}

TEST_P(EveryPassageMethod, GivesTheSameForAnyReadingStep) {
  Engine engine(model_.settings(), silent_);
  const std::string text = randomText(900, 11);
  std::optional<Answer> whole;
  for (const int step : {4096, 1, 300, 1024}) {
    ReadSettings settings = engine.readSettingsFor(asking_);
    settings.stepTokens = step;
    const auto reading =
        engine.read(text, settings, model_.folder.path() / ("step" + std::to_string(step) + ".kv"), silent_);
    const Answer answer = engine.ask(*reading, kQuestion, asking_, silent_);
    if (whole) expectSame(*whole, answer);
    if (!whole) whole = answer;
  }
}

/// Counts the calls about a stage, and throws once there are so many.
class StopsAtCall : public Listener {
 public:
  explicit StopsAtCall(int most, std::optional<Stage> stage = std::nullopt) : most_(most), stage_(stage) {}
  void progress(const Progress& progress) override {
    if (stage_ && progress.stage != *stage_) return;
    if (++calls >= most_) throw Cancelled();
  }
  int calls = 0;

 private:
  int most_;
  std::optional<Stage> stage_;
};
constexpr int kNever = 1 << 30;

TEST_P(EveryPassageMethod, GoesOnWhereReadingWasStopped) {
  Engine engine(model_.settings(), silent_);
  const std::string text = randomText(900, 6);
  ReadSettings settings = engine.readSettingsFor(asking_);
  settings.stepTokens = 256;
  StopsAtCall counts(kNever, Stage::Reading);
  const auto whole = engine.read(text, settings, model_.folder.path() / "whole.kv", counts);
  const auto file = model_.folder.path() / "stopped.kv";
  for (const int share : {1, 2}) {
    StopsAtCall stops(std::max(1, counts.calls * share / 3), Stage::Reading);
    EXPECT_THROW(engine.read(text, settings, file, stops), Cancelled);
  }
  const auto rest = engine.read(text, settings, file, silent_);
  expectSame(engine.ask(*whole, kQuestion, asking_, silent_), engine.ask(*rest, kQuestion, asking_, silent_));
}

TEST_P(EveryPassageMethod, ReadsNothingAgainForALaterQuestion) {
  const auto file = model_.folder.path() / "kept.kv";
  {
    Engine engine(model_.settings(), silent_);
    engine.read(randomText(900, 6), engine.readSettingsFor(asking_), file, silent_);
  }
  const auto written = std::filesystem::last_write_time(file);
  Engine later(model_.settings(), silent_);
  const auto reading = later.open(file, later.readSettingsFor(asking_));
  ASSERT_NE(reading, nullptr);
  StopsAtCall counts(kNever, Stage::Reading);
  EXPECT_FALSE(later.ask(*reading, kQuestion, asking_, counts).evidence.empty());
  EXPECT_EQ(counts.calls, 0);
  EXPECT_EQ(std::filesystem::last_write_time(file), written);
}

TEST_P(EveryPassageMethod, MayBeStoppedAnywhereOnTheWayToAnAnswer) {
  Engine engine(model_.settings(), silent_);
  const auto reading = read(engine, randomText(900, 7));
  StopsAtCall counts(kNever);
  const Answer whole = engine.ask(*reading, kQuestion, asking_, counts);
  for (int eighth = 0; eighth < 8; ++eighth) {
    StopsAtCall stops(1 + counts.calls * eighth / 8);
    EXPECT_THROW(engine.ask(*reading, kQuestion, asking_, stops), Cancelled) << eighth;
  }
  expectSame(whole, engine.ask(*reading, kQuestion, asking_, silent_));
}

TEST_P(EveryPassageMethod, GivesTheSameAnswerForTheSameSeed) {
  Engine engine(model_.settings(), silent_);
  const auto reading = read(engine, randomText(900, 7));
  asking_.sampling.temperature = 1;
  asking_.sampling.seed = 7;
  const Answer first = engine.ask(*reading, kQuestion, asking_, silent_);
  expectSame(first, engine.ask(*reading, kQuestion, asking_, silent_));
  asking_.sampling.seed = 8;
  EXPECT_NE(engine.ask(*reading, kQuestion, asking_, silent_).text, first.text);
}

TEST_P(EveryPassageMethod, HearsOnlyTheAnswerSaid) {
  class Hears : public Listener {
   public:
    void answerText(std::string_view piece) override { heard += piece; }
    std::string heard;
  } hears;
  Engine engine(model_.settings(), silent_);
  const Answer answer = engine.ask(*read(engine, randomText(900, 7)), kQuestion, asking_, hears);
  EXPECT_NE(hears.heard.find(answer.text), std::string::npos);
  EXPECT_LE(hears.heard.size(), answer.text.size() + 12) << "white space around it";
}

INSTANTIATE_TEST_SUITE_P(Table, EveryPassageMethod, testing::ValuesIn(passageCases()), [](const auto& row) {
  std::string name = row.param.method + "_" + row.param.architecture;
  std::ranges::replace_if(
      name, [](char letter) { return !std::isalnum(letter); }, '_');
  return name;
});

// As many as the number says; of each its chunk, and up to 64 tokens around it on either side.
TEST(PassagesOfAPrompt, AreAsManyAsTheNumberSays) {
  const c10::InferenceMode noGradients;
  const TinyModel model;
  writeEmbedder(model.folder.path() / "all-minilm-l6-v2");
  Listener silent;
  Engine engine(model.settings(), silent);
  AskSettings asking;
  asking.budgetTokens = 2048;
  asking.maxTokens = 4;
  const auto tokensRead = [&](const std::string& method) {
    asking.method = method;
    const auto reading = engine.read(randomText(1200, 3), engine.readSettingsFor(asking),
                                     model.folder.path() / "passages.kv", silent);
    double tokens = 0;
    for (const EvidenceChunk& chunk : engine.ask(*reading, kQuestion, asking, silent).evidence)
      tokens += chunk.readShare * reading->chunks()[static_cast<std::size_t>(chunk.chunk)].tokens;
    return tokens;
  };
  for (int most = 1; most < 4; ++most) {
    const double tokens = tokensRead("rag:passages=" + std::to_string(most));
    EXPECT_GT(tokens, (most - 1) * kChunkTokens) << most;
    EXPECT_LE(tokens, (most * 2 + 1) * kChunkTokens) << most;
  }
  EXPECT_GT(tokensRead("rag"), 7 * kChunkTokens);
}

struct RereadTest : testing::Test {
  RereadTest() {
    asking.budgetTokens = 1024;
    asking.maxTokens = 4;
  }
  Answer ask(const std::string& question, const std::string& method = "reread") {
    Engine engine(model.settings(), silent);
    asking.method = method;
    const auto file = model.folder.path() / (method + ".kv");
    return engine.ask(*engine.read(text, engine.readSettingsFor(asking), file, silent), question, asking,
                      silent);
  }

  c10::InferenceMode noGradients;
  TinyModel model;
  Listener silent;
  AskSettings asking;
  const std::string paragraph = randomText(30, 7) + "The quokka abcd. " + randomText(30, 8);
  const std::string text = randomText(300, 4) + "\n\n" + paragraph + "\n\n" + randomText(300, 5);
};

// Of the paragraph every chunk, and no more in all than is read again at most.
TEST_F(RereadTest, ReadsTheParagraphThatFitsWhole) {
  const Answer answer = ask("What is the quokka abcd?");
  const std::size_t start = text.find(paragraph), end = start + paragraph.size();
  std::size_t held = 0;
  int chunks = 0;
  for (const EvidenceChunk& chunk : answer.evidence) {
    const std::size_t from = std::max(chunk.start, start), to = std::min(chunk.end, end);
    if (from < to) held += to - from;
    ++chunks;
  }
  EXPECT_GE(held + 2, paragraph.size()) << "but for white space at its ends";
  EXPECT_LT(chunks, static_cast<int>(answer.map.chunks) / 2);
}

// Chunks at a paragraph's ends hold text beside it that the model did not see.
TEST_F(RereadTest, ShowsOfAChunkWhatWasReadAnew) {
  const Answer answer = ask("What is the quokka abcd?");
  const std::size_t start = text.find(paragraph), end = start + paragraph.size();
  double least = 1;
  for (const EvidenceChunk& chunk : answer.evidence) {
    EXPECT_LT(chunk.start, chunk.end);
    EXPECT_LE(start, chunk.start + 2) << "but for white space at its ends";
    EXPECT_LE(chunk.end, end + 2);
    EXPECT_GT(chunk.readShare, 0);
    least = std::min(least, chunk.readShare);
  }
  EXPECT_LT(least, 1);
  for (const EvidenceChunk& chunk : ask("What is the quokka abcd?", "retrolm").evidence)
    EXPECT_EQ(chunk.readShare, 1);
}

// Pinned chunks take of the budget, not of what is found.
TEST_F(RereadTest, ReadsWhatIsPinnedAndTheParagraphThatFits) {
  asking.pinnedChunks = {0, 1, 2, 3};
  const Answer answer = ask("What is the quokka abcd?", "reread:tokens=384");
  const std::size_t quokka = text.find("quokka");
  bool isRead = false;
  for (const EvidenceChunk& chunk : answer.evidence) isRead |= chunk.start <= quokka && quokka < chunk.end;
  EXPECT_TRUE(isRead);
  for (const int pinned : asking.pinnedChunks)
    EXPECT_EQ(std::ranges::count(answer.evidence, pinned, &EvidenceChunk::chunk), 1) << pinned;
}

// The paragraph has all words of the question, so that they give it all that words can give.
TEST_F(RereadTest, TellsWhatStatesAndWordsGaveOfAScore) {
  for (const char* method : {"reread", "reread:words=2", "retrolm", "whitened+kivi-4"}) {
    const Answer answer = ask("What is the quokka abcd?", method);
    ASSERT_FALSE(answer.evidence.empty());
    for (const EvidenceChunk& chunk : answer.evidence) {
      ASSERT_TRUE(chunk.parts) << method;
      EXPECT_NEAR(chunk.parts->states + chunk.parts->words, chunk.score, 1e-6) << method;
      EXPECT_TRUE(chunk.parts->words >= 0 && chunk.parts->words <= 2) << method;
    }
  }
  for (const EvidenceChunk& chunk : ask("What is the quokka abcd?").evidence) EXPECT_EQ(chunk.parts->words, 1);
  for (const char* method : {"retrolm:words=0", "reread:words=0", "infllm"})
    for (const EvidenceChunk& chunk : ask("What is the quokka abcd?", method).evidence)
      EXPECT_FALSE(chunk.parts) << method;
}

TEST_F(RereadTest, KnowsNoCoverage) {
  EXPECT_FALSE(ask("What is the quokka abcd?").coverage) << "what was left out was never before the model";
}

// One paragraph has every word of the question, the others none of its rare ones.
TEST_F(RereadTest, LeavesOutWhatIsWorthLittleBesideTheBest) {
  const std::size_t start = text.find(paragraph), end = start + paragraph.size();
  const Answer answer = ask("What is the quokka abcd?");
  ASSERT_FALSE(answer.evidence.empty());
  for (const EvidenceChunk& chunk : answer.evidence) EXPECT_TRUE(chunk.start < end && start < chunk.end);
  for (const EvidenceChunk& chunk : answer.evidence) asking.blockedChunks.push_back(chunk.chunk);
  const Answer without = ask("What is the quokka abcd?");
  ASSERT_FALSE(without.evidence.empty()) << "the best of what may be read counts";
  for (const EvidenceChunk& chunk : without.evidence)
    EXPECT_EQ(std::ranges::count(asking.blockedChunks, chunk.chunk), 0);
}

// Layers tell apart what they found; the answer rests on what was read again, and so the map's shares.
TEST_F(RereadTest, KeepsWhatEachLayerFound) {
  const Answer answer = ask("What is the quokka abcd?");
  const auto chunks = static_cast<std::size_t>(answer.map.chunks);
  ASSERT_EQ(answer.map.scores.size(), chunks * static_cast<std::size_t>(answer.map.layers));
  const Answer found = ask("What is the quokka abcd?", "retrolm");
  for (std::size_t i = 0; i < found.map.scores.size(); ++i)
    if (!std::isnan(found.map.scores[i])) {
      EXPECT_NEAR(answer.map.scores[i], found.map.scores[i], 1e-4);
    }
}

TEST_F(RereadTest, LeavesWishesToTheReading) {
  // However long they are: they need no room for passages.
  asking.budgetTokens = 512;
  EXPECT_EQ(messageOf([&] { ask("Summarize the quokka abcd. " + randomText(120, 3)); }), "");
  asking.budgetTokens = 1024;
  const Answer ours = ask("Summarize the quokka abcd.");
  const Answer whole = ask("Summarize the quokka abcd.", "retrolm");
  EXPECT_EQ(ours.text, whole.text);
  EXPECT_EQ(ours.map.attended, whole.map.attended);
}

TEST_F(RereadTest, SharesTheReadingOfRetrolm) {
  EXPECT_EQ(readingKey(model.loaded, {"reread", 1024, 512}), readingKey(model.loaded, {"retrolm", 1024, 512}));
}

}  // namespace
}  // namespace kvasir
