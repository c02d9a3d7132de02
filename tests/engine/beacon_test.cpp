#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/answer.h"
#include "engine/foresight.h"
#include "engine/generation.h"
#include "engine/training/beacon_forward.h"
#include "engine/training/train_beacon.h"
#include "tests/engine/one_layer.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

TEST(BeaconPlan, TakesTheLowestRatioThatHoldsTheDocumentAndAQuestion) {
  EXPECT_EQ(planBeacons(2048, 2048).each, 0);
  EXPECT_EQ(planBeacons(2049, 2048).each, 2);
  for (const int budget : {512, 1000, 2048, 8192})
    for (int tokens = budget + 1; tokens < 40 * budget; tokens += 97) {
      const BeaconPlan plan = planBeacons(tokens, budget);
      const auto fits = [&](int each) {
        return 4 + plan.end / each + std::max(plan.window, tokens - plan.end + kChunkTokens) <= budget;
      };
      ASSERT_EQ(plan.window % kChunkTokens, 0);
      ASSERT_EQ(plan.end, tokens / plan.window * plan.window);
      ASSERT_THAT(plan.each, testing::AnyOf(2, 4, 8, 16, 32));
      ASSERT_TRUE(plan.each == 32 || fits(plan.each)) << tokens << " of " << budget;
      ASSERT_FALSE(plan.each > 2 && fits(plan.each / 2)) << tokens << " of " << budget;
    }
}

/// Beacons of a text, one behind every `each` tokens: [heads, beacons, dimension].
Tensors randomBeacons(int count) {
  at::manual_seed(8);
  const auto random = [&](int heads) { return at::randn({heads, count, kDimension}, at::kFloat); };
  return {random(kHeads) * 2, random(kKvHeads) * 2, random(kKvHeads)};
}

/// A key or a query of the mechanism as the paper has it: rows of the text or of its beacons, and a place in
/// the concatenation.
struct Entry {
  const Tensors* of;
  int row;
  double place;
};

/// Plain attention of one query over some keys, in double.
std::vector<double> plainly(const Entry& query, const std::vector<Entry>& keys, int head) {
  const std::vector<double> q = rotated(query.of->queries[head][query.row], query.place);
  std::vector<double> weights, out(kDimension);
  double sum = 0;
  for (const Entry& key : keys) {
    const std::vector<double> k = rotated(key.of->keys[head / kGroup][key.row], key.place);
    double score = 0;
    for (int d = 0; d < kDimension; ++d)
      score += q[static_cast<std::size_t>(d)] * k[static_cast<std::size_t>(d)];
    weights.push_back(std::exp(score * kScale));
    sum += weights.back();
  }
  for (std::size_t i = 0; i < keys.size(); ++i)
    for (int d = 0; d < kDimension; ++d)
      out[static_cast<std::size_t>(d)] +=
          weights[i] / sum * keys[i].of->values[head / kGroup][keys[i].row][d].item<double>();
  return out;
}

/// One layer of a document read with beacons: what a pass does, without weights.
class BeaconLayer {
 public:
  BeaconLayer(int tokens, int budget)
      : codec_(plainCodec(at::kFloat)),
        policy_(findMethod("beacon").makePolicy(
            {shape_, kHeads, budget, {}, nullptr, nullptr, kFrequencies, {}, tokens})),
        positions_(closedPositions(budget, {})),
        store_(KvCache::slotBytes(shape_, *codec_, policy_->needs().extras)),
        cache_(shape_, *codec_, store_, policy_->needs().extras),
        table_(kFrequencies) {}

  const BeaconPlan plan() const { return policy_->needs().beacons; }
  int mostSeen() const { return mostSeen_; }

  /// Outputs of tokens and of beacons.
  std::pair<at::Tensor, at::Tensor> run(const Tensors& text, const Tensors& beacons) {
    std::vector<at::Tensor> ofText, ofBeacons;
    const int tokens = static_cast<int>(text.queries.size(1)), each = plan().each;
    for (int first = 0; first < tokens; first += kChunkTokens) {
      const int count = std::min(kChunkTokens, tokens - first);
      const Block block{cache_.open(count), first, count};
      cache_.write(0, block.chunk, {text.keys.narrow(1, first, count), text.values.narrow(1, first, count)});
      const at::Tensor queries = text.queries.narrow(1, first, count).contiguous();
      const Selection selection = policy_->select(0, block, {queries, queries}, cache_);
      arrangeGroups(selection, block, *positions_, 0, cache_, table_, groups_);
      ofText.push_back(attendBlock(groups_, rotateNear(queries, block, groups_, table_), {}, block,
                                   static_cast<float>(kScale))
                           .values);
      mostSeen_ = std::max(mostSeen_, attendedBy(groups_, block));
      if (first + count > plan().end) continue;
      const int from = first / each, rows = kChunkTokens / each;
      cache_.writeBeacons(0, block.chunk,
                          {beacons.keys.narrow(1, from, rows), beacons.values.narrow(1, from, rows)});
      PlacedRun own{{plan().windowBegin(first), first + count}};
      own.position = own.run.begin + each - groups_.nearOrigin;
      own.step = own.each = each;
      table_.grow(first + count + 1);
      own_.arrange({}, {own}, 0, cache_, table_);
      const at::Tensor asked = beacons.queries.narrow(1, from, rows).contiguous();
      at::Tensor placed = at::empty_like(asked);
      rotate(asked, placed, {first + each - groups_.nearOrigin, each}, table_);
      ofBeacons.push_back(attendBeacons(groups_, own_, placed, block, static_cast<float>(kScale)).values);
      mostSeen_ = std::max(mostSeen_, attendedBy(groups_, block) + own_.count());
    }
    return {at::cat(ofText, 1), at::cat(ofBeacons, 1)};
  }

 private:
  KvShape shape_{1, kKvHeads, kDimension};
  std::unique_ptr<KvCodec> codec_;
  std::unique_ptr<KvPolicy> policy_;
  std::unique_ptr<PositionScheme> positions_;
  MemoryChunks store_;
  KvCache cache_;
  RopeTable table_;
  AttendedGroups groups_;
  GatheredKv own_;
  int mostSeen_ = 0;
};

TEST(Beacons, SeeAndAreSeenAsThePaperSays) {
  constexpr int kTokens = 1500, kSinks = 4;
  BeaconLayer layer(kTokens, kBudget);
  const BeaconPlan plan = layer.plan();
  ASSERT_EQ(plan.each, 8);
  ASSERT_EQ(plan.window, 128);
  const Tensors text = randomTensors(kTokens), beacons = randomBeacons(plan.end / plan.each);
  const auto [ofText, ofBeacons] = layer.run(text, beacons);
  EXPECT_LE(layer.mostSeen(), kBudget);

  // What is seen of a window's beginning: sinks and the beacons of earlier windows, in a row from 0 on.
  const auto before = [&](int window) {
    std::vector<Entry> keys;
    if (window == 0) return keys;
    for (int sink = 0; sink < kSinks; ++sink) keys.push_back({&text, sink, 1.0 * std::ssize(keys)});
    for (int beacon = 0; beacon < window * plan.window / plan.each; ++beacon)
      keys.push_back({&beacons, beacon, 1.0 * std::ssize(keys)});
    return keys;
  };
  for (const int token : {0, 5, 127, 128, 200, 255, 256, 900, 1023, 1024, 1407, 1408, 1499}) {
    const int window = std::min(token, plan.end) / plan.window, first = window * plan.window;
    std::vector<Entry> keys = before(window);
    for (int t = first; t <= token; ++t) keys.push_back({&text, t, 1.0 * std::ssize(keys)});
    for (const int head : {0, 2, 3, 5})
      expectNear(ofText, plainly({&text, token, keys.back().place}, keys, head), head, token);
  }
  for (const int beacon : {0, 1, 15, 16, 20, 31, 32, 127, 128, 150, 175}) {
    const int end = (beacon + 1) * plan.each, window = (end - 1) / plan.window, first = window * plan.window;
    std::vector<Entry> keys = before(window);
    const double base = static_cast<double>(keys.size());
    for (int t = first; t < end; ++t) keys.push_back({&text, t, base + t - first});
    for (int own = first / plan.each; own <= beacon; ++own)
      keys.push_back({&beacons, own, base + (own + 1) * plan.each - first});
    for (const int head : {0, 2, 3, 5})
      expectNear(ofBeacons, plainly({&beacons, beacon, base + end - first}, keys, head), head, beacon);
  }
}

std::unique_ptr<Beacons> randomBeaconsOf(const LoadedModel& model) {
  const Beacons start = Beacons::untrained(model.weights, beaconToken(model), 16, 7);
  std::vector<Adapter::Change> layers = start.layers();
  at::manual_seed(3);
  for (Adapter::Change& change : layers) change.up = at::randn(change.up.sizes()) * 0.3;
  return std::make_unique<Beacons>(start.embedding() + at::randn(start.embedding().sizes()) * 0.1,
                                   std::move(layers), std::map<std::string, std::string>{{"rank", "16"}});
}

class BeaconTest : public testing::Test {
 protected:
  void train() {
    LoadedModel& model = model_.loaded;
    model.beacons = randomBeaconsOf(model);
    model.beaconWeights = model.beacons->weightsOver(model.weights, model.shape, model.form);
  }
  Outcome outcome(int tokens) {
    return runMethod(model_.loaded, findMethod("beacon"), 512, randomTokens(tokens, 1), 512);
  }

  c10::InferenceMode noGradients_;
  TinyModel model_;
  TemporaryFolder folder_;
  Listener silent_;
};

TEST_F(BeaconTest, ChangeWhatComesAfterTheirWindowAndNothingThatFits) {
  const Outcome fits = outcome(480), longer = outcome(1500);
  train();
  EXPECT_EQ(worstDifference(fits, outcome(480)), 0);
  EXPECT_GT(worstDifference(longer, outcome(1500)), 1e-3);
}

TEST_F(BeaconTest, HaveReadingsOfTheirOwn) {
  const std::string key = readingKey(model_.loaded, {"beacon", 512, 512}),
                    other = readingKey(model_.loaded, {"whitened", 512, 512});
  train();
  EXPECT_NE(readingKey(model_.loaded, {"beacon", 512, 512}), key);
  EXPECT_EQ(readingKey(model_.loaded, {"whitened", 512, 512}), other);
}

TEST_F(BeaconTest, AreTheSameFromTheirFileAndRefusedByAnotherModel) {
  train();
  const auto file = folder_.path() / beaconFileName(model_.loaded.info);
  model_.loaded.beacons->save(file, model_.loaded.info);
  const Beacons back = Beacons::load(file, model_.loaded.info, model_.loaded.weights);
  EXPECT_EQ(back.about().at("rank"), "16");
  EXPECT_TRUE(at::allclose(back.layers()[1].up, model_.loaded.beacons->layers()[1].up, 0.01, 0.01));
  EXPECT_TRUE(at::allclose(back.embedding(), model_.loaded.beacons->embedding(), 0.01, 0.01));
  const TinyModel other("gemma3");
  EXPECT_THROW(Beacons::load(file, other.loaded.info, other.loaded.weights), std::runtime_error);
  EngineSettings settings = model_.settings();
  settings.retrievers.push_back(folder_.path());
  EXPECT_EQ(loadModel(settings, silent_).beacons->id(), back.id());
}

// What beacons draw is told of the chunks they stand for, and of each no more than there is.
TEST_F(BeaconTest, TellOfTheChunksTheyStandFor) {
  train();
  AskSettings asking;
  asking.method = "beacon";
  asking.budgetTokens = 512;
  asking.maxTokens = 3;
  const auto reading =
      readText(model_.loaded, randomText(700, 2), {"beacon", 512, 512}, folder_.path() / "a.kv", silent_);
  const Answer answer = answerQuestion(model_.loaded, *reading, "What is abcd?", asking, silent_);
  ASSERT_GT(answer.map.chunks, 8);
  for (int layer = 0; layer < answer.map.layers; ++layer)
    for (int chunk = 0; chunk < answer.map.chunks; ++chunk) {
      const auto at = static_cast<std::size_t>(layer * answer.map.chunks + chunk);
      EXPECT_TRUE(answer.map.attended[at]);
      const bool isFrame = reading->chunks()[static_cast<std::size_t>(chunk)].end == 0;
      EXPECT_TRUE(isFrame || answer.map.mass[at] > 0) << "chunk " << chunk;
    }
  EXPECT_EQ(std::ssize(answer.evidence), answer.map.chunks);
}

// Of a text that the highest ratio does not hold, the oldest beacons give way; the sinks stay.
TEST_F(BeaconTest, ForgetTheOldestOfWhatEvenTheHighestRatioDoesNotHold) {
  const std::vector<TokenId> text = randomTokens(14000, 1);
  const Left left = readMethod(model_.loaded, findMethod("beacon"), 512, text, 4096);
  EXPECT_LE(left.attended, 512);
  EXPECT_GT(left.attended, 512 - 8);
  EXPECT_EQ(planBeacons(14000, 512).each, 32);
}

double engineLoss(const LoadedModel& model, const std::vector<TokenId>& tokens, int budget, int first) {
  TextRun run(
      model,
      {findMethod("beacon"), budget, nullptr, [] {}, {}, nullptr, false, static_cast<int>(tokens.size())});
  double sum = 0;
  int count = 0;
  readInRows(run, tokens, 256, [&](std::size_t at, std::span<const float> logits) {
    if (static_cast<int>(at) < first || at + 1 == tokens.size()) return;
    sum -= logProbability(logits, tokens[at + 1]);
    ++count;
  });
  return sum / count;
}

/// Training's own forward pass, all windows at once, beside the engine's, chunk by chunk.
TEST_F(BeaconTest, TrainOnTheArithmeticThatReads) {
  train();
  for (const int windows : {5, 7, 30}) {
    const std::vector<TokenId> tokens = randomTokens(windows * 128, 5);
    const BeaconPlan plan = planBeacons(windows * 128, 512);
    ASSERT_EQ(plan.window, 128);
    const double expected = engineLoss(model_.loaded, tokens, 512, plan.window);
    const c10::InferenceMode training(false);
    BeaconForward forward(model_.loaded);
    BeaconForward::Trained trained{model_.loaded.beacons->embedding().clone(), {}};
    for (const Adapter::Change& change : model_.loaded.beacons->layers())
      trained.layers.push_back({change.down.clone(), change.up.clone()});
    const BeaconLesson lesson{tokens, plan.window,
                              std::vector<int>(static_cast<std::size_t>(windows - 1), plan.each)};
    EXPECT_NEAR(forward.loss(lesson, trained).item<double>(), expected, 1e-3) << windows << " windows";
  }
}

TEST_F(BeaconTest, HaveTheGradientThatDifferencesGive) {
  const c10::InferenceMode training(false);
  const Beacons start = Beacons::untrained(model_.loaded.weights, beaconToken(model_.loaded), 4, 1);
  BeaconForward::Trained trained{start.embedding(), start.layers()};
  at::manual_seed(2);
  for (Adapter::Change& change : trained.layers) {
    change.up = (at::randn(change.up.sizes()) * 0.1).requires_grad_(true);
    change.down.requires_grad_(true);
  }
  trained.embedding.requires_grad_(true);
  BeaconForward forward(model_.loaded);
  const BeaconLesson lesson{randomTokens(384, 3), 128, {4, 16}};
  forward.loss(lesson, trained).backward();
  for (at::Tensor* part : {&trained.embedding, &trained.layers[0].down, &trained.layers[1].up}) {
    const at::Tensor gradient = part->grad();
    const std::int64_t at = gradient.abs().argmax().item<std::int64_t>();
    const at::NoGradGuard noGradients;
    constexpr float kStep = 1e-2f;
    float& value = part->data_ptr<float>()[at];
    const float own = value;
    value = own + kStep;
    const double above = forward.loss(lesson, trained).item<double>();
    value = own - kStep;
    const double below = forward.loss(lesson, trained).item<double>();
    value = own;
    const double expected = (above - below) / (2 * kStep);
    EXPECT_NEAR(gradient.view(-1)[at].item<double>(), expected, 0.05 * std::abs(expected) + 2e-4);
  }
}

/// A text that says the same again and again, so that what came before helps.
BeaconTexts smallTexts() {
  std::string text;
  const std::string piece = randomText(30, 1);
  while (text.size() < 4000) text += piece;
  return {{text}, {text.substr(0, 2000)}};
}

BeaconSettings smallSettings() {
  BeaconSettings settings;
  settings.windowTokens = 128;
  settings.windows = 2;
  settings.rank = 8;
  settings.rounds = 4;
  settings.learningRate = 2e-2;
  settings.heldOutEvery = 8;
  settings.patience = 100;
  return settings;
}

TEST_F(BeaconTest, LearnWhatHelpsTheNextWindow) {
  const c10::InferenceMode training(false);
  std::vector<double> heldOut;
  const auto file = trainBeacons(
      model_.loaded, smallTexts(), smallSettings(), folder_.path(),
      [&](const TrainingStep& step) {
        if (step.heldOutLoss) heldOut.push_back(*step.heldOutLoss);
      },
      silent_);
  ASSERT_GT(heldOut.size(), 2u);
  EXPECT_LT(heldOut.back(), heldOut.front());
  EXPECT_TRUE(std::filesystem::exists(file));
  EXPECT_FALSE(std::filesystem::exists(file.string() + ".checkpoint"));
  const Beacons trained = Beacons::load(file, model_.loaded.info, model_.loaded.weights);
  EXPECT_EQ(trained.about().at("window"), "128");
}

TEST_F(BeaconTest, GoOnFromACheckpointAsIfNeverStopped) {
  const c10::InferenceMode training(false);
  std::vector<double> whole, parts;
  const TemporaryFolder other;
  const BeaconTexts texts = smallTexts();
  trainBeacons(
      model_.loaded, texts, smallSettings(), other.path(),
      [&](const TrainingStep& step) {
        if (step.step > 0) whole.push_back(step.loss.value_or(0));
      },
      silent_);
  ASSERT_GT(whole.size(), 30u);
  const auto stopAt = [&](int last) {
    return [&parts, last](const TrainingStep& step) {
      if (step.step == 0 || step.isPast) return;
      parts.resize(static_cast<std::size_t>(step.step));
      parts.back() = step.loss.value_or(0);
      if (step.step == last) throw Cancelled();
    };
  };
  EXPECT_THROW(trainBeacons(model_.loaded, texts, smallSettings(), folder_.path(), stopAt(25), silent_),
               Cancelled);
  trainBeacons(model_.loaded, texts, smallSettings(), folder_.path(), stopAt(-1), silent_);
  ASSERT_EQ(parts.size(), whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_NEAR(parts[i], whole[i], 1e-3) << "step " << i + 1;
}

TEST_F(BeaconTest, AreNotTrainedForModelsWithWindowsOrWithoutText) {
  const TinyModel windowed("gemma3");
  EXPECT_THROW(BeaconForward{windowed.loaded}, std::runtime_error);
  const auto quiet = [](const TrainingStep&) {};
  BeaconSettings settings = smallSettings();
  EXPECT_THROW(trainBeacons(model_.loaded, {}, settings, folder_.path(), quiet, silent_), std::runtime_error);
  EXPECT_THROW(trainBeacons(model_.loaded, {{"short"}, {"short"}}, settings, folder_.path(), quiet, silent_),
               std::runtime_error);
  settings.windowTokens = 100;
  EXPECT_THROW(trainBeacons(model_.loaded, smallTexts(), settings, folder_.path(), quiet, silent_),
               std::runtime_error);
}

}  // namespace
}  // namespace kvasir
