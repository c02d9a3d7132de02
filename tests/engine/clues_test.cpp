// MemoRAG: clues out of what a model writes, and what they find.
#include <gtest/gtest.h>

#include <random>

#include "engine/clue_answer.h"
#include "engine/passage_index.h"
#include "engine/retrieval/clues.h"
#include "tests/engine/plain_encoder.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

using Strings = std::vector<std::string>;

TEST(Clues, AreTheLinesWithoutTheirMarks) {
  EXPECT_EQ(
      cluesOf(
          "- the lamp burned whale oil\n2. \"built by two brothers there\"\n(3) * “in the spring of 1851”\n",
          "When?", 9),
      (Strings{"the lamp burned whale oil", "built by two brothers there", "in the spring of 1851"}));
  EXPECT_EQ(cluesOf(" Who built the tower?\r\n10) Where does it stand?  ", "When?", 9),
            (Strings{"Who built the tower?", "Where does it stand?"}));
}

TEST(Clues, OfThreeWordsOrFewerSayTooLittle) {
  EXPECT_EQ(cluesOf("whale oil\nthe whale oil\nthe whale oil lamp\n", "When?", 9),
            (Strings{"the whale oil lamp"}));
}

TEST(Clues, KeepNumbersThatAreNotOfAList) {
  EXPECT_EQ(cluesOf("1851 was a good year\n3.5 litres every single night\n2.", "When?", 9),
            (Strings{"1851 was a good year", "3.5 litres every single night"}));
}

TEST(Clues, ThatOnlySayTheQuestionOrAnotherAgainAreLeftOut) {
  EXPECT_EQ(cluesOf("When was the tower built?\nthe tower was built when\n- The tower was built when!\n"
                    "the tower, was built: when",
                    "when was the Tower built", 9),
            (Strings{"the tower was built when"}));
}

TEST(Clues, AreNoMoreThanWereWished) {
  std::string lines;
  for (int i = 0; i < 20; ++i) lines += "clue with the number " + std::to_string(i) + "\n";
  EXPECT_EQ(cluesOf(lines, "When?", 3).size(), 3u);
  EXPECT_TRUE(cluesOf(lines, "When?", 0).empty());
}

TEST(Clues, AreCutShort) {
  std::string endless = "word";
  for (int i = 0; i < 5000; ++i) endless += " w" + std::to_string(i);
  const Strings clues = cluesOf(endless, "When?", 3);
  ASSERT_EQ(clues.size(), 1u);
  EXPECT_EQ(std::ranges::count(clues[0], ' '), 39);
  std::string chinese;
  for (int i = 0; i < 2000; ++i) chinese += "鲸油灯塔";
  for (const std::string& clue : cluesOf(chinese, "When?", 3)) {
    EXPECT_LE(clue.size(), 600u);
    EXPECT_EQ(clue.size() % 3, 0u) << "a character was cut";
  }
}

TEST(Clues, ComeOutOfHostileWritingAsPlainLines) {
  EXPECT_TRUE(cluesOf("", "", 3).empty());
  EXPECT_TRUE(cluesOf("\n\n- \n\"\"\n---\n1.\n1. 2. 3. 4. 5.\n\"\"\"\"\"\"", "When?", 3).empty());
  EXPECT_TRUE(cluesOf(std::string(100000, '-'), "When?", 3).empty());
  EXPECT_TRUE(cluesOf(std::string(100000, '\n'), "When?", 3).empty());
  EXPECT_EQ(cluesOf(std::string("one\0two\x1bthree\tfour five", 23), "When?", 3),
            (Strings{"one two three four five"}));
  std::mt19937_64 random(5);
  for (int round = 0; round < 300; ++round) {
    std::string bytes;
    for (int i = 0; i < 400; ++i) bytes += static_cast<char>(random() % 5 == 0 ? ' ' : random() % 256);
    for (const std::string& clue : cluesOf(bytes, "When?", 3)) {
      EXPECT_LE(clue.size(), 600u);
      EXPECT_TRUE(std::ranges::none_of(clue, [](char c) { return static_cast<unsigned char>(c) < ' '; }));
    }
  }
}

// The union of three hits a clue, beside one written plainly.
TEST(ClueHits, AreTheThreeBestOfEachClue) {
  std::mt19937_64 random(2);
  const auto anyPassages = [&] {
    std::vector<ScoredPassage> passages;
    for (int i = 0; i < 40; ++i)
      passages.push_back({{i, i + 1}, {i, i + 1}, static_cast<float>(random() % 1000) / 1000});
    return passages;
  };
  for (int round = 0; round < 50; ++round) {
    const std::vector<ScoredPassage> question = anyPassages(), first = anyPassages(), second = anyPassages();
    std::vector<ScoredPassage> ours = question;
    addHits(first, 3, ours);
    addHits(second, 3, ours);
    for (std::size_t i = 0; i < question.size(); ++i) {
      float expected = question[i].score;
      for (const auto* clue : {&first, &second}) {
        std::size_t better = 0;
        for (std::size_t other = 0; other < clue->size(); ++other)
          better += (*clue)[other].score > (*clue)[i].score ||
                    (other < i && (*clue)[other].score == (*clue)[i].score);
        if (better < 3) expected = std::max(expected, 0.98f * (*clue)[i].score);
      }
      EXPECT_FLOAT_EQ(ours[i].score, expected) << i;
    }
  }
}

TEST(ClueHits, OfAClueThatSharesNothingAreNone) {
  std::vector<ScoredPassage> passages = {{{0, 1}, {0, 1}, 0.5f}, {{1, 2}, {1, 2}, 0}};
  addHits({{{0, 1}, {0, 1}, 0}, {{1, 2}, {1, 2}, 0}}, 3, passages);
  EXPECT_EQ(passages[0].score, 0.5f);
  EXPECT_EQ(passages[1].score, 0);
}

TEST(Drafts, SearchByAWordThatTheQuestionDoesNotSayAlone) {
  for (const char* draft : {"1851", "whale oil", "The tower was built in 1851.", "鲸油"})
    EXPECT_TRUE(isWorthSearching(draft, "When was the tower built?")) << draft;
  for (const char* draft : {"", " \n", "…!", "when was the Tower built", "- \"\""})
    EXPECT_FALSE(isWorthSearching(draft, "When was the tower built?")) << draft;
}

struct MemoragTest : testing::Test {
  MemoragTest() {
    writeEmbedder(model.folder.path() / "all-minilm-l6-v2");
    asking.method = "memorag";
    asking.budgetTokens = 640;
    asking.maxTokens = 12;
  }
  std::shared_ptr<const Reading> read(Engine& engine, const std::string& text) {
    return engine.read(text, engine.readSettingsFor(asking), file, silent);
  }

  c10::InferenceMode noGradients;
  TinyModel model;
  std::filesystem::path file = model.folder.path() / "memory.kv";
  Listener silent;
  AskSettings asking;
};

TEST_F(MemoragTest, TellsWhatItWroteAndWhatEachClueFound) {
  Engine engine(model.settings(), silent);
  const std::string question = "What is the quokka abcd?";
  const Answer answer = engine.ask(*read(engine, randomText(900, 4)), question, asking, silent);
  ASSERT_GE(answer.steps.size(), 4u);
  EXPECT_EQ(answer.steps.front().kind, AnswerStep::Kind::Search);
  EXPECT_EQ(answer.steps.front().asked, question);
  EXPECT_EQ(answer.steps.back().kind, AnswerStep::Kind::Answer);
  EXPECT_EQ(answer.steps.back().said, answer.text);
  int written = 0;
  Strings expected, searched;
  for (const AnswerStep& step : answer.steps) {
    EXPECT_FALSE(step.chunks.empty());
    if (step.kind == AnswerStep::Kind::Clues) {
      ++written;
      EXPECT_NE(step.asked.find(question), std::string::npos);
      for (const std::string& clue : cluesOf(step.said, question, 3)) expected.push_back(clue);
    }
    if (step.kind == AnswerStep::Kind::Search) {
      EXPECT_LE(step.chunks.size(), 3u);
      searched.push_back(step.asked);
    }
    for (const AnswerStep::LookedAt& chunk : step.chunks) EXPECT_LT(chunk.start, chunk.end);
  }
  EXPECT_EQ(written, 2);
  searched.erase(searched.begin());
  EXPECT_EQ(searched, expected);
}

// The prompt holds the hits in the order of how well they fit, within the budget: the same choice made here.
TEST_F(MemoragTest, PutsTheHitsOfItsStepsIntoThePrompt) {
  Engine engine(model.settings(), silent);
  const auto memory = read(engine, randomText(1200, 4));
  const PassageFinder finder(model.loaded, findMethod("memorag"), dynamic_cast<const ChunkedReading&>(*memory));
  for (const char* method : {"memorag", "memorag:draft=1"}) {
    asking.method = method;
    const auto reading = engine.open(file, engine.readSettingsFor(asking), Extent::Whole);
    ASSERT_NE(reading, nullptr) << "a draft needs no other memory";
    const Answer answer = engine.ask(*reading, "What is abcd?", asking, silent);
    std::vector<ScoredPassage> passages = finder.find("What is abcd?");
    bool isFirst = true;
    for (const AnswerStep& step : answer.steps) {
      if (step.kind != AnswerStep::Kind::Search) continue;
      const std::vector<ScoredPassage> found = finder.find(step.asked);
      if (!isFirst) addHits(found, 3, passages);
      ASSERT_FALSE(step.chunks.empty());
      const auto best = std::ranges::max_element(found, {}, &ScoredPassage::score);
      EXPECT_EQ(step.chunks.front().chunk, best - found.begin());
      isFirst = false;
    }
    std::ranges::stable_sort(passages, std::ranges::greater(), &ScoredPassage::score);
    const int chunk = passages.front().judged.begin / kChunkTokens;
    EXPECT_TRUE(answer.map.attended[static_cast<std::size_t>(chunk)]);
    EXPECT_EQ(answer.evidence.front().score, passages.front().score);
  }
}

// Sampled, so that the tiny model writes words.
TEST_F(MemoragTest, WritesADraftThatSearchesAfterTheClues) {
  Engine engine(model.settings(), silent);
  asking.method = "memorag:draft=1";
  asking.sampling.temperature = 1;
  const auto reading = read(engine, randomText(900, 4));
  const std::string question = "What is the quokka abcd?";
  int searched = 0;
  for (asking.sampling.seed = 1; asking.sampling.seed <= 4; ++asking.sampling.seed) {
    const Answer answer = engine.ask(*reading, question, asking, silent);
    std::vector<std::size_t> written;
    for (std::size_t i = 0; i < answer.steps.size(); ++i)
      if (answer.steps[i].kind == AnswerStep::Kind::Clues) written.push_back(i);
    ASSERT_EQ(written.size(), 3u);
    const AnswerStep& draft = answer.steps[written.back()];
    const AnswerStep& next = answer.steps[written.back() + 1];
    EXPECT_NE(draft.asked.find("Answer the question"), std::string::npos);
    EXPECT_NE(draft.asked.find(question), std::string::npos);
    EXPECT_FALSE(draft.chunks.empty());
    if (!isWorthSearching(draft.said, question)) {
      EXPECT_EQ(next.kind, AnswerStep::Kind::Answer);
      continue;
    }
    ++searched;
    EXPECT_EQ(next.kind, AnswerStep::Kind::Search);
    EXPECT_EQ(next.asked, draft.said);
    EXPECT_EQ(written.back() + 3, answer.steps.size()) << "after it comes the answer alone";
    EXPECT_LE(answer.attendedTokens, asking.budgetTokens);
  }
  EXPECT_GT(searched, 0);
}

TEST_F(MemoragTest, KeepsItsMemoryAndWhatFindsPassagesInOneFile) {
  Engine engine(model.settings(), silent);
  const auto reading = read(engine, randomText(900, 4));
  const auto& stored = dynamic_cast<const StoredReading&>(*reading);
  const PassageFinder finder(model.loaded, findMethod("memorag"), stored);
  // The rag row's file has the same entries, without keys and values.
  asking.method = "rag";
  const auto plain =
      engine.read(randomText(900, 4), engine.readSettingsFor(asking), model.folder.path() / "rag.kv", silent);
  const PassageFinder other(model.loaded, findMethod("rag"), dynamic_cast<const ChunkedReading&>(*plain));
  const auto ours = finder.find("What is abcd?"), theirs = other.find("What is abcd?");
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) EXPECT_FLOAT_EQ(ours[i].score, theirs[i].score);
  EXPECT_GT(reading->bytesOnDisk(), 10 * plain->bytesOnDisk());
  // And the whitened row's keys and values, chunk by chunk.
  asking.method = "whitened";
  const auto memory = engine.read(randomText(900, 4), engine.readSettingsFor(asking),
                                  model.folder.path() / "whitened.kv", silent);
  const auto& whitened = dynamic_cast<const StoredReading&>(*memory);
  ASSERT_EQ(whitened.file().header().slotBytes, stored.file().header().slotBytes);
  for (int chunk = 0; chunk < whitened.finished(); ++chunk)
    EXPECT_EQ(
        std::memcmp(whitened.file().slot(chunk), stored.file().slot(chunk), whitened.file().header().slotBytes),
        0);
}

TEST_F(MemoragTest, AnswersFromSeveralDocumentsAtOnce) {
  Engine engine(model.settings(), silent);
  const auto first = read(engine, randomText(500, 4));
  const auto second = engine.read(randomText(300, 5) + "The quokka abcd. " + randomText(200, 6),
                                  engine.readSettingsFor(asking), model.folder.path() / "second.kv", silent);
  const auto joined = engine.join({first, second});
  const Answer answer = engine.ask(*joined, "What is the quokka abcd?", asking, silent);
  EXPECT_LE(answer.attendedTokens, asking.budgetTokens);
  EXPECT_FALSE(answer.evidence.empty());
  EXPECT_TRUE(
      std::ranges::any_of(answer.evidence, [](const EvidenceChunk& chunk) { return chunk.document == 1; }));
}

}  // namespace
}  // namespace kvasir
