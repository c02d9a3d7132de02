#include "app/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <nlohmann/json.hpp>

#include "tests/app/scratch.h"

namespace kvasir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// One row a layer, one mark a chunk.
Answer attending(const std::vector<std::string>& layers) {
  Answer answer;
  answer.map.layers = static_cast<int>(layers.size());
  answer.map.chunks = static_cast<int>(layers.front().size());
  for (const std::string& layer : layers) {
    for (char mark : layer) answer.map.attended.push_back(mark == 'x');
  }
  return answer;
}

/// Ten tokens of three bytes to a chunk.
std::vector<ChunkRange> chunksOfTen(int count) {
  std::vector<ChunkRange> chunks;
  for (int chunk = 0; chunk < count; ++chunk) {
    const auto start = static_cast<std::size_t>(chunk) * 30;
    chunks.push_back({chunk * 10, 10, start, start + 30});
  }
  return chunks;
}

/// With a budget of so many chunks.
std::vector<int> attendedOf(const Answer& answer, int budgetChunks) {
  return attendedChunks(answer, chunksOfTen(answer.map.chunks), budgetChunks * 10);
}

TEST(AttendedChunks, AreTheSetThatEveryLayerAttendsTo) {
  EXPECT_THAT(attendedOf(attending({"x..x.x", "x..x.x"}), 3), ElementsAre(0, 3, 5));
  EXPECT_THAT(attendedOf(attending({"x..x.x", "x..x.x"}), 1), ElementsAre(0, 3, 5));
}

TEST(AttendedChunks, AreAllForFullAttention) {
  EXPECT_THAT(attendedOf(attending({"xxxx", "xxxx"}), 1), ElementsAre(0, 1, 2, 3));
}

TEST(AttendedChunks, FillTheBudgetByNumberOfLayers) {
  const Answer answer = attending({"xx.x..", "x.xx..", "x..x.x"});
  EXPECT_THAT(attendedOf(answer, 2), ElementsAre(0, 3));
  Answer ranked = answer;
  ranked.evidence = {{5, 2.0, 0, 1, 0, 0}, {1, 1.0, 0, 1, 0, 0}};  // chunks 1, 2 and 5 have one layer each
  EXPECT_THAT(attendedOf(ranked, 3), ElementsAre(0, 3, 5));
  EXPECT_THAT(attendedOf(ranked, 4), ElementsAre(0, 1, 3, 5));
}

TEST(AttendedChunks, FillTheBudgetByWhatWasSeenOfThem) {
  Answer answer = attending({"xx.x..", "x.xx..", "x..x.x"});
  answer.evidence = {{5, 2.0, 0, 1, 0, 0}, {1, 1.0, 0, 1, 0, 0}};
  answer.parts = {{2, 5, {{150, 156}, {160, 169}}}, {0, 1, {{30, 45}}}};  // a half each
  EXPECT_THAT(attendedOf(answer, 3), ElementsAre(0, 1, 3, 5));
  EXPECT_THAT(attendedOf(answer, 4), ElementsAre(0, 1, 2, 3, 5));
  // Those that all layers saw take of it what was seen, too.
  for (const int layer : {0, 1, 2}) answer.parts.push_back({layer, 0, {{0, 3}}});
  EXPECT_THAT(attendedOf(answer, 2), ElementsAre(0, 3, 5));
  answer.parts[0].bytes = {{150, 178}};  // there is no room for it now, and for a half there is
  EXPECT_THAT(attendedOf(answer, 2), ElementsAre(0, 1, 3));
}

TEST(AttendedChunks, NeverHoldChunksThatNoLayerAttendedTo) {
  EXPECT_THAT(attendedOf(attending({"x...", "x..."}), 4), ElementsAre(0));
  EXPECT_THAT(attendedOf(Answer{}, 4), IsEmpty());
  Answer answer = attending({"xx..", "xx.."});
  answer.parts = {{0, 1, {}}, {1, 1, {}}};  // beacons stood for it
  EXPECT_THAT(attendedOf(answer, 4), ElementsAre(0));
}

TEST(BudgetChunks, CountWholeChunksAndOneAtLeast) {
  const std::vector<ChunkRange> chunks = {{0, 128, 0, 0}, {128, 128, 0, 0}, {256, 40, 0, 0}};
  EXPECT_EQ(budgetChunksOf(chunks, 2048), 16);
  EXPECT_EQ(budgetChunksOf(chunks, 100), 1);
  EXPECT_EQ(budgetChunksOf({}, 10), 10);
}

struct FindGold : testing::Test {
  // Characters of three bytes, ten to a chunk.
  EvaluationRow row;
  std::vector<ChunkRange> chunks;
  FindGold() {
    for (int i = 0; i < 40; ++i) row.context += "水";
    chunks = chunksOfTen(4);
  }
};

TEST_F(FindGold, WantsEverySpanInsideTheChunks) {
  row.goldSpans = {{0, 10}, {32, 35}};
  EXPECT_TRUE(findGold(row, attending({"x..x"}), chunks, 10)->inAttended);
  EXPECT_FALSE(findGold(row, attending({"x.x."}), chunks, 10)->inAttended);
}

TEST_F(FindGold, TakesASpanOverTwoChunksOnlyWithBoth) {
  row.goldSpans = {{8, 12}};
  EXPECT_TRUE(findGold(row, attending({"xx.."}), chunks, 10)->inAttended);
  EXPECT_FALSE(findGold(row, attending({"x..."}), chunks, 10)->inAttended);
}

TEST_F(FindGold, JudgesEachLayerAndTheEvidence) {
  row.goldSpans = {{12, 15}};
  Answer answer = attending({"xx..", "x.x.", "x..x"});
  answer.evidence = {{3, 2, 0, 1, 90, 120}, {1, 1, 0, 1, 30, 60}};
  const auto found = findGold(row, answer, chunks, 10);
  EXPECT_THAT(found->inLayer, ElementsAre(true, false, false));
  EXPECT_TRUE(found->inEvidence);
  EXPECT_FALSE(found->inAttended);  // chunk 0 alone fills the budget
}

TEST_F(FindGold, CountsSixteenChunksOfEvidence) {
  row.goldSpans = {{12, 15}};
  Answer answer = attending({"x..."});
  for (int i = 0; i < 16; ++i) answer.evidence.push_back({0, 1, 0, 1, 0, 30});
  answer.evidence.push_back({1, 0.5, 0, 1, 30, 60});
  EXPECT_FALSE(findGold(row, answer, chunks, 10)->inEvidence);
}

TEST_F(FindGold, CountsOfAChunkSeenInPartWhatWasSeen) {
  row.goldSpans = {{12, 15}};  // bytes 36 to 45
  Answer answer = attending({"xx..", "xx..", "x..."});
  EXPECT_TRUE(findGold(row, answer, chunks, 20)->inAttended);
  answer.parts = {{0, 1, {{30, 40}, {40, 48}}}, {1, 1, {{30, 42}}}};
  auto found = findGold(row, answer, chunks, 20);
  EXPECT_THAT(found->inLayer, ElementsAre(true, false, false));
  EXPECT_FALSE(found->inAttended);  // one of the two layers that saw any of the chunk is not most of them
  answer.parts[1].bytes = {{33, 51}};
  EXPECT_TRUE(findGold(row, answer, chunks, 20)->inAttended);
  answer.parts = {{PartlySeen::kEveryLayer, 1, {{30, 36}, {42, 60}}}};
  found = findGold(row, answer, chunks, 20);
  EXPECT_THAT(found->inLayer, ElementsAre(false, false, false));
  EXPECT_FALSE(found->inAttended);
}

TEST_F(FindGold, FindsNothingInAChunkThatOnlyBeaconsStandFor) {
  row.goldSpans = {{12, 15}};
  Answer answer = attending({"xx..", "xx.."});
  answer.evidence = {{1, 1, 0, 2, 30, 60}};
  ASSERT_TRUE(findGold(row, answer, chunks, 20)->inAttended);
  answer.parts = {{0, 1, {}}, {1, 1, {}}};
  const auto found = findGold(row, answer, chunks, 20);
  EXPECT_FALSE(found->inAttended);
  EXPECT_FALSE(found->inEvidence);
  EXPECT_THAT(found->inLayer, ElementsAre(false, false));
}

// Pages of a budget of one chunk, spread over four of them, as layers choose them.
TEST_F(FindGold, FindsWhatAFewPagesOfManyChunksHold) {
  row.goldSpans = {{32, 34}};  // bytes 96 to 102
  Answer answer = attending({"xxx.", "x..x"});
  answer.parts = {
      {0, 0, {{0, 6}}}, {1, 0, {{0, 6}}}, {0, 1, {{30, 36}}}, {0, 2, {{60, 66}}}, {1, 3, {{96, 105}}}};
  EXPECT_TRUE(findGold(row, answer, chunks, 10)->inAttended);
  row.goldSpans = {{31, 34}};
  EXPECT_FALSE(findGold(row, answer, chunks, 10)->inAttended);
}

TEST_F(FindGold, HasNothingToSayWithoutGold) { EXPECT_FALSE(findGold(row, attending({"xxxx"}), chunks, 10)); }

RowResult rowOf(const std::string& task, std::optional<std::int64_t> length, double f1,
                std::optional<bool> found) {
  RowResult result;
  result.task = task;
  result.length = length;
  result.f1 = f1;
  result.contains = f1 > 0.5;
  if (found) result.gold = GoldFound{*found, {true, *found}, true};
  return result;
}

TEST(Tally, AveragesOverallByTaskAndByLength) {
  Tally tally;
  tally.add(rowOf("wiki", 4096, 1, true));
  tally.add(rowOf("wiki", 8192, 0.5, false));
  tally.add(rowOf("papers", std::nullopt, 0, std::nullopt));
  const auto summary = tally.summary();
  EXPECT_EQ(summary["rows"], 3);
  EXPECT_DOUBLE_EQ(summary["f1"], 0.5);
  EXPECT_DOUBLE_EQ(summary["contains"], 1.0 / 3);
  EXPECT_DOUBLE_EQ(summary["recall"], 0.5);
  EXPECT_EQ(summary["recall_by_layer"], (nlohmann::ordered_json{1.0, 0.5}));
  EXPECT_DOUBLE_EQ(summary["by_task"]["wiki"]["f1"], 0.75);
  EXPECT_DOUBLE_EQ(summary["by_task"]["wiki"]["by_length"]["8192"]["f1"], 0.5);
  EXPECT_TRUE(summary["by_task"]["papers"]["recall"].is_null());
  EXPECT_EQ(summary["by_task"]["papers"]["by_length"]["whole"]["rows"], 1);
  EXPECT_THAT(tally.table(), HasSubstr("papers                             whole     1"));
}

TEST(Tally, SumsUpNothing) {
  EXPECT_EQ(Tally().summary()["rows"], 0);
  EXPECT_DOUBLE_EQ(Tally().summary()["f1"], 0);
}

TEST(Judge, UsesTheMetricOfTheRow) {
  EvaluationRow row;
  row.question = "Up or down? Choose from: up, down.";
  row.answers = {"down"};
  RowResult result;
  result.prediction = "up, not down";
  judge(row, result);
  EXPECT_TRUE(result.contains);
  row.metric = "choice";
  judge(row, result);
  EXPECT_FALSE(result.contains);
}

const std::string kRow = R"({"id":"q1","task":"wiki","context":"水 runs","question":"What?","answers":["水"],)"
                         R"("gold_spans":[[0,1]],"metric":"f1_em","length_tokens_target":4096,"more":1})";

TEST(EvaluationRows, ReadPlainLines) {
  const Scratch scratch;
  EvaluationRows rows(scratch.write("rows.jsonl", kRow + "\n\n" +
                                                      R"({"id":7,"context":"","question":"?","answers":[],)"
                                                      R"("length_tokens_target":null})"));
  const auto first = rows.next();
  EXPECT_EQ(first->id, "q1");
  EXPECT_EQ(first->context, "水 runs");
  EXPECT_EQ(first->goldSpans.at(0).end, 1u);
  EXPECT_EQ(first->length, 4096);
  const auto second = rows.next();
  EXPECT_EQ(second->id, "7");
  EXPECT_FALSE(second->length);
  EXPECT_FALSE(rows.next());
}

std::filesystem::path packed(const Scratch& scratch, const std::string& text) {
  const auto file = scratch.folder() / "rows.jsonl.gz";
  gzFile stream = gzopen(file.string().c_str(), "wb");
  gzwrite(stream, text.data(), static_cast<unsigned>(text.size()));
  gzclose(stream);
  return file;
}

TEST(EvaluationRows, ReadGzippedLinesLongerThanABuffer) {
  const Scratch scratch;
  const std::string context(300'000, 'c');
  EvaluationRows rows(
      packed(scratch, R"({"id":"long","question":"?","answers":[],"context":")" + context + "\"}\n" + kRow));
  EXPECT_EQ(rows.next()->context, context);
  EXPECT_EQ(rows.next()->id, "q1");
  EXPECT_FALSE(rows.next());
}

TEST(EvaluationRows, SayWhichLineIsWrong) {
  const Scratch scratch;
  EvaluationRows rows(scratch.write("rows.jsonl", kRow + "\nnot json\n"));
  rows.next();
  EXPECT_THAT(sentenceOf([&] { rows.next(); }), HasSubstr("Line 2 of "));
  EvaluationRows others(scratch.write("others.jsonl", R"({"id":"x","question":"?"})"));
  EXPECT_THAT(sentenceOf([&] { others.next(); }), HasSubstr("Line 1 of "));
  EXPECT_THAT(sentenceOf([&] { EvaluationRows none(scratch.folder() / "none.jsonl"); }),
              HasSubstr("cannot be read"));
}

TEST(EvaluationRows, SayWhenAGzippedFileIsCut) {
  const Scratch scratch;
  std::string noise;
  for (unsigned i = 0, x = 1; i < 20'000; ++i)
    noise += static_cast<char>('a' + (x = x * 1664525 + 1013904223) % 26);
  const std::string whole = bytesOf(packed(scratch, "{\"id\":\"" + noise + "\"}"));
  EvaluationRows rows(scratch.write("cut.jsonl.gz", whole.substr(0, whole.size() / 2)));
  EXPECT_THAT(sentenceOf([&] { rows.next(); }), HasSubstr("is damaged"));
}

TEST(ChooseRows, TakesTheFirstOrSomeOfEachTaskAndLength) {
  const Scratch scratch;
  std::string text;
  const auto add = [&](const char* task, int length) {
    text += R"({"id":"x","context":"","question":"?","answers":[],"task":")" + std::string(task) +
            R"(","length_tokens_target":)" + std::to_string(length) + "}\n";
  };
  for (int i = 0; i < 4; ++i) add("wiki", 4096);
  add("wiki", 8192);
  add("needle", 4096);
  const auto file = scratch.write("rows.jsonl", text);
  EXPECT_THAT(chooseRows(file, {}), ElementsAre(true, true, true, true, true, true));
  EXPECT_THAT(chooseRows(file, {.limit = 2, .each = {}}), ElementsAre(true, true));
  EXPECT_THAT(chooseRows(file, {.limit = {}, .each = 2}), ElementsAre(true, false, true, false, true, true));
}

}  // namespace
}  // namespace kvasir
