#include "engine/training/train_adapter.h"

#include "engine/passage_prompt.h"
#include "engine/training/question_branch.h"
#include "engine/training/training_loop.h"

namespace kvasir {
namespace {

constexpr int kMostHeldOut = 24;  // texts, so that checking costs little beside training

/// What a checkpoint must share with the run that goes on from it.
std::string nameOfRun(const LoadedModel& model, const AdapterTexts& texts, const AdapterSettings& settings) {
  RunName name;
  for (const auto* lessons : {&texts.train, &texts.heldOut})
    for (const AdapterLesson& lesson : *lessons) {
      name.add(lesson.text);
      for (const auto& item : lesson.items) name.add(item.question).add(item.answer);
    }
  for (const double number :
       {settings.budgetTokens * 1.0, settings.rank * 1.0, settings.rounds * 1.0, settings.questionsEach * 1.0,
        settings.learningRate, settings.warmUp, settings.heldOutEvery * 1.0, settings.patience * 1.0,
        static_cast<double>(settings.seed)})
    name.add(number);
  return name.add(readingKey(model, {settings.method, settings.budgetTokens}))
      .add(settings.method)
      .add(settings.start.generic_string())
      .text();
}

/// Training attends at the model's own distances to all that a method lets a question see: throws a sentence
/// for methods that do otherwise.
void requirePlainDistances(const Method& method) {
  if (method.positions.make == ropePositions || method.positions.make == clampedPositions) return;
  throw std::runtime_error(std::string("An adapter cannot be trained with the method ") + method.name +
                           ", which gives what it sees other positions; choose another, as retrolm.");
}

/// Of a method that reads prompts anew: throws a sentence where a text is more than a prompt holds with a
/// question, which is what the budget does, at most the trained length.
void requireRoom(const LoadedModel& model, const AdapterTexts& texts, int budgetTokens) {
  const int most = promptTokens(model, budgetTokens);
  const auto room = static_cast<std::size_t>(most - kChunkTokens);
  for (const auto* lessons : {&texts.train, &texts.heldOut})
    for (std::size_t i = 0; i < lessons->size(); ++i) {
      const std::size_t tokens = frameText(model, (*lessons)[i].text).size();
      if (tokens > room)
        throw std::runtime_error("Text " + std::to_string(i + 1) +
                                 (lessons == &texts.train ? "" : " of those held out") + " has " +
                                 std::to_string(tokens) + " tokens, and " +
                                 (most < budgetTokens ? "the length the model was trained on"
                                                      : "a budget of " + std::to_string(most)) +
                                 " leaves room for " + std::to_string(room) + ": give shorter texts" +
                                 (most < budgetTokens ? "." : " or a larger budget."));
    }
}

class AdapterTraining {
 public:
  AdapterTraining(const LoadedModel& model, const AdapterTexts& texts, const AdapterSettings& settings,
                  const std::filesystem::path& folder, Listener& listener)
      : model_(model),
        texts_(texts),
        settings_(settings),
        method_(findMethod(settings.method)),
        listener_(listener),
        file_(folder / adapterFileName(model.info)),
        scratch_(file_.string() + ".reading"),
        forward_(model),
        layers_(startingLayers()),
        steps_(settings.rounds * static_cast<int>(texts.train.size())),
        loop_(parametersOf(layers_),
              {steps_, settings.learningRate, settings.warmUp, settings.heldOutEvery, settings.patience},
              file_.string() + ".checkpoint", nameOfRun(model, texts, settings)) {}
  ~AdapterTraining() {
    std::error_code error;
    std::filesystem::remove(scratch_, error);
  }
  AdapterTraining(const AdapterTraining&) = delete;
  AdapterTraining& operator=(const AdapterTraining&) = delete;

  std::filesystem::path run(const std::function<void(const TrainingStep&)>& report) {
    loop_.run({[this](int step) { return trainStep(step); }, [this](TrainingStep& done) { check(done); },
               [this](const TrainingStep& done) { save(done); }},
              report);
    return file_;
  }

 private:
  std::vector<Adapter::Layer> startingLayers() const {
    if (settings_.start.empty())
      return Adapter::untrained(model_.weights, settings_.rank, settings_.seed).layers();
    std::vector<Adapter::Layer> layers = Adapter::load(settings_.start, model_.info, model_.weights).layers();
    for (Adapter::Layer& layer : layers)
      for (Adapter::Change& change : layer) {
        if (const std::int64_t rank = change.down.size(0); rank != settings_.rank)
          throw std::runtime_error(settings_.start.filename().string() + " has rank " + std::to_string(rank) +
                                   ", not " + std::to_string(settings_.rank) +
                                   ": train with its rank, or start without it.");
        change = {change.down.to(at::kFloat, false, true), change.up.to(at::kFloat, false, true)};
      }
    return layers;
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

  /// Whether texts are prompts that are read anew with the adapter.
  bool learnsPrompts() const { return !answersFromReading(method_); }
  /// The same of a step's text. Where the method keeps keys and values too, every fourth step asks these, so
  /// that the adapter goes on to serve methods that answer from them.
  bool readsAnew(int step) const {
    constexpr int kOfReading = 4;
    return learnsPrompts() && (!keepsKv(method_) || step % kOfReading != 0);
  }

  /// Branches for some questions of a text, as `make` makes them.
  template <class Make>
  std::vector<QuestionBranch> someBranches(const AdapterLesson& lesson, std::uint64_t seed,
                                           const Make& make) const {
    std::vector<QuestionBranch> branches;
    for (const std::size_t i : shuffled(lesson.items.size(), seed)) {
      if (static_cast<int>(branches.size()) == settings_.questionsEach) break;
      const auto& item = lesson.items[i];
      if (auto branch = make(item.question, item.answer.empty() ? kNotInDocument : item.answer))
        branches.push_back(std::move(*branch));
    }
    return branches;
  }

  /// The loss on a text; nothing where no question of it fits.
  std::optional<at::Tensor> lossOf(const AdapterLesson& lesson, std::uint64_t seed, bool isReadAnew) {
    const auto breathing = [&] { breathe(); };
    std::vector<QuestionBranch> branches =
        isReadAnew ? someBranches(lesson, seed,
                                  [&](const std::string& question, const std::string& answer) {
                                    return makeBranch(model_, question, answer);
                                  })
                   : branchesOf(lesson, seed);
    if (branches.empty()) return std::nullopt;
    return isReadAnew ? forward_.lossAfter(frameText(model_, lesson.text), branches, layers_, breathing)
                      : forward_.loss(branches, layers_, breathing);
  }

  /// Branches for some questions of a text, over a reading of it made now.
  std::vector<QuestionBranch> branchesOf(const AdapterLesson& lesson, std::uint64_t seed) {
    std::shared_ptr<const StoredReading> reading;
    {
      const c10::InferenceMode engineSide(true);
      std::filesystem::remove(scratch_);
      TrainingListener listener([&] { breathe(); });
      reading =
          readText(model_, lesson.text, {settings_.method, settings_.budgetTokens, 1024}, scratch_, listener);
    }
    reading_ = reading;
    return someBranches(lesson, seed, [&](const std::string& question, const std::string& answer) {
      return makeBranch(model_, *reading, settings_.budgetTokens, question, answer);
    });
  }

  std::optional<double> trainStep(int step) {
    const AdapterLesson& lesson = texts_.train[textOfStep(step, texts_.train.size(), settings_.seed)];
    const auto loss =
        lossOf(lesson, settings_.seed + static_cast<std::uint64_t>(step) * 7919ull, readsAnew(step));
    if (!loss) return std::nullopt;
    loss->backward();
    breathe();
    return loss->item<double>();
  }

  void check(TrainingStep& done) {
    double sum = 0;
    int count = 0;
    const std::size_t texts = std::min<std::size_t>(kMostHeldOut, texts_.heldOut.size());
    for (std::size_t i = 0; i < texts; ++i) {
      const auto loss = lossOf(texts_.heldOut[i], settings_.seed, learnsPrompts());
      if (!loss) continue;
      sum += loss->item<double>();
      ++count;
    }
    if (count == 0)
      throw std::runtime_error(
          "None of the held-out questions can be checked: with its answer a question has to "
          "fit " +
          std::to_string(kChunkTokens) + " tokens.");
    done.heldOutLoss = sum / count;
  }

  void save(const TrainingStep& done) const {
    Adapter(layers_, {{"method", settings_.method},
                      {"acts_on", learnsPrompts() ? Adapter::kPrompts : "questions"},
                      {"budget", std::to_string(settings_.budgetTokens)},
                      {"rank", std::to_string(settings_.rank)},
                      {"texts", std::to_string(texts_.train.size())},
                      {"steps", std::to_string(done.step)},
                      {"held_out_loss", std::to_string(*done.heldOutLoss)}})
        .save(file_, model_.info);
  }

  void breathe() { listener_.progress({Stage::Training, loop_.step(), steps_, 0}); }

  const LoadedModel& model_;
  const AdapterTexts& texts_;
  AdapterSettings settings_;
  const Method& method_;
  Listener& listener_;
  std::filesystem::path file_, scratch_;
  BranchForward forward_;
  std::vector<Adapter::Layer> layers_;
  int steps_;
  TrainingLoop loop_;
  std::shared_ptr<const StoredReading> reading_;  ///< of the branches at work
};

}  // namespace

std::filesystem::path trainAdapter(const LoadedModel& model, const AdapterTexts& texts,
                                   const AdapterSettings& settings, const std::filesystem::path& folder,
                                   const std::function<void(const TrainingStep&)>& report, Listener& listener) {
  requireTexts(texts);
  requirePlainDistances(findMethod(settings.method));
  if (!answersFromReading(findMethod(settings.method))) requireRoom(model, texts, settings.budgetTokens);
  std::filesystem::create_directories(folder);
  std::filesystem::path file;
  withGradients([&] { file = AdapterTraining(model, texts, settings, folder, listener).run(report); },
                "ask fewer questions a step.");
  return file;
}

}  // namespace kvasir
