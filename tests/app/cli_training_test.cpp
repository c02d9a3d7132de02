#include "tests/app/cli_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include "app/cli/training_curves.h"

namespace kvasir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST_F(CliTest, TrainsFromDocumentsAndFromRows) {
  const auto rows = scratch.write("rows.jsonl", R"({"text": "One.", "questions": ["Which?"]})"
                                                "\n"
                                                R"({"text": "Two."})"
                                                "\n");
  const Json result = json({"train", "whitening", book, rows.string(), "--to", scratch.folder().string()});
  EXPECT_EQ(result["texts"], 3);
  EXPECT_THAT(fakeEngine().trainingTexts, ElementsAre(HasSubstr("whale oil"), "One.", "Two."));
  EXPECT_THAT(fakeEngine().questions, ElementsAre("Which?"));
  EXPECT_THAT(err.str(), Not(HasSubstr("left out")));
}

TEST_F(CliTest, SaysWhichQuestionsOfAWhiteningAreNone) {
  const auto rows = scratch.write("rows.jsonl", R"({"text": "One.", "questions": ["Which?", 7]})"
                                                "\n"
                                                R"({"text": "Two.", "questions": [{"question": "Who?"}]})");
  EXPECT_EQ(run({"train", "whitening", rows.string(), "--to", scratch.folder().string()}), 0);
  EXPECT_THAT(fakeEngine().questions, ElementsAre("Which?"));
  EXPECT_THAT(err.str(), HasSubstr("2 questions of " + rows.string() + " are left out"));
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
  EXPECT_EQ(fakeEngine().trainingFiles, "lessons.jsonl, held out lessons.jsonl");
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

// Of a training that went on from its checkpoint, with a table whose last row was cut off.
TEST_F(CliTest, KnowsWhatATrainingLearnedBeforeItWasEnded) {
  const std::string lessons =
      scratch.write("lessons.jsonl", R"({"text": "Salt came.", "questions": []})").string();
  const std::string head = "step,loss,held_out_loss,held_out_recall\n0,,1.9,\n";
  const auto curves = scratch.write("curves.csv", head + "1,3,1.2");
  fakeEngine().losses = {{0, 4, {}, 1.9, {}, false, true},
                         {1, 4, 3.0, 1.25, {}, true, true},
                         {2, 4, {}, {}, {}, false},
                         {3, 4, 2.5, 1.5, {}, false}};
  const std::vector<std::string> words = {"train",         "adapter", lessons,
                                          "--held-out",    lessons,   "--curves",
                                          curves.string(), "--to",    scratch.folder().string()};
  const Json result = json(words);
  EXPECT_EQ(result["held_out_loss"], 1.25);
  EXPECT_EQ(result["steps"], 3);
  EXPECT_EQ(bytesOf(curves), head + "1,3,1.2\n1,3,1.25,\n2,,,\n3,2.5,1.5,\n");
  EXPECT_THAT(err.str(), HasSubstr("step 3 of 4: loss 2.500, on texts held out 1.500"));
  EXPECT_THAT(err.str(), Not(HasSubstr("step 1 of 4")));
  // Another call, with what the table has now and without a table.
  fakeEngine().losses.resize(2);
  const std::string before = bytesOf(curves);
  EXPECT_EQ(json(words)["held_out_loss"], 1.25);
  EXPECT_EQ(bytesOf(curves), before);
  std::filesystem::remove(curves);
  EXPECT_EQ(json(words)["held_out_loss"], 1.25);
  EXPECT_EQ(bytesOf(curves), head + "1,3,1.25,\n");
}

// The pictures of this program are refused when they are drawn (app/cli/no_pictures.cpp).
TEST_F(CliTest, GoesOnWithoutAPictureThatCannotBeDrawn) {
  Console console(out, err, ProgressStyle::Lines);
  const auto picture = scratch.folder() / "losses.png";
  TrainingCurves curves({}, picture, console);
  EXPECT_FALSE(std::filesystem::exists(picture));
  curves.add({0, 3, {}, std::numeric_limits<double>::quiet_NaN(), {}, false});
  EXPECT_FALSE(curves.best());
  curves.add({1, 3, 2.0, 1.5, {}, true});
  curves.add({2, 3, 2.0, 1.25, {}, true});
  EXPECT_EQ(curves.best(), 1.25);
  EXPECT_EQ(curves.last(), 2);
  const std::string told = err.str();
  EXPECT_NE(told.find("without the picture"), std::string::npos);
  EXPECT_EQ(told.find("without the picture"), told.rfind("without the picture"));

  scratch.write("kept.png", "as it was");
  TrainingCurves others({}, scratch.folder() / "kept.png", console);
  EXPECT_EQ(bytesOf(scratch.folder() / "kept.png"), "as it was");
  EXPECT_THAT(sentenceOf([&] { TrainingCurves({}, scratch.folder() / "none" / "losses.png", console); }),
              HasSubstr("cannot be written"));
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
