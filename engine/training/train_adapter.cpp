#include "engine/training/train_adapter.h"

#include <numbers>
#include <numeric>
#include <random>

#include "engine/model/named_tensor.h"
#include "engine/training/adam.h"
#include "engine/training/question_branch.h"

namespace kvasir {
namespace {

constexpr int kMostHeldOut = 24;      // texts, so that checking costs little beside training
constexpr int kCheckpointEvery = 20;  // steps

/// Places 0 to count - 1 in an order that only the seed decides. (std::shuffle gives other orders with other
/// libraries.)
std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937_64 random(seed);
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  return order;
}

/// What a checkpoint must share with the run that goes on from it.
std::string nameOfRun(const AdapterTexts& texts, const AdapterSettings& settings) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  const auto add = [&](std::string_view text) {
    for (const char letter : text) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3ull;
    hash = (hash ^ 0x1f) * 0x100000001b3ull;
  };
  for (const auto* lessons : {&texts.train, &texts.heldOut})
    for (const AdapterLesson& lesson : *lessons) {
      add(lesson.text);
      for (const auto& item : lesson.items) {
        add(item.question);
        add(item.answer);
      }
    }
  for (const double number :
       {settings.budgetTokens * 1.0, settings.rank * 1.0, settings.rounds * 1.0, settings.questionsEach * 1.0,
        settings.learningRate, settings.warmUp, settings.heldOutEvery * 1.0, settings.patience * 1.0,
        static_cast<double>(settings.seed)})
    add(std::to_string(number));
  add(settings.method);
  return std::to_string(hash);
}

class AdapterTraining {
 public:
  AdapterTraining(const LoadedModel& model, const AdapterTexts& texts, const AdapterSettings& settings,
                  const std::filesystem::path& folder, Listener& listener)
      : model_(model),
        texts_(texts),
        settings_(settings),
        listener_(listener),
        file_(folder / adapterFileName(model.info)),
        checkpoint_(file_.string() + ".checkpoint"),
        scratch_(file_.string() + ".reading"),
        run_(nameOfRun(texts, settings)),
        steps_(settings.rounds * static_cast<int>(texts.train.size())),
        forward_(model),
        layers_(startingLayers()),
        adam_(parametersOf(layers_)) {
    resume();
  }
  ~AdapterTraining() {
    std::error_code error;
    std::filesystem::remove(scratch_, error);
  }
  AdapterTraining(const AdapterTraining&) = delete;
  AdapterTraining& operator=(const AdapterTraining&) = delete;

  std::filesystem::path run(const std::function<void(const TrainingStep&)>& report) {
    while (step_ < steps_ && checksWithoutGain_ < settings_.patience) {
      TrainingStep done{++step_, steps_, trainStep(), {}, false};
      if (step_ % settings_.heldOutEvery == 0 || step_ == steps_) check(done);
      if (step_ % kCheckpointEvery == 0) saveCheckpoint();
      report(done);
    }
    std::error_code error;
    std::filesystem::remove(checkpoint_, error);
    return file_;
  }

 private:
  std::vector<Adapter::Layer> startingLayers() const {
    return Adapter::untrained(model_.weights, settings_.rank, settings_.seed).layers();
  }
  static std::vector<at::Tensor> parametersOf(std::vector<Adapter::Layer>& layers) {
    std::vector<at::Tensor> parameters;
    for (Adapter::Layer& layer : layers)
      for (Adapter::Change& change : layer)
        for (at::Tensor* part : {&change.down, &change.up}) {
          part->requires_grad_(true);
          parameters.push_back(*part);
        }
    return parameters;
  }

  double learningRate() const {
    const double done = static_cast<double>(step_) / steps_;
    if (done < settings_.warmUp) return settings_.learningRate * done / settings_.warmUp;
    const double rest = (done - settings_.warmUp) / (1 - settings_.warmUp);
    return settings_.learningRate * (0.05 + 0.95 * (1 + std::cos(std::numbers::pi * rest)) / 2);
  }

  /// Branches for some questions of a text, over a reading of it made now.
  std::vector<QuestionBranch> branchesOf(const AdapterLesson& lesson, std::uint64_t seed) {
    std::shared_ptr<const StoredReading> reading;
    {
      const c10::InferenceMode engineSide(true);
      std::filesystem::remove(scratch_);
      struct Breathing : Listener {
        Listener& outer;
        explicit Breathing(Listener& listener) : outer(listener) {}
        void progress(const Progress&) override { outer.progress({Stage::Training, 0, 0, 0}); }
      } breathing(listener_);
      reading =
          readText(model_, lesson.text, {settings_.method, settings_.budgetTokens, 1024}, scratch_, breathing);
    }
    reading_ = reading;
    std::vector<QuestionBranch> branches;
    for (const std::size_t i : shuffled(lesson.items.size(), seed)) {
      if (static_cast<int>(branches.size()) == settings_.questionsEach) break;
      const auto& item = lesson.items[i];
      auto branch = makeBranch(model_, *reading, settings_.budgetTokens, item.question,
                               item.answer.empty() ? kNotInDocument : item.answer);
      if (branch) branches.push_back(std::move(*branch));
    }
    return branches;
  }

  double trainStep() {
    const std::size_t visit = static_cast<std::size_t>(step_ - 1), count = texts_.train.size();
    const std::uint64_t round = visit / count;
    const std::size_t lesson = shuffled(count, settings_.seed * 1000 + round)[visit % count];
    std::vector<QuestionBranch> branches = branchesOf(texts_.train[lesson], settings_.seed + step_ * 7919ull);
    if (branches.empty()) return 0;
    const at::Tensor loss = forward_.loss(branches, layers_, [&] { breathe(); });
    loss.backward();
    breathe();
    adam_.step(learningRate());
    return loss.item<double>();
  }

  void check(TrainingStep& done) {
    const at::NoGradGuard noGradients;
    double sum = 0;
    int count = 0;
    const std::size_t texts = std::min<std::size_t>(kMostHeldOut, texts_.heldOut.size());
    for (std::size_t i = 0; i < texts; ++i) {
      std::vector<QuestionBranch> branches = branchesOf(texts_.heldOut[i], settings_.seed);
      if (branches.empty()) continue;
      sum += forward_.loss(branches, layers_, [&] { breathe(); }).item<double>();
      ++count;
    }
    done.heldOutLoss = count ? sum / count : 0;
    done.isBest = *done.heldOutLoss < best_;
    checksWithoutGain_ = done.isBest ? 0 : checksWithoutGain_ + 1;
    if (!done.isBest) return;
    best_ = *done.heldOutLoss;
    Adapter(layers_, {{"method", settings_.method},
                      {"budget", std::to_string(settings_.budgetTokens)},
                      {"rank", std::to_string(settings_.rank)},
                      {"texts", std::to_string(texts_.train.size())},
                      {"steps", std::to_string(step_)},
                      {"held_out_loss", std::to_string(best_)}})
        .save(file_, model_.info);
  }

  void breathe() { listener_.progress({Stage::Training, step_, steps_, 0}); }

  void saveCheckpoint() {
    Safetensors contents;
    contents.metadata = {{"kind", "adapter checkpoint"},
                         {"run", run_},
                         {"step", std::to_string(step_)},
                         {"best", std::to_string(best_)},
                         {"checks", std::to_string(checksWithoutGain_)}};
    for (std::size_t i = 0; i < adam_.parameters().size(); ++i) {
      const std::string name = std::to_string(i);
      contents.tensors["value." + name] = named(adam_.parameters()[i]);
      contents.tensors["mean." + name] = named(adam_.means()[i]);
      contents.tensors["square." + name] = named(adam_.squares()[i]);
    }
    writeSafetensors(checkpoint_, contents, StoredAs::Float32);
  }

  void resume() {
    std::error_code error;
    if (!std::filesystem::exists(checkpoint_, error)) return;
    const Safetensors contents = readSafetensors(checkpoint_);
    const auto value = [&](const char* key) {
      const auto found = contents.metadata.find(key);
      return found == contents.metadata.end() ? std::string("0") : found->second;
    };
    if (value("run") != run_) return;
    const at::NoGradGuard noGradients;
    for (std::size_t i = 0; i < adam_.parameters().size(); ++i) {
      const std::string name = std::to_string(i);
      at::Tensor parameter = adam_.parameters()[i];
      parameter.copy_(tensorOf(contents.tensors.at("value." + name)));
      adam_.means()[i] = tensorOf(contents.tensors.at("mean." + name));
      adam_.squares()[i] = tensorOf(contents.tensors.at("square." + name));
    }
    step_ = std::stoi(value("step"));
    best_ = std::stod(value("best"));
    checksWithoutGain_ = std::stoi(value("checks"));
    adam_.resumeAt(step_);
  }

  const LoadedModel& model_;
  const AdapterTexts& texts_;
  AdapterSettings settings_;
  Listener& listener_;
  std::filesystem::path file_, checkpoint_, scratch_;
  std::string run_;
  int steps_;
  BranchForward forward_;
  std::vector<Adapter::Layer> layers_;
  Adam adam_;
  std::shared_ptr<const StoredReading> reading_;  ///< of the branches at work
  int step_ = 0, checksWithoutGain_ = 0;
  double best_ = std::numeric_limits<double>::infinity();
};

}  // namespace

std::filesystem::path trainAdapter(const LoadedModel& model, const AdapterTexts& texts,
                                   const AdapterSettings& settings, const std::filesystem::path& folder,
                                   const std::function<void(const TrainingStep&)>& report, Listener& listener) {
  if (texts.train.empty()) throw std::runtime_error("There is no text to train on.");
  if (texts.heldOut.empty())
    throw std::runtime_error("Some texts must be held out, to tell when training helps no more.");
  std::filesystem::create_directories(folder);
  const c10::InferenceMode noInference(false);
  try {
    return AdapterTraining(model, texts, settings, folder, listener).run(report);
  } catch (const c10::Error& error) {
    const std::string what = error.what_without_backtrace();
    if (what.find("allocate memory") == std::string::npos) throw std::runtime_error("Training failed: " + what);
    throw std::runtime_error("There is too little memory for this training; ask fewer questions a step.");
  }
}

}  // namespace kvasir
