#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/answer.h"
#include "engine/foresight.h"
#include "engine/model/adapter.h"
#include "engine/passage_prompt.h"
#include "engine/question.h"
#include "engine/training/question_branch.h"
#include "engine/training/train_adapter.h"
#include "tests/engine/heard_steps.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

class AdapterTest : public testing::Test {
 protected:
  void adapt(const char* actsOn = "questions") {
    model_.loaded.adapter = randomAdapter(model_.loaded, 16, actsOn);
    model_.loaded.adapted = model_.loaded.adapter->applyTo(model_.loaded.weights, model_.loaded.form);
  }
  std::shared_ptr<const StoredReading> read(int words, int budget) {
    return readText(model_.loaded, randomText(words, 2), {"whitened", budget, 512},
                    folder_.path() / "reading.kv", silent_);
  }
  AskSettings asking(int budget) const {
    AskSettings settings;
    settings.method = "whitened";
    settings.budgetTokens = budget;
    settings.maxTokens = 4;
    return settings;
  }

  /// The adapter's changes as training holds them.
  std::vector<Adapter::Layer> trainable() const {
    std::vector<Adapter::Layer> layers;
    for (const Adapter::Layer& layer : model_.loaded.adapter->layers()) {
      Adapter::Layer& copy = layers.emplace_back();
      for (std::size_t i = 0; i < copy.size(); ++i) copy[i] = {layer[i].down.clone(), layer[i].up.clone()};
    }
    return layers;
  }
  /// Gradients of a loss in changes that are not zero, beside differences of it.
  void expectGradients(
      const std::function<at::Tensor(BranchForward&, const std::vector<Adapter::Layer>&)>& loss);

  c10::InferenceMode noGradients_;
  TinyModel model_;
  TemporaryFolder folder_;
  Listener silent_;
};

TEST_F(AdapterTest, AddsItsProductsToEachProjection) {
  at::manual_seed(1);
  const at::Tensor base = at::randn({6, 32}), down = at::randn({16, 32}), up = at::randn({6, 16}),
                   x = at::randn({3, 32});
  const WeightMatrix changed =
      WeightMatrix(base, DenseForm::Float32)
          .changedBy({WeightMatrix(down, DenseForm::Float32), WeightMatrix(up, DenseForm::Float32)});
  const at::Tensor expected = at::mm(x, (base + at::mm(up, down)).t());
  EXPECT_TRUE(at::allclose(changed.multiply(x, DenseForm::Float32), expected, 1e-4, 1e-4));
  at::Tensor one = at::empty({6});
  const at::Tensor row = x[1].contiguous();
  ProductMemory memory;
  changed.multiply(row.const_data_ptr<float>(), one.data_ptr<float>(), 1, DenseForm::Float32, memory);
  EXPECT_TRUE(at::allclose(one, expected[1], 1e-4, 1e-4));
}

TEST_F(AdapterTest, KeepsItsNumbersInLevelsNearEnough) {
  at::manual_seed(1);
  const at::Tensor values = at::randn({40, 64});
  const at::Tensor back = WeightMatrix(values, DenseForm::Bfloat16).dense(DenseForm::Float32);
  EXPECT_LT((back - values).abs().max().item<double>(), 4.0 / 127);
  EXPECT_GT((back - values).abs().max().item<double>(), 0);
}

TEST_F(AdapterTest, LeavesWishesToTheModelAsItComes) {
  const auto reading = read(700, 512);
  const Answer plain = answerQuestion(model_.loaded, *reading, "Summarize abcd.", asking(512), silent_);
  adapt();
  EXPECT_EQ(answerQuestion(model_.loaded, *reading, "Summarize abcd.", asking(512), silent_).text, plain.text);
}

TEST(Questions, AreToldFromWishes) {
  for (const char* question :
       {"Who audits the fund?", "who audits the fund", "The auditor is?", "谁是审计师？", "من هو؟",
        "Earlier I asked: x\nNow I ask: which one?", "  \nWhen did it begin\n"})
    EXPECT_TRUE(isQuestion(question)) << question;
  for (const char* wish :
       {"Summarize the document.", "List three main points", "Could you list its main points?",
        "Please explain: why?", "", "Earlier I asked: who?\nNow I ask: summarize it"})
    EXPECT_FALSE(isQuestion(wish)) << wish;
}

TEST_F(AdapterTest, ChangesAnswersAndNotReadings) {
  const auto before = read(700, 512);
  const Answer plain = answerQuestion(model_.loaded, *before, "What is abcd?", asking(512), silent_);
  const std::string key = readingKey(model_.loaded, {"whitened", 512, 512});
  adapt();
  EXPECT_EQ(readingKey(model_.loaded, {"whitened", 512, 512}), key);
  const auto after = read(700, 512);
  EXPECT_EQ(answerQuestion(model_.loaded, *after, "What is abcd?", asking(512), silent_).text == plain.text,
            false);
  TextRun base(model_.loaded, {findMethod("full")}),
      adapted(model_.loaded, {findMethod("full"), 0, nullptr, [] {}, {}, nullptr, true});
  const auto tokens = randomTokens(20, 4);
  EXPECT_GT((base.read(tokens, 128) - adapted.read(tokens, 128)).abs().max().item<double>(), 1e-3);
}

TEST_F(AdapterTest, IsTheSameReadOrGenerated) {
  adapt();
  const TextRun::Settings settings{findMethod("full"), 0, nullptr, [] {}, {}, nullptr, true};
  const auto tokens = randomTokens(12, 4);
  TextRun whole(model_.loaded, {findMethod("full"), 0, nullptr, [] {}, {}, nullptr, true});
  whole.cache().startTail();
  const at::Tensor expected = whole.pass().logits(whole.read(tokens, 128))[0];
  TextRun stepwise(model_.loaded, {findMethod("full"), 0, nullptr, [] {}, {}, nullptr, true});
  stepwise.cache().startTail();
  stepwise.read(std::span(tokens).first(6), 128);
  std::span<const float> logits;
  for (std::size_t i = 6; i < tokens.size(); ++i) logits = stepwise.pass().generate(tokens[i]);
  for (std::int64_t i = 0; i < expected.size(0); ++i)
    ASSERT_NEAR(expected[i].item<float>(), logits[static_cast<std::size_t>(i)], 2e-3) << i;
}

TEST_F(AdapterTest, IsTheSameFromItsFileAndRefusedByAnotherModel) {
  adapt();
  const auto file = folder_.path() / adapterFileName(model_.loaded.info);
  model_.loaded.adapter->save(file, model_.loaded.info);
  const Adapter back = Adapter::load(file, model_.loaded.info, model_.loaded.weights);
  EXPECT_EQ(back.about().at("rank"), "16");
  EXPECT_TRUE(at::allclose(back.layers()[1][Adapter::GateUp].up,
                           model_.loaded.adapter->layers()[1][Adapter::GateUp].up, 0.01, 0.01));
  const TinyModel other("gemma3");
  EXPECT_THROW(Adapter::load(file, other.loaded.info, other.loaded.weights), std::runtime_error);

  EngineSettings settings = model_.settings();
  settings.retrievers.push_back(folder_.path());
  EXPECT_NE(loadModel(settings, silent_).adapter, nullptr);
  settings.adapting = Adapting::Nothing;
  EXPECT_EQ(loadModel(settings, silent_).adapter, nullptr);
}

/// Training's own forward pass beside the engine's: a document that fits, and one of which layers retrieve
/// parts.
TEST_F(AdapterTest, TrainsOnTheArithmeticThatAnswers) {
  adapt();
  for (const auto& [words, budget] : {std::pair{120, 2048}, std::pair{1500, 512}}) {
    const auto reading = read(words, budget);
    auto branch = makeBranch(model_.loaded, *reading, budget, "What is abcd?", "x");
    ASSERT_TRUE(branch);
    branch->targets.resize(1);
    branch->tokens.resize(static_cast<std::size_t>(branch->questionTokens));

    ChunkWishes wishes;
    wishes.paragraphs = questionParagraphs(model_.loaded, *reading, "What is abcd?");
    TextRun run(model_.loaded, {findMethod("whitened"), budget, nullptr, [] {}, wishes, nullptr, true},
                &reading->file());
    run.cache().adopt(reading->finishedRuns());
    run.cache().startTail();
    const at::Tensor logits = run.pass().logits(run.read(branch->tokens, 256))[0];
    const double expected = -at::log_softmax(logits, 0)[branch->targets[0]].item<double>();

    const c10::InferenceMode training(false);
    // A branch's chunk was opened for question and answer; this one asks only.
    QuestionBranch asked{nullptr, branch->tokens, branch->questionTokens, branch->targets};
    {
      const c10::InferenceMode engineSide(true);
      asked.run = std::make_unique<TextRun>(
          model_.loaded,
          TextRun::Settings{findMethod("whitened"), budget, nullptr, [] {}, wishes, nullptr, true},
          &reading->file());
      asked.run->cache().adopt(reading->finishedRuns());
      asked.run->cache().startTail();
      asked.run->cache().open(asked.questionTokens);
    }
    BranchForward forward(model_.loaded);
    EXPECT_NEAR(forward.loss({&asked, 1}, trainable()).item<double>(), expected, 2e-3) << words << " words";
  }
}

/// A prompt, and two questions after it, none of which sees the other.
TEST_F(AdapterTest, TrainsOnTheArithmeticThatReadsAnew) {
  adapt(Adapter::kPrompts);
  Prompt prompt = emptyPrompt(model_.loaded);
  prompt.add(plainTokens(model_.loaded, randomText(80, 3)), 0);
  AskSettings settings = asking(1024);
  settings.method = "reread";
  const ReadPrompt read(model_.loaded, settings, prompt, Weights::Adapted, [] {});
  double expected = 0;
  std::vector<QuestionBranch> branches;
  for (const auto& [question, answer] : {std::pair{"What is abcd?", "wx"}, std::pair{"Who is efgh?", "stuv"}}) {
    QuestionBranch& branch = branches.emplace_back(*makeBranch(model_.loaded, question, answer));
    const auto asked = std::span(branch.tokens).first(static_cast<std::size_t>(branch.questionTokens));
    expected -= read.logProbability(asked, branch.targets) / static_cast<double>(branch.targets.size()) / 2;
  }
  const c10::InferenceMode training(false);
  BranchForward forward(model_.loaded);
  EXPECT_NEAR(forward.lossAfter(prompt.tokens, branches, trainable()).item<double>(), expected, 2e-3);
  EXPECT_NE(forward.lossAfter(emptyPrompt(model_.loaded).tokens, branches, trainable()).item<double>(),
            expected);
}

// One that was trained on questions alone leaves prompts to the model as it comes.
TEST_F(AdapterTest, ActsOnPromptsOnlyIfTrainedSo) {
  Prompt prompt = emptyPrompt(model_.loaded);
  prompt.add(plainTokens(model_.loaded, randomText(80, 3)), 0);
  AskSettings settings = asking(1024);
  settings.method = "reread";
  const auto asked = frameQuestion(model_.loaded, "What is abcd?"), said = plainTokens(model_.loaded, "wx");
  const auto answered = [&](const char* actsOn) {
    adapt(actsOn);
    return ReadPrompt(model_.loaded, settings, prompt, Weights::Adapted, [] {}).logProbability(asked, said);
  };
  const double questions = answered("questions"), prompts = answered(Adapter::kPrompts);
  EXPECT_GT(std::abs(questions - prompts), 1e-3);
}

TEST_F(AdapterTest, HasTheGradientThatDifferencesGive) {
  const auto reading = read(400, 2048);
  expectGradients([&](BranchForward& forward, const std::vector<Adapter::Layer>& layers) {
    auto branch = makeBranch(model_.loaded, *reading, 2048, "What is abcd?", "wxyz");
    return forward.loss({&*branch, 1}, layers);
  });
}

TEST_F(AdapterTest, HasTheGradientThatDifferencesGiveAfterAPrompt) {
  const std::vector<TokenId> prompt = randomTokens(150, 5);
  expectGradients([&](BranchForward& forward, const std::vector<Adapter::Layer>& layers) {
    auto branch = makeBranch(model_.loaded, "What is abcd?", "wxyz");
    return forward.lossAfter(prompt, {&*branch, 1}, layers);
  });
}

void AdapterTest::expectGradients(
    const std::function<at::Tensor(BranchForward&, const std::vector<Adapter::Layer>&)>& lossOf) {
  const c10::InferenceMode training(false);
  std::vector<Adapter::Layer> layers = Adapter::untrained(model_.loaded.weights, 4, 1).layers();
  at::manual_seed(2);
  for (Adapter::Layer& layer : layers)
    for (Adapter::Change& change : layer) {
      change.up = (at::randn(change.up.sizes()) * 0.1).requires_grad_(true);
      change.down.requires_grad_(true);
    }
  BranchForward forward(model_.loaded);
  const auto loss = [&] { return lossOf(forward, layers); };
  loss().backward();
  for (const int projection : {Adapter::QueryKeyValue, Adapter::Output, Adapter::GateUp, Adapter::Down}) {
    for (at::Tensor* part : {&layers[0][static_cast<std::size_t>(projection)].down,
                             &layers[1][static_cast<std::size_t>(projection)].up}) {
      const at::Tensor gradient = part->grad();
      const std::int64_t at = gradient.abs().argmax().item<std::int64_t>();
      const at::NoGradGuard noGradients;
      constexpr float kStep = 2e-2f;
      float& value = part->data_ptr<float>()[at];
      const float own = value;
      value = own + kStep;
      const double above = loss().item<double>();
      value = own - kStep;
      const double below = loss().item<double>();
      value = own;
      const double expected = (above - below) / (2 * kStep), found = gradient.view(-1)[at].item<double>();
      EXPECT_NEAR(found, expected, 0.05 * std::abs(expected) + 2e-4) << "projection " << projection;
    }
  }
}

/// Takes down the losses of steps that taught something.
std::function<void(const TrainingStep&)> noteIn(std::vector<double>& losses) {
  return [&losses](const TrainingStep& step) {
    if (step.loss) losses.push_back(*step.loss);
  };
}

/// Ends a training with its start.
void stopAtOnce(const TrainingStep&) { throw Cancelled(); }

AdapterTexts smallTexts() {
  AdapterTexts texts;
  for (std::uint64_t seed = 0; seed < 4; ++seed)
    texts.train.push_back({randomText(80, seed), {{"What is a?", "bc"}, {"Who is d?", ""}}});
  texts.heldOut = {texts.train.front()};
  return texts;
}

AdapterSettings smallSettings() {
  AdapterSettings settings;
  settings.rank = 8;
  settings.rounds = 12;
  settings.learningRate = 2e-2;
  settings.heldOutEvery = 8;
  settings.patience = 100;
  return settings;
}

TEST_F(AdapterTest, LearnsWhatItIsShown) {
  const c10::InferenceMode training(false);
  std::vector<double> losses;
  HeardSteps heard;
  AdapterTexts texts = smallTexts();
  texts.files = "a.jsonl, held out b.jsonl";
  const auto file = trainAdapter(model_.loaded, texts, smallSettings(), folder_.path(), noteIn(losses), heard);
  ASSERT_EQ(losses.size(), 48u);
  EXPECT_TRUE(heard.isInOrder && heard.last >= std::ssize(losses) - 1);
  EXPECT_LT(losses.back(), losses.front() / 2);
  EXPECT_TRUE(std::filesystem::exists(file));
  EXPECT_FALSE(std::filesystem::exists(file.string() + ".checkpoint"));
  EXPECT_FALSE(std::filesystem::exists(file.string() + ".reading"));
  const auto about = Adapter::load(file, model_.loaded.info, model_.loaded.weights).about();
  EXPECT_EQ(about.at("files"), "a.jsonl, held out b.jsonl");
  EXPECT_EQ(about.at("method"), "retrolm");
  EXPECT_EQ(about.at("rate"), "0.02");
  EXPECT_EQ(about.at("rounds"), "12");
  EXPECT_EQ(about.at("seed"), "1");
  EXPECT_NE(about.at("data"), "");
  EXPECT_FALSE(about.contains("from"));
}

TEST_F(AdapterTest, LearnsFromPromptsThatAreReadAnew) {
  const c10::InferenceMode training(false);
  AdapterSettings settings = smallSettings();
  settings.method = "reread";
  std::vector<double> losses;
  trainAdapter(model_.loaded, smallTexts(), settings, folder_.path(), noteIn(losses), silent_);
  ASSERT_EQ(losses.size(), 48u);
  EXPECT_LT(losses.back(), losses.front() / 2);

  AdapterTexts texts = smallTexts();
  texts.heldOut.push_back({randomText(1500, 9), {{"What is a?", "bc"}}});
  try {
    trainAdapter(
        model_.loaded, texts, settings, folder_.path(), [](const TrainingStep&) {}, silent_);
    FAIL() << "a text that is too long was taken";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("Text 2 of those held out"));
    EXPECT_THAT(error.what(), testing::HasSubstr("shorter texts"));
  }
}

TEST_F(AdapterTest, GoesOnFromACheckpointAsIfNeverStopped) {
  const c10::InferenceMode training(false);
  std::vector<double> whole, parts;
  const TemporaryFolder other;
  trainAdapter(model_.loaded, smallTexts(), smallSettings(), other.path(), noteIn(whole), silent_);
  const auto stopAt = [&](int last) {
    return [&parts, last](const TrainingStep& step) {
      if (step.step == 0 || step.isPast) return;
      parts.resize(static_cast<std::size_t>(step.step));
      parts.back() = step.loss.value_or(0);
      if (step.step == last) throw Cancelled();
    };
  };
  EXPECT_THROW(trainAdapter(model_.loaded, smallTexts(), smallSettings(), folder_.path(), stopAt(25), silent_),
               Cancelled);
  trainAdapter(model_.loaded, smallTexts(), smallSettings(), folder_.path(), stopAt(-1), silent_);
  ASSERT_EQ(parts.size(), whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_NEAR(parts[i], whole[i], 1e-3) << "step " << i + 1;
}

TEST_F(AdapterTest, LearnsOnFromAnAdapterThatWasTrained) {
  const c10::InferenceMode training(false);
  AdapterSettings settings = smallSettings();
  const auto quiet = [](const TrainingStep&) {};
  const auto first = trainAdapter(model_.loaded, smallTexts(), settings, folder_.path(), quiet, silent_);
  const TemporaryFolder other;
  settings.start = first;
  double onward = 0;
  const auto note = [&](const TrainingStep& step) {
    if (!step.loss) return;
    onward = *step.loss;
    throw Cancelled();
  };
  EXPECT_THROW(trainAdapter(model_.loaded, smallTexts(), settings, other.path(), note, silent_), Cancelled);
  double anew = 0;
  settings.start.clear();
  const auto noteAnew = [&](const TrainingStep& step) {
    if (!step.loss) return;
    anew = *step.loss;
    throw Cancelled();
  };
  EXPECT_THROW(trainAdapter(model_.loaded, smallTexts(), settings, other.path(), noteAnew, silent_), Cancelled);
  EXPECT_LT(onward, anew / 2);

  settings.start = first;
  settings.rank = 4;
  EXPECT_THROW(trainAdapter(model_.loaded, smallTexts(), settings, other.path(), quiet, silent_),
               std::runtime_error);
}

/// What it learned on from is named by its numbers, not by where they lie.
TEST_F(AdapterTest, BeginsAnewWhereWhatItLearnsOnFromHasChanged) {
  AdapterSettings settings = smallSettings();
  settings.start = folder_.path() / "start.safetensors";
  const auto first = randomAdapter(model_.loaded, settings.rank, "questions");
  std::vector<Adapter::Layer> otherLayers = first->layers();
  otherLayers[0][Adapter::Down].up = otherLayers[0][Adapter::Down].up * 2;
  const c10::InferenceMode training(false);
  first->save(settings.start, model_.loaded.info);
  const auto stop = [](const TrainingStep& step) {
    if (step.step == 21) throw Cancelled();
  };
  HeardRemarks heard;
  EXPECT_THROW(trainAdapter(model_.loaded, smallTexts(), settings, folder_.path(), stop, heard), Cancelled);
  EXPECT_THROW(trainAdapter(model_.loaded, smallTexts(), settings, folder_.path(), stopAtOnce, heard),
               Cancelled);
  EXPECT_THAT(heard.said, testing::ElementsAre(testing::HasSubstr("Goes on from step 20 of 48")));
  Adapter(otherLayers, first->about()).save(settings.start, model_.loaded.info);
  EXPECT_THROW(trainAdapter(model_.loaded, smallTexts(), settings, folder_.path(), stopAtOnce, heard),
               Cancelled);
  EXPECT_THAT(heard.said, testing::Contains(testing::HasSubstr("other texts or settings")));
}

TEST_F(AdapterTest, BeginsAnewWhereATextWasMovedToThoseHeldOut) {
  const c10::InferenceMode training(false);
  AdapterTexts texts = smallTexts();
  texts.heldOut.insert(texts.heldOut.begin(), texts.train.back());
  AdapterTexts moved = texts;
  texts.heldOut.erase(texts.heldOut.begin());
  moved.train.pop_back();  // the same texts in the same order
  HeardRemarks heard;
  const auto stop = [](const TrainingStep& step) {
    if (step.step == 21) throw Cancelled();
  };
  EXPECT_THROW(trainAdapter(model_.loaded, texts, smallSettings(), folder_.path(), stop, heard), Cancelled);
  EXPECT_THROW(trainAdapter(model_.loaded, moved, smallSettings(), folder_.path(), stopAtOnce, heard),
               Cancelled);
  EXPECT_THAT(heard.said, testing::Contains(testing::HasSubstr("other texts or settings")));
}

TEST_F(AdapterTest, LeavesABetterOneWhereItStands) {
  const c10::InferenceMode training(false);
  const auto quiet = [](const TrainingStep&) {};
  const auto file = trainAdapter(model_.loaded, smallTexts(), smallSettings(), folder_.path(), quiet, silent_);
  const std::string id = Adapter::load(file, model_.loaded.info, model_.loaded.weights).id();
  AdapterSettings worse = smallSettings();
  worse.rounds = 2;
  worse.learningRate = 1e-6;
  EXPECT_THAT(
      messageOf([&] { trainAdapter(model_.loaded, smallTexts(), worse, folder_.path(), quiet, silent_); }),
      testing::HasSubstr("No check was better"));
  EXPECT_EQ(Adapter::load(file, model_.loaded.info, model_.loaded.weights).id(), id);
  AdapterSettings onward = smallSettings();
  onward.start = file;
  onward.learningRate = 2e-3;
  const TemporaryFolder other;
  const auto next = trainAdapter(model_.loaded, smallTexts(), onward, other.path(), quiet, silent_);
  EXPECT_EQ(Adapter::load(next, model_.loaded.info, model_.loaded.weights).about().at("from"), id);
}

/// The end of a plain text beside the engine, which reads it after what comes before.
TEST_F(AdapterTest, TrainsOnTheArithmeticThatForesees) {
  adapt();
  constexpr int kBudget = 512;
  const std::string text = randomText(600, 2);
  const auto end = endOfText(model_.loaded, text);
  ASSERT_TRUE(end);
  ASSERT_EQ(std::ssize(end->tokens), kChunkTokens + 1);
  EXPECT_EQ(text.substr(end->start), end->words);
  const auto reading = readText(model_.loaded, text.substr(0, end->start), {"whitened", kBudget, 512},
                                folder_.path() / "before.kv", silent_);
  ASSERT_GT(reading->tokens(), kBudget);
  QuestionBranch branch = plainBranch(*end);
  ASSERT_EQ(branch.tokens.size(), branch.targets.size());

  ChunkWishes wishes;
  wishes.paragraphs = questionParagraphs(model_.loaded, *reading, end->words);
  TextRun run(model_.loaded, {findMethod("whitened"), kBudget, nullptr, [] {}, wishes, nullptr, true},
              &reading->file());
  run.cache().adopt(reading->finishedRuns());
  run.cache().startTail();
  double expected = 0;
  readInRows(run, branch.tokens, kChunkTokens, [&](std::size_t at, std::span<const float> logits) {
    expected -= logProbability(logits, branch.targets[at]) / kChunkTokens;
  });
  const c10::InferenceMode training(false);
  placeAfter(model_.loaded, *reading, kBudget, branch);
  BranchForward forward(model_.loaded);
  EXPECT_NEAR(forward.loss({&branch, 1}, trainable()).item<double>(), expected, 2e-3);
}

TEST_F(AdapterTest, LearnsFromTextsThatAskNothing) {
  const c10::InferenceMode training(false);
  AdapterTexts texts = smallTexts();
  for (auto* lessons : {&texts.train, &texts.heldOut})
    for (AdapterLesson& lesson : *lessons) lesson.items.clear();
  for (const char* method : {"retrolm", "reread"}) {
    AdapterSettings settings = smallSettings();
    settings.method = method;
    const TemporaryFolder folder;
    std::vector<double> losses;
    trainAdapter(model_.loaded, texts, settings, folder.path(), noteIn(losses), silent_);
    ASSERT_EQ(losses.size(), 48u) << method;
    EXPECT_LT(losses.back(), 0.95 * losses.front()) << method;
  }
  EXPECT_FALSE(endOfText(model_.loaded, "a")) << "nothing comes before its end";
}

/// Of texts that could be asked, if their questions were shorter.
TEST_F(AdapterTest, ForeseesInAShareOfTheVisits) {
  const c10::InferenceMode training(false);
  AdapterTexts texts = smallTexts();
  for (AdapterLesson& lesson : texts.train) lesson.items = {{randomText(400, 2), "bc"}};
  const auto taught = [&](double share) {
    AdapterSettings settings = smallSettings();
    settings.plainShare = share;
    settings.heldOutEvery = 100;
    const TemporaryFolder folder;
    std::vector<double> losses;
    HeardRemarks heard;
    messageOf([&] { trainAdapter(model_.loaded, texts, settings, folder.path(), noteIn(losses), heard); });
    EXPECT_THAT(heard.said, testing::Contains(testing::HasSubstr("4 of 6 questions are left out")));
    return losses.size();
  };
  EXPECT_EQ(taught(0), 0u);
  EXPECT_EQ(taught(1), 48u);
  const std::size_t some = taught(0.5);
  EXPECT_GT(some, 12u);
  EXPECT_LT(some, 36u);
}

TEST_F(AdapterTest, SaysHowManyOfTheTextsHeldOutAreCheckedOn) {
  const c10::InferenceMode training(false);
  AdapterTexts texts = smallTexts();
  texts.heldOut.resize(30, texts.heldOut.front());
  HeardRemarks heard;
  EXPECT_THROW(trainAdapter(model_.loaded, texts, smallSettings(), folder_.path(), stopAtOnce, heard),
               Cancelled);
  EXPECT_THAT(heard.said, testing::ElementsAre(testing::HasSubstr("Of the 30 texts held out the first 24")));
}

TEST_F(AdapterTest, RefusesLongLessonsAndBudgetsWithoutRoom) {
  const auto complaint = [&](const AdapterTexts& texts, const char* method, int budget) {
    AdapterSettings settings = smallSettings();
    settings.method = method;
    settings.budgetTokens = budget;
    return messageOf(
        [&] { trainAdapter(model_.loaded, texts, settings, folder_.path(), stopAtOnce, silent_); });
  };
  AdapterTexts longer = smallTexts();
  longer.train[1].text = randomText(5000, 3);
  EXPECT_THAT(complaint(longer, "retrolm", 2048),
              testing::AllOf(testing::HasSubstr("Text 2 has"), testing::HasSubstr("may have 12000")));
  EXPECT_THAT(complaint(smallTexts(), "rag", 128), testing::HasSubstr("leaves no room for a text"));
  EXPECT_THAT(complaint(smallTexts(), "rag", 100), testing::HasSubstr("at least 128"));
}

TEST_F(AdapterTest, IsNotTrainedForModelsWithWindowsOrWithoutTexts) {
  const TinyModel windowed("gemma3");
  EXPECT_THROW(BranchForward{windowed.loaded}, std::runtime_error);
  const auto quiet = [](const TrainingStep&) {};
  EXPECT_THROW(trainAdapter(model_.loaded, {}, smallSettings(), folder_.path(), quiet, silent_),
               std::runtime_error);
}

TEST_F(AdapterTest, IsNotTrainedForDistancesItDoesNotComputeNorWithoutAnythingToCheck) {
  const c10::InferenceMode training(false);
  const auto train = [&](const AdapterTexts& texts, const char* method) {
    AdapterSettings settings = smallSettings();
    settings.method = method;
    trainAdapter(
        model_.loaded, texts, settings, folder_.path(), [](const TrainingStep&) {}, silent_);
  };
  for (const char* method : {"streaming", "lm-infinite", "selfextend", "pi", "yarn", "beacon"})
    EXPECT_THAT(messageOf([&] { train(smallTexts(), method); }), testing::HasSubstr("other positions"))
        << method;
  AdapterTexts tooLong = smallTexts();
  tooLong.heldOut = {{randomText(80, 1), {{randomText(400, 2), "bc"}}}};
  EXPECT_THAT(messageOf([&] { train(tooLong, "retrolm"); }), testing::HasSubstr("held-out questions"));
}

}  // namespace
}  // namespace kvasir
