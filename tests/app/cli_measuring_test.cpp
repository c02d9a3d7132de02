#include "tests/app/cli_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "importers/importer.h"

namespace kvasir {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

TEST_F(CliTest, EvaluatesRows) {
  const std::string context = "The keeper climbed the stair every night. The lamp burned whale oil.";
  const Json row = {{"id", "a"},
                    {"task", "wiki"},
                    {"context", context},
                    {"question", "What did the lamp do?"},
                    {"answers", {"burned whale oil"}},
                    {"gold_spans", {{42, 60}}},
                    {"metric", "f1_em"},
                    {"length_tokens_target", 4096}};
  Json other = row;
  other["id"] = "b";
  other["question"] = "Who climbed the stair?";
  const std::string rows = scratch.write("rows.jsonl", row.dump() + "\n" + other.dump() + "\n").string();
  const std::string results = (scratch.folder() / "results.jsonl").string();
  const Json summary = json({"eval", rows, "--out", results, "--budget", "10"});
  EXPECT_EQ(summary["rows"], 2);
  EXPECT_DOUBLE_EQ(summary["contains"], 0.5);
  EXPECT_DOUBLE_EQ(summary["recall"], 0.5);
  EXPECT_EQ(summary["recall_by_layer"].size(), 3u);
  EXPECT_TRUE(summary["by_task"].contains("wiki"));
  EXPECT_TRUE(summary["seconds"].is_number());
  EXPECT_GT(summary["peak_rss"], 0);
  EXPECT_EQ(fakeEngine().chunksRead.size(), 1u);  // one context, one reading

  std::istringstream lines(bytesOf(results));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(Json::parse(line)["id"], "a");
  EXPECT_EQ(Json::parse(line)["recall"], true);
  std::getline(lines, line);
  EXPECT_EQ(Json::parse(line)["recall"], false);
  EXPECT_EQ(run({"eval", rows}), 0);
  EXPECT_THAT(out.str(), HasSubstr("wiki"));
}

TEST_F(CliTest, GoesOnWithAnEvaluationThatWasEnded) {
  std::string lines;
  for (const char* id : {"a", "b", "c"})
    lines += Json{{"id", id},
                  {"task", "wiki"},
                  {"context", "The lamp burned whale oil."},
                  {"question", "What did the lamp do?"},
                  {"answers", {"burned whale oil"}},
                  {"gold_spans", {{9, 25}}},
                  {"metric", "f1_em"}}
                 .dump() +
             "\n";
  const std::string rows = scratch.write("rows.jsonl", lines).string();
  const fs::path results = scratch.folder() / "results.jsonl";
  const Json whole = json({"eval", rows, "--out", results.string()});
  const std::string all = bytesOf(results);
  const std::size_t first = all.find('\n') + 1;
  scratch.write("results.jsonl", all.substr(0, first + 40));  // the second line is cut off
  fakeEngine().questions.clear();
  const Json resumed = json({"eval", rows, "--out", results.string(), "--resume"});
  EXPECT_EQ(fakeEngine().questions.size(), 2u);
  for (const char* field : {"rows", "f1", "recall", "by_task"})
    EXPECT_EQ(resumed[field], whole[field]) << field;
  const std::string after = bytesOf(results);
  EXPECT_EQ(std::count(after.begin(), after.end(), '\n'), 3);
  EXPECT_EQ(after.substr(0, first), all.substr(0, first));
  EXPECT_EQ(run({"eval", rows, "--resume"}), 2);  // where would it go on?
  // What another model answered is not this one's, and stays.
  std::string others = after;
  const std::string name = R"("model_fingerprint":")";
  others.insert(others.find(name) + name.size(), "other-");
  scratch.write("results.jsonl", others);
  EXPECT_EQ(run({"eval", rows, "--out", results.string(), "--resume"}), 1);
  EXPECT_THAT(err.str(), HasSubstr("holds answers of another model"));
  EXPECT_EQ(bytesOf(results), others);
  // Nor what was asked otherwise.
  const auto refuses = [&](const std::string& held, const std::vector<std::string>& more, const char* says) {
    scratch.write("results.jsonl", held);
    std::vector<std::string> words = {"eval", rows, "--out", results.string(), "--resume"};
    words.insert(words.end(), more.begin(), more.end());
    EXPECT_EQ(run(words), 1) << says;
    EXPECT_THAT(err.str(), HasSubstr(says));
    EXPECT_EQ(bytesOf(results).substr(0, held.size()), held);
  };
  refuses(after, {"--max-tokens", "7"}, "asked otherwise");
  refuses(after, {"--temperature", "0.5"}, "asked otherwise");
  refuses(after.substr(0, first) + "{}\n" + after.substr(first), {}, "line 2");
  fakeEngine().adapter = "another";
  refuses(after, {}, "asked otherwise");
}

TEST_F(CliTest, LeavesWhatRowsAreWrittenToWhatItIs) {
  const std::string row = Json{
      {"id", "a"},
      {"task", "wiki"},
      {"context", "The lamp burned whale oil."},
      {"question", "What did the lamp do?"},
      {"answers",
       {"burned whale oil"}}}.dump();
  const std::string rows = scratch.write("rows.jsonl", row + "\n").string();
  const fs::path real = scratch.write("elsewhere.jsonl", ""), link = scratch.folder() / "results.jsonl";
  std::error_code error;
  fs::create_symlink(real, link, error);
  if (error) GTEST_SKIP() << "no links here";
  for (const bool goesOn : {false, true}) {
    std::vector<std::string> words = {"eval", rows, "--out", link.string()};
    if (goesOn) words.push_back("--resume");
    EXPECT_EQ(run(words), 0) << err.str();
    EXPECT_TRUE(fs::is_symlink(link));
    EXPECT_THAT(bytesOf(real), HasSubstr("whale oil"));
  }
  EXPECT_EQ(run({"eval", scratch.folder().string()}), 2);
  EXPECT_THAT(err.str(), HasSubstr("rows are read twice"));
}

TEST_F(CliTest, EvaluatesSeveralMethodsAndBudgetsInOneRun) {
  const Json row = {{"id", "a"},
                    {"task", "wiki"},
                    {"context", "The lamp burned whale oil."},
                    {"question", "What did the lamp do?"},
                    {"answers", {"burned whale oil"}},
                    {"gold_spans", {{9, 25}}},
                    {"metric", "f1_em"}};
  const std::string rows = scratch.write("rows.jsonl", row.dump() + "\n").string();
  const Json results = json({"eval", rows, "--methods", "full,whitened", "--budget", "10,2048"})["results"];
  ASSERT_EQ(results.size(), 4u);
  EXPECT_FALSE(results.at(0).contains("peak_rss")) << "the run's, not a method's";
  EXPECT_EQ(results.at(0)["method"], "full");
  EXPECT_EQ(results.at(1)["budget"], 2048);
  EXPECT_EQ(results.at(3)["method"], "whitened");
  EXPECT_EQ(results.at(3)["rows"], 1);
  EXPECT_EQ(fakeEngine().chunksRead.size(), 3u);  // `full` reads alike with any budget
  const Json& point = results.at(1)["by_length"].at(0);
  EXPECT_EQ(point["tokens"], 6);
  EXPECT_EQ(point["contains"], 1);
  EXPECT_EQ(point["recall"], 1);
  EXPECT_EQ(point["first_token_seconds"], 0.01);
  EXPECT_EQ(point["kv_bytes"], 1100);
  EXPECT_EQ(run({"eval", rows, "--methods", "full,whitened", "--budget", "10,2048"}), 0);
  EXPECT_THAT(out.str(), AllOf(HasSubstr("All, by method and length"), HasSubstr("whitened, budget 2,048"),
                               HasSubstr("1.1 kB")));
}

// What spares others a reading of their own is read first; the output keeps the order that was asked for.
TEST_F(CliTest, ReadsATextDenselyOnceInWhateverOrderMethodsAreNamed) {
  fakeEngine().spared = "whitened";
  const Json row = {
      {"id", "a"}, {"context", "The lamp burned oil."}, {"question", "What?"}, {"answers", {"oil"}}};
  const std::string rows = scratch.write("rows.jsonl", row.dump() + "\n").string();
  const std::string results = (scratch.folder() / "results.jsonl").string();
  const std::vector<std::vector<std::string>> calls = {
      {"eval", rows, "--out", results, "--methods", "infllm,whitened,full"},
      {"needle", book, "--lengths", "400", "--depths", "0", "--methods", "infllm,whitened,full"}};
  for (const std::vector<std::string>& words : calls) {
    const Json all = json(words)["results"];
    ASSERT_EQ(all.size(), 3u) << words[0];
    EXPECT_EQ(all.at(1)["method"], "whitened") << words[0];
    EXPECT_EQ(all.at(2)["method"], "full") << words[0];
    EXPECT_EQ(fakeEngine().chunksRead.size(), 2u) << words[0];  // by `infllm` and by `full`
    EXPECT_EQ(fakeEngine().readSparingly, std::vector<std::string>{"whitened"}) << words[0];
    fakeEngine().chunksRead.clear();
    fakeEngine().readSparingly.clear();
  }
  std::istringstream lines(bytesOf(results));
  std::string line;
  for (const char* method : {"infllm", "whitened", "full"}) {
    std::getline(lines, line);
    EXPECT_EQ(Json::parse(line)["method"].get<std::string>(), method);
  }
  // What is held already needs no reading, and spares none.
  EXPECT_EQ(run({"eval", rows, "--out", results, "--resume", "--methods", "whitened,full"}), 0);
  EXPECT_TRUE(fakeEngine().chunksRead.empty());
}

// Though the others could do it: nothing is read for them before.
TEST_F(CliTest, RefusesAMethodThatIsOfNoUseBeforeAnythingIsRead) {
  fakeEngine().unusable = "whitened";
  const Json row = {{"id", "a"}, {"context", "A lamp."}, {"question", "What?"}, {"answers", {"lamp"}}};
  const std::string rows = scratch.write("rows.jsonl", row.dump()).string();
  const std::string text = scratch.write("text.txt", std::string(80, 'a')).string();
  const std::vector<std::vector<std::string>> calls = {{"eval", rows},
                                                       {"needle", book, "--lengths", "600"},
                                                       {"perplexity", text, "--lengths", "40"},
                                                       {"bench", "--prompt", "64"}};
  for (std::vector<std::string> words : calls) {
    words.insert(words.end(), {"--methods", "full,whitened"});
    EXPECT_EQ(run(words), 1) << words[0];
    EXPECT_THAT(err.str(), HasSubstr("The method whitened is of no use with this model.")) << words[0];
    EXPECT_EQ(out.str(), "") << words[0];
    EXPECT_TRUE(fakeEngine().chunksRead.empty()) << words[0];
    words.back() = "full,infllm";
    EXPECT_EQ(run(words), 0) << words[0] << ": " << err.str();
    fakeEngine().chunksRead.clear();
  }
}

TEST_F(CliTest, SaysOfWhichMethodsPerplexityKnowsNoBudget) {
  const std::string text = scratch.write("text.txt", std::string(80, 'a')).string();
  EXPECT_EQ(run({"perplexity", text, "--lengths", "40", "--methods", "h2o,full,h2o"}), 0);
  const std::string said = err.str(), remark = "The method h2o keeps to its budget only in answers";
  ASSERT_NE(said.find(remark), std::string::npos) << said;
  EXPECT_EQ(said.find(remark), said.rfind(remark)) << said;
  EXPECT_EQ(run({"perplexity", text, "--lengths", "40", "--methods", "full,infllm"}), 0);
  EXPECT_EQ(err.str().find("only in answers"), std::string::npos);
  const int loads = fakeEngine().loads;
  EXPECT_EQ(run({"perplexity", text, "--lengths", "40", "--method", "h2o"}), 1);
  EXPECT_THAT(err.str(), HasSubstr("tells nothing of the budget"));
  EXPECT_EQ(fakeEngine().loads, loads);
}

TEST_F(CliTest, TakesAwayWhatAnEndedEvaluationLeft) {
  const fs::path left = fs::temp_directory_path() / "kvasir-eval-forsaken";
  fs::create_directories(left);
  std::ofstream(left / "lock") << "";
  std::ofstream(left / "reading.kv") << "KV";
  const Json row = {{"id", "a"}, {"context", "A lamp."}, {"question", "What?"}, {"answers", {"lamp"}}};
  json({"eval", scratch.write("rows.jsonl", row.dump()).string()});
  EXPECT_FALSE(fs::exists(left));
}

TEST_F(CliTest, SaysWhenThereIsNothingToEvaluate) {
  EXPECT_EQ(run({"eval", scratch.write("empty.jsonl", "\n").string()}), 1);
  EXPECT_THAT(err.str(), HasSubstr("has no rows"));
}

TEST_F(CliTest, RefusesToWriteResultsOverTheQuestions) {
  const fs::path rows = scratch.folder() / "own.jsonl";
  const std::string line = R"({"id": "a", "context": "x", "question": "What?", "answers": ["x"]})";
  std::ofstream(rows) << line << "\n";
  EXPECT_EQ(run({"eval", rows.string(), "--out", rows.string()}), 2);
  std::ifstream stream(rows);
  std::string kept;
  std::getline(stream, kept);
  EXPECT_EQ(kept, line);
}

/// Prose of many sentences, none of which holds a needle's words.
std::string longText() {
  std::string text = "# The coast\n\n";
  for (int i = 0; i < 60; ++i) text += "Herring came in week " + std::to_string(i) + " with the tide. ";
  return text;
}

TEST_F(CliTest, HidesNeedlesAndTellsWhichMethodFindsThem) {
  const std::string coast = scratch.write("coast.md", longText()).string();
  const Json result = json({"needle", coast, "--methods", "full,whitened", "--lengths", "600,1200", "--depths",
                            "0,50,100", "--budget", "512"});
  EXPECT_EQ(result["kind"], "single");
  ASSERT_EQ(result["results"].size(), 2u);
  EXPECT_EQ(result["results"][1]["method"], "whitened");
  EXPECT_EQ(result["results"][1]["budget"], 512);
  ASSERT_EQ(result["results"][0]["cells"].size(), 6u);
  EXPECT_EQ(result["results"][0]["cells"][3]["length"], 1200);
  EXPECT_EQ(result["results"][0]["cells"][4]["depth"], 50);
  EXPECT_EQ(result["results"][0]["rows"], 6);
  EXPECT_EQ(result["rows"].size(), 12u);
  EXPECT_EQ(fakeEngine().loads, 1);
  EXPECT_EQ(fakeEngine().chunksRead.size(), 12u);
  // The stand-in attends to chunks that hold a word of the question: to all of a needle, but where its number
  // fell into a chunk of its own.
  EXPECT_GT(result["results"][0]["recall"], 0);
  for (const Json& row : result["rows"]) {
    EXPECT_TRUE(row["recall"] == 0 || row["recall"] == 1);
    EXPECT_EQ(row["expected"].size(), 1u);
    EXPECT_LE(row["tokens"]["document"].get<int>() * 4, row["length"].get<int>());
    EXPECT_GT(row["tokens"]["document"].get<int>() * 4, row["length"].get<int>() - 50);
  }
  EXPECT_FALSE(fs::exists(library));  // nothing is kept
}

TEST_F(CliTest, ScoresTheAnswersToNeedles) {
  const std::string coast = scratch.write("coast.md", longText()).string();
  const std::vector<std::string> own = {"needle",     coast,
                                        "--needle",   "The vault opens with SESAME.",
                                        "--question", "What opens the vault?",
                                        "--expect",   "sesame",
                                        "--depths",   "50",
                                        "--lengths",  "800",
                                        "--method",   "full"};
  fakeEngine().saying = "It opens with Sesame.";
  Json result = json(own);
  EXPECT_EQ(result["kind"], "own");
  EXPECT_EQ(result["results"][0]["found"], 1);
  EXPECT_EQ(result["rows"][0]["question"], "What opens the vault?");
  fakeEngine().saying = "With a key.";
  result = json(own);
  EXPECT_EQ(result["results"][0]["found"], 0);
  EXPECT_EQ(run(own), 0);
  EXPECT_THAT(out.str(), AllOf(HasSubstr("full\n"), HasSubstr("800"), HasSubstr("0.00/")));
}

TEST_F(CliTest, SaysWhenTheDocumentItselfHoldsWhatIsExpected) {
  const std::vector<std::string> words = {
      "needle", book,       "--needle", "It burned oil.", "--question", "What burned?", "--expect",
      "WHALE",  "--depths", "0",        "--lengths",      "300",        "--method",     "full"};
  EXPECT_EQ(run(words), 0);
  EXPECT_THAT(err.str(), HasSubstr("itself says \"WHALE\""));
}

TEST_F(CliTest, PlantsTheSameNeedlesForTheSameSeed) {
  const auto rows = [&](const char* seed) {
    const Json result = json({"needle", book, "--kind", "multi-value", "--lengths", "900", "--depths", "30",
                              "--trials", "2", "--method", "full", "--seed", seed});
    std::vector<Json> expected;
    for (const Json& row : result["rows"]) expected.push_back(row["expected"]);
    return expected;
  };
  const auto first = rows("1");
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].size(), 4u);
  EXPECT_NE(first[0], first[1]);
  EXPECT_EQ(rows("1"), first);
  EXPECT_NE(rows("9")[0], first[0]);
}

TEST_F(CliTest, AsksADocumentOfTheLibraryForNeedles) {
  const std::string id = json({"read", book})["documents"].at(0)["id"];
  fs::remove(book);
  const Json result = json({"needle", id, "--lengths", "400", "--depths", "0", "--method", "full"});
  EXPECT_EQ(result["rows"].size(), 1u);
  EXPECT_EQ(json({"library"}).size(), 1u);
  EXPECT_EQ(json({"library"}).at(0)["readings"].size(), 1u);
}

TEST_F(CliTest, RefusesNeedlesThatCannotBe) {
  EXPECT_EQ(run({"needle", book, "--lengths", "20"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("no room for the needles"));
  EXPECT_EQ(run({"needle", book, "--needle", "A needle."}), 2);
  EXPECT_EQ(run({"needle", book, "--question", "Which?"}), 2);
  EXPECT_EQ(run({"needle", book, "--needle", " ", "--question", "Which?", "--expect", "a"}), 2);
  EXPECT_EQ(run({"needle", book, "--needle", "A.", "--question", "Which?", "--expect", " "}), 2);
  EXPECT_EQ(run({"needle", book, "--depths", "120"}), 2);
  EXPECT_EQ(run({"needle", book, "--kind", "haystack"}), 2);
  EXPECT_EQ(run({"needle", book, "--methods", "full,nothing"}), 2);
  EXPECT_EQ(run({"needle", "nothing.pdf"}), 1);
  const int loads = fakeEngine().loads;
  EXPECT_EQ(run({"needle", book, "--plot", "grid.png"}), 1);  // linked without pictures: told before the work
  EXPECT_EQ(fakeEngine().loads, loads);
}

TEST_F(CliTest, StopsHidingNeedlesAtOnce) {
  fakeEngine().onChunk = [](int chunk) {
    if (chunk == 1) std::raise(SIGINT);
  };
  EXPECT_EQ(run({"needle", book, "--lengths", "400"}), 1);
  EXPECT_EQ(err.str(), "Stopped.\n");
  EXPECT_EQ(fakeEngine().chunksRead.size(), 1u);
}

TEST_F(CliTest, TellsPerplexityByMethodAndPosition) {
  const std::string text = scratch.write("text.txt", std::string(80, 'a')).string();
  const Json result = json({"perplexity", text, "--methods", "full,infllm", "--lengths", "40,80"});
  EXPECT_EQ(result["bands"].dump(), "[[0,40],[40,80]]");
  ASSERT_EQ(result["results"].size(), 3u);
  EXPECT_EQ(result["results"][0]["method"], "full, anew every 40");
  // Anew: in both bands half the tokens at 1/2 and half at 1/4, but for the first that nothing foresees.
  EXPECT_NEAR(result["results"][0]["perplexity"][1], std::pow(2, (19 + 2 * 20) / 39.0), 1e-9);
  EXPECT_NEAR(result["results"][1]["perplexity"][0], 2, 1e-9);
  EXPECT_NEAR(result["results"][1]["perplexity"][1], 4, 1e-9);
  EXPECT_NEAR(result["results"][2]["perplexity"][1], 8, 1e-9);
  EXPECT_NEAR(result["results"][2]["excess_at_end"], 8 / std::pow(2, 59 / 39.0) - 1, 1e-9);
  EXPECT_EQ(run({"perplexity", text, "--lengths", "40,81"}), 1);
  EXPECT_THAT(err.str(), HasSubstr("has 80 tokens"));
  EXPECT_EQ(run({"perplexity", text}), 2);  // the stand-in's file does not say how long its texts were
  EXPECT_EQ(run({"perplexity", text, "--lengths", "40", "--methods", "magic"}), 2);
  EXPECT_EQ(run({"perplexity", text, "--lengths", "40", "--quiet"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("full, anew every 40"));
}

TEST_F(CliTest, TakesATextByteForByteAndADocumentAsItIsImported) {
  const std::string lines = "One  line.\n\n\n\nAnother.\n", sample = KVASIR_SAMPLE;
  const std::string text = scratch.write("text.txt", lines).string();
  EXPECT_EQ(json({"logits", text})["positions"].size(), lines.size());
  EXPECT_EQ(json({"logits", sample})["positions"].size(), importFile(sample).text.size());
  const std::string picture = scratch.write("picture.bin", std::string("\x89PNG\0\0\1\2", 8)).string();
  for (const char* command : {"tokenize", "logits", "perplexity"}) {
    EXPECT_EQ(run({command, picture}), 1);
    EXPECT_THAT(err.str(), HasSubstr("picture.bin is of a format that is not known here"));
  }
}

TEST_F(CliTest, TakesTheMedianOfMeasurements) {
  const Json result = json({"bench", "--prompt", "512", "--depth", "0,1024", "--repeat", "3"});
  ASSERT_EQ(result["results"].size(), 2u);
  EXPECT_EQ(result["results"][1].dump(),
            R"({"depth":1024,"kind":"read","method":"full","tokens":512,"tokens_per_second":200.0})");
  EXPECT_EQ(result["method"], "full");
  EXPECT_EQ(run({"bench", "--plot", "cost.png"}), 1);  // linked without pictures: told before the work
  EXPECT_EQ(json({"bench"})["results"].size(), 2u);
}

TEST_F(CliTest, GivesTheLikeliestTokensOfEachPlace) {
  const Json result = json({"logits", scratch.write("text.txt", "abc").string(), "--top", "2"});
  EXPECT_EQ(result["positions"].dump(), "[[[97,-1.0],[98,-2.0]],[[98,-1.0],[99,-2.0]],[[99,-1.0],[100,-2.0]]]");
  EXPECT_EQ(result["next_logprobs"].dump(), "[-1.0,-1.0]");
  EXPECT_DOUBLE_EQ(result["perplexity"], std::exp(1.0));
}

// The engine refuses; where several methods are asked for, before anything is read.
TEST_F(CliTest, RefusesABudgetBeyondTheModelsLengthInEveryCommand) {
  fakeEngine().trainedTokens = 1024;
  const std::string coast = scratch.write("coast.md", longText()).string();
  const std::string text = scratch.write("text.txt", std::string(80, 'a')).string();
  const Json row = {{"id", "a"}, {"context", "A lamp."}, {"question", "What?"}, {"answers", {"lamp"}}};
  const std::string rows = scratch.write("rows.jsonl", row.dump()).string();
  const std::vector<std::vector<std::string>> calls = {
      {"read", book, "--method", "streaming"},
      {"ask", book, "What did the lamp burn?", "--method", "streaming"},
      {"map", book, "What did the lamp burn?", "--method", "streaming"},
      {"eval", rows, "--methods", "full,streaming"},
      {"needle", coast, "--methods", "full,streaming:sinks=8", "--lengths", "600"},
      {"perplexity", text, "--methods", "full,streaming", "--lengths", "40"}};
  for (std::vector<std::string> words : calls) {
    for (const char* more : {"--budget", "1025"}) words.emplace_back(more);
    EXPECT_EQ(run(words), 1) << words[0];
    EXPECT_THAT(err.str(), HasSubstr("1025 is more than the 1024 tokens the model was trained on")) << words[0];
    EXPECT_TRUE(fakeEngine().chunksRead.empty()) << words[0];
    words.back() = "1024";
    EXPECT_EQ(run(words), 0) << words[0] << ": " << err.str();
    fakeEngine().chunksRead.clear();
  }
  EXPECT_EQ(run({"eval", rows, "--methods", "full,streaming", "--budget", "512,1025"}), 1);
  EXPECT_TRUE(fakeEngine().chunksRead.empty());

  const Json compared =
      json({"compare", book, "What did the lamp burn?", "--methods", "streaming,full", "--budget", "1025"});
  EXPECT_THAT(compared.at(0)["error"].get<std::string>(), HasSubstr("more than the 1024 tokens"));
  EXPECT_THAT(compared.at(1)["answer"].get<std::string>(), HasSubstr("lamp"));
}

}  // namespace
}  // namespace kvasir
