#include "engine/training/train_beacon.h"

#include <random>

#include "engine/cache/kv_cache.h"
#include "engine/training/beacon_forward.h"
#include "engine/training/training_loop.h"
#include "engine/training/training_memory.h"

namespace kvasir {
namespace {

constexpr std::size_t kMostHeldOut = 16;  // lessons, so that checking costs little beside training
constexpr int kRatios[] = {2, 4, 8, 16, 32};
constexpr const char* kRemedy = "take fewer or shorter windows (--windows, --window).";

std::string nameOfData(const BeaconTexts& texts) {
  RunName name;
  for (const auto* some : {&texts.train, &texts.heldOut}) {
    name.addCount(some->size());
    for (const std::string& text : *some) name.add(text);
  }
  return name.text();
}

/// What a checkpoint must share with the run that goes on from it.
std::string nameOfRun(const LoadedModel& model, const std::string& data, const BeaconSettings& settings) {
  RunName name;
  for (const double number :
       {settings.windowTokens * 1.0, settings.windows * 1.0, settings.rank * 1.0, settings.rounds * 1.0,
        settings.learningRate, settings.warmUp, settings.heldOutEvery * 1.0, settings.patience * 1.0,
        static_cast<double>(settings.seed)})
    name.add(number);
  return name.add(data).add(model.form == DenseForm::Float32 ? "exact" : "fast").text();
}

/// Texts one after the other, cut into lessons; each text begins as the model expects it. What is left over at
/// a text's end is not used.
std::vector<std::vector<TokenId>> lessonsOf(const LoadedModel& model, const std::vector<std::string>& texts,
                                            const BeaconSettings& settings) {
  const auto length = static_cast<std::ptrdiff_t>(settings.windowTokens) * settings.windows;
  std::vector<std::vector<TokenId>> lessons;
  for (const std::string& text : texts) {
    const std::vector<TokenId> tokens = plainTokens(model, text);
    const auto beginning = model.tokenizer->vocabulary().beginning;
    const std::ptrdiff_t own = length - (beginning ? 1 : 0);
    for (auto from = tokens.begin(); tokens.end() - from >= own; from += own) {
      std::vector<TokenId>& lesson = lessons.emplace_back();
      if (beginning) lesson.push_back(*beginning);
      lesson.insert(lesson.end(), from, from + own);
    }
  }
  return lessons;
}

class BeaconTraining {
 public:
  BeaconTraining(const LoadedModel& model, const BeaconTexts& texts, const BeaconSettings& settings,
                 const std::filesystem::path& folder, Listener& listener)
      : model_(model),
        settings_(settings),
        listener_(listener),
        file_(folder / beaconFileName(model.info)),
        train_(lessonsOf(model, texts.train, settings)),
        heldOut_(lessonsOf(model, texts.heldOut, settings)),
        forward_(model),
        trained_(start()),
        files_(texts.files),
        data_(nameOfData(texts)),
        steps_(settings.rounds * static_cast<int>(train_.size())),
        loop_(parametersOf(trained_),
              {steps_, settings.learningRate, settings.warmUp, settings.heldOutEvery, settings.patience}, file_,
              nameOfRun(model, data_, settings), listener) {
    const std::string length = std::to_string(settings.windowTokens * settings.windows);
    if (train_.empty())
      throw std::runtime_error("There is nothing to train on: no text has " + length +
                               " tokens; give longer texts, or fewer windows.");
    if (heldOut_.empty())
      throw std::runtime_error("No text that is held out has " + length +
                               " tokens; some must, to tell when training helps no more.");
    tellHeldOut(heldOut_.size(), kMostHeldOut, listener);
  }

  std::filesystem::path run(const std::function<void(const TrainingStep&)>& report) {
    loop_.run({[this](int step) { return trainStep(step); }, [this](TrainingStep& done) { check(done); },
               [this](const TrainingStep& done) { save(done); }, [this] { return checkStanding(); }},
              report);
    loop_.requireGain();
    return file_;
  }

 private:
  BeaconForward::Trained start() const {
    const Beacons untrained =
        Beacons::untrained(model_.weights, beaconToken(model_), settings_.rank, settings_.seed);
    return {untrained.embedding(), untrained.layers()};
  }
  static std::vector<at::Tensor> parametersOf(BeaconForward::Trained& trained) {
    std::vector<at::Tensor> parameters = {trained.embedding.requires_grad_(true)};
    for (Adapter::Change& change : trained.layers)
      for (at::Tensor* part : {&change.down, &change.up}) parameters.push_back(part->requires_grad_(true));
    return parameters;
  }

  /// The lesson with a ratio drawn for each of its windows but the last (§3.3).
  BeaconLesson drawn(const std::vector<TokenId>& tokens, std::uint64_t seed) const {
    BeaconLesson lesson{tokens, settings_.windowTokens, {}};
    std::mt19937_64 random(seed);
    for (int window = 0; window + 1 < settings_.windows; ++window)
      lesson.ratios.push_back(kRatios[random() % std::size(kRatios)]);
    return lesson;
  }

  std::optional<double> trainStep(int step) {
    const std::vector<TokenId>& lesson = train_[textOfStep(step, train_.size(), settings_.seed)];
    const at::Tensor loss =
        forward_.loss(drawn(lesson, settings_.seed + static_cast<std::uint64_t>(step) * 7919ull), trained_,
                      [&] { breathe(); });
    loss.backward();
    breathe();
    return loss.item<double>();
  }

  /// Mean loss of the lessons held out, every time with the same ratios.
  double lossHeldOut(const BeaconForward::Trained& trained) {
    double sum = 0;
    const std::size_t count = std::min(kMostHeldOut, heldOut_.size());
    for (std::size_t i = 0; i < count; ++i)
      sum += forward_.loss(drawn(heldOut_[i], settings_.seed + i), trained, [&] { breathe(); }).item<double>();
    return sum / static_cast<double>(count);
  }

  void check(TrainingStep& done) { done.heldOutLoss = lossHeldOut(trained_); }

  std::optional<double> checkStanding() {
    BeaconForward::Trained standing;
    try {
      const Beacons beacons = Beacons::load(file_, model_.info, model_.weights);
      standing = {beacons.embedding(), beacons.layers()};
    } catch (const std::runtime_error&) {  // damaged
      return std::nullopt;
    }
    return lossHeldOut(standing);
  }

  void save(const TrainingStep& done) const {
    std::map<std::string, std::string> about = loop_.about(done);
    about.insert({{"rank", std::to_string(settings_.rank)},
                  {"window", std::to_string(settings_.windowTokens)},
                  {"windows", std::to_string(settings_.windows)},
                  {"rounds", std::to_string(settings_.rounds)},
                  {"seed", std::to_string(settings_.seed)},
                  {"files", files_},
                  {"data", data_},
                  {"lessons", std::to_string(train_.size())}});
    Beacons(trained_.embedding, trained_.layers, std::move(about)).save(file_, model_.info);
  }

  void breathe() { listener_.progress({Stage::Training, loop_.step(), steps_, 0}); }

  const LoadedModel& model_;
  BeaconSettings settings_;
  Listener& listener_;
  std::filesystem::path file_;
  std::vector<std::vector<TokenId>> train_, heldOut_;
  BeaconForward forward_;
  BeaconForward::Trained trained_;
  std::string files_, data_;  ///< of the texts, and their name
  int steps_;
  TrainingLoop loop_;
};

/// Of a lesson with the most beacons, which see each other, and of what is trained.
std::uint64_t bytesFor(const LoadedModel& model, const BeaconSettings& settings) {
  constexpr int kSinks = 4;
  const std::int64_t length = settings.windowTokens, most = length / kRatios[0];
  RunSize run;
  for (std::int64_t window = 0; window < settings.windows; ++window) {
    const std::int64_t own = length + (window + 1 < settings.windows ? most : 0);
    run.rows += own;
    run.pairs += own * (kSinks + window * most + own);
  }
  run.targets = length * (settings.windows - 1) - 1;
  std::int64_t trained = model.shape.width;
  for (const LayerWeights& layer : model.weights.layers)
    trained += std::int64_t{settings.rank} * (layer.queryKeyValue.rows() + layer.queryKeyValue.columns());
  return runBytes(model, run) + trainedBytes(trained);
}

}  // namespace

std::filesystem::path trainBeacons(const LoadedModel& model, const BeaconTexts& texts,
                                   const BeaconSettings& settings, const std::filesystem::path& folder,
                                   const std::function<void(const TrainingStep&)>& report, Listener& listener) {
  if (settings.windowTokens < kChunkTokens || settings.windowTokens % kChunkTokens != 0)
    throw std::runtime_error("A window is a multiple of " + std::to_string(kChunkTokens) + " tokens.");
  if (settings.windows < 2)
    throw std::runtime_error("Beacons are told by a later window: take two windows or more.");
  requireMemory(frozenBytes(model) + bytesFor(model, settings), availableMemoryBytes(), kRemedy);
  std::filesystem::create_directories(folder);
  std::filesystem::path file;
  withGradients([&] { file = BeaconTraining(model, texts, settings, folder, listener).run(report); }, kRemedy);
  return file;
}

}  // namespace kvasir
