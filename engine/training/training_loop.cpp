#include "engine/training/training_loop.h"

#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numbers>
#include <numeric>
#include <random>

#include "engine/model/named_tensor.h"
#include "engine/training/training_memory.h"

namespace kvasir {
namespace {

using Json = nlohmann::json;
using Metadata = std::map<std::string, std::string>;

constexpr int kCheckpointEvery = 20;  // steps

std::string lossText(double loss) {
  char text[64];
  std::snprintf(text, sizeof text, "%.3f", loss);
  return text;
}

std::string textIn(const Metadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? std::string("0") : found->second;
}

double numberIn(const Metadata& metadata, const char* key) {
  const std::string text = textIn(metadata, key);
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

int wholeIn(const Metadata& metadata, const char* key) { return static_cast<int>(numberIn(metadata, key)); }

/// Of a file that `saveBest` wrote; empty where there is none, or none that is sound.
Metadata metadataOf(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return {};
  try {
    return readSafetensors(file).metadata;
  } catch (const std::runtime_error&) {
    return {};
  }
}

/// Steps as a checkpoint keeps them: [step, loss, loss held out, recall held out, whether it was the best].
std::string packed(const std::vector<TrainingStep>& steps) {
  const auto cell = [](const std::optional<double>& number) { return number ? Json(*number) : Json(nullptr); };
  Json rows = Json::array();
  for (const TrainingStep& step : steps)
    rows.push_back(Json::array(
        {step.step, cell(step.loss), cell(step.heldOutLoss), cell(step.heldOutRecall), step.isBest}));
  return rows.dump();
}

std::vector<TrainingStep> unpacked(const std::string& text, int steps) {
  std::vector<TrainingStep> history;
  for (const Json& row : Json::parse(text)) {
    const auto cell = [&](std::size_t place) {
      return row[place].is_null() ? std::optional<double>() : std::optional<double>(row[place].get<double>());
    };
    TrainingStep& step = history.emplace_back();
    step.step = row[std::size_t{0}].get<int>();
    step.steps = steps;
    step.loss = cell(1);
    step.heldOutLoss = cell(2);
    step.heldOutRecall = cell(3);
    step.isBest = row[std::size_t{4}].get<bool>();
  }
  return history;
}

}  // namespace

std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937_64 random(seed);  // std::shuffle gives other orders with other libraries
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  return order;
}

std::size_t textOfStep(int step, std::size_t texts, std::uint64_t seed) {
  const std::size_t visit = static_cast<std::size_t>(step - 1);
  return shuffled(texts, seed * 1000 + visit / texts)[visit % texts];
}

void tellHeldOut(std::size_t texts, std::size_t checked, Listener& listener) {
  if (texts > checked)
    listener.remark("Of the " + std::to_string(texts) + " texts held out the first " + std::to_string(checked) +
                    " are checked on.");
}

RunName& RunName::add(std::string_view text) {
  for (const char letter : text) hash_ = (hash_ ^ static_cast<unsigned char>(letter)) * 0x100000001b3ull;
  hash_ = (hash_ ^ 0x1f) * 0x100000001b3ull;
  return *this;
}

TrainingLoop::TrainingLoop(std::vector<at::Tensor> parameters, const LoopSettings& settings,
                           std::filesystem::path file, std::string run, Listener& listener)
    : settings_(settings),
      file_(std::move(file)),
      checkpoint_(file_.string() + ".checkpoint"),
      run_(std::move(run)),
      listener_(listener),
      adam_(std::move(parameters)),
      best_(std::numeric_limits<double>::infinity()) {}

void TrainingLoop::run(const Work& work, const Report& report) {
  if (isFinished(report)) return;
  resume();
  for (TrainingStep past : history_) {
    past.isPast = true;
    report(past);
  }
  if (history_.empty()) begin(work, report);
  while (step_ < settings_.steps && checksWithoutGain_ < settings_.patience) {
    TrainingStep done = takeStep(work);
    if (step_ % settings_.heldOutEvery == 0 || step_ == settings_.steps) judge(done, work);
    history_.push_back(done);
    if (step_ % kCheckpointEvery == 0) save();
    report(done);
  }
  finish();
}

/// A file of this very run that was marked when it ended. Its best is told in place of all steps.
bool TrainingLoop::isFinished(const Report& report) {
  const Metadata metadata = metadataOf(file_);
  if (textIn(metadata, "run") != run_ || !metadata.contains("finished")) return false;
  listener_.remark("This training is finished, and " + file_.string() +
                   " is what came of it. To train anew remove that file, or change something, as the seed.");
  TrainingStep best;
  best.step = bestStep_ = wholeIn(metadata, "steps");
  best.steps = settings_.steps;
  best.heldOutLoss = numberIn(metadata, "held_out_loss");
  if (metadata.contains("held_out_recall")) best.heldOutRecall = numberIn(metadata, "held_out_recall");
  best.isBest = best.isPast = true;
  report(best);
  return true;
}

/// Nothing is written where nothing is gained: the first check has to be better than the start already.
void TrainingLoop::begin(const Work& work, const Report& report) {
  TrainingStep start;
  start.steps = settings_.steps;
  {
    const at::NoGradGuard noGradients;
    work.check(start);
    const double loss = start.heldOutLoss.value_or(best_);
    if (std::isfinite(loss)) best_ = loss;
    std::error_code error;
    const bool isAnothers = std::filesystem::exists(file_, error) && textIn(metadataOf(file_), "run") != run_;
    const std::optional<double> standing = isAnothers ? work.checkStanding() : std::nullopt;
    if (standing && *standing < best_) {
      best_ = *standing;
      listener_.remark("What stands in " + file_.string() + " has a loss of " + lossText(best_) +
                       " on the texts held out, the start " + lossText(loss) +
                       ": only what is better than both takes its place.");
    }
  }
  history_.push_back(start);
  report(start);
}

TrainingStep TrainingLoop::takeStep(const Work& work) {
  TrainingStep done;
  done.step = ++step_;
  done.steps = settings_.steps;
  const std::optional<double> loss = work.train(step_);
  if (!loss) {
    ++empty_;
    return done;
  }
  if (std::isfinite(*loss) && adam_.step(learningRate())) {
    done.loss = loss;
    return done;
  }
  adam_.forgetGradients();
  ++broken_;
  return done;
}

double TrainingLoop::learningRate() const {
  const double done = static_cast<double>(step_) / settings_.steps;
  if (done < settings_.warmUp) return settings_.learningRate * done / settings_.warmUp;
  const double rest = (done - settings_.warmUp) / (1 - settings_.warmUp);
  return settings_.learningRate * (0.05 + 0.95 * (1 + std::cos(std::numbers::pi * rest)) / 2);
}

void TrainingLoop::judge(TrainingStep& done, const Work& work) {
  const at::NoGradGuard noGradients;
  work.check(done);
  done.isBest = done.heldOutLoss.value_or(best_) < best_;  // never where it is no number
  checksWithoutGain_ = done.isBest ? 0 : checksWithoutGain_ + 1;
  if (!done.isBest) return;
  best_ = *done.heldOutLoss;
  bestStep_ = done.step;
  work.saveBest(done);
}

void TrainingLoop::finish() {
  const auto ofAll = [&](int steps) {
    return std::to_string(steps) + " of " + std::to_string(step_) + " steps had ";
  };
  if (empty_ > 0) listener_.remark(ofAll(empty_) + "nothing to learn from.");
  if (broken_ > 0)
    listener_.remark(ofAll(broken_) +
                     "a loss or gradients that are no numbers, and were left out; a smaller --rate may help.");
  if (bestStep_ > 0) markFinished();
  std::error_code error;
  std::filesystem::remove(checkpoint_, error);
}

void TrainingLoop::markFinished() const {
  if (textIn(metadataOf(file_), "run") != run_) return;
  Safetensors contents = readSafetensors(file_);
  contents.metadata["finished"] = std::to_string(step_);
  writeSafetensors(file_, contents);
}

void TrainingLoop::requireGain() const {
  if (bestStep_ > 0) return;
  if (!std::isfinite(best_))
    throw std::runtime_error(
        "No check gave a loss that is a number, so nothing was written; take a smaller --rate, or --precision "
        "exact.");
  throw std::runtime_error("No check was better than what there was before, a loss of " + lossText(best_) +
                           " on the texts held out, so nothing was written; take more or other texts, or "
                           "another --rate.");
}

Metadata TrainingLoop::about(const TrainingStep& done) const {
  Metadata about;
  about["run"] = run_;
  about["steps"] = std::to_string(done.step);
  about["rate"] = numberText(settings_.learningRate);
  if (done.heldOutLoss) about["held_out_loss"] = numberText(*done.heldOutLoss);
  if (done.heldOutRecall) about["held_out_recall"] = numberText(*done.heldOutRecall);
  return about;
}

void TrainingLoop::save() const {
  Safetensors contents;
  contents.metadata = {{"kind", "checkpoint"},
                       {"run", run_},
                       {"step", std::to_string(step_)},
                       {"adam_steps", std::to_string(adam_.steps())},
                       {"best", numberText(best_)},
                       {"best_step", std::to_string(bestStep_)},
                       {"checks", std::to_string(checksWithoutGain_)},
                       {"empty", std::to_string(empty_)},
                       {"broken", std::to_string(broken_)},
                       {"history", packed(history_)}};
  for (std::size_t i = 0; i < adam_.parameters().size(); ++i) {
    const std::string name = std::to_string(i);
    contents.tensors["value." + name] = named(adam_.parameters()[i]);
    contents.tensors["mean." + name] = named(adam_.means()[i]);
    contents.tensors["square." + name] = named(adam_.squares()[i]);
  }
  writeSafetensors(checkpoint_, contents, StoredAs::Float32);
}

void TrainingLoop::resume() {
  std::error_code error;
  if (!std::filesystem::exists(checkpoint_, error)) return;
  const Safetensors contents = readSafetensors(checkpoint_);
  if (textIn(contents.metadata, "run") != run_) {
    listener_.remark(checkpoint_.string() +
                     " is of other texts or settings, so this training begins anew and takes its place.");
    return;
  }
  const at::NoGradGuard noGradients;
  for (std::size_t i = 0; i < adam_.parameters().size(); ++i) {
    const std::string name = std::to_string(i);
    at::Tensor parameter = adam_.parameters()[i];
    parameter.copy_(tensorOf(contents.tensors.at("value." + name)));
    adam_.means()[i] = tensorOf(contents.tensors.at("mean." + name));
    adam_.squares()[i] = tensorOf(contents.tensors.at("square." + name));
  }
  step_ = wholeIn(contents.metadata, "step");
  best_ = numberIn(contents.metadata, "best");
  bestStep_ = wholeIn(contents.metadata, "best_step");
  checksWithoutGain_ = wholeIn(contents.metadata, "checks");
  empty_ = wholeIn(contents.metadata, "empty");
  broken_ = wholeIn(contents.metadata, "broken");
  adam_.resumeAt(wholeIn(contents.metadata, "adam_steps"));
  history_ = unpacked(textIn(contents.metadata, "history"), settings_.steps);
  listener_.remark("Goes on from step " + std::to_string(step_) + " of " + std::to_string(settings_.steps) +
                   ".");
}

void withGradients(const std::function<void()>& training, const char* remedy) {
  const c10::InferenceMode noInference(false);
  try {
    withMemory(training, remedy);
  } catch (const c10::Error& error) {
    throw std::runtime_error(std::string("Training failed: ") + error.what_without_backtrace());
  }
}

}  // namespace kvasir
