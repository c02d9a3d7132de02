#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "app/cli/run.h"
#include "app/library.h"
#include "app/open_document.h"
#include "engine/engine.h"
#include "tests/app/scratch.h"
#include "tests/engine/model/synthetic_gguf.h"

namespace kvasir {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string bookText() {
  std::string text;
  for (int i = 0; i < 400; ++i)
    text += "Line " + std::to_string(i) + " of the log tells of wind, wäves and weather.\n\n";
  return text;
}

/// The commands over the true engine and a tiny random model.
struct EngineCliTest : testing::Test {
  Scratch scratch;
  std::ostringstream out, err;
  std::string library = (scratch.folder() / "library").string();
  fs::path model = writeSyntheticGguf({}, scratch.folder());
  std::string book = scratch.write("log.txt", bookText()).string();

  Json json(std::vector<std::string> words) {
    out.str("");
    for (const std::string& word : {std::string("--library"), library, std::string("--model"), model.string(),
                                    std::string("--threads"), std::string("1"), std::string("--json")}) {
      words.push_back(word);
    }
    EXPECT_EQ(runCli(std::move(words), out, err), 0) << err.str();
    return out.str().empty() ? Json() : Json::parse(out.str());
  }
  Json ask() { return json({"ask", book, "What of the weather?", "--max-tokens", "8", "--budget", "512"}); }
};

TEST_F(EngineCliTest, AsksTwiceAndReadsOnce) {
  const Json first = ask(), second = ask();
  EXPECT_GT(first["seconds"]["read"], 0);
  EXPECT_EQ(second["seconds"]["read"], 0);
  EXPECT_EQ(second["answer"], first["answer"]);
  EXPECT_EQ(second["evidence"], first["evidence"]);
  EXPECT_GT(first["tokens"]["document"], 2000);
  const Json reading = json({"library"}).at(0)["readings"].at(0);
  EXPECT_EQ(reading["complete"], true);
  EXPECT_EQ(reading["tokens"], first["tokens"]["document"]);
}

TEST_F(EngineCliTest, PlacesEvidenceInTheText) {
  const std::string text = bookText();
  for (const Json& passage : ask()["evidence"]) {
    const std::string quoted = passage["text"];
    EXPECT_NE(text.find(quoted.substr(0, 30)), std::string::npos) << quoted;
    EXPECT_LT(passage["char_start"], passage["char_end"]);
    EXPECT_TRUE(passage["first_page"].is_null());
  }
}

TEST_F(EngineCliTest, GoesOnWhereAReadingWasStopped) {
  struct Stopping : Listener {
    void progress(const Progress& progress) override {
      if (progress.stage == Stage::Reading && progress.done > progress.total / 2) throw Cancelled();
    }
  } stopping;
  struct First : Listener {
    std::int64_t done = -1;
    void progress(const Progress& progress) override {
      if (progress.stage == Stage::Reading && done < 0) done = progress.done;
    }
  } first;
  {
    Library kept(library);
    Engine engine({.model = model, .threads = 1}, first);
    AskSettings asking;
    asking.budgetTokens = 512;
    ReadSettings settings = engine.readSettingsFor(asking);
    settings.stepTokens = 256;
    const OpenDocument document = openDocument(kept, book, first);
    EXPECT_THROW(openReading(engine, kept, document, settings, stopping), Cancelled);
    EXPECT_FALSE(kept.readings(document.record.id).at(0).complete);
    const OpenReading read = openReading(engine, kept, document, settings, first);
    EXPECT_GT(first.done, 0);
    EXPECT_EQ(read.reading->tokensRead(), read.reading->tokens());
    EXPECT_TRUE(kept.readings(document.record.id).at(0).complete);
  }
  const Json continued = ask();
  EXPECT_EQ(continued["seconds"]["read"], 0);
  library += "-other";
  EXPECT_EQ(ask()["answer"], continued["answer"]);
}

// The first step of a short document is all of it.
TEST_F(EngineCliTest, KnowsThatAShortDocumentIsReadWhenItsBeginningIs) {
  Listener nobody;
  Library kept(library);
  Engine engine({.model = model, .threads = 1}, nobody);
  const std::string file = scratch.write("short.txt", "The wind fell at noon.\n").string();
  const OpenDocument document = openDocument(kept, file, nobody);
  AskSettings asking;
  asking.budgetTokens = 512;
  const OpenReading read = openBeginning(engine, kept, document, engine.readSettingsFor(asking), nobody);
  EXPECT_EQ(read.reading->tokensRead(), read.reading->tokens());
  EXPECT_TRUE(kept.readings(document.record.id).at(0).complete);
}

// The window tells by names alone what is read.
TEST_F(EngineCliTest, MethodsReadAlikeWhoseReadingsHaveOneKey) {
  Listener nobody;
  Engine engine({.model = model, .threads = 1}, nobody);
  for (const MethodInfo& a : listMethods())
    for (const MethodInfo& b : listMethods())
      EXPECT_EQ(readAlike(a.name, b.name),
                engine.readingKey({.method = a.name}) == engine.readingKey({.method = b.name}))
          << a.name << " " << b.name;
  EXPECT_TRUE(readAlike("full", "snapkv"));
  EXPECT_TRUE(readAlike("kivi-4", "snapkv+kivi-4:window=64"));
  EXPECT_FALSE(readAlike("full", "quest"));
}

// Told by the sentence that the work itself would end with, and before any of it is done for the others.
TEST_F(EngineCliTest, RefusesAMethodThatTheModelHasNoFactorsForBeforeAnythingIsRead) {
  const Json row = {{"id", "a"}, {"context", bookText()}, {"question", "What?"}, {"answers", {"wind"}}};
  const std::string rows = scratch.write("rows.jsonl", row.dump() + "\n").string();
  const fs::path results = scratch.folder() / "results.jsonl";
  const std::vector<std::vector<std::string>> calls = {{"eval", rows, "--out", results.string()},
                                                       {"needle", book, "--lengths", "1000"},
                                                       {"perplexity", book, "--lengths", "500"},
                                                       {"bench", "--prompt", "64"}};
  for (std::vector<std::string> words : calls) {
    const std::string command = words.front();
    words.insert(words.end(), {"--methods", "full,longrope", "--library", library, "--model", model.string(),
                               "--threads", "1"});
    err.str("");
    out.str("");
    EXPECT_EQ(runCli(words, out, err), 1) << command;
    EXPECT_THAT(err.str(), testing::HasSubstr("carries no factors for LongRoPE")) << command;
    EXPECT_THAT(err.str(), testing::Not(testing::HasSubstr("Reading"))) << command;
    EXPECT_EQ(out.str(), "") << command;
  }
  EXPECT_FALSE(fs::exists(results));
}

TEST_F(EngineCliTest, KnowsWhatMethodsNeedForEachUse) {
  Listener nobody;
  Engine engine({.model = model, .threads = 1}, nobody);
  const auto refusal = [&](const char* method, MethodUse use, int budget = 2048) {
    return sentenceOf([&] { engine.requireUse(method, budget, use); });
  };
  // There is no embedder beside the model.
  for (const char* method : {"rag", "rag-dense", "landmark", "memorag", "lcboost"}) {
    EXPECT_THAT(refusal(method, MethodUse::Answers), testing::HasSubstr("needs the sentence embedder"))
        << method;
    EXPECT_EQ(refusal(method, MethodUse::Speed), "") << method;
  }
  EXPECT_EQ(refusal("rag-bm25", MethodUse::Answers), "");
  EXPECT_THAT(refusal("rag-bm25", MethodUse::Foresight), testing::HasSubstr("reads passages for a question"));
  for (const MethodUse use : {MethodUse::Answers, MethodUse::Foresight, MethodUse::Speed}) {
    EXPECT_THAT(refusal("longrope", use), testing::HasSubstr("no factors"));
    EXPECT_THAT(refusal("whitened", use, 64), testing::HasSubstr("at least 128"));
    EXPECT_THAT(refusal("infllm", use, 256), testing::HasSubstr("at least 512"));
    for (const char* method : {"full", "yarn", "snapkv", "reread", "infllm"})
      EXPECT_EQ(refusal(method, use), "") << method;
  }
  for (const char* method : {"quest", "snapkv", "snapkv+kivi-4", "keydiff", "h2o"})
    EXPECT_TRUE(boundsAnswersOnly(method)) << method;
  for (const char* method : {"full", "kivi-4", "whitened", "streaming", "quest-reading", "rag", "reread"})
    EXPECT_FALSE(boundsAnswersOnly(method)) << method;
}

TEST_F(EngineCliTest, FindsAllGoldByFullAttention) {
  const Json row = {{"id", "a"},
                    {"task", "log"},
                    {"context", bookText().substr(0, 4000)},
                    {"question", "What of the weather?"},
                    {"answers", {"wind"}},
                    {"gold_spans", {{100, 140}}}};
  const std::string rows = scratch.write("rows.jsonl", row.dump() + "\n").string();
  const Json summary = json({"eval", rows, "--method", "full", "--max-tokens", "4"});
  EXPECT_EQ(summary["rows"], 1);
  EXPECT_DOUBLE_EQ(summary["recall"], 1);
  for (const Json& layer : summary["recall_by_layer"]) EXPECT_DOUBLE_EQ(layer, 1);
}

TEST_F(EngineCliTest, GivesTokensAndTheirLikelihoods) {
  const std::string file = scratch.write("text.txt", "wind and wäves").string();
  const std::size_t tokens = json({"tokenize", file})["tokens"].size();
  EXPECT_GT(tokens, 3u);
  const Json logits = json({"logits", file, "--top", "3"});
  EXPECT_GE(logits["positions"].size(), tokens);
  EXPECT_EQ(logits["positions"][0].size(), 3u);
  EXPECT_EQ(logits["next_logprobs"].size(), logits["positions"].size() - 1);
  EXPECT_GT(logits["perplexity"], 1);
}

TEST_F(EngineCliTest, MeasuresSpeed) {
  const Json results = json({"bench", "--prompt", "64", "--generate", "4", "--depth", "0,64"})["results"];
  ASSERT_EQ(results.size(), 4u);
  for (const Json& result : results) EXPECT_GT(result["tokens_per_second"], 0);
}

}  // namespace
}  // namespace kvasir
