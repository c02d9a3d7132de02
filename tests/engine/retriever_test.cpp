// Bookmarks and how they are trained.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "engine/model/safetensors.h"
#include "engine/training/retriever_context.h"
#include "engine/training/train_retriever.h"
#include "tests/engine/heard_steps.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

class RetrieverTest : public testing::Test {
 protected:
  Bookmarks moved() const {
    Bookmarks bookmarks = Bookmarks::untrained(*model_.loaded.whitening, 3, 1);
    at::manual_seed(3);
    for (auto& [layer, own] : bookmarks.trained()) {
      own.chunkQuery = at::randn_like(own.chunkQuery);
      own.questionQuery = at::randn_like(own.questionQuery);
      own.up = at::randn_like(own.up) * 0.3;
      own.logWeight = at::randn({}) * 0.5;
    }
    return bookmarks;
  }
  std::filesystem::path file() const { return folder_.path() / retrieverFileName(model_.loaded.info); }

  c10::InferenceMode noGradients_;
  TinyModel model_;
  TemporaryFolder folder_;
  Listener silent_;
};

TEST_F(RetrieverTest, UntrainedBookmarksAreTheWhitenedMeans) {
  const Bookmarks even(*model_.loaded.whitening), start = Bookmarks::untrained(*model_.loaded.whitening, 3, 1);
  const at::Tensor states = at::randn({50, model_.loaded.shape.width});
  for (const int layer : even.layers()) {
    const at::Tensor expected = model_.loaded.whitening->entry(layer, states.mean(0));
    for (const Bookmarks* bookmarks : {&even, &start}) {
      EXPECT_TRUE(at::allclose(bookmarks->chunkEntry(layer, states), expected, 1e-4, 1e-5));
      EXPECT_TRUE(at::allclose(bookmarks->questionEntry(layer, states), expected, 1e-4, 1e-5));
      EXPECT_EQ(bookmarks->weight(layer).item<float>(), 1);
    }
  }
}

using Entry = std::vector<double>;

/// An entry by plain loops: softmax over tokens, whitening and low-rank change, unit length.
Entry plainEntry(const Bookmarks::Layer& own, const Whitening::Layer& base, const at::Tensor& asks,
                 const at::Tensor& states) {
  const at::Tensor token = states.to(at::kDouble), query = asks.to(at::kDouble),
                   mean = base.mean.to(at::kDouble), projection = base.projection.to(at::kDouble),
                   up = own.up.to(at::kDouble), down = own.down.to(at::kDouble);
  const auto t = token.accessor<double, 2>(), p = projection.accessor<double, 2>(),
             u = up.accessor<double, 2>(), d = down.accessor<double, 2>();
  const auto q = query.accessor<double, 1>(), m = mean.accessor<double, 1>();
  const auto width = static_cast<std::size_t>(states.size(1));
  std::vector<double> shares, gathered(width);
  double sum = 0, length = 0;
  for (std::int64_t i = 0; i < t.size(0); ++i) {
    double dot = 0;
    for (std::int64_t c = 0; c < t.size(1); ++c) dot += t[i][c] * q[c];
    shares.push_back(std::exp(dot));
    sum += shares.back();
  }
  for (std::int64_t c = 0; c < t.size(1); ++c) {
    double& here = gathered[static_cast<std::size_t>(c)];
    for (std::int64_t i = 0; i < t.size(0); ++i) here += shares[static_cast<std::size_t>(i)] / sum * t[i][c];
    here -= m[c];
  }
  Entry key(width);
  for (std::int64_t r = 0; r < t.size(1); ++r) {
    double& here = key[static_cast<std::size_t>(r)];
    for (std::int64_t c = 0; c < t.size(1); ++c) {
      double weight = p[r][c];
      for (std::int64_t k = 0; k < d.size(0); ++k) weight += u[r][k] * d[k][c];
      here += weight * gathered[static_cast<std::size_t>(c)];
    }
    length += here * here;
  }
  for (double& part : key) part /= std::sqrt(length);
  return key;
}

TEST_F(RetrieverTest, EntriesAreWhatPlainLoopsGive) {
  Bookmarks bookmarks = moved();
  const at::Tensor states = at::randn({9, model_.loaded.shape.width});
  for (const int layer : bookmarks.layers()) {
    const Bookmarks::Layer& own = bookmarks.trained().at(layer);
    const Whitening::Layer& base = model_.loaded.whitening->layer(layer);
    for (const auto& [ours, query] : {std::pair{bookmarks.questionEntry(layer, states), own.questionQuery},
                                      std::pair{bookmarks.chunkEntry(layer, states), own.chunkQuery}}) {
      const Entry expected = plainEntry(own, base, query, states);
      for (std::size_t r = 0; r < expected.size(); ++r)
        EXPECT_NEAR(ours[static_cast<std::int64_t>(r)].item<double>(), expected[r], 1e-4);
    }
  }
}

/// Of the chunks before one: cosines of entries, weighted by what layers are worth, and the mean over those so
/// far.
class PlainBookmarks {
 public:
  PlainBookmarks(Bookmarks& bookmarks, const Whitening& whitening)
      : bookmarks_(bookmarks), whitening_(whitening) {}

  /// Layer by layer, chunk after chunk.
  void hear(int layer, int chunk, bool isQuestion, const at::Tensor& states) {
    if (layer == 0) {
      sums_.assign(static_cast<std::size_t>(chunk), 0.0);
      weights_ = 0;
    }
    const auto known = bookmarks_.trained().find(layer);
    if (known == bookmarks_.trained().end()) return;
    const Bookmarks::Layer& own = known->second;
    const Whitening::Layer& base = whitening_.layer(layer);
    std::vector<Entry>& before = entries_[layer];
    const Entry asked = plainEntry(own, base, isQuestion ? own.questionQuery : own.chunkQuery, states);
    const double weight = std::exp(own.logWeight.item<double>());
    weights_ += weight;
    for (std::size_t i = 0; i < before.size(); ++i)
      sums_[i] += weight * std::inner_product(asked.begin(), asked.end(), before[i].begin(), 0.0);
    before.push_back(plainEntry(own, base, own.chunkQuery, states));
  }
  double scoreOf(int chunk) const { return sums_[static_cast<std::size_t>(chunk)] / weights_; }
  /// As above, but a chunk of paragraphs has the score of the best of them, and a little of its own.
  double askedScoreOf(int chunk, const std::vector<ScoredParagraph>& paragraphs) const {
    std::optional<double> best;
    for (const ScoredParagraph& paragraph : paragraphs) {
      if (chunk < paragraph.firstChunk || chunk > paragraph.lastChunk) continue;
      double cosine = scoreOf(paragraph.firstChunk);
      for (int i = paragraph.firstChunk; i <= paragraph.lastChunk; ++i) cosine = std::max(cosine, scoreOf(i));
      const double score = cosine + static_cast<double>(paragraph.score) + 1e-3 * scoreOf(chunk);
      best = std::max(best.value_or(score), score);
    }
    return best.value_or(scoreOf(chunk));
  }

 private:
  Bookmarks& bookmarks_;
  const Whitening& whitening_;
  std::map<int, std::vector<Entry>> entries_;  // by layer, of each chunk
  std::vector<double> sums_;                   // by chunk
  double weights_ = 0;
};

/// Of six chunks one is the first, one recent and one the block's own, so three are retrieved.
TEST_F(RetrieverTest, TrainedBookmarksRetrieveWhatAPlainSimulationRetrieves) {
  constexpr int kBudget = 768, kChunks = 12;
  Bookmarks bookmarks = moved();
  std::set<float> worth;
  for (const int layer : bookmarks.layers()) worth.insert(bookmarks.weight(layer).item<float>());
  ASSERT_GT(worth.size(), 1u) << "layers weigh alike";
  const KvShape shape = model_.loaded.kvShape();
  ChunkWishes wishes;
  wishes.paragraphs = {{1, 2, 0.3f}, {3, 5, 0.15f}, {6, 8, 0}, {8, 9, 0.2f}};
  const auto policy = findMethod("retrolm").makePolicy(
      {shape, model_.loaded.shape.heads, kBudget, wishes, model_.loaded.whitened.get(), &bookmarks});
  const auto codec = plainCodec(at::kFloat);
  MemoryChunks store(KvCache::slotBytes(shape, *codec, policy->needs().extras));
  KvCache cache(shape, *codec, store, policy->needs().extras);
  PlainBookmarks plain(bookmarks, *model_.loaded.whitening);
  at::manual_seed(9);
  for (int chunk = 0; chunk < kChunks; ++chunk) {
    const bool isQuestion = chunk + 1 == kChunks;
    if (isQuestion) cache.startTail();
    cache.open(kChunkTokens);
    for (int layer = 0; layer < shape.layers; ++layer) {
      const at::Tensor states = at::randn({kChunkTokens, model_.loaded.shape.width});
      const Selection selection =
          policy->select(layer, {chunk, chunk * kChunkTokens, kChunkTokens}, {{}, {}, states}, cache);
      plain.hear(layer, chunk, isQuestion, states);
      if (chunk < 7) continue;
      std::vector<std::pair<double, int>> order;
      for (int i = 1; i < chunk - 1; ++i)
        order.push_back({isQuestion ? -plain.askedScoreOf(i, wishes.paragraphs) : -plain.scoreOf(i), i});
      std::ranges::sort(order);
      std::vector<int> expected = {0, chunk - 1}, chosen;
      for (std::size_t i = 0; i < 3; ++i) expected.push_back(order[i].second);
      std::ranges::sort(expected);
      for (const kvasir::Run& run : selection.runs) chosen.push_back(cache.chunkOf(run.begin));
      EXPECT_EQ(chosen, expected) << "layer " << layer << " chunk " << chunk;
    }
  }
}

TEST_F(RetrieverTest, AreTheSameFromTheirFileAndRefusedElsewhere) {
  const Bookmarks bookmarks = moved();
  bookmarks.save(file(), model_.loaded.info);
  const Bookmarks back = Bookmarks::load(file(), model_.loaded.info, *model_.loaded.whitening);
  EXPECT_EQ(back.id(), Bookmarks::load(file(), model_.loaded.info, *model_.loaded.whitening).id());
  EXPECT_NE(back.id(), model_.loaded.whitened->id());
  const at::Tensor states = at::randn({20, model_.loaded.shape.width});
  const int layer = bookmarks.layers().back();
  EXPECT_TRUE(at::allclose(back.chunkEntry(layer, states), bookmarks.chunkEntry(layer, states), 2e-2, 2e-2));
  const TinyModel other("gemma3");
  EXPECT_THROW(Bookmarks::load(file(), other.loaded.info, *other.loaded.whitening), std::runtime_error);
  const Whitening plain = Whitening::none(model_.loaded.whitening->layers(), model_.loaded.shape.width);
  EXPECT_THROW(Bookmarks::load(file(), model_.loaded.info, plain), std::runtime_error);
  // Who makes a whitening anew goes without, and is not kept from the model.
  EXPECT_EQ(Bookmarks::find({folder_.path()}, model_.loaded.info, *model_.loaded.whitening)->id(), back.id());
  EXPECT_EQ(Bookmarks::find({folder_.path()}, model_.loaded.info, plain)->id(), Bookmarks(plain).id());
}

RetrieverTexts smallTexts() {
  RetrieverTexts texts;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    RetrieverLesson lesson;
    for (std::uint64_t part = 0; part < 2; ++part) {
      const std::size_t begin = lesson.text.size();
      lesson.text += randomText(300, 10 * seed + part) + "\n\n";
      lesson.documents.push_back({begin, lesson.text.size()});
      lesson.items.push_back({lesson.text.substr(begin + 40, 30), {{begin + 40, begin + 70}}});
    }
    texts.train.push_back(lesson);
  }
  texts.heldOut = {texts.train.front()};
  return texts;
}

RetrieverSettings smallSettings() {
  RetrieverSettings settings;
  settings.budgetTokens = 768;
  settings.rank = 4;
  settings.rounds = 6;
  settings.heldOutEvery = 10;
  settings.learningRate = 5e-3;
  settings.patience = 100;
  return settings;
}

/// Ends a training with its start.
void stopAtOnce(const TrainingStep&) { throw Cancelled(); }

TEST_F(RetrieverTest, HearsEveryChunkAndEveryQuestion) {
  const RetrieverLesson lesson = smallTexts().train.front();
  const RetrieverContext context = hearLesson(model_.loaded, lesson, smallSettings().budgetTokens, silent_);
  ASSERT_EQ(context.isGold.size(), 2u);
  for (const int layer : model_.loaded.whitening->layers()) {
    EXPECT_EQ(context.chunks.at(layer).size(), context.documents.size());
    EXPECT_EQ(context.questions.at(layer).size(), 2u);
    EXPECT_EQ(context.chunks.at(layer).front().size(0), kChunkTokens);
  }
  for (const auto& row : context.isGold) EXPECT_GT(std::ranges::count(row, 1), 0);
  EXPECT_EQ(context.documents.front(), 0);
  EXPECT_EQ(context.documents.back(), 1);
}

TEST_F(RetrieverTest, KeepsWhatItHeardAndHearsADamagedFileAgain) {
  const c10::InferenceMode training(false);
  const FrozenStates states(folder_.path() / "states");
  int heard = 0;
  const auto hear = [&] {
    ++heard;
    return hearLesson(model_.loaded, smallTexts().train.front(), smallSettings().budgetTokens, silent_);
  };
  const RetrieverContext first = states.of("text", hear), fresh = hear();
  const auto expectSame = [&](const RetrieverContext& context) {
    EXPECT_EQ(context.isGold, fresh.isGold);
    EXPECT_EQ(context.documents, fresh.documents);
    for (const auto member : {&RetrieverContext::chunks, &RetrieverContext::questions})
      for (const auto& [layer, parts] : fresh.*member) {
        ASSERT_EQ((context.*member).at(layer).size(), parts.size());
        for (std::size_t i = 0; i < parts.size(); ++i)
          EXPECT_TRUE(at::equal((context.*member).at(layer)[i], parts[i].to(at::kBFloat16).to(at::kFloat)));
      }
  };
  heard = 0;
  expectSame(first);
  expectSame(states.of("text", hear));
  EXPECT_EQ(heard, 0);
  std::filesystem::resize_file(folder_.path() / "states" / "text.safetensors", 5000);
  expectSame(states.of("text", hear));
  EXPECT_EQ(heard, 1);
  const RetrieverContext one = first.asking({1});
  EXPECT_EQ(one.isGold, (std::vector<std::vector<char>>{first.isGold[1]}));
  for (const auto& [layer, asked] : one.questions)
    EXPECT_TRUE(at::equal(asked.at(0), first.questions.at(layer)[1]));
  EXPECT_EQ(states.keepOnly({"text", "other"}), 0);
  EXPECT_EQ(states.keepOnly({"other"}), 1);
  heard = 0;
  expectSame(states.of("text", hear));
  EXPECT_EQ(heard, 1);
  states.remove();
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "states"));
  EXPECT_EQ(states.keepOnly({}), 0);
}

/// Ended in the second round and begun anew, it hears no text again and learns what it learns undisturbed.
TEST_F(RetrieverTest, GoesOnWhereItWasEndedWithoutReadingAgain) {
  const c10::InferenceMode training(false);
  struct Stopped {};
  const auto train = [&](const std::filesystem::path& folder, int last) {
    std::vector<TrainingStep> steps;
    const auto note = [&](const TrainingStep& step) {
      if (step.step == 0 || step.isPast) return;
      steps.push_back(step);
      if (step.step == last) throw Stopped();
    };
    try {
      trainRetriever(model_.loaded, smallTexts(), smallSettings(), folder, note, silent_);
    } catch (const Stopped&) {
    }
    return steps;
  };
  const auto whole = train(folder_.path() / "whole", 0);
  train(folder_.path() / "ended", 24);
  const std::filesystem::path states =
      folder_.path() / "ended" / (retrieverFileName(model_.loaded.info) + ".states");
  std::map<std::filesystem::path, std::filesystem::file_time_type> written;
  for (const auto& entry : std::filesystem::directory_iterator(states))
    written[entry.path()] = entry.last_write_time();
  EXPECT_EQ(written.size(), 5u);
  const auto rest = train(folder_.path() / "ended", 25);
  for (const auto& [path, time] : written) EXPECT_EQ(std::filesystem::last_write_time(path), time);
  EXPECT_EQ(rest.front().step, 21);
  EXPECT_NEAR(*rest.back().loss, *whole[24].loss, 1e-4 * std::abs(*whole[24].loss));
  train(folder_.path() / "ended", 0);
  EXPECT_FALSE(std::filesystem::exists(states));
}

TEST_F(RetrieverTest, GradientsAreThoseOfSmallDifferences) {
  const c10::InferenceMode training(false);
  const RetrieverContext context =
      hearLesson(model_.loaded, smallTexts().train.front(), smallSettings().budgetTokens, silent_);
  const Whitening whitening = model_.loaded.whitening->copied();
  Bookmarks bookmarks = Bookmarks::untrained(whitening, 3, 1);
  Bookmarks::Layer& own = bookmarks.trained().begin()->second;
  for (at::Tensor* part : {&own.chunkQuery, &own.questionQuery, &own.up, &own.logWeight})
    part->requires_grad_(true);
  scoreContext(bookmarks, context, smallSettings()).loss.backward();
  const auto loss = [&] {
    const at::NoGradGuard noGradients;
    return scoreContext(bookmarks, context, smallSettings()).loss.item<double>();
  };
  for (at::Tensor* part : {&own.chunkQuery, &own.questionQuery, &own.up, &own.logWeight}) {
    float* value = part->data_ptr<float>() + part->numel() / 2;
    const float before = *value, step = 1e-2f;
    const double slope = part->grad().contiguous().data_ptr<float>()[part->numel() / 2];
    *value = before + step;
    const double above = loss();
    *value = before - step;
    const double below = loss();
    *value = before;
    EXPECT_NEAR((above - below) / (2 * static_cast<double>(step)), slope, 0.05 * std::abs(slope) + 2e-3);
  }
}

TEST_F(RetrieverTest, LearnsWhatItIsShownAndServesAsAMethod) {
  const c10::InferenceMode training(false);
  std::vector<TrainingStep> steps;
  HeardSteps heard;
  RetrieverTexts texts = smallTexts();
  texts.files = "a.jsonl, held out b.jsonl";
  const auto made = trainRetriever(
      model_.loaded, texts, smallSettings(), folder_.path(),
      [&](const TrainingStep& step) {
        if (step.step > 0) steps.push_back(step);
      },
      heard);
  ASSERT_EQ(steps.size(), 30u);
  EXPECT_TRUE(heard.isInOrder && heard.last >= std::ssize(steps) - 1);
  double first = 0, last = 0;
  for (std::size_t i = 0; i < 5; ++i) first += *steps[i].loss, last += *steps[25 + i].loss;
  EXPECT_LT(last, 0.8 * first);
  EXPECT_EQ(made, file());
  EXPECT_FALSE(std::filesystem::exists(made.string() + ".checkpoint"));
  const auto about = readSafetensors(made).metadata;
  EXPECT_EQ(about.at("files"), "a.jsonl, held out b.jsonl");
  EXPECT_EQ(about.at("adapter"), "none");
  EXPECT_EQ(about.at("precision"), "exact");
  EXPECT_EQ(about.at("rate"), "0.005");
  EXPECT_EQ(about.at("rounds"), "6");

  EngineSettings settings = model_.settings();
  ReadSettings read;
  read.method = "retrolm";
  read.budgetTokens = 512;
  const std::string before = Engine(settings, silent_).readingKey(read);
  settings.retrievers.push_back(folder_.path());
  Engine engine(settings, silent_);
  EXPECT_NE(engine.readingKey(read), before);
  AskSettings ask;
  ask.method = "retrolm";
  ask.budgetTokens = 512;
  ask.maxTokens = 2;
  const auto reading = engine.read(randomText(400, 3), read, folder_.path() / "read.kv", silent_);
  EXPECT_FALSE(engine.ask(*reading, "What is abcd?", ask, silent_).evidence.empty());
}

/// A text that is all evidence has nothing to be told apart from.
TEST_F(RetrieverTest, PassesOverATextThatIsAllEvidence) {
  const c10::InferenceMode training(false);
  RetrieverTexts texts = smallTexts();
  RetrieverLesson& lesson = texts.train.front();
  lesson.documents = {{0, lesson.text.size()}};
  lesson.items = {{"What is abcd?", {{0, lesson.text.size()}}}};
  RetrieverSettings settings = smallSettings();
  settings.rounds = 1;
  std::vector<std::optional<double>> losses;
  HeardRemarks heard;
  const std::string message = messageOf([&] {
    trainRetriever(
        model_.loaded, texts, settings, folder_.path(),
        [&](const TrainingStep& step) {
          if (step.step > 0) losses.push_back(step.loss);
        },
        heard);
  });
  EXPECT_THAT(message, testing::AnyOf(testing::IsEmpty(), testing::HasSubstr("No check was better")));
  EXPECT_EQ(losses.size(), 5u);
  EXPECT_EQ(std::ranges::count_if(losses, [](const std::optional<double>& loss) { return !loss; }), 1);
  EXPECT_THAT(heard.said, testing::ElementsAre(testing::HasSubstr("1 of 5 steps had nothing to learn")));
}

TEST_F(RetrieverTest, CountsOnlyQuestionsThatHaveGoldAndOthers) {
  const c10::InferenceMode training(false);
  const Whitening whitening = model_.loaded.whitening->copied();
  const Bookmarks bookmarks = Bookmarks::untrained(whitening, 3, 1);
  RetrieverLesson lesson = smallTexts().train.front();
  const auto score = [&] {
    const auto heard = hearLesson(model_.loaded, lesson, smallSettings().budgetTokens, silent_);
    return scoreContext(bookmarks, heard, smallSettings());
  };
  const RetrieverScore before = score();
  EXPECT_EQ(before.questions, 2);
  lesson.items.push_back({"What is abcd?", {}});
  lesson.items.push_back({"What is efgh?", {{0, lesson.text.size()}}});
  const RetrieverScore after = score();
  EXPECT_EQ(after.questions, 2);
  EXPECT_EQ(after.whollyFound, before.whollyFound);
  lesson.items = {{"What is abcd?", {}}};
  EXPECT_EQ(score().questions, 0);
}

/// An adapter acts on questions, so what was heard with one says nothing to a training with another.
TEST_F(RetrieverTest, HearsAnewWhereAnotherAdapterIsAtWork) {
  auto adapter = randomAdapter(model_.loaded, 4, "questions");
  ModelWeights adapted = adapter->applyTo(model_.loaded.weights, model_.loaded.form);
  const c10::InferenceMode training(false);
  HeardRemarks heard;
  const auto stop = [](const TrainingStep& step) {
    if (step.step == 21) throw Cancelled();
  };
  const auto train = [&](const std::function<void(const TrainingStep&)>& report) {
    trainRetriever(model_.loaded, smallTexts(), smallSettings(), folder_.path(), report, heard);
  };
  EXPECT_THROW(train(stop), Cancelled);
  EXPECT_THAT(heard.said, testing::IsEmpty());
  model_.loaded.adapter = std::move(adapter);
  model_.loaded.adapted = std::move(adapted);
  EXPECT_THROW(train(stopAtOnce), Cancelled);
  EXPECT_THAT(heard.said, testing::Contains(testing::HasSubstr("another training had heard of 5 texts")));
  EXPECT_THAT(heard.said, testing::Contains(testing::HasSubstr("other texts or settings")));
}

TEST_F(RetrieverTest, SaysWhatWouldBeDoneBeforeAndWhatIsPassedOver) {
  EngineSettings settings = model_.settings();
  settings.retrievers.clear();
  const LoadedModel plain = loadModel(settings, silent_);
  const c10::InferenceMode training(false);
  RetrieverTexts texts = smallTexts();
  texts.train.front().items.push_back({"What is abcd?", {}});
  const LoadedModel& whitened = model_.loaded;
  for (const LoadedModel* model : {&whitened, &plain}) {
    HeardRemarks heard;
    EXPECT_THROW(trainRetriever(*model, texts, smallSettings(), folder_.path(), stopAtOnce, heard), Cancelled);
    EXPECT_THAT(heard.said, testing::Contains(testing::HasSubstr("1 of 13 questions have no gold")));
    const bool advises =
        testing::Value(heard.said, testing::Contains(testing::HasSubstr("There is no whitening")));
    EXPECT_EQ(advises, model == &plain);
  }
}

TEST_F(RetrieverTest, IsNotTrainedWithoutTexts) {
  const c10::InferenceMode training(false);
  const auto quiet = [](const TrainingStep&) {};
  RetrieverTexts unasked = smallTexts();
  unasked.heldOut.front().items.clear();
  EXPECT_THAT(messageOf([&] {
                trainRetriever(model_.loaded, unasked, smallSettings(), folder_.path(), quiet, silent_);
              }),
              testing::HasSubstr("held-out questions"));
  EXPECT_THROW(trainRetriever(model_.loaded, {}, smallSettings(), folder_.path(), quiet, silent_),
               std::runtime_error);
}

}  // namespace
}  // namespace kvasir
