#include "engine/training/training_loop.h"

#include <charconv>
#include <numbers>
#include <numeric>
#include <random>

#include "engine/model/named_tensor.h"

namespace kvasir {
namespace {

constexpr int kCheckpointEvery = 20;  // steps

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

RunName& RunName::add(std::string_view text) {
  for (const char letter : text) hash_ = (hash_ ^ static_cast<unsigned char>(letter)) * 0x100000001b3ull;
  hash_ = (hash_ ^ 0x1f) * 0x100000001b3ull;
  return *this;
}

TrainingLoop::TrainingLoop(std::vector<at::Tensor> parameters, const LoopSettings& settings,
                           std::filesystem::path checkpoint, std::string run)
    : settings_(settings),
      checkpoint_(std::move(checkpoint)),
      run_(std::move(run)),
      adam_(std::move(parameters)),
      best_(std::numeric_limits<double>::infinity()) {
  resume();
}

void TrainingLoop::run(const Work& work, const std::function<void(const TrainingStep&)>& report) {
  while (step_ < settings_.steps && checksWithoutGain_ < settings_.patience) {
    TrainingStep done;
    done.step = ++step_;
    done.steps = settings_.steps;
    const std::optional<double> loss = work.train(step_);
    if (loss) adam_.step(learningRate());
    done.loss = loss.value_or(0);
    if (step_ % settings_.heldOutEvery == 0 || step_ == settings_.steps) judge(done, work);
    if (step_ % kCheckpointEvery == 0) save();
    report(done);
  }
  std::error_code error;
  std::filesystem::remove(checkpoint_, error);
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
  done.isBest = done.heldOutLoss.value_or(0) < best_;
  checksWithoutGain_ = done.isBest ? 0 : checksWithoutGain_ + 1;
  if (!done.isBest) return;
  best_ = done.heldOutLoss.value_or(0);
  work.saveBest(done);
}

void TrainingLoop::save() const {
  Safetensors contents;
  contents.metadata = {{"kind", "checkpoint"},          {"run", run_},
                       {"step", std::to_string(step_)}, {"adam_steps", std::to_string(adam_.steps())},
                       {"best", numberText(best_)},     {"checks", std::to_string(checksWithoutGain_)}};
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
  const std::string best = value("best");
  std::from_chars(best.data(), best.data() + best.size(), best_);
  checksWithoutGain_ = std::stoi(value("checks"));
  adam_.resumeAt(std::stoi(value("adam_steps")));
}

void withGradients(const std::function<void()>& training, const char* remedy) {
  const c10::InferenceMode noInference(false);
  try {
    training();
  } catch (const c10::Error& error) {
    const std::string what = error.what_without_backtrace();
    if (what.find("allocate memory") == std::string::npos) throw std::runtime_error("Training failed: " + what);
    throw std::runtime_error(std::string("There is too little memory for this training; ") + remedy);
  }
}

}  // namespace kvasir
