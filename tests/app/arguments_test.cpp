#include "app/cli/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/app/scratch.h"

namespace kvasir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct ArgumentsTest : testing::Test {
  std::ostringstream out, err;
  Arguments parsed(std::vector<std::string> words) {
    auto result = parseArguments(std::move(words), out, err);
    EXPECT_TRUE(std::holds_alternative<Arguments>(result)) << err.str();
    return std::holds_alternative<Arguments>(result) ? std::get<Arguments>(result) : Arguments{};
  }
  int status(std::vector<std::string> words) {
    auto result = parseArguments(std::move(words), out, err);
    return std::holds_alternative<int>(result) ? std::get<int>(result) : -1;
  }
};

TEST_F(ArgumentsTest, EveryTrainingTakesAPrecision) {
  for (const char* kind : {"adapter", "retriever"}) {
    const std::vector<std::string> words = {"train", kind, "rows.jsonl", "--held-out", "other.jsonl"};
    EXPECT_EQ(parsed(words).precision, Precision::Fast);
    std::vector<std::string> exact = words;
    exact.insert(exact.end(), {"--precision", "exact"});
    EXPECT_EQ(parsed(exact).precision, Precision::Exact);
  }
  EXPECT_EQ(parsed({"train", "whitening", "a.txt", "--precision", "exact"}).precision, Precision::Exact);
}

TEST_F(ArgumentsTest, AnAdapterLearnsByRetrolmAndForeseesAShare) {
  const std::vector<std::string> words = {"train", "adapter", "rows.jsonl", "--held-out", "other.jsonl"};
  EXPECT_EQ(parsed(words).training.method, "retrolm");
  EXPECT_EQ(parsed(words).training.plainShare, 0);
  const auto plain = [&](const char* share) {
    std::vector<std::string> more = words;
    more.insert(more.end(), {"--plain", share});
    return more;
  };
  EXPECT_EQ(parsed(plain("0.25")).training.plainShare, 0.25);
  EXPECT_EQ(status(plain("1.5")), 2);
  Scratch scratch;  // as README has it
  const char* options = "threads = 2\n[train.adapter]\nrank = 16\nplain = 0.2\nplot = \"losses.png\"\n";
  std::vector<std::string> configured = words;
  configured.insert(configured.end(), {"--config", scratch.write("training.toml", options).string()});
  const Arguments arguments = parsed(configured);
  EXPECT_EQ(arguments.threads, 2);
  EXPECT_EQ(arguments.training.rank, 16);
  EXPECT_EQ(arguments.training.plainShare, 0.2);
  EXPECT_EQ(arguments.picture, "losses.png");
}

TEST_F(ArgumentsTest, TakesCommonOptionsBeforeAndBehindTheCommand) {
  for (const auto& words :
       {std::vector<std::string>{"--model", "m.gguf", "--library", "lib", "--threads", "2", "--device", "cpu",
                                 "--json", "--quiet", "ask", "doc", "why"},
        std::vector<std::string>{"ask", "doc", "--model", "m.gguf", "--library", "lib", "why", "--threads", "2",
                                 "--device", "cpu", "--json", "--quiet"}}) {
    const Arguments arguments = parsed(words);
    EXPECT_EQ(arguments.command, Command::Ask);
    EXPECT_EQ(arguments.model, "m.gguf");
    EXPECT_EQ(arguments.library, "lib");
    EXPECT_EQ(arguments.threads, 2);
    EXPECT_EQ(arguments.device, Device::Cpu);
    EXPECT_TRUE(arguments.isJson);
    EXPECT_TRUE(arguments.isQuiet);
    EXPECT_THAT(arguments.documents, ElementsAre("doc"));
    EXPECT_EQ(arguments.question, "why");
  }
}

TEST_F(ArgumentsTest, TakesOfAFileOnlyWhatIsOfTheCommand) {
  Scratch scratch;
  const auto file = [&](const char* text) { return scratch.write("options.toml", text).string(); };
  const std::string all = file(
      "threads = 3\n[eval]\nmax-tokens = 40\n[bench]\nmethod = \"full\"\n[ask]\nbudget = 512\n"
      "[train.adapter]\nplot = \"loss.png\"\n");
  const Arguments ask = parsed({"ask", "doc", "why", "--config", all});
  EXPECT_EQ(ask.threads, 3);
  EXPECT_EQ(ask.asking.budgetTokens, 512);
  EXPECT_EQ(ask.asking.maxTokens, 256);
  EXPECT_EQ(ask.asking.method, kDefaultMethod);
  EXPECT_EQ(parsed({"eval", "rows.jsonl", "--config", all}).asking.maxTokens, 40);
  EXPECT_TRUE(parsed({"bench", "--config", all}).picture.empty());
  EXPECT_EQ(parsed({"train", "adapter", "rows.jsonl", "--held-out", "o.jsonl", "--config", all}).picture,
            "loss.png");
  for (const char* wrong : {"[ask]\nbugdet = 512\n", "[aks]\nbudget = 512\n", "thraeds = 3\n"})
    EXPECT_EQ(status({"ask", "doc", "why", "--config", file(wrong)}), 2) << wrong;
}

TEST_F(ArgumentsTest, TakesWordsAsTheyAreAndRefusesWhatWouldDoNothing) {
  EXPECT_THAT(parsed({"map", "doc", "why", "--mark", "[12]", "--mark", "b"}).marked, ElementsAre("[12]", "b"));
  EXPECT_TRUE(parsed({"map", "doc", "why", "--out", "a.png", "--beside"}).isBeside);
  EXPECT_EQ(status({"map", "doc", "why", "--beside"}), 2);
  EXPECT_THAT(parsed({"train", "whitening", "--layers", "0,1", "a.txt", "b.txt"}).documents,
              ElementsAre("a.txt", "b.txt"));
  EXPECT_EQ(status({"compare", "doc", "why", "--methods", "full", "--method", "quest"}), 2);
  EXPECT_EQ(status({"eval", "rows.jsonl", "--methods", "full", "--method", "quest"}), 2);
  const std::vector<std::string> own = {"needle", "doc", "--needle", "a", "--question", "b", "--expect", "[7]"};
  EXPECT_THAT(parsed(own).needle.expected, ElementsAre("[7]"));
  for (const char* option : {"--trials", "--seed"}) {
    std::vector<std::string> more = own;
    more.insert(more.end(), {option, "5"});
    EXPECT_EQ(status(more), 2) << option;
  }
}

TEST_F(ArgumentsTest, FillsInWhatIsUsual) {
  const Arguments ask = parsed({"ask", "doc", "why"});
  EXPECT_EQ(ask.asking.method, AskSettings{}.method);
  EXPECT_EQ(ask.asking.budgetTokens, 2048);
  EXPECT_EQ(ask.asking.maxTokens, 256);
  EXPECT_EQ(ask.asking.maxSteps, AskSettings{}.maxSteps);
  EXPECT_EQ(ask.precision, Precision::Fast);
  EXPECT_FALSE(ask.library.empty());
  EXPECT_EQ(parsed({"eval", "rows"}).asking.maxTokens, 32);
  EXPECT_EQ(parsed({"eval", "rows", "--max-tokens", "9"}).asking.maxTokens, 9);
  EXPECT_EQ(parsed({"bench"}).asking.method, "full");
  EXPECT_EQ(parsed({"bench", "--method", "infllm"}).asking.method, "infllm");
  EXPECT_EQ(parsed({"logits", "text"}).precision, Precision::Exact);
  EXPECT_EQ(parsed({"logits", "text", "--precision", "fast"}).precision, Precision::Fast);
}

TEST_F(ArgumentsTest, ReadsEveryOptionOfAsking) {
  const Arguments ask = parsed(
      {"ask",          "doc",     "why",        "--method", "full",          "--budget", "512",
       "--max-tokens", "10",      "--step",     "256",      "--temperature", "0.7",      "--top-k",
       "40",           "--top-p", "0.9",        "--min-p",  "0.05",          "--seed",   "18446744073709551615",
       "--precision",  "exact",   "--evidence", "3",        "--max-steps",   "4"});
  EXPECT_EQ(ask.asking.method, "full");
  EXPECT_EQ(ask.asking.maxSteps, 4);
  EXPECT_EQ(ask.asking.budgetTokens, 512);
  EXPECT_EQ(ask.asking.maxTokens, 10);
  EXPECT_EQ(ask.stepTokens, 256);
  EXPECT_FLOAT_EQ(ask.asking.sampling.temperature, 0.7F);
  EXPECT_EQ(ask.asking.sampling.topK, 40);
  EXPECT_FLOAT_EQ(ask.asking.sampling.topP, 0.9F);
  EXPECT_FLOAT_EQ(ask.asking.sampling.minP, 0.05F);
  EXPECT_EQ(ask.asking.sampling.seed, 18446744073709551615u);
  EXPECT_EQ(ask.precision, Precision::Exact);
  EXPECT_EQ(ask.shownEvidence, 3);
}

TEST_F(ArgumentsTest, ReadsListsAndChoices) {
  const Arguments bench = parsed({"bench", "--prompt", "512,2048", "--depth", "0,4096", "--generate", "64",
                                  "--repeat", "3", "--methods", "full,infllm", "--plot", "cost.png"});
  EXPECT_THAT(bench.prompts, ElementsAre(512, 2048));
  EXPECT_THAT(bench.depths, ElementsAre(0, 4096));
  EXPECT_THAT(bench.generates, ElementsAre(64));
  EXPECT_EQ(bench.repeats, 3);
  EXPECT_THAT(bench.methods, ElementsAre("full", "infllm"));
  EXPECT_EQ(bench.picture, "cost.png");
  EXPECT_THAT(parsed({"bench", "--method", "infllm"}).methods, ElementsAre("infllm"));
  const Arguments eval = parsed({"eval", "rows.jsonl", "--limit", "5", "--each", "2", "--out", "out.jsonl"});
  EXPECT_EQ(eval.file, "rows.jsonl");
  EXPECT_EQ(eval.rows.limit, 5u);
  EXPECT_EQ(eval.rows.each, 2u);
  EXPECT_EQ(eval.rowsFile, "out.jsonl");
  EXPECT_THAT(parsed({"read", "a.pdf", "b.epub", "--json"}).documents, ElementsAre("a.pdf", "b.epub"));
}

TEST_F(ArgumentsTest, ReadsWhatNeedlesArePlanted) {
  const Arguments usual = parsed({"needle", "doc"});
  EXPECT_EQ(usual.command, Command::Needle);
  EXPECT_EQ(usual.asking.maxTokens, 128);
  EXPECT_THAT(usual.needle.lengths, ElementsAre(4096, 16384));
  EXPECT_THAT(usual.needle.depths, ElementsAre(0, 25, 50, 75, 100));
  EXPECT_THAT(usual.methods, ElementsAre(AskSettings{}.method));
  EXPECT_THAT(usual.budgets, ElementsAre(2048));
  const Arguments needle = parsed({"needle", "doc", "--methods", "full,quest", "--lengths", "1000,2000",
                                   "--depths", "0,12.5", "--kind", "multi-query", "--seed",
                                   "18446744073709551615", "--trials", "3", "--budget", "512,1024"});
  EXPECT_EQ(needle.needle.kind, NeedleKind::MultiQuery);
  EXPECT_THAT(needle.needle.lengths, ElementsAre(1000, 2000));
  EXPECT_THAT(needle.needle.depths, ElementsAre(0, 12.5));
  EXPECT_EQ(needle.needle.seed, 18446744073709551615u);
  EXPECT_EQ(needle.needle.trials, 3);
  EXPECT_THAT(needle.methods, ElementsAre("full", "quest"));
  EXPECT_THAT(needle.budgets, ElementsAre(512, 1024));
  const Arguments own =
      parsed({"needle", "doc", "--needle", "A.", "--question", "B?", "--expect", "c", "--expect", "d"});
  EXPECT_EQ(own.needle.sentence, "A.");
  EXPECT_THAT(own.needle.expected, ElementsAre("c", "d"));
  EXPECT_EQ(
      status({"needle", "doc", "--needle", "A.", "--question", "B?", "--expect", "c", "--kind", "single"}), 2);
}

TEST_F(ArgumentsTest, ReadsWhatIsComparedAndDrawn) {
  const Arguments compare = parsed({"compare", "doc", "why", "--methods", "full,quest", "--budget", "512,1024",
                                    "--plot", "costs.svg", "--step", "256"});
  EXPECT_THAT(compare.methods, ElementsAre("full", "quest"));
  EXPECT_THAT(compare.budgets, ElementsAre(512, 1024));
  EXPECT_EQ(compare.picture, "costs.svg");
  EXPECT_EQ(compare.stepTokens, 256);
  EXPECT_THAT(parsed({"compare", "doc", "why", "--methods", "full"}).budgets, ElementsAre(2048));
  EXPECT_EQ(status({"compare", "doc", "why"}), 2);
  EXPECT_EQ(status({"compare", "doc", "why", "--methods", "full", "--budget", "512,none"}), 2);
}

TEST_F(ArgumentsTest, TakesWordsOfCommandsAsFilesAndQuestions) {
  const Arguments ask = parsed({"ask", "library", "read"});
  EXPECT_EQ(ask.command, Command::Ask);
  EXPECT_THAT(ask.documents, ElementsAre("library"));
  EXPECT_EQ(ask.question, "read");
  EXPECT_EQ(parsed({"ask", "doc", "--", "--why?"}).question, "--why?");
}

TEST_F(ArgumentsTest, ListsAndRemovesInTheLibrary) {
  EXPECT_EQ(parsed({"library"}).command, Command::ListLibrary);
  EXPECT_EQ(parsed({"library", "list", "--json"}).command, Command::ListLibrary);
  const Arguments remove = parsed({"library", "remove", "abcd", "--library", "lib"});
  EXPECT_EQ(remove.command, Command::RemoveFromLibrary);
  EXPECT_THAT(remove.documents, ElementsAre("abcd"));
  EXPECT_EQ(remove.library, "lib");
}

TEST_F(ArgumentsTest, EndsWithTwoWhenTheUsageIsWrong) {
  for (const auto& words : std::vector<std::vector<std::string>>{{},
                                                                 {"fly"},
                                                                 {"ask", "doc"},
                                                                 {"ask", "doc", "why", "more"},
                                                                 {"read"},
                                                                 {"read", "a", "--wings"},
                                                                 {"ask", "doc", "why", "--budget", "none"},
                                                                 {"ask", "doc", "why", "--budget", "0"},
                                                                 {"methods", "--device", "tpu"},
                                                                 {"bench", "--prompt", "512,x"},
                                                                 {"eval", "rows", "--limit", "0"},
                                                                 {"methods", "--threads", "-1"},
                                                                 {"methods", "--check"},
                                                                 {"library", "burn"},
                                                                 {"library", "remove"}}) {
    err.str("");
    EXPECT_EQ(status(words), 2) << testing::PrintToString(words);
    EXPECT_FALSE(err.str().empty());
    EXPECT_EQ(out.str(), "");
  }
}

TEST_F(ArgumentsTest, EndsWithZeroAfterHelpAndVersion) {
  EXPECT_EQ(status({"--help"}), 0);
  EXPECT_THAT(out.str(), testing::AllOf(HasSubstr("tokenize"), HasSubstr("--library")));
  out.str("");
  EXPECT_EQ(status({"bench", "--help"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("--method M=full"));
  out.str("");
  EXPECT_EQ(status({"ask", "--help"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("--budget"));
  out.str("");
  EXPECT_EQ(status({"--version"}), 0);
  EXPECT_THAT(out.str(), testing::MatchesRegex("kvasir-cli [0-9.]+\n"));
  EXPECT_EQ(err.str(), "");
}

}  // namespace
}  // namespace kvasir
