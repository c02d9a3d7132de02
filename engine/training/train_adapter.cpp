#include "engine/training/train_adapter.h"

#include <random>

#include "engine/training/adapter_lessons.h"
#include "engine/training/question_branch.h"
#include "engine/training/training_loop.h"
#include "engine/training/training_memory.h"

namespace kvasir {
namespace {

constexpr std::size_t kMostHeldOut = 24;  // texts, so that checking costs little beside training
constexpr const char* kRemedy =
    "ask fewer questions a step (--questions), give shorter texts, or take a smaller --budget.";

/// Names texts and what is asked of them.
std::string nameOfData(const AdapterTexts& texts) {
  RunName name;
  for (const auto* lessons : {&texts.train, &texts.heldOut}) {
    name.addCount(lessons->size());
    for (const AdapterLesson& lesson : *lessons) {
      name.add(lesson.text).addCount(lesson.items.size());
      for (const auto& item : lesson.items) name.add(item.question).add(item.answer);
    }
  }
  return name.text();
}

/// What a checkpoint must share with the run that goes on from it. start: id of what it learns on from.
std::string nameOfRun(const LoadedModel& model, const std::string& data, const std::string& start,
                      const AdapterSettings& settings) {
  RunName name;
  for (const double number :
       {settings.budgetTokens * 1.0, settings.rank * 1.0, settings.rounds * 1.0, settings.questionsEach * 1.0,
        settings.plainShare, settings.learningRate, settings.warmUp, settings.heldOutEvery * 1.0,
        settings.patience * 1.0, static_cast<double>(settings.seed)})
    name.add(number);
  return name.add(data)
      .add(start)
      .add(readingKey(model, {settings.method, settings.budgetTokens}))
      .add(settings.method)
      .text();
}

/// Training attends at the model's own distances to all that a method lets a question see: throws a sentence
/// for methods that do otherwise.
void requirePlainDistances(const Method& method) {
  if (method.positions.make == ropePositions || method.positions.make == clampedPositions) return;
  throw std::runtime_error(std::string("An adapter cannot be trained with the method ") + method.name +
                           ", which gives what it sees other positions; choose another, as retrolm.");
}

int stepsOf(const AdapterTexts& texts, const AdapterSettings& settings) {
  return settings.rounds * static_cast<int>(texts.train.size());
}

/// Changes as training holds them: float32, of their own.
std::vector<Adapter::Layer> ownLayers(const Adapter& adapter) {
  std::vector<Adapter::Layer> layers = adapter.layers();
  for (Adapter::Layer& layer : layers)
    for (Adapter::Change& change : layer)
      change = {change.down.to(at::kFloat, false, true), change.up.to(at::kFloat, false, true)};
  return layers;
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
        data_(nameOfData(texts)),
        start_(Adapter(layers_, {}).id()),
        steps_(stepsOf(texts, settings)),
        loop_(parametersOf(layers_),
              {steps_, settings.learningRate, settings.warmUp, settings.heldOutEvery, settings.patience}, file_,
              nameOfRun(model, data_, start_, settings), listener) {}
  ~AdapterTraining() {
    std::error_code error;
    std::filesystem::remove(scratch_, error);
  }
  AdapterTraining(const AdapterTraining&) = delete;
  AdapterTraining& operator=(const AdapterTraining&) = delete;

  std::filesystem::path run(const std::function<void(const TrainingStep&)>& report) {
    loop_.run({[this](int step) { return trainStep(step); }, [this](TrainingStep& done) { check(done); },
               [this](const TrainingStep& done) { save(done); }, [this] { return checkStanding(); }},
              report);
    loop_.requireGain();
    return file_;
  }

 private:
  /// How a text is visited.
  struct Visit {
    bool isReadAnew = false;  ///< as a prompt, with the adapter
    bool isPlain = false;     ///< its end is foreseen, nothing is asked
    std::uint64_t seed = 0;   ///< of the questions that are asked
  };

  std::vector<Adapter::Layer> startingLayers() const {
    if (settings_.start.empty())
      return Adapter::untrained(model_.weights, settings_.rank, settings_.seed).layers();
    std::vector<Adapter::Layer> layers = ownLayers(Adapter::load(settings_.start, model_.info, model_.weights));
    for (const Adapter::Layer& layer : layers)
      for (const Adapter::Change& change : layer)
        if (const std::int64_t rank = change.down.size(0); rank != settings_.rank)
          throw std::runtime_error(settings_.start.filename().string() + " has rank " + std::to_string(rank) +
                                   ", not " + std::to_string(settings_.rank) +
                                   ": train with its rank, or start without it.");
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

  bool isPlain(const AdapterLesson& lesson, int step) const {
    if (lesson.items.empty()) return true;
    std::mt19937_64 random(settings_.seed * 1000003ull + static_cast<std::uint64_t>(step));
    return static_cast<double>(random() >> 11) * 0x1p-53 < settings_.plainShare;
  }

  /// Branches for some questions of a text.
  std::vector<QuestionBranch> someBranches(const AdapterLesson& lesson, std::uint64_t seed) const {
    std::vector<QuestionBranch> branches;
    for (const std::size_t i : shuffled(lesson.items.size(), seed)) {
      if (static_cast<int>(branches.size()) == settings_.questionsEach) break;
      const auto& item = lesson.items[i];
      if (auto branch = makeBranch(model_, item.question, item.answer.empty() ? kNotInDocument : item.answer))
        branches.push_back(std::move(*branch));
    }
    return branches;
  }

  /// The loss on a text; nothing where there is nothing in it to learn from.
  std::optional<at::Tensor> lossOf(const AdapterLesson& lesson, const Visit& visit,
                                   const std::vector<Adapter::Layer>& layers) {
    const auto breathing = [&] { breathe(); };
    const std::optional<TextEnd> end = visit.isPlain ? endOfText(model_, lesson.text) : std::nullopt;
    std::vector<QuestionBranch> branches;
    if (end)
      branches.push_back(plainBranch(*end));
    else if (!visit.isPlain)
      branches = someBranches(lesson, visit.seed);
    if (branches.empty()) return std::nullopt;
    const std::string_view text(lesson.text.data(), end ? end->start : lesson.text.size());
    if (visit.isReadAnew) return forward_.lossAfter(frameText(model_, text), branches, layers, breathing);
    read(text);
    for (QuestionBranch& branch : branches) placeAfter(model_, *reading_, settings_.budgetTokens, branch);
    return forward_.loss(branches, layers, breathing);
  }

  /// As documents are read.
  void read(std::string_view text) {
    const c10::InferenceMode engineSide(true);
    reading_.reset();
    std::filesystem::remove(scratch_);
    TrainingListener listener([&] { breathe(); });
    reading_ = readText(model_, text, {settings_.method, settings_.budgetTokens, 1024}, scratch_, listener);
  }

  std::optional<double> trainStep(int step) {
    const AdapterLesson& lesson = texts_.train[textOfStep(step, texts_.train.size(), settings_.seed)];
    const std::uint64_t seed = settings_.seed + static_cast<std::uint64_t>(step) * 7919ull;
    const auto loss = lossOf(lesson, {readsAnew(step), isPlain(lesson, step), seed}, layers_);
    if (!loss) return std::nullopt;
    loss->backward();
    breathe();
    return loss->item<double>();
  }

  /// Mean loss of the texts held out; nothing where none of them can be checked.
  std::optional<double> lossHeldOut(const std::vector<Adapter::Layer>& layers) {
    double sum = 0;
    int count = 0;
    for (std::size_t i = 0; i < std::min(kMostHeldOut, texts_.heldOut.size()); ++i) {
      const AdapterLesson& lesson = texts_.heldOut[i];
      const auto loss = lossOf(lesson, {learnsPrompts(), lesson.items.empty(), settings_.seed}, layers);
      if (!loss) continue;
      sum += loss->item<double>();
      ++count;
    }
    return count > 0 ? std::optional(sum / count) : std::nullopt;
  }

  void check(TrainingStep& done) {
    done.heldOutLoss = lossHeldOut(layers_);
    if (!done.heldOutLoss)
      throw std::runtime_error(
          "None of the held-out questions can be checked: with its answer a question has to "
          "fit " +
          std::to_string(kChunkTokens) + " tokens.");
  }

  std::optional<double> checkStanding() {
    std::vector<Adapter::Layer> standing;
    try {
      standing = ownLayers(Adapter::load(file_, model_.info, model_.weights));
    } catch (const std::runtime_error&) {  // damaged
      return std::nullopt;
    }
    return lossHeldOut(standing);
  }

  void save(const TrainingStep& done) const {
    std::map<std::string, std::string> about = loop_.about(done);
    about.insert({{"method", settings_.method},
                  {"acts_on", learnsPrompts() ? Adapter::kPrompts : "questions"},
                  {"budget", std::to_string(settings_.budgetTokens)},
                  {"rank", std::to_string(settings_.rank)},
                  {"rounds", std::to_string(settings_.rounds)},
                  {"questions_each", std::to_string(settings_.questionsEach)},
                  {"plain_share", numberText(settings_.plainShare)},
                  {"seed", std::to_string(settings_.seed)},
                  {"files", texts_.files},
                  {"data", data_},
                  {"texts", std::to_string(texts_.train.size())}});
    if (!settings_.start.empty()) about["from"] = start_;
    Adapter(layers_, std::move(about)).save(file_, model_.info);
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
  std::string data_, start_;  ///< names of the texts and of what it learns on from
  int steps_;
  TrainingLoop loop_;
  std::shared_ptr<const StoredReading> reading_;  ///< of the branches at work
};

std::int64_t trainedNumbers(const ModelWeights& weights, int rank) {
  std::int64_t numbers = 0;
  for (const LayerWeights& layer : weights.layers)
    for (int i = 0; i < Adapter::kProjections; ++i) {
      const WeightMatrix& matrix = projectionOf(layer, static_cast<Adapter::Projection>(i));
      numbers += std::int64_t{rank} * (matrix.rows() + matrix.columns());
    }
  return numbers;
}

}  // namespace

std::filesystem::path trainAdapter(const LoadedModel& model, const AdapterTexts& texts,
                                   const AdapterSettings& settings, const std::filesystem::path& folder,
                                   const std::function<void(const TrainingStep&)>& report, Listener& listener) {
  requireTexts(texts);
  const Method& method = findMethod(settings.method);
  requirePlainDistances(method);
  requireBudget(model, method, settings.budgetTokens);
  const LessonCounts counts = countLessons(model, texts, settings, [&] {
    listener.progress({Stage::Training, 0, stepsOf(texts, settings), 0});
  });
  if (counts.tooLong > 0)
    listener.remark(std::to_string(counts.tooLong) + " of " + std::to_string(counts.questions) +
                    " questions are left out: with its answer a question has to fit " +
                    std::to_string(kChunkTokens) + " tokens.");
  tellHeldOut(texts.heldOut.size(), kMostHeldOut, listener);
  const std::uint64_t trained = trainedBytes(trainedNumbers(model.weights, settings.rank));
  requireMemory(frozenBytes(model) + trained + counts.mostBytes, availableMemoryBytes(), kRemedy);
  std::filesystem::create_directories(folder);
  std::filesystem::path file;
  withGradients([&] { file = AdapterTraining(model, texts, settings, folder, listener).run(report); }, kRemedy);
  return file;
}

}  // namespace kvasir
