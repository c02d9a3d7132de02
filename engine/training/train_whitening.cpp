#include "engine/training/train_whitening.h"

#include <chrono>

#include "engine/text_run.h"

namespace kvasir {
namespace {

/// Dense attention that hands every block's mean hidden state on, layer by layer.
class StateCollector : public KvPolicy {
 public:
  StateCollector(WhiteningSums& sums, int layers) : sums_(sums), layers_(layers), dense_(fullPolicyOver({})) {}

  Needs needs() const override {
    Needs needs;
    for (int layer = 0; layer < layers_; ++layer) needs.stateLayers.push_back(layer);
    return needs;
  }
  Selection select(int layer, const Block& block, const BlockQueries& queries, KvCache& cache) override {
    sums_.add(layer, queries.states.to(at::kFloat).mean(0));
    return dense_->select(layer, block, queries, cache);
  }

 private:
  WhiteningSums& sums_;
  int layers_;
  std::unique_ptr<KvPolicy> dense_;
};

/// A text and its questions as the model reads them.
struct Lesson {
  std::vector<TokenId> text;
  std::vector<std::vector<TokenId>> questions;
};

std::vector<Lesson> tokenize(const LoadedModel& model, const std::vector<Engine::WhiteningText>& texts) {
  std::vector<Lesson> lessons;
  for (const Engine::WhiteningText& text : texts) {
    Lesson& lesson = lessons.emplace_back();
    lesson.text = frameText(model, text.text);
    for (const std::string& question : text.questions)
      lesson.questions.push_back(frameQuestion(model, question));
  }
  return lessons;
}

std::int64_t countTokens(const std::vector<Lesson>& lessons) {
  std::size_t sum = 0;
  for (const Lesson& lesson : lessons) {
    sum += lesson.text.size();
    for (const auto& question : lesson.questions) sum += question.size();
  }
  return static_cast<std::int64_t>(sum);
}

}  // namespace

std::filesystem::path trainWhitening(const LoadedModel& model, const std::vector<Engine::WhiteningText>& texts,
                                     const Engine::WhiteningSettings& settings,
                                     const std::filesystem::path& folder, Listener& listener) {
  constexpr int kStepTokens = 1024;
  const std::vector<Lesson> lessons = tokenize(model, texts);
  const std::int64_t tokens = countTokens(lessons);
  WhiteningSums sums;
  std::int64_t done = 0;
  const auto start = std::chrono::steady_clock::now();
  const auto breathe = [&] {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    listener.progress(
        {Stage::Reading, done, tokens, static_cast<double>(done) / std::max(1e-3, seconds.count())});
  };
  for (const Lesson& lesson : lessons) {
    TextRun run(model, {findMethod("full"),
                        0,
                        nullptr,
                        breathe,
                        {},
                        std::make_unique<StateCollector>(sums, model.shape.layers)});
    run.read(lesson.text, kStepTokens);
    for (const auto& question : lesson.questions) run.read(question, kStepTokens);
    done += countTokens({lesson});
  }
  if (sums.count() < model.shape.width / 2)
    throw std::runtime_error("The texts give only " + std::to_string(sums.count()) +
                             " chunks; a whitening of this model needs at least " +
                             std::to_string(model.shape.width / 2) + ": add more text.");
  const std::vector<int> layers = settings.layers.empty() ? usualWhitenedLayers(model.shape) : settings.layers;
  const Whitening whitening = sums.whitening(layers, settings.shrinkage);
  if (whitening.layers() != layers)
    throw std::runtime_error("A layer that was named has no states to whiten: there are " +
                             std::to_string(model.shape.layers) +
                             ", from 0 on, and those with a window of their own are not retrieved for.");
  std::filesystem::create_directories(folder);
  const std::filesystem::path file = folder / whiteningFileName(model.info);
  whitening.save(file, model.info,
                 std::to_string(texts.size()) + " texts, " + std::to_string(tokens) + " tokens, " +
                     std::to_string(sums.count()) + " chunks, shrinkage " + std::to_string(settings.shrinkage));
  return file;
}

}  // namespace kvasir
