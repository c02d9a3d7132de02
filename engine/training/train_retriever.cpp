#include "engine/training/train_retriever.h"

#include <set>

#include "engine/reading.h"
#include "engine/training/retriever_context.h"
#include "engine/training/training_loop.h"
#include "engine/training/training_memory.h"

namespace kvasir {
namespace {

constexpr std::size_t kMostHeldOut = 24;  // texts
constexpr const char* kRemedy = "take shorter texts.";

class RetrieverTraining {
 public:
  RetrieverTraining(const LoadedModel& model, const RetrieverTexts& texts, const RetrieverSettings& settings,
                    const std::filesystem::path& folder, Listener& listener)
      : model_(model),
        texts_(texts),
        settings_(settings),
        listener_(listener),
        file_(folder / retrieverFileName(model.info)),
        states_(file_.string() + ".states"),
        whitening_(model.whitening->copied()),
        bookmarks_(Bookmarks::untrained(whitening_, settings.rank, settings.seed)),
        data_(nameOfData()),
        adapter_(model.adapter ? model.adapter->id() : "none"),
        steps_(settings.rounds * static_cast<int>(texts.train.size())),
        loop_(parameters(),
              {steps_, settings.learningRate, settings.warmUp, settings.heldOutEvery, settings.patience}, file_,
              nameOfRun(), listener) {}

  std::filesystem::path run(const std::function<void(const TrainingStep&)>& report) {
    dropOtherStates();
    loop_.run({[this](int step) { return trainStep(step); }, [this](TrainingStep& done) { check(done); },
               [this](const TrainingStep& done) { save(done); }, [this] { return checkStanding(); }},
              report);
    states_.remove();
    loop_.requireGain();
    return file_;
  }

 private:
  std::vector<at::Tensor> parameters() {
    std::vector<at::Tensor> parameters;
    for (auto& [layer, own] : bookmarks_.trained())
      for (at::Tensor* part : {&own.chunkQuery, &own.questionQuery, &own.down, &own.up, &own.logWeight}) {
        part->requires_grad_(true);
        parameters.push_back(*part);
      }
    return parameters;
  }

  /// Of texts and what is asked of them.
  std::string nameOfData() const {
    RunName name;
    for (const auto* lessons : {&texts_.train, &texts_.heldOut}) {
      name.addCount(lessons->size());
      for (const RetrieverLesson& lesson : *lessons) {
        name.add(lesson.text);
        addPlaces(name, lesson);
      }
    }
    return name.text();
  }

  /// Of how texts are read and questions heard: the adapter at work acts on these.
  std::string nameOfHearing() const {
    return readingKey(model_, {kHeardBy, settings_.budgetTokens}) + "-" + adapter_;
  }

  std::string nameOfRun() const {
    RunName name;
    for (const double number : {settings_.budgetTokens * 1.0, settings_.rank * 1.0, settings_.rounds * 1.0,
                                settings_.questionsEach * 1.0, settings_.temperature, settings_.readingShare,
                                settings_.learningRate, settings_.warmUp, settings_.heldOutEvery * 1.0,
                                settings_.patience * 1.0, static_cast<double>(settings_.seed)})
      name.add(number);
    return name.add(data_).add(nameOfHearing()).add(model_.whitening->id()).text();
  }

  /// Trainings that were given up leave what they heard; what this one can use of it stays.
  void dropOtherStates() const {
    std::set<std::string> names;
    for (const auto* lessons : {&texts_.train, &texts_.heldOut})
      for (const RetrieverLesson& lesson : *lessons) names.insert(nameOf(lesson));
    if (const int dropped = states_.keepOnly(names); dropped > 0)
      listener_.remark("Removed what another training had heard of " + std::to_string(dropped) +
                       " texts and left behind.");
  }

  std::optional<double> trainStep(int step) {
    const RetrieverLesson& lesson = texts_.train[textOfStep(step, texts_.train.size(), settings_.seed)];
    const RetrieverScore score =
        scoreContext(bookmarks_, hear(lesson, static_cast<std::uint64_t>(step) * 7919ull), settings_);
    breathe();
    if (score.questions == 0 || !score.loss.requires_grad()) return std::nullopt;  // nothing to tell apart
    score.loss.backward();
    breathe();
    return score.loss.item<double>();
  }

  /// What bookmarks make of the texts held out. Texts of which no question is judged are passed over.
  struct HeldOut {
    double loss = 0;
    int texts = 0, questions = 0, found = 0;
  };
  HeldOut scoreHeldOut(const Bookmarks& bookmarks) {
    HeldOut sum;
    for (std::size_t i = 0; i < std::min(kMostHeldOut, texts_.heldOut.size()); ++i) {
      const RetrieverScore score = scoreContext(bookmarks, hear(texts_.heldOut[i], 0), settings_);
      if (score.questions == 0) continue;
      sum.loss += score.loss.item<double>();
      ++sum.texts;
      sum.questions += score.questions;
      sum.found += score.whollyFound;
    }
    return sum;
  }

  void check(TrainingStep& done) {
    const HeldOut sum = scoreHeldOut(bookmarks_);
    if (sum.texts == 0)
      throw std::runtime_error(
          "None of the held-out questions can be checked: none has a gold chunk, and others "
          "to tell it from.");
    done.heldOutLoss = sum.loss / sum.texts;
    done.heldOutRecall = static_cast<double>(sum.found) / sum.questions;
  }

  std::optional<double> checkStanding() {
    std::unique_ptr<Bookmarks> standing;
    try {
      standing = std::make_unique<Bookmarks>(Bookmarks::load(file_, model_.info, whitening_));
    } catch (const std::runtime_error&) {  // damaged, or over another whitening
      return std::nullopt;
    }
    const HeldOut sum = scoreHeldOut(*standing);
    return sum.texts > 0 ? std::optional(sum.loss / sum.texts) : std::nullopt;
  }

  void save(const TrainingStep& done) {
    std::map<std::string, std::string> about = loop_.about(done);
    about.insert({{"rank", std::to_string(settings_.rank)},
                  {"budget", std::to_string(settings_.budgetTokens)},
                  {"rounds", std::to_string(settings_.rounds)},
                  {"questions_each", std::to_string(settings_.questionsEach)},
                  {"seed", std::to_string(settings_.seed)},
                  {"adapter", adapter_},
                  {"precision", model_.form == DenseForm::Float32 ? "exact" : "fast"},
                  {"files", texts_.files},
                  {"data", data_},
                  {"texts", std::to_string(texts_.train.size())}});
    Bookmarks(whitening_, bookmarks_.trained(), std::move(about)).save(file_, model_.info);
  }

  /// Names all that decides what is heard of a text.
  std::string nameOf(const RetrieverLesson& lesson) const {
    RunName name;
    name.add(nameOfHearing()).add(lesson.text);
    addPlaces(name, lesson);
    return name.text();
  }

  /// Its documents, questions and gold.
  static void addPlaces(RunName& name, const RetrieverLesson& lesson) {
    const auto addStretches = [&](const std::vector<RetrieverLesson::Stretch>& stretches) {
      name.addCount(stretches.size());
      for (const auto& stretch : stretches)
        name.add(static_cast<double>(stretch.start)).add(static_cast<double>(stretch.end));
    };
    addStretches(lesson.documents);
    name.addCount(lesson.items.size());
    for (const RetrieverLesson::Item& item : lesson.items) {
      name.add(item.question);
      addStretches(item.gold);
    }
  }

  /// The text with as many of its questions as a visit asks, others at each.
  RetrieverContext hear(const RetrieverLesson& lesson, std::uint64_t visit) {
    TrainingListener listener([&] { breathe(); });
    const RetrieverContext whole = states_.of(
        nameOf(lesson), [&] { return hearLesson(model_, lesson, settings_.budgetTokens, listener); });
    std::vector<std::size_t> places = shuffled(whole.isGold.size(), settings_.seed + visit);
    places.resize(std::min(places.size(), static_cast<std::size_t>(settings_.questionsEach)));
    return whole.asking(places);
  }
  void breathe() { listener_.progress({Stage::Training, loop_.step(), steps_, 0}); }

  const LoadedModel& model_;
  const RetrieverTexts& texts_;
  RetrieverSettings settings_;
  Listener& listener_;
  std::filesystem::path file_;
  FrozenStates states_;
  Whitening whitening_;
  Bookmarks bookmarks_;
  std::string data_, adapter_;  ///< names of the texts, and of what acts on questions
  int steps_;
  TrainingLoop loop_;
};

/// Whether it is that of a model which none was made for.
bool isPlain(const Whitening& whitening) {
  const at::Tensor& projection = whitening.layer(whitening.layers().front()).projection;
  return at::equal(projection, at::eye(projection.size(0)));
}

/// What is passed over, and what would be done better before.
void tellOfTexts(const LoadedModel& model, const RetrieverTexts& texts, Listener& listener) {
  int questions = 0, without = 0;
  for (const auto* lessons : {&texts.train, &texts.heldOut})
    for (const RetrieverLesson& lesson : *lessons)
      for (const RetrieverLesson::Item& item : lesson.items) {
        ++questions;
        without += item.gold.empty();
      }
  if (without > 0)
    listener.remark(std::to_string(without) + " of " + std::to_string(questions) +
                    " questions have no gold and are passed over.");
  tellHeldOut(texts.heldOut.size(), kMostHeldOut, listener);
  if (isPlain(*model.whitening))
    listener.remark(
        "There is no whitening for this model, so bookmarks begin with plain cosines; after kvasir-cli train "
        "whitening they begin with what finds more.");
}

/// Of the largest text: its keys and values, and what is heard of it, twice, as it comes and goes to a file.
std::uint64_t bytesFor(const LoadedModel& model, const RetrieverTexts& texts, Listener& listener) {
  std::size_t most = 0;
  for (const auto* lessons : {&texts.train, &texts.heldOut})
    for (const RetrieverLesson& lesson : *lessons) {
      listener.progress({Stage::Training, 0, std::ssize(texts.train), 0});
      most = std::max(most, frameText(model, lesson.text).size());
    }
  const std::uint64_t heard = model.whitening->layers().size() * static_cast<std::uint64_t>(model.shape.width);
  return readBytes(model, static_cast<std::int64_t>(most)) + 2 * sizeof(float) * heard * most;
}

}  // namespace

std::filesystem::path trainRetriever(const LoadedModel& model, const RetrieverTexts& texts,
                                     const RetrieverSettings& settings, const std::filesystem::path& folder,
                                     const std::function<void(const TrainingStep&)>& report,
                                     Listener& listener) {
  requireTexts(texts);
  tellOfTexts(model, texts, listener);
  requireMemory(bytesFor(model, texts, listener), availableMemoryBytes(), kRemedy);
  std::filesystem::create_directories(folder);
  std::filesystem::path file;
  withGradients([&] { file = RetrieverTraining(model, texts, settings, folder, listener).run(report); },
                kRemedy);
  return file;
}

}  // namespace kvasir
