// LC-Boost: parts, the choice of the next one, and the model's decisions.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>

#include "engine/part_answer.h"
#include "engine/passage_prompt.h"
#include "engine/retrieval/clues.h"
#include "tests/engine/plain_encoder.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

using Range = kvasir::Run;

std::vector<Range> chunksOf(int tokens) {
  std::vector<Range> chunks;
  for (int first = 0; first < tokens; first += kChunkTokens)
    chunks.push_back({first, std::min(first + kChunkTokens, tokens)});
  return chunks;
}

TEST(DocumentParts, HaveTheBestScoreOfTheirPassages) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 50; ++round) {
    const int tokens = 200 + static_cast<int>(random() % 4000), each = 1 + static_cast<int>(random() % 5);
    const std::vector<Range> chunks = chunksOf(tokens);
    std::vector<ScoredPassage> passages;
    for (const Range& chunk : chunks)
      passages.push_back({chunk, chunk, static_cast<float>(random() % 1000) / 1000});
    const std::vector<DocumentPart> parts = partsOf(chunks, passages, each);
    int at = 0;
    for (const DocumentPart& part : parts) {
      EXPECT_EQ(part.firstChunk, at);
      EXPECT_LE(part.endChunk - part.firstChunk, each);
      float best = 0;
      for (int chunk = part.firstChunk; chunk < part.endChunk; ++chunk)
        best = std::max(best, passages[static_cast<std::size_t>(chunk)].score);
      EXPECT_EQ(part.score, best);
      at = part.endChunk;
    }
    EXPECT_EQ(at, std::ssize(chunks));
  }
}

// Which parts may be next, written plainly.
TEST(DocumentParts, ToChooseFromAreTheBestTwoAndTheNext) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<DocumentPart> parts(1 + random() % 9);
    for (DocumentPart& part : parts) {
      part.score = static_cast<float>(random() % 6);
      part.isSeen = random() % 3 == 0;
    }
    const int last = static_cast<int>(random() % (parts.size() + 1)) - 1;
    std::set<std::size_t> expected;
    for (int pick = 0; pick < 2; ++pick) {
      std::optional<std::size_t> best;
      for (std::size_t i = 0; i < parts.size(); ++i)
        if (!parts[i].isSeen && !expected.contains(i) && (!best || parts[i].score > parts[*best].score))
          best = i;
      if (best) expected.insert(*best);
    }
    const auto next = static_cast<std::size_t>(last + 1);
    if (last >= 0 && next < parts.size() && !parts[next].isSeen) expected.insert(next);
    EXPECT_EQ(candidates(parts, last, 2), std::vector<std::size_t>(expected.begin(), expected.end()));
  }
}

/// Whether a step decides how a part is noted, rather than what is done with it.
bool isAboutNotes(const AnswerStep& step) {
  return step.kind == AnswerStep::Kind::Use && step.options.front().text == "merge";
}

struct PartsTest : testing::Test {
  PartsTest() {
    writeEmbedder(model.folder.path() / "all-minilm-l6-v2");
    asking.method = "lcboost";
    asking.budgetTokens = 640;
    asking.maxTokens = 12;
  }
  Answer ask(const std::string& text, const std::string& question) {
    Engine engine(model.settings(), silent);
    const auto file = model.folder.path() / (std::to_string(text.size()) + ".kv");
    return engine.ask(*engine.read(text, engine.readSettingsFor(asking), file, silent), question, asking,
                      silent);
  }
  static int count(const Answer& answer, AnswerStep::Kind kind) {
    return static_cast<int>(std::ranges::count_if(
        answer.steps, [&](const AnswerStep& step) { return step.kind == kind && !isAboutNotes(step); }));
  }

  c10::InferenceMode noGradients;
  TinyModel model;
  Listener silent;
  AskSettings asking;
};

TEST_F(PartsTest, LogProbabilityIsThatOfOnePassOverTheWhole) {
  const std::vector<TokenId> before = randomTokens(300, 1), asked = randomTokens(20, 2),
                             said = randomTokens(150, 3);
  Prompt prompt = emptyPrompt(model.loaded);
  prompt.add(before, 0);
  AskSettings settings;
  settings.method = "lcboost";
  const ReadPrompt read(model.loaded, settings, prompt, Weights::Plain, [] {});
  TextRun plain(model.loaded, {findMethod("full"), 0});
  std::vector<TokenId> all = prompt.tokens;
  all.insert(all.end(), asked.begin(), asked.end());
  all.insert(all.end(), said.begin(), said.end());
  std::vector<at::Tensor> hidden;
  for (std::size_t at = 0; at < all.size(); at += kChunkTokens) {
    const std::size_t count = std::min<std::size_t>(kChunkTokens, all.size() - at);
    const int chunk = plain.cache().open(static_cast<int>(count));
    hidden.push_back(plain.pass().read(std::span(all).subspan(at, count), chunk, Outputs::All));
  }
  const at::Tensor odds = at::log_softmax(plain.pass().logits(at::cat(hidden)).to(at::kDouble), 1);
  double expected = 0;
  const std::size_t first = all.size() - said.size();
  for (std::size_t i = 0; i < said.size(); ++i)
    expected += odds[static_cast<std::int64_t>(first + i) - 1][said[i]].item<double>();
  EXPECT_NEAR(read.logProbability(asked, said), expected, 1e-2);
  EXPECT_NEAR(read.logProbability(asked, said), expected, 1e-2) << "asked again";
}

TEST_F(PartsTest, ReadsADocumentThatFitsAtOnce) {
  const Answer answer = ask(randomText(40, 8), "What is abcd?");
  ASSERT_EQ(answer.steps.size(), 1u);
  EXPECT_EQ(answer.steps[0].kind, AnswerStep::Kind::Answer);
}

TEST_F(PartsTest, LooksAtNoMorePartsThanItMayAndAtNoneTwice) {
  for (const int most : {1, 2, 5, 100}) {
    asking.maxSteps = most;
    const Answer answer = ask(randomText(900, 7), "What is abcd?");
    EXPECT_LE(count(answer, AnswerStep::Kind::Access), most);
    EXPECT_GE(count(answer, AnswerStep::Kind::Access), 1);
    EXPECT_EQ(count(answer, AnswerStep::Kind::Access), count(answer, AnswerStep::Kind::Use));
    EXPECT_EQ(answer.steps.back().kind, AnswerStep::Kind::Answer);
    std::set<int> seen;
    for (const AnswerStep& step : answer.steps)
      if (step.kind == AnswerStep::Kind::Access) {
        EXPECT_TRUE(seen.insert(step.chunks.front().chunk).second);
      }
  }
}

TEST_F(PartsTest, LooksAtAsManyPartsAsItsNumberSaysUnlessItIsToldOtherwise) {
  const std::string text = randomText(900, 7);
  asking.maxSteps = 100;
  const int all = count(ask(text, "What is abcd?"), AnswerStep::Kind::Access);
  asking.maxSteps = 0;
  for (const int most : {1, 2, 3}) {
    asking.method = "lcboost:steps=" + std::to_string(most);
    EXPECT_EQ(count(ask(text, "What is abcd?"), AnswerStep::Kind::Access), std::min(most, all));
  }
  asking.maxSteps = 1;
  EXPECT_EQ(count(ask(text, "What is abcd?"), AnswerStep::Kind::Access), 1);
}

TEST_F(PartsTest, TakesTheBestOptionAndActsOnIt) {
  std::set<std::string> decided;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const Answer answer = ask(randomText(700, seed), "What is " + randomText(2, seed + 50) + "?");
    bool isKept = false;
    for (std::size_t i = 0; i < answer.steps.size(); ++i) {
      const AnswerStep& step = answer.steps[i];
      if (step.kind != AnswerStep::Kind::Access && step.kind != AnswerStep::Kind::Use) continue;
      ASSERT_FALSE(step.options.empty());
      const auto best = std::ranges::max_element(step.options, {}, &AnswerStep::Option::score);
      EXPECT_EQ(step.said, best->text);
      for (const AnswerStep::Option& option : step.options) EXPECT_TRUE(std::isfinite(option.score));
      if (step.kind == AnswerStep::Kind::Access) continue;
      const AnswerStep::Kind next = answer.steps[i + 1].kind;
      if (isAboutNotes(step)) {
        EXPECT_EQ(step.options.size(), 2u);
        EXPECT_EQ(next, AnswerStep::Kind::Note);
        continue;
      }
      EXPECT_EQ(step.options.size(), 3u);
      decided.insert(step.said);
      if (step.said == "answer") {
        EXPECT_EQ(next, AnswerStep::Kind::Answer);
      }
      if (step.said == "note") {
        EXPECT_TRUE(next == AnswerStep::Kind::Note || isAboutNotes(answer.steps[i + 1]));
      }
      if (step.said == "go on") {
        EXPECT_NE(next, AnswerStep::Kind::Note);
      }
      const int chunk = step.chunks.front().chunk;
      const bool isAttended = answer.map.attended[static_cast<std::size_t>(chunk)] != 0;
      isKept = isKept || step.said != "go on";
      if (step.said == "answer") {
        EXPECT_TRUE(isAttended);
      }
      if (step.said == "go on" && isKept) {
        EXPECT_FALSE(isAttended) << "what was passed over came into the prompt";
      }
    }
  }
  EXPECT_GE(decided.size(), 2u) << "one decision only would test little";
}

int bytes(const std::string& text) { return static_cast<int>(text.size()); }

TEST(Notes, AreTheLatestThereIsRoomFor) {
  const std::vector<std::string> notes = {"first", "second", "third"};
  EXPECT_EQ(latestNotes(notes, 100, bytes), "\n\nNotes:\n- first\n- second\n- third");
  EXPECT_EQ(latestNotes(notes, 25, bytes), "\n\nNotes:\n- second\n- third");
  EXPECT_EQ(latestNotes(notes, 24, bytes), "\n\nNotes:\n- third");
  EXPECT_EQ(latestNotes(notes, 15, bytes), "");
  EXPECT_EQ(latestNotes({}, 100, bytes), "");
  EXPECT_EQ(notesThatFit(notes, 100, bytes), 3u);
  EXPECT_EQ(notesThatFit(notes, 25, bytes), 2u);
  EXPECT_EQ(notesThatFit(notes, 24, bytes), 1u);
  EXPECT_EQ(notesThatFit(notes, 15, bytes), 0u);
  EXPECT_EQ(notesThatFit({}, 100, bytes), 0u);
}

using Strings = std::vector<std::string>;
constexpr const char* kAsked = "What did the lamp burn?";
const Strings& twoNotes() {
  static const Strings notes = {"The keeper of the lamp was Anna Berg.", "It burned whale oil until 1851."};
  return notes;
}
std::optional<Strings> merged(std::size_t shown, std::string_view said, int room = 1000) {
  return mergedNotes(twoNotes(), shown, said, kAsked, room, bytes);
}

TEST(Notes, BecomeOneThatKeepsWhatTheySaid) {
  const std::string whole = "Anna Berg was keeper of the lamp, which burned whale oil until 1851 and then gas.";
  EXPECT_EQ(merged(2, whole), Strings{whole});
  EXPECT_EQ(merged(2, "- The keeper of the lamp was Anna Berg.\n2. It burned whale oil until 1851, then gas."),
            Strings{"The keeper of the lamp was Anna Berg. It burned whale oil until 1851, then gas."});
}

TEST(Notes, ThatWereNotShownStayAsTheyAre) {
  const std::string last = "It burned whale oil until 1851, then gas from the town.";
  EXPECT_EQ(merged(1, last), (Strings{twoNotes()[0], last}));
  EXPECT_EQ(merged(2, last), std::nullopt) << "the keeper was lost";
}

TEST(Notes, AreNotMergedIntoWhatCannotStandForThem) {
  for (const std::size_t shown : {1u, 2u})
    for (const char* said :
         {"", "\n\n- \n", "gas", "What did the lamp burn?", "the the the the the the the",
          "The town burned gas in later years.", "Yes, they tell of the same thing.", "1. 2. 3."})
      EXPECT_EQ(merged(shown, said), std::nullopt) << said;
  EXPECT_EQ(merged(1, "It burned whale oil until 1851."), std::nullopt) << "nothing was added";
  EXPECT_EQ(merged(2, "The keeper of the lamp was Anna Berg.\nIt burned whale oil until 1851."), std::nullopt);
  EXPECT_EQ(merged(2, std::string(100000, '-')), std::nullopt);
}

// The last note has six words that the question has not.
TEST(Notes, AreLostWhereMoreThanHalfOfTheirWordsAre) {
  EXPECT_EQ(merged(1, "Whale oil, until gas came."), (Strings{twoNotes()[0], "Whale oil, until gas came."}));
  EXPECT_EQ(merged(1, "Whale oil, before gas came."), std::nullopt);
}

TEST(Notes, AreMergedOnlyIntoWhatAPromptHasRoomFor) {
  const std::string said = "It burned whale oil until 1851, then gas.";
  const int room = bytes(latestNotes({said}, 1000, bytes));
  EXPECT_TRUE(merged(1, said, room).has_value());
  EXPECT_EQ(merged(1, said, room - 1), std::nullopt);
}

/// The two notes after a part, and what the model was asked on the way.
struct Taken {
  Strings notes, asked;
};
Taken taken(std::size_t shown, bool isSame, const std::string& rewriting, const std::string& note) {
  Taken result;
  const auto ask = [&](const char* what, auto reply) {
    return [&result, what, reply] {
      result.asked.push_back(what);
      return reply;
    };
  };
  result.notes =
      notesWith(twoNotes(), shown, {ask("same", isSame), ask("rewrite", rewriting), ask("note", note)}, kAsked,
                1000, bytes);
  return result;
}

TEST(Notes, AreMergedWhereTheModelDecidesSoAndCan) {
  const std::string whole = "Anna Berg was keeper of the lamp, which burned whale oil until 1851 and then gas.";
  const Taken both = taken(2, true, whole, "Gas came in 1851.");
  EXPECT_EQ(both.notes, Strings{whole});
  EXPECT_EQ(both.asked, (Strings{"same", "rewrite"}));
}

TEST(Notes, AreAppendedToOtherwise) {
  const std::string note = "Gas came to the town in 1851.";
  const Strings three = {twoNotes()[0], twoNotes()[1], note};
  const Taken other = taken(2, false, "", note), lost = taken(2, true, "Gas.", note),
              none = taken(0, true, "", note);
  EXPECT_EQ(other.notes, three);
  EXPECT_EQ(other.asked, (Strings{"same", "note"}));
  EXPECT_EQ(lost.notes, three);
  EXPECT_EQ(lost.asked, (Strings{"same", "rewrite", "note"}));
  EXPECT_EQ(none.notes, three);
  EXPECT_EQ(none.asked, Strings{"note"});
  EXPECT_EQ(taken(0, true, "", " \n").notes, twoNotes()) << "a note that says nothing";
}

TEST_F(PartsTest, NotesStandAfterThePassagesAndAreNobodysEvidence) {
  Engine engine(model.settings(), silent);
  const auto reading =
      engine.read(randomText(200, 3), engine.readSettingsFor(asking), model.folder.path() / "notes.kv", silent);
  const auto& chunked = dynamic_cast<const ChunkedReading&>(*reading);
  std::vector<char> isChosen(chunked.storedTokens().size(), 0);
  std::fill(isChosen.begin() + kChunkTokens, isChosen.begin() + 2 * kChunkTokens, 1);
  const Prompt plain = promptOf(model.loaded, chunked, isChosen),
               noted = promptOf(model.loaded, chunked, isChosen, "\n\nNotes:\n- abcd");
  const std::vector<TokenId> notes = plainTokens(model.loaded, "\n\nNotes:\n- abcd");
  ASSERT_EQ(noted.tokens.size(), plain.tokens.size() + notes.size());
  EXPECT_TRUE(std::equal(notes.begin(), notes.end(), noted.tokens.end() - std::ssize(notes)));
  EXPECT_EQ(noted.owners.back(), -1);
  EXPECT_EQ(plain.owners.back(), 1);
  const ReadPrompt read(model.loaded, asking, noted, Weights::Plain, [] {});
  const Script nothing;
  const std::vector<float> scores(static_cast<std::size_t>(chunked.finished()), 0.5f);
  const Answer answer = answerAfter(model.loaded, read, chunked, scores, "What is abcd?",
                                    {asking, nothing, silent, Clock::now()});
  ASSERT_EQ(answer.evidence.size(), 1u);
  EXPECT_EQ(answer.evidence[0].chunk, 1);
  EXPECT_LT(answer.evidence[0].mass, 1);
}

TEST_F(PartsTest, KeepsWithinBudgetThroughAllItsSteps) {
  asking.maxSteps = 100;
  for (std::uint64_t seed = 1; seed <= 6; ++seed)
    EXPECT_LE(ask(randomText(900, seed), "What is " + randomText(2, seed + 50) + "?").attendedTokens,
              asking.budgetTokens);
}

TEST_F(PartsTest, ChoosesFirstFromThePartThatSharesTheQuestionsWords) {
  const std::string before = randomText(500, 4);
  const Answer answer = ask(before + "The quokka abcd. " + randomText(500, 5), "What is the quokka abcd?");
  ASSERT_EQ(answer.steps.front().kind, AnswerStep::Kind::Access);
  Engine engine(model.settings(), silent);
  bool isProposed = false;
  for (const AnswerStep::Option& option : answer.steps.front().options) {
    int first = 0, last = 0;
    ASSERT_EQ(std::sscanf(option.text.c_str(), "chunks %d to %d", &first, &last), 2);
    const int chunk = static_cast<int>(engine.tokenizer().encode(before).size()) / kChunkTokens;
    isProposed = isProposed || (first <= chunk + 1 && chunk - 1 <= last);
  }
  EXPECT_TRUE(isProposed);
}

TEST_F(PartsTest, NeverLooksAtABlockedPart) {
  const std::string text = randomText(900, 7);
  const Answer before = ask(text, "What is abcd?");
  for (const AnswerStep::LookedAt& chunk : before.steps[0].chunks) asking.blockedChunks.push_back(chunk.chunk);
  const Answer after = ask(text, "What is abcd?");
  for (const int chunk : asking.blockedChunks)
    EXPECT_FALSE(after.map.attended[static_cast<std::size_t>(chunk)]);
  EXPECT_FALSE(after.evidence.empty());
}

}  // namespace
}  // namespace kvasir
