#include "tests/app/cli_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <string>

namespace kvasir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

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
  // Of a table that a training goes on with, steps that were taken again count once, and remarks are none.
  const Json again = json({"train", "adapter", lessons, "--held-out", lessons, "--curves", curves, "--quiet",
                           "--to", scratch.folder().string()});
  EXPECT_EQ(again["steps"], 2);
  EXPECT_EQ(again["held_out_loss"], 1.5);
  EXPECT_EQ(err.str(), "");

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

TEST_F(CliTest, SaysThatAStoppedTrainingGoesOn) {
  const std::string lessons =
      scratch
          .write(
              "lessons.jsonl",
              R"({"text": "Salt came.", "questions": [{"question": "What?", "answer": "Salt", "gold": [[0, 4]]}]})")
          .string();
  fakeEngine().onTrainingStep = [] { std::raise(SIGINT); };
  for (const char* kind : {"adapter", "retriever", "beacon"}) {
    EXPECT_EQ(run({"train", kind, lessons, "--held-out", lessons, "--to", scratch.folder().string()}), 1)
        << kind;
    EXPECT_THAT(err.str(), HasSubstr("Stopped; the same call goes on from the last checkpoint")) << kind;
  }
  EXPECT_EQ(run({"train", "whitening", lessons, "--to", scratch.folder().string()}), 1);
  EXPECT_THAT(err.str(), HasSubstr("Stopped.\n"));  // it keeps none
}

TEST_F(CliTest, NamesTheLineOfARowThatIsNone) {
  const auto rows = scratch.write("rows.jsonl", R"({"text": "One."})"
                                                "\n{\n");
  EXPECT_EQ(run({"train", "whitening", rows.string(), "--to", scratch.folder().string()}), 1);
  EXPECT_THAT(err.str(), HasSubstr("Line 2"));
}

}  // namespace
}  // namespace kvasir
