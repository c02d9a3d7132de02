#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/numbers.h"
#include "engine/training/adam.h"

namespace kvasir {

struct LoopSettings {
  int steps = 0;
  double learningRate = 1e-3;
  double warmUp = 0.05;   ///< share of the steps in which the rate rises; then it falls along a cosine
  int heldOutEvery = 50;  ///< steps
  int patience = 5;       ///< checks on held-out texts without a better loss before it stops
};

/// Places 0 to count - 1 in an order that only the seed decides.
std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed);

/// Which of so many texts a step (from 1) is about: every one once a round, in an order of the round's own.
std::size_t textOfStep(int step, std::size_t texts, std::uint64_t seed);

/// Throws a sentence where there is nothing to train on, or nothing to check with.
template <class Texts>
void requireTexts(const Texts& texts) {
  if (texts.train.empty()) throw std::runtime_error("There is no text to train on.");
  if (texts.heldOut.empty())
    throw std::runtime_error("Some texts must be held out, to tell when training helps no more.");
}

/// Tells where a training stands, whatever it hears of the readings within.
class TrainingListener : public Listener {
 public:
  explicit TrainingListener(std::function<void()> tell) : tell_(std::move(tell)) {}
  void progress(const Progress&) override { tell_(); }

 private:
  std::function<void()> tell_;
};

/// Tells where only the first of the texts held out are checked on.
void tellHeldOut(std::size_t texts, std::size_t checked, Listener& listener);

/// Names a training by all that decides it: what a checkpoint must share with the run that goes on from it.
class RunName {
 public:
  RunName& add(std::string_view text);
  RunName& add(double number) { return add(numberText(number)); }
  /// How many follow: without it the end of a list could be the beginning of the next.
  RunName& addCount(std::size_t count) { return add(static_cast<double>(count)); }
  std::string text() const { return std::to_string(hash_); }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325ull;
};

/// The steps of a training: Adam at a rate that rises and falls, checks on texts held out, an end when these
/// gain no more, checkpoints from which the same run goes on. What it makes has to be better than the start,
/// and than what stands in the file. Steps whose loss or gradients are no numbers teach nothing. Engine thread.
class TrainingLoop {
 public:
  /// What the training itself does. Any of these may throw to stop; the last checkpoint stays.
  struct Work {
    /// The loss, its gradients left in the parameters; nothing where the step had nothing to learn from.
    std::function<std::optional<double>(int step)> train;
    std::function<void(TrainingStep& done)> check;           ///< sets what the texts held out say
    std::function<void(const TrainingStep& done)> saveBest;  ///< after a check that is the best so far
    /// Loss on the texts held out of what the file holds already; nothing where that cannot be compared.
    std::function<std::optional<double>()> checkStanding;
  };
  using Report = std::function<void(const TrainingStep&)>;

  /// file: what `saveBest` writes, with `about` in its metadata; the checkpoint stands beside it. The listener
  /// hears in remarks what became of checkpoint, file and steps, and must outlive it.
  TrainingLoop(std::vector<at::Tensor> parameters, const LoopSettings& settings, std::filesystem::path file,
               std::string run, Listener& listener);

  /// From the last checkpoint of this run, if there is one; no step where the file says that it is finished.
  void run(const Work& work, const Report& report);
  /// After the run: throws a sentence where nothing was better, so that nothing was written.
  void requireGain() const;

  int step() const { return step_; }
  /// What a file tells of this run and of its step that it was written after.
  std::map<std::string, std::string> about(const TrainingStep& done) const;

 private:
  bool isFinished(const Report& report);
  void begin(const Work& work, const Report& report);
  TrainingStep takeStep(const Work& work);
  double learningRate() const;
  void judge(TrainingStep& done, const Work& work);
  void finish();
  void markFinished() const;
  void save() const;
  void resume();

  LoopSettings settings_;
  std::filesystem::path file_, checkpoint_;
  std::string run_;
  Listener& listener_;
  Adam adam_;
  int step_ = 0, checksWithoutGain_ = 0;
  int bestStep_ = 0;                   ///< 0: nothing was better yet
  int empty_ = 0, broken_ = 0;         ///< steps: with nothing to learn from; with something that is no number
  double best_;                        ///< loss that is to be beaten
  std::vector<TrainingStep> history_;  ///< of this run, from the start on
};

/// Runs a training with gradients; says in a sentence where memory does not suffice.
void withGradients(const std::function<void()>& training, const char* remedy);

}  // namespace kvasir
