#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/cli/devices.h"
#include "app/cli/run.h"
#include "kernels/shared_library.h"
#include "tests/app/fake_engine.h"
#include "tests/app/scratch.h"

namespace kvasir {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using Json = nlohmann::json;

const std::string kBook =
    "# The lighthouse\n\nThe keeper climbed the stair every night.\n\nThe lamp burned whale oil until 1846, "
    "and then "
    "kerosene.\n\n# The harbour\n\nShips came for salt and left with herring and timber.\n";

/// Runs the whole program, but for main, over the stand-in engine.
struct CliTest : testing::Test {
  Scratch scratch;
  std::ostringstream out, err;
  std::string library = (scratch.folder() / "library").string();
  std::string model = scratch.write("model.gguf", "").string();
  std::string book = scratch.write("lighthouse.md", kBook).string();

  CliTest() { fakeEngine() = {}; }

  int run(std::vector<std::string> words) {
    out.str(""), err.str("");
    for (const std::string& word : {std::string("--library"), library, std::string("--model"), model})
      words.push_back(word);
    return runCli(std::move(words), out, err);
  }
  Json json(std::vector<std::string> words) {
    words.push_back("--json");
    EXPECT_EQ(run(std::move(words)), 0) << err.str();
    return Json::parse(out.str());
  }
};

TEST_F(CliTest, ReadsFilesIntoTheLibrary) {
  const Json result = json({"read", book});
  const Json& document = result["documents"].at(0);
  EXPECT_EQ(document["id"].get<std::string>().size(), 12u);
  EXPECT_TRUE(document["pages"].is_null());
  EXPECT_GT(document["tokens"], 30);
  EXPECT_GT(document["chunks"], 3);
  EXPECT_EQ(document["bytes"], 1000);
  EXPECT_GT(document["seconds"]["import"], 0);
  EXPECT_GT(document["seconds"]["read"], 0);
}

TEST_F(CliTest, ReadsADocumentOnce) {
  json({"read", book});
  const Json again = json({"read", book})["documents"].at(0);
  EXPECT_EQ(again["seconds"]["import"], 0);
  EXPECT_EQ(again["seconds"]["read"], 0);
  EXPECT_THAT(fakeEngine().chunksRead, ElementsAre(testing::Gt(3)));
}

TEST_F(CliTest, AsksAFileAndItsIdWithoutReadingItAgain) {
  const Json first = json({"ask", book, "What did the lamp burn?"});
  EXPECT_GT(first["seconds"]["read"], 0);
  EXPECT_THAT(first["answer"].get<std::string>(), HasSubstr("lamp"));
  const Json& passage = first["evidence"].at(0);
  EXPECT_EQ(passage["rank"], 1);
  EXPECT_THAT(passage["text"].get<std::string>(), HasSubstr("lamp"));
  EXPECT_EQ(passage["section"], "The lighthouse");

  const std::string id = json({"library"}).at(0)["id"];
  const Json second = json({"ask", id.substr(0, 6), "What did the lamp burn?"});
  EXPECT_EQ(second["seconds"]["read"], 0);
  EXPECT_EQ(second["answer"], first["answer"]);
  EXPECT_EQ(fakeEngine().chunksRead.size(), 1u);
}

TEST_F(CliTest, AsksADocumentWhoseFileIsGone) {
  json({"read", book});
  fs::remove(book);
  EXPECT_THAT(json({"ask", book, "What did the lamp burn?"})["answer"].get<std::string>(), HasSubstr("lamp"));
}

TEST_F(CliTest, KnowsACopyOfAFile) {
  json({"read", book});
  const std::string copy = scratch.write("copy.md", kBook).string();
  EXPECT_EQ(json({"read", copy})["documents"].at(0)["seconds"]["import"], 0);
  EXPECT_EQ(json({"library"}).size(), 1u);
}

TEST_F(CliTest, ReadsAFileThatChangedAsANewDocument) {
  const Json before = json({"read", book})["documents"].at(0);
  scratch.write("lighthouse.md", kBook + "\nA later hand added this.\n");
  const Json after = json({"read", book})["documents"].at(0);
  EXPECT_NE(before["id"], after["id"]);
  EXPECT_EQ(json({"library"}).size(), 2u);
}

TEST_F(CliTest, WritesTheAnswerAndTheEvidenceForPeople) {
  EXPECT_EQ(run({"ask", book, "What did the lamp burn?"}), 0);
  EXPECT_THAT(out.str(), AllOf(HasSubstr("lamp"), HasSubstr("Evidence: 1 passage"), HasSubstr("  1  score"),
                               HasSubstr("The lighthouse")));
  EXPECT_THAT(out.str(), testing::Not(HasSubstr("Reading")));
  EXPECT_THAT(err.str(), testing::Not(HasSubstr("Evidence")));
}

TEST_F(CliTest, SaysThatNothingWasFoundAndThatAnAnswerWasCut) {
  EXPECT_EQ(run({"ask", book, "Quux?"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("Evidence: 0 passages"));
  EXPECT_EQ(run({"ask", book, "What did the lamp burn?", "--max-tokens", "2"}), 0);
  EXPECT_THAT(err.str(), HasSubstr("--max-tokens"));
  EXPECT_EQ(run({"ask", book, "What did the lamp burn?", "--max-tokens", "2", "--quiet"}), 0);
  EXPECT_EQ(err.str(), "");
}

TEST_F(CliTest, FailsWithOneSentence) {
  EXPECT_EQ(run({"ask", "nothing.pdf", "Why?"}), 1);
  EXPECT_THAT(err.str(), AllOf(HasSubstr("no file nothing.pdf"), HasSubstr("kvasir-cli library")));
  EXPECT_EQ(out.str(), "");
  EXPECT_EQ(run({"read", scratch.folder().string()}), 1);
  EXPECT_THAT(err.str(), HasSubstr("is a folder"));
  fakeEngine().refusal = "There is no CUDA device.";
  EXPECT_EQ(run({"ask", book, "Why?", "--device", "cuda"}), 1);
  EXPECT_EQ(err.str(), "There is no CUDA device.\n");
}

TEST_F(CliTest, TrainsFromDocumentsAndFromRows) {
  const auto rows = scratch.write("rows.jsonl", R"({"text": "One.", "questions": ["Which?"]})"
                                                "\n"
                                                R"({"text": "Two."})"
                                                "\n");
  const Json result = json({"train", "whitening", book, rows.string(), "--to", scratch.folder().string()});
  EXPECT_EQ(result["texts"], 3);
  EXPECT_THAT(fakeEngine().trainingTexts, ElementsAre(HasSubstr("whale oil"), "One.", "Two."));
  EXPECT_THAT(fakeEngine().questions, ElementsAre("Which?"));
}

TEST_F(CliTest, TrainsAnAdapterByAConfigurationAndWritesItsCurves) {
  const std::string lessons =
      scratch
          .write("lessons.jsonl",
                 R"({"text": "Salt came.", "questions": [{"question": "What?", "answer": "Salt"}]})")
          .string();
  const std::string config = scratch.write("train.toml", "[train.adapter]\nrank = 12\n").string();
  const std::string curves = (scratch.folder() / "curves.csv").string();
  const Json result = json({"train", "adapter", lessons, "--held-out", lessons, "--config", config, "--curves",
                            curves, "--to", scratch.folder().string()});
  EXPECT_EQ(result["held_out_loss"], 1.5);
  EXPECT_EQ(result["steps"], 2);
  EXPECT_EQ(fakeEngine().rank, 12);
  EXPECT_THAT(fakeEngine().trainingTexts, ElementsAre("Salt came."));
  std::ifstream stream(curves);
  std::string first, second, third;
  std::getline(stream, first), std::getline(stream, second), std::getline(stream, third);
  EXPECT_EQ(first, "step,loss,held_out_loss,held_out_recall");
  EXPECT_EQ(second, "1,3,,");
  EXPECT_EQ(third, "2,2,1.5,");

  EXPECT_EQ(run({"train", "adapter", lessons, "--held-out", lessons, "--plot", "losses.png"}), 1);
  EXPECT_THAT(err.str(), HasSubstr("draws no pictures"));

  const std::string wrong = scratch.write("wrong.jsonl", R"({"text": "a", "questions": ["What?"]})").string();
  EXPECT_EQ(run({"train", "adapter", wrong, "--held-out", lessons}), 1);
  EXPECT_THAT(err.str(), HasSubstr("Line 1"));
}

TEST_F(CliTest, TrainsARetrieverFromStretchesOfText) {
  const std::string lessons =
      scratch
          .write("lessons.jsonl", R"({"text": "Salt came. Ships went.", "documents": [[0, 22]],)"
                                  R"( "questions": [{"question": "What came", "gold": [[0, 10]]}]})")
          .string();
  const Json result = json(
      {"train", "retriever", lessons, "--held-out", lessons, "--rank", "4", "--to", scratch.folder().string()});
  EXPECT_EQ(result["held_out_loss"], 1.5);
  EXPECT_EQ(fakeEngine().rank, 4);
  EXPECT_THAT(fakeEngine().questions, ElementsAre("What came: Salt came."));

  for (const char* gold : {"[[0, 99]]", "[[5, 5]]", "[[-1, 4]]", "[3]", "7"}) {
    const std::string wrong =
        scratch
            .write("wrong.jsonl",
                   std::string(R"({"text": "Salt came.", "questions": [{"question": "a", "gold": )") + gold +
                       "}]}")
            .string();
    EXPECT_EQ(run({"train", "retriever", wrong, "--held-out", lessons}), 1) << gold;
    EXPECT_THAT(err.str(), HasSubstr("Line 1")) << gold;
  }
}

TEST_F(CliTest, TrainsBeaconsFromDocumentsAndRows) {
  const std::string rows = scratch
                               .write("rows.jsonl", R"({"text": "One."})"
                                                    "\n"
                                                    R"({"text": "Two."})")
                               .string();
  const Json result = json(
      {"train", "beacon", book, rows, "--held-out", rows, "--rank", "4", "--to", scratch.folder().string()});
  EXPECT_EQ(result["held_out_loss"], 1.5);
  EXPECT_EQ(result["texts"], 3);
  EXPECT_EQ(fakeEngine().rank, 4);
  EXPECT_THAT(fakeEngine().trainingTexts, ElementsAre(HasSubstr("whale oil"), "One.", "Two."));
  EXPECT_EQ(run({"train", "beacon", book}), 2);
  EXPECT_EQ(run({"train", "beacon", book, "--held-out", rows, "--windows", "1"}), 2);
}

TEST_F(CliTest, ComparesMethods) {
  const Json rows = json({"compare", book, "What did the lamp burn?", "--methods", "full,whitened"});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows.at(0)["method"], "full");
  EXPECT_EQ(rows.at(1)["method"], "whitened");
  EXPECT_THAT(rows.at(1)["answer"].get<std::string>(), HasSubstr("lamp"));
  EXPECT_EQ(fakeEngine().loads, 1);
  EXPECT_EQ(run({"compare", book, "What?", "--methods", "full,nothing"}), 2);
}

TEST_F(CliTest, MapsLayersByChunks) {
  const std::string table = (scratch.folder() / "map.csv").string();
  const Json map = json({"map", book, "What did the lamp burn?", "--mark", "whale oil", "--out", table});
  EXPECT_EQ(map["values"].size(), map["layers"]);
  EXPECT_EQ(map["values"].at(0).size(), map["chunks"]);
  EXPECT_EQ(map["attention"].at(0).size(), map["chunks"]);
  EXPECT_FALSE(map["gold"].empty());
  std::ifstream stream(table);
  std::string line;
  int lines = 0;
  while (std::getline(stream, line)) ++lines;
  EXPECT_EQ(lines, 1 + map["layers"].get<int>() * map["chunks"].get<int>());
  EXPECT_FALSE(json({"map", book, "What?", "--kind", "retriever"}).contains("attention"));
  EXPECT_EQ(run({"map", book, "What?", "--mark", "no such words"}), 1);
  EXPECT_THAT(err.str(), HasSubstr("no such words"));
  EXPECT_EQ(run({"map", book, "What?", "--out", "map.png"}), 1);  // this program was linked without pictures
}

TEST_F(CliTest, NamesTheLineOfARowThatIsNone) {
  const auto rows = scratch.write("rows.jsonl", R"({"text": "One."})"
                                                "\n{\n");
  EXPECT_EQ(run({"train", "whitening", rows.string(), "--to", scratch.folder().string()}), 1);
  EXPECT_THAT(err.str(), HasSubstr("Line 2"));
}

TEST_F(CliTest, EndsWithTwoBeforeLoadingForAMethodThatIsNotThere) {
  EXPECT_EQ(run({"ask", book, "Why?", "--method", "magic"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("kvasir-cli methods"));
  EXPECT_EQ(run({"ask", book, " "}), 2);
  EXPECT_EQ(fakeEngine().loads, 0);
}

TEST_F(CliTest, ReadsTheOthersWhenOneFileFails) {
  EXPECT_EQ(run({"read", "nothing.pdf", book, "--json"}), 1);
  EXPECT_EQ(Json::parse(out.str())["documents"].size(), 1u);
  EXPECT_THAT(err.str(),
              AllOf(HasSubstr("no file nothing.pdf"), HasSubstr("1 of 2 documents could not be read")));
}

TEST_F(CliTest, StopsAtOnceAndGoesOnFromThere) {
  std::chrono::steady_clock::time_point interrupted;
  fakeEngine().onChunk = [&](int chunk) {
    if (chunk != 1) return;
    interrupted = std::chrono::steady_clock::now();
    std::raise(SIGINT);
  };
  EXPECT_EQ(run({"read", book}), 1);
  EXPECT_LT(std::chrono::steady_clock::now() - interrupted, std::chrono::milliseconds(200));
  EXPECT_EQ(err.str(), "Stopped; what was read is kept, and the next call goes on from there.\n");
  EXPECT_EQ(json({"library"}).at(0)["readings"].at(0)["complete"], false);

  fakeEngine().onChunk = nullptr;
  json({"read", book});
  ASSERT_EQ(fakeEngine().chunksRead.size(), 2u);
  EXPECT_EQ(fakeEngine().chunksRead[0], 2);
  EXPECT_GT(fakeEngine().chunksRead[1], 0);
  const Json reading = json({"library"}).at(0)["readings"].at(0);
  EXPECT_EQ(reading["complete"], true);
  EXPECT_EQ(reading["chunks"], fakeEngine().chunksRead[0] + fakeEngine().chunksRead[1]);
}

#ifndef _WIN32
TEST_F(CliTest, EndsInTimeWhenTheWorkDoesNot) {
  fakeEngine().onChunk = [](int chunk) {
    if (chunk != 1) return;
    std::raise(SIGINT);
    while (true) continue;
  };
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EXIT(runCli({"read", book, "--library", library, "--model", model}, std::cout, std::cerr),
              testing::ExitedWithCode(1),
              "Stopped; what was read is kept, and the next call goes on from there");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  fakeEngine().onChunk = nullptr;
  const Json document = json({"read", book})["documents"].at(0);
  EXPECT_EQ(fakeEngine().chunksRead.at(0), document["chunks"].get<int>() - 2);
}
#endif

TEST_F(CliTest, KeepsTheAnswerSoFarWhenStopped) {
  fakeEngine().onAnswerWord = [] { std::raise(SIGTERM); };
  EXPECT_EQ(run({"ask", book, "What did the lamp burn?"}), 1);
  EXPECT_FALSE(out.str().empty());
  EXPECT_EQ(out.str().back(), '\n');
  EXPECT_THAT(err.str(), HasSubstr("Stopped"));
}

TEST_F(CliTest, RemovesDocuments) {
  const std::string id = json({"read", book})["documents"].at(0)["id"];
  EXPECT_EQ(json({"library", "remove", id})["removed"], Json::array({id}));
  EXPECT_TRUE(json({"library"}).empty());
  EXPECT_TRUE(fs::is_empty(fs::path(library) / "readings"));
  EXPECT_EQ(run({"library", "remove", id}), 1);
  EXPECT_THAT(err.str(), HasSubstr("no document " + id));
}

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
  EXPECT_EQ(results.at(0)["method"], "full");
  EXPECT_EQ(results.at(1)["budget"], 2048);
  EXPECT_EQ(results.at(3)["method"], "whitened");
  EXPECT_EQ(results.at(3)["rows"], 1);
  EXPECT_EQ(fakeEngine().chunksRead.size(), 2u);  // the stand-in's key does not hold the budget
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

TEST_F(CliTest, TakesTheMedianOfMeasurements) {
  const Json result = json({"bench", "--prompt", "512", "--depth", "0,1024", "--repeat", "3"});
  ASSERT_EQ(result["results"].size(), 2u);
  EXPECT_EQ(result["results"][1].dump(),
            R"({"depth":1024,"kind":"read","tokens":512,"tokens_per_second":200.0})");
  EXPECT_EQ(json({"bench"})["results"].size(), 2u);
}

TEST_F(CliTest, GivesTheLikeliestTokensOfEachPlace) {
  const Json result = json({"logits", scratch.write("text.txt", "abc").string(), "--top", "2"});
  EXPECT_EQ(result["positions"].dump(), "[[[97,-1.0],[98,-2.0]],[[98,-1.0],[99,-2.0]],[[99,-1.0],[100,-2.0]]]");
  EXPECT_EQ(result["next_logprobs"].dump(), "[-1.0,-1.0]");
  EXPECT_DOUBLE_EQ(result["perplexity"], std::exp(1.0));
}

TEST_F(CliTest, ListsWhatThereIsToComputeOn) {
  const Json devices = json({"devices"});
  EXPECT_NE(devices["processor"]["name"], "");
  EXPECT_NE(devices["processor"]["instructions"], "");
  EXPECT_GT(devices["processor"]["threads"], 0);
  EXPECT_TRUE(devices["cuda"]["devices"].is_array());
  EXPECT_EQ(devices["cuda"]["driver"].is_null() && devices["cuda"]["reason"].is_null(), false);
  EXPECT_FALSE(devices.contains("checks"));
  EXPECT_EQ(run({"devices"}), 0);
  EXPECT_THAT(out.str(), AllOf(HasSubstr("Processor"), HasSubstr("CUDA")));
}

TEST_F(CliTest, ChecksTheKernelsOfEveryInstructionSet) {
  const Json checks = json({"devices", "--check"})["checks"];
  ASSERT_FALSE(checks.empty());
  EXPECT_EQ(checks[0]["device"], json({"devices"})["processor"]["instructions"]);
  for (const Json& check : checks) {
    EXPECT_GT(check["kernels"].size(), 10u);
    for (const Json& kernel : check["kernels"]) {
      EXPECT_EQ(kernel["right"], true) << kernel;
      EXPECT_LE(kernel["difference"], kernel["tolerance"]) << kernel;
      EXPECT_GE(kernel["milliseconds"], 0) << kernel;
    }
  }
}

/// A stand-in for the library of CUDA kernels (tests/kernels/fake_backend.cpp), which serves as the driver too.
CudaPlaces fakeCuda(const std::string& kind) {
  const fs::path folder = fs::path(FAKE_BACKENDS) / kind;
  return {{folder}, fs::directory_iterator(folder)->path()};
}

/// How often the stand-in was found, in all of this program.
int searchesOf(const CudaPlaces& places) {
  std::string failure;
  const auto library = SharedLibrary::open(places.driver, failure);
  const auto count = library ? reinterpret_cast<int (*)()>(library->find("kvasirFakeSearches")) : nullptr;
  EXPECT_NE(count, nullptr) << failure;
  return count ? count() : 0;
}

TEST_F(CliTest, LooksForDevicesOnceToListAndCheckThem) {
  const CudaPlaces places = fakeCuda("old_device");
  const int before = searchesOf(places);
  Arguments arguments;
  arguments.checksKernels = true;
  Console console(out, err, ProgressStyle::Silent);
  showDevices(places, arguments, console);
  EXPECT_EQ(searchesOf(places), before + 1);
}

TEST_F(CliTest, NamesTheKernelsOfADeviceThatDiffer) {
  Arguments arguments;
  arguments.checksKernels = true;
  Console console(out, err, ProgressStyle::Silent);
  try {
    showDevices(fakeCuda("wrong_kernel"), arguments, console);
    FAIL() << "the wrong kernels were not found";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(),
                 "These kernels differ from the reference: gateRows, bf16 on Fake device; rotateRows, float on "
                 "Fake device; attendToken, float on Fake device.");
  }
  EXPECT_THAT(out.str(), AllOf(HasSubstr("Fake device\n    1.1 GB, compute capability 7.5"),
                               HasSubstr("DIFFERS"), HasSubstr("out of registers")));
}

TEST_F(CliTest, SaysWhyADeviceIsNotChecked) {
  Arguments arguments;
  arguments.checksKernels = true;
  arguments.isJson = true;
  Console console(out, err, ProgressStyle::Silent);
  showDevices(fakeCuda("old_device"), arguments, console);
  const Json result = Json::parse(out.str());
  EXPECT_THAT(result["cuda"]["devices"][0]["reason"].get<std::string>(), HasSubstr("too old"));
  for (const Json& check : result["checks"]) EXPECT_EQ(check["cuda"], false);
}

TEST_F(CliTest, ListsMethodsAndModels) {
  EXPECT_EQ(json({"methods"}).at(0)["name"], "full");
  EXPECT_EQ(json({"methods"}).at(0)["numbers"], Json::array());
  const Json models = json({"models"});
  const auto own =
      std::find_if(models.begin(), models.end(), [&](const Json& row) { return row["file"] == model; });
  ASSERT_NE(own, models.end());
  EXPECT_TRUE(own->contains("error"));  // an empty file is no model
}

TEST_F(CliTest, RefusesAnEmptyName) {
  for (const char* command : {"ask", "map", "compare"})
    EXPECT_EQ(run({command, "", "What?", "--methods", "full"}), 2) << command;
  EXPECT_EQ(run({"ask", "", "What?"}), 2);
  EXPECT_EQ(run({"needle", ""}), 2);
  EXPECT_EQ(run({"read", ""}), 2);
  EXPECT_EQ(run({"library", "remove", ""}), 2);
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

TEST_F(CliTest, RefusesAPictureItCannotMakeBeforeAnythingIsRead) {
  EXPECT_NE(run({"map", book, "What did the lamp burn?", "--out", "map.jpg"}), 0);
  EXPECT_EQ(fakeEngine().loads, 0);
}

TEST_F(CliTest, PinsAndBlocksChunks) {
  json({"ask", book, "What did the lamp burn?", "--method", "full", "--pin", "3,1", "--block", "2"});
  EXPECT_EQ(fakeEngine().pinned.back(), (std::vector<int>{3, 1}));
  EXPECT_EQ(fakeEngine().blocked.back(), std::vector<int>{2});
  EXPECT_EQ(run({"ask", book, "What?", "--method", "streaming", "--pin", "1"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("heeds neither --pin nor --block"));
  EXPECT_EQ(run({"ask", book, "What?", "--pin", "-1"}), 2);
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

TEST_F(CliTest, TellsTheNumbersOfAMethodAndTakesThem) {
  const Json rows = json({"methods", "streaming"});
  ASSERT_EQ(rows.size(), 1);
  EXPECT_EQ(rows[0]["numbers"][0]["name"], "sinks");
  EXPECT_EQ(rows[0]["numbers"][0]["usual"], 4);
  EXPECT_EQ(run({"methods", "streaming"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("sinks=4"));
  EXPECT_EQ(json({"ask", book, "What did the lamp burn?", "--method", "streaming:sinks=8"})["method"],
            "streaming:sinks=8");
  EXPECT_EQ(run({"ask", book, "What?", "--method", "streaming:sinks=65"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("sinks has to be a whole number from 0 to 64"));
  EXPECT_EQ(run({"methods", "streaming:sinks=65"}), 2);
  EXPECT_EQ(run({"methods", "nothing"}), 2);
}

}  // namespace
}  // namespace kvasir
