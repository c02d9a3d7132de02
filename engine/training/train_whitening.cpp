#include "engine/training/train_whitening.h"

#include <chrono>

#include "engine/text_run.h"
#include "engine/training/training_memory.h"

namespace kvasir {
namespace {

constexpr const char* kRemedy = "name fewer --layers, or give shorter texts.";

/// Dense attention that hands every block's mean hidden state on, in some of the layers.
class StateCollector : public KvPolicy {
 public:
  /// layers: ascending.
  StateCollector(WhiteningSums& sums, std::vector<int> layers)
      : sums_(sums), layers_(std::move(layers)), dense_(fullPolicyOver({})) {}

  Needs needs() const override {
    Needs needs;
    needs.stateLayers = layers_;
    return needs;
  }
  Selection select(int layer, const Block& block, const BlockQueries& queries, KvCache& cache) override {
    if (std::ranges::binary_search(layers_, layer)) sums_.add(layer, queries.states.to(at::kFloat).mean(0));
    return dense_->select(layer, block, queries, cache);
  }

 private:
  WhiteningSums& sums_;
  std::vector<int> layers_;
  std::unique_ptr<KvPolicy> dense_;
};

/// The layers that get entries, ascending. Throws a sentence for one that can have none.
std::vector<int> chosenLayers(const ModelShape& shape, std::vector<int> wanted) {
  if (wanted.empty()) return usualWhitenedLayers(shape);
  std::ranges::sort(wanted);
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  for (const int layer : wanted)
    if (layer < 0 || layer >= shape.layers || shape.isLocal(layer))
      throw std::runtime_error("A layer that was named has no states to whiten: there are " +
                               std::to_string(shape.layers) +
                               ", from 0 on, and those with a window of their own are not retrieved for.");
  return wanted;
}

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

/// Sums of so many layers and what is made of one of them, in float64, beside the longest text as it is read.
std::uint64_t bytesFor(const LoadedModel& model, const std::vector<Lesson>& lessons, std::size_t layers) {
  constexpr std::size_t kAtWork = 4;  // covariance, shrunk covariance, its vectors, their products
  std::int64_t longest = 0;
  for (const Lesson& lesson : lessons) longest = std::max(longest, countTokens({lesson}));
  const auto width = static_cast<std::uint64_t>(model.shape.width);
  return readBytes(model, longest) + (layers + kAtWork) * width * width * sizeof(double);
}

std::filesystem::path makeWhitening(const LoadedModel& model, const std::vector<Engine::WhiteningText>& texts,
                                    const Engine::WhiteningSettings& settings,
                                    const std::filesystem::path& folder, Listener& listener) {
  constexpr int kStepTokens = 1024;
  const std::vector<int> layers = chosenLayers(model.shape, settings.layers);
  const std::vector<Lesson> lessons = tokenize(model, texts);
  const std::int64_t tokens = countTokens(lessons);
  requireMemory(bytesFor(model, lessons, layers.size()), availableMemoryBytes(), kRemedy);
  WhiteningSums sums;
  std::int64_t done = 0;
  const auto start = std::chrono::steady_clock::now();
  const auto breathe = [&] {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    listener.progress(
        {Stage::Reading, done, tokens, static_cast<double>(done) / std::max(1e-3, seconds.count())});
  };
  for (const Lesson& lesson : lessons) {
    TextRun run(model,
                {findMethod("full"), 0, nullptr, breathe, {}, std::make_unique<StateCollector>(sums, layers)});
    run.read(lesson.text, kStepTokens);
    for (const auto& question : lesson.questions) run.read(question, kStepTokens);
    done += countTokens({lesson});
  }
  if (sums.count() < model.shape.width / 2)
    throw std::runtime_error("The texts give only " + std::to_string(sums.count()) +
                             " chunks; a whitening of this model needs at least " +
                             std::to_string(model.shape.width / 2) + ": add more text.");
  const Whitening whitening = sums.whitening(layers, settings.shrinkage);
  std::filesystem::create_directories(folder);
  const std::filesystem::path file = folder / whiteningFileName(model.info);
  whitening.save(file, model.info,
                 std::to_string(texts.size()) + " texts, " + std::to_string(tokens) + " tokens, " +
                     std::to_string(sums.count()) + " chunks, shrinkage " + std::to_string(settings.shrinkage));
  return file;
}

}  // namespace

std::filesystem::path trainWhitening(const LoadedModel& model, const std::vector<Engine::WhiteningText>& texts,
                                     const Engine::WhiteningSettings& settings,
                                     const std::filesystem::path& folder, Listener& listener) {
  std::filesystem::path file;
  withMemory([&] { file = makeWhitening(model, texts, settings, folder, listener); }, kRemedy);
  return file;
}

}  // namespace kvasir
