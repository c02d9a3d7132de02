// The engine as the program calls it, on a tiny model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "engine/answer.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

class EngineCalls : public testing::Test {
 protected:
  Listener silent_;
  TinyModel model_;
  Engine engine_{{model_.file, 2, Device::Cpu, Precision::Exact}, silent_};
};

TEST_F(EngineCalls, RefuseCudaWithoutADevice) {
  const std::string message = messageOf([&] {
    Engine({model_.file, 2, Device::Cuda, Precision::Exact}, silent_);
  });
  for (const char* way : {"the settings", "--device cpu"})
    EXPECT_NE(message.find(way), std::string::npos) << message;
}

// Weights and words alike, positions not: what was trained serves both, what was read does not.
TEST_F(EngineCalls, NameReadingsByTheModelsSettingsToo) {
  const auto engineOf = [&](double ropeBase) {
    SyntheticModel shape;
    shape.ropeBase = ropeBase;
    const auto file = writeSyntheticGguf(shape, model_.folder.path(), std::to_string(ropeBase) + ".gguf");
    return std::make_unique<Engine>(EngineSettings{file, 2, Device::Cpu, Precision::Exact}, silent_);
  };
  const auto first = engineOf(10000), same = engineOf(10000), other = engineOf(20000);
  EXPECT_EQ(first->model().fingerprint, other->model().fingerprint);
  EXPECT_EQ(first->readingKey({}), same->readingKey({}));
  EXPECT_NE(first->readingKey({}), other->readingKey({}));
}

TEST_F(EngineCalls, RefuseAMethodThatIsNotInTheTable) {
  ReadSettings settings;
  settings.method = "magic";
  EXPECT_NE(messageOf([&] { engine_.readingKey(settings); }).find("there are full, pi, ntk, "),
            std::string::npos);
}

TEST_F(EngineCalls, RefuseABudgetTooSmallForTheMethod) {
  ReadSettings settings;
  settings.budgetTokens = 300;
  EXPECT_NE(messageOf([&] {
              engine_.read("abc", settings, model_.folder.path() / "r", silent_);
            }).find("at least 512"),
            std::string::npos);
}

// Where positions are places in what the budget holds, no call takes one beyond the length the model was
// trained on, here 8,192 tokens; where distances are clamped, or the whole text is seen anyway, all do.
TEST_F(EngineCalls, RefuseABudgetWithPlacesTheModelNeverMet) {
  constexpr int kTrained = 8192;
  ASSERT_EQ(engine_.model().trainedTokens, kTrained);
  const auto file = model_.folder.path() / "r";
  const std::string text = randomText(20, 1);
  for (const char* method : {"streaming", "streaming:sinks=8", "streaming+kivi-4", "beacon"}) {
    const ReadSettings most{method, kTrained, 256}, more{method, kTrained + 1, 256};
    EXPECT_EQ(messageOf([&] { engine_.requireBudget(method, kTrained); }), "") << method;
    const auto reading = engine_.read(text, most, file, silent_);
    AskSettings asking;
    asking.method = method;
    asking.budgetTokens = kTrained + 1;
    const std::vector<std::function<void()>> calls = {[&] { engine_.requireBudget(method, kTrained + 1); },
                                                      [&] { engine_.readingKey(more); },
                                                      [&] { engine_.read(text, more, file, silent_); },
                                                      [&] { engine_.open(file, more); },
                                                      [&] { engine_.ask(*reading, "Why?", asking, silent_); },
                                                      [&] { engine_.foresee(text, more, {}, silent_); },
                                                      [&] { engine_.benchRead(10, 0, more, silent_); },
                                                      [&] { engine_.benchGenerate(2, 0, 1, more, silent_); }};
    for (std::size_t call = 0; call < calls.size(); ++call)
      EXPECT_THAT(messageOf(calls[call]),
                  testing::AllOf(testing::HasSubstr("A budget of 8193 is more than the 8192 tokens"),
                                 testing::HasSubstr(method), testing::HasSubstr("8192 is the largest")))
          << method << ", call " << call;
  }
  for (const Method& method : methods())
    EXPECT_EQ(messageOf([&] { engine_.requireBudget(method.name, 4 * kTrained); }).empty(),
              !countsPlaces(method))
        << method.name;
}

// Also of readings that are not kept whole.
TEST_F(EngineCalls, MeasureGeneratingAsOftenAsAsked) {
  for (const char* method : {"full", "retrolm", "streaming", "snapkv-blind", "h2o"})
    for (const int depth : {0, 700}) {
      const std::vector<BenchResult> results =
          engine_.benchGenerate(5, depth, 3, ReadSettings{method, 512, 256}, silent_);
      ASSERT_EQ(results.size(), 3u) << method;
      for (const BenchResult& result : results) {
        EXPECT_EQ(result.kind, "generate");
        EXPECT_EQ(result.tokens, 5);
        EXPECT_EQ(result.depth, depth);
        EXPECT_GT(result.tokensPerSecond, 0);
      }
    }
}

// A text longer than the model was trained on, and a budget that holds it: LM-Infinite sees as far as it was
// trained, and its first tokens.
TEST_F(EngineCalls, KeepLmInfiniteWithinTheTrainedLength) {
  const c10::InferenceMode noGradients;
  LoadedModel& model = model_.loaded;
  const std::vector<TokenId> text = randomTokens(1500, 1);
  for (const char* method : {"lm-infinite", "lm-infinite-middle"}) {
    model.shape.trainedTokens = 512;
    const Outcome bounded = runMethod(model, findMethod(method), 2048, text, 512);
    EXPECT_LE(bounded.attendedInReading, 512 + 100) << method;
    EXPECT_GT(bounded.attendedInReading, 512) << method;
    EXPECT_LE(bounded.attended, 512 + 100 + 64) << method;  // and what heads pick of the middle
    model.shape.trainedTokens = 8192;
    const Outcome unbounded = runMethod(model, findMethod(method), 2048, text, 512);
    EXPECT_GT(unbounded.attended, 1500) << method;
    EXPECT_GT(worstDifference(bounded, unbounded), 1e-3) << method;
  }
}

TEST_F(EngineCalls, NameReadingsByModelMethodBudgetAndPrecision) {
  ReadSettings a, b;
  b.budgetTokens = 4096;
  EXPECT_NE(engine_.readingKey(a), engine_.readingKey(b));
  a.method = b.method = "full";
  EXPECT_EQ(engine_.readingKey(a), engine_.readingKey(b));
  Engine fast({model_.file, 2, Device::Cpu, Precision::Fast}, silent_);
  EXPECT_NE(engine_.readingKey(a), fast.readingKey(a));
  a.stepTokens = 128;
  EXPECT_EQ(engine_.readingKey(a), engine_.readingKey(b));
}

TEST_F(EngineCalls, GiveChunksThatCoverTheTextInOrder) {
  const std::string text = randomText(400, 8);
  const auto reading = engine_.read(text, {}, model_.folder.path() / "r", silent_);
  std::size_t place = 0;
  for (const ChunkRange& chunk : reading->chunks()) {
    if (chunk.start == chunk.end) continue;
    EXPECT_EQ(chunk.start, place);
    place = chunk.end;
  }
  EXPECT_EQ(place, text.size());
  EXPECT_EQ(reading->tokensRead(), reading->tokens());
}

TEST_F(EngineCalls, ReadAnEmptyText) {
  const auto reading = engine_.read("", {}, model_.folder.path() / "r", silent_);
  ASSERT_TRUE(reading);
  const Answer answer = engine_.ask(*reading, "Why?", {}, silent_);
  EXPECT_TRUE(answer.evidence.empty());
}

TEST_F(EngineCalls, RefuseAnEmptyQuestion) {
  const auto reading = engine_.read("abc", {}, model_.folder.path() / "r", silent_);
  EXPECT_NE(messageOf([&] { engine_.ask(*reading, "  \n", {}, silent_); }).find("question is empty"),
            std::string::npos);
}

TEST_F(EngineCalls, OpenWhatWasReadWithoutReading) {
  class FailsOnReading : public Listener {
    void progress(const Progress& progress) override {
      if (progress.stage == Stage::Reading) throw std::runtime_error("was read again");
    }
  };
  const std::string text = randomText(300, 9);
  engine_.read(text, {}, model_.folder.path() / "r", silent_);
  FailsOnReading listener;
  EXPECT_TRUE(engine_.open(model_.folder.path() / "r", {}));
  const auto reading = engine_.read(text, {}, model_.folder.path() / "r", listener);
  EXPECT_EQ(reading->tokensRead(), reading->tokens());
}

/// What fits together in itself may still not be what model and method write.
TEST_F(EngineCalls, OpenNoFileThatIsNotWhatTheyWouldWrite) {
  const auto file = model_.folder.path() / "read.kv";
  ReadSettings settings;
  settings.method = "full";
  engine_.read(randomText(200, 4), settings, file, silent_);
  const auto isOpenedWith = [&](std::streamoff place, std::uint64_t value, std::size_t bytes) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    std::uint64_t was = 0;
    stream.seekg(place);
    stream.read(reinterpret_cast<char*>(&was), static_cast<std::streamsize>(bytes));
    stream.seekp(place);
    stream.write(reinterpret_cast<const char*>(&value), static_cast<std::streamsize>(bytes));
    stream.flush();
    const bool isOpened = engine_.open(file, settings) != nullptr;
    stream.seekp(place);
    stream.write(reinterpret_cast<const char*>(&was), static_cast<std::streamsize>(bytes));
    return isOpened;
  };
  constexpr std::streamoff kSlotBytes = 32, kTokens = 8 + 24 + 16 + 8 + 40 + 1024;
  EXPECT_FALSE(isOpenedWith(kSlotBytes, 64, 8));
  EXPECT_FALSE(isOpenedWith(kTokens, static_cast<std::uint32_t>(-5), 4));
  EXPECT_FALSE(isOpenedWith(kTokens, 1u << 30, 4));
  EXPECT_TRUE(isOpenedWith(kTokens, 1, 4));
  EXPECT_NE(engine_.open(file, settings), nullptr);
}

TEST_F(EngineCalls, StreamTheAnswerAsItsText) {
  class Collects : public Listener {
   public:
    void answerText(std::string_view text) override { text_ += text; }
    std::string text_;
  };
  Collects listener;
  const auto reading = engine_.read(randomText(300, 9), {}, model_.folder.path() / "r", silent_);
  const Answer answer = engine_.ask(*reading, "Why?", {}, listener);
  EXPECT_NE(listener.text_.find(answer.text), std::string::npos);
  EXPECT_GT(answer.answerTokens, 0);
}

TEST_F(EngineCalls, StopAnAnswerThatBeginsToRepeatItself) {
  const auto reading = engine_.read(randomText(300, 9), {}, model_.folder.path() / "r", silent_);
  AskSettings ask;
  ask.maxTokens = 600;
  ask.repeats = Repeats::Allow;
  const Answer whole = engine_.ask(*reading, "Why?", ask, silent_);
  ask.repeats = Repeats::Stop;
  const Answer cut = engine_.ask(*reading, "Why?", ask, silent_);
  // A tiny random model falls into a loop within some hundred greedy tokens.
  ASSERT_TRUE(whole.stoppedByLimit);
  EXPECT_FALSE(whole.stoppedByRepeat);
  EXPECT_TRUE(cut.stoppedByRepeat);
  EXPECT_FALSE(cut.stoppedByLimit);
  EXPECT_LT(cut.answerTokens, whole.answerTokens);
  EXPECT_TRUE(whole.text.starts_with(cut.text));
}

TEST_F(EngineCalls, StopAnAnswerWhenTheListenerThrowsAndAnswerAgain) {
  class Stops : public Listener {
    void progress(const Progress& progress) override {
      if (progress.stage == Stage::Answering) throw Cancelled();
    }
  };
  const auto reading = engine_.read(randomText(300, 9), {}, model_.folder.path() / "r", silent_);
  Stops stops;
  EXPECT_THROW(engine_.ask(*reading, "Why?", {}, stops), Cancelled);
  EXPECT_GT(engine_.ask(*reading, "Why?", {}, silent_).answerTokens, 0);
}

TEST_F(EngineCalls, GiveLogitsThatSumToOneAndFollowTheText) {
  const std::vector<TopTokens> positions = engine_.logits(randomText(100, 3), 320, silent_);
  double sum = 0;
  for (const auto& [token, value] : positions[50].top) sum += std::exp(value);
  EXPECT_NEAR(sum, 1, 1e-5);
  EXPECT_LT(positions[50].nextLogProbability, 0);
}

TEST_F(EngineCalls, ForeseeATextAsItsLogitsSay) {
  const std::string text = randomText(150, 3);
  const std::vector<TopTokens> positions = engine_.logits(text, 1, silent_);
  const auto foreseen = engine_.foresee(text, {"full", 512, 256}, {}, silent_);
  // Where beginning-of-text is put before it, the first token is foreseen too.
  const std::size_t before = positions.size() - foreseen.size();
  ASSERT_LE(before, 1u);
  for (std::size_t token = 1; token < foreseen.size(); ++token) {
    ASSERT_TRUE(foreseen[token]);
    EXPECT_NEAR(*foreseen[token], positions[token - 1 + before].nextLogProbability, 1e-3) << token;
  }
  EXPECT_EQ(foreseen[0].has_value(), before == 1);
}

TEST_F(EngineCalls, ForeseeInWindowsThatKnowNothingOfEachOther) {
  const std::string text = randomText(150, 3);
  const std::vector<Token> tokens = engine_.tokenizer().encode(text);
  constexpr int kWindow = 200;
  const auto inWindows = engine_.foresee(text, {"full", 512, 256}, {500, kWindow}, silent_);
  ASSERT_EQ(inWindows.size(), 500u);
  const std::size_t start = tokens[kWindow].start;
  const auto alone =
      engine_.foresee(text.substr(start, tokens[2 * kWindow].start - start), {"full", 512, 256}, {}, silent_);
  for (std::size_t i = 0; i < std::min<std::size_t>(kWindow, alone.size()); ++i) {
    ASSERT_EQ(inWindows[kWindow + i].has_value(), alone[i].has_value());
    if (!alone[i]) continue;
    EXPECT_NEAR(*inWindows[kWindow + i], *alone[i], 1e-3) << i;
  }
  const auto whole = engine_.foresee(text, {"full", 512, 256}, {500, 0}, silent_);
  EXPECT_GT(std::abs(*whole[kWindow + 10] - *inWindows[kWindow + 10]), 1e-6);
  EXPECT_THAT(messageOf([&] {
                engine_.foresee(text, {"rag-bm25", 512, 256}, {}, silent_);
              }),
              testing::HasSubstr("reads passages"));
}

TEST_F(EngineCalls, ReadOnceForMethodsThatReadAlike) {
  const auto key = [&](const char* method) { return engine_.readingKey({method, 512, 256}); };
  for (const char* alike : {"snapkv", "pyramidkv"}) EXPECT_EQ(key(alike), key("full")) << alike;
  for (const char* own : {"quest", "arkvale", "kivi-4", "pi", "selfextend", "snapkv-blind", "streaming"})
    EXPECT_NE(key(own), key("full")) << own;
  const std::string text = randomText(400, 9);
  const auto file = model_.folder.path() / "shared";
  engine_.read(text, {"full", 512, 256}, file, silent_);
  AskSettings ask;
  ask.method = "snapkv";
  ask.budgetTokens = 512;
  ask.maxTokens = 12;
  const auto shared = engine_.open(file, engine_.readSettingsFor(ask));
  ASSERT_TRUE(shared);
  EXPECT_EQ(shared->method(), "snapkv");
  const auto own = engine_.read(text, engine_.readSettingsFor(ask), model_.folder.path() / "own", silent_);
  const Answer a = engine_.ask(*shared, "Why?", ask, silent_), b = engine_.ask(*own, "Why?", ask, silent_);
  EXPECT_EQ(a.text, b.text);
  EXPECT_EQ(a.map.attended, b.map.attended);
  EXPECT_LE(a.attendedTokens, 512);
}

TEST_F(EngineCalls, SpareADenseReadingWhatAnotherRowRead) {
  const auto key = [&](const char* method) { return engine_.denseKey({method, 512, 256}); };
  const std::string full = engine_.readingKey({"full", 512, 256}),
                    packed = engine_.readingKey({"kivi-4", 512, 256});
  for (const char* row : {"quest", "arkvale", "snapkv-blind", "pyramidkv-blind", "keydiff"})
    EXPECT_EQ(key(row), full) << row;
  EXPECT_EQ(key("quest+kivi-4"), packed);
  EXPECT_EQ(key("keydiff+kivi-4"), full) << "packed is what it keeps";
  for (const char* row : {"full", "snapkv", "pi", "kivi-4", "h2o", "expected-attention", "quest-reading",
                          "streaming", "retrolm", "rag", "beacon"})
    EXPECT_EQ(key(row), "") << row;
}

// Fast products round to bf16; the answer to a question must not depend on that by more than rounding.
TEST_F(EngineCalls, GiveNearlyTheSameLogitsFastAndExact) {
  Engine fast({model_.file, 2, Device::Cpu, Precision::Fast}, silent_);
  const std::string text = randomText(200, 5);
  const auto a = engine_.logits(text, 1, silent_), b = fast.logits(text, 1, silent_);
  double difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference += std::abs(a[i].nextLogProbability - b[i].nextLogProbability);
  EXPECT_LT(difference / static_cast<double>(a.size()), 0.02);
}

TEST_F(EngineCalls, RefuseAFileThatIsNoModel) {
  const auto path = model_.folder.path() / "not.gguf";
  std::ofstream(path) << "hello";
  EXPECT_FALSE(messageOf([&] { Engine({path, 2, Device::Cpu, Precision::Exact}, silent_); }).empty());
}

}  // namespace
}  // namespace kvasir
