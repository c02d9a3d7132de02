#include "tests/app/cli_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace kvasir {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

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

TEST_F(CliTest, ComparesMethods) {
  const Json rows = json({"compare", book, "What did the lamp burn?", "--methods", "full,whitened"});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows.at(0)["method"], "full");
  EXPECT_EQ(rows.at(1)["method"], "whitened");
  EXPECT_THAT(rows.at(1)["answer"].get<std::string>(), HasSubstr("lamp"));
  EXPECT_EQ(fakeEngine().loads, 1);
  EXPECT_EQ(run({"compare", book, "What?", "--methods", "full,nothing"}), 2);
}

TEST_F(CliTest, ComparesMethodsAtSeveralBudgets) {
  const std::vector<std::string> words = {
      "compare", book, "What did the lamp burn?", "--methods", "full,streaming", "--budget", "512,2048"};
  fakeEngine().trainedTokens = 1024;
  const Json rows = json(words);
  ASSERT_EQ(rows.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(rows.at(i)["method"].get<std::string>(), i < 2 ? "full" : "streaming");
    EXPECT_EQ(rows.at(i)["budget"], i % 2 == 0 ? 512 : 2048);
    EXPECT_EQ(rows.at(i).contains("error"), i == 3);
  }
  EXPECT_EQ(fakeEngine().chunksRead.size(), 2u);  // `full` reads alike with any budget
  EXPECT_EQ(run(words), 0);
  EXPECT_THAT(out.str(),
              AllOf(HasSubstr("full, budget 512"), HasSubstr("streaming, budget 2,048\n     A budget")));
  EXPECT_EQ(json({"compare", book, "What?", "--methods", "full"}).at(0)["budget"], 2048);
  const int loads = fakeEngine().loads;
  EXPECT_EQ(run({"compare", book, "What?", "--methods", "full", "--plot", "costs.png"}), 1);
  EXPECT_EQ(fakeEngine().loads, loads);  // linked without pictures: told before the work
}

TEST_F(CliTest, ComparesWithOneDenseReadingInWhateverOrder) {
  fakeEngine().spared = "whitened";
  for (const char* methods : {"whitened,full", "full,whitened"}) {
    library += "-other";
    fakeEngine().chunksRead.clear();
    fakeEngine().readSparingly.clear();
    const Json rows = json({"compare", book, "What did the lamp burn?", "--methods", methods});
    EXPECT_EQ(rows.at(0)["method"].get<std::string>() + "," + rows.at(1)["method"].get<std::string>(), methods);
    EXPECT_EQ(fakeEngine().chunksRead.size(), 1u) << methods;
    EXPECT_THAT(fakeEngine().readSparingly, ElementsAre("whitened")) << methods;
    for (const Json& row : rows) EXPECT_GT(row["seconds"]["read"], 0) << methods;
  }
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
  EXPECT_EQ(run({"map", book, "What?", "--out", table, "--beside"}), 2);
  EXPECT_EQ(run({"map", book, "What?", "--kind", "retriever", "--out", "map.svg", "--beside"}), 2);
  EXPECT_EQ(run({"map", book, "What?", "--out", "map.png"}), 1);  // this program was linked without pictures
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

TEST_F(CliTest, RefusesAnEmptyName) {
  for (const char* command : {"ask", "map", "compare"})
    EXPECT_EQ(run({command, "", "What?", "--methods", "full"}), 2) << command;
  EXPECT_EQ(run({"ask", "", "What?"}), 2);
  EXPECT_EQ(run({"needle", ""}), 2);
  EXPECT_EQ(run({"read", ""}), 2);
  EXPECT_EQ(run({"library", "remove", ""}), 2);
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

}  // namespace
}  // namespace kvasir
