#include "engine/training/training_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/model/named_tensor.h"
#include "tests/engine/heard_steps.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

/// A training that pulls a number to 3, and what it did.
struct Pull {
  enum class Broken { Nothing, Loss, Gradients };

  explicit Pull(std::filesystem::path itsFile) : file(std::move(itsFile)) {}

  std::filesystem::path file;
  std::string name = "pull";
  LoopSettings settings{60, 0.1, 0.1, 7, 100};
  std::function<bool(int step)> teaches = [](int) { return true; };
  std::function<Broken(int step)> broken = [](int) { return Broken::Nothing; };
  std::function<double(int step)> heldOut = [](int step) { return 1.0 / (1 + step); };
  std::function<void(const TrainingStep&)> report = [](const TrainingStep&) {};
  std::optional<double> standing;

  std::vector<TrainingStep> steps;
  std::vector<int> saved;  ///< steps
  HeardRemarks heard;
  double number = 0;

  void train() {
    const c10::InferenceMode training(false);
    const at::Tensor pulled = at::zeros({1}).requires_grad_(true);
    TrainingLoop loop({pulled}, settings, file, name, heard);
    TrainingLoop::Work work;
    work.train = [&](int step) { return learn(pulled, step); };
    work.check = [&](TrainingStep& done) { done.heldOutLoss = heldOut(done.step); };
    work.saveBest = [&](const TrainingStep& done) {
      saved.push_back(done.step);
      Safetensors contents;
      contents.metadata = loop.about(done);
      contents.tensors["number"] = named(pulled);
      writeSafetensors(file, contents);
    };
    work.checkStanding = [&] { return standing; };
    loop.run(work, [&](const TrainingStep& done) {
      steps.push_back(done);
      report(done);
    });
    number = pulled.item<double>();
    loop.requireGain();
  }
  /// Until this step is reported.
  void trainUntil(int last) {
    report = [last](const TrainingStep& done) {
      if (done.step == last) throw Cancelled();
    };
    EXPECT_THROW(train(), Cancelled);
    report = [](const TrainingStep&) {};
  }

 private:
  std::optional<double> learn(const at::Tensor& pulled, int step) const {
    if (!teaches(step)) return std::nullopt;
    at::Tensor loss = (pulled - 3).square().sum();
    if (broken(step) == Broken::Loss) loss = loss * kNoNumber;
    if (broken(step) == Broken::Gradients) loss = loss + (pulled * 0).sqrt().sum();  // infinitely steep at 0
    loss.backward();
    return loss.item<double>();
  }
};

TEST(TrainingLoop, GoesOnAsIfNeverStoppedWhereStepsHadNothingToLearn) {
  const TemporaryFolder folder;
  Pull whole(folder.path() / "whole"), parts(folder.path() / "parts");
  for (Pull* pull : {&whole, &parts}) pull->teaches = [](int step) { return step % 3 != 0; };
  whole.train();
  EXPECT_THAT(whole.heard.said, ElementsAre(HasSubstr("20 of 60 steps had nothing to learn")));
  parts.trainUntil(45);
  parts.steps.clear();
  parts.train();
  EXPECT_THAT(parts.heard.said, ElementsAre(HasSubstr("from step 40 of 60"), HasSubstr("20 of 60 steps")));
  ASSERT_EQ(whole.steps.size(), 61u);  // the start too
  ASSERT_EQ(parts.steps.size(), whole.steps.size());
  for (std::size_t i = 0; i < whole.steps.size(); ++i) {
    const TrainingStep &expected = whole.steps[i], &found = parts.steps[i];
    EXPECT_EQ(found.step, static_cast<int>(i));
    EXPECT_EQ(found.loss, expected.loss) << "step " << i;
    EXPECT_EQ(found.heldOutLoss, expected.heldOutLoss) << "step " << i;
    EXPECT_EQ(found.isBest, expected.isBest) << "step " << i;
    EXPECT_EQ(found.isPast, i <= 40) << "step " << i;
    EXPECT_EQ(found.loss.has_value(), i % 3 != 0) << "step " << i;
  }
}

TEST(TrainingLoop, WritesNothingThatIsNoBetterThanTheStart) {
  const TemporaryFolder folder;
  Pull pull(folder.path() / "file");
  pull.heldOut = [](int step) { return step == 35 ? 1.0 : 1.0 + step; };  // a tie is no gain
  EXPECT_THAT(messageOf([&] { pull.train(); }), HasSubstr("a loss of 1.000"));
  EXPECT_THAT(pull.saved, IsEmpty());
  EXPECT_EQ(pull.steps.front().step, 0);
  EXPECT_EQ(pull.steps.front().heldOutLoss, 1.0);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(TrainingLoop, ReplacesOnlyWhatItIsBetterThan) {
  const TemporaryFolder folder;
  Pull first(folder.path() / "file"), second(folder.path() / "file");
  first.train();
  second.name = "another";
  second.standing = 1.0 / 30;
  second.train();
  EXPECT_THAT(second.saved, ElementsAre(35, 42, 49, 56, 60));
  EXPECT_THAT(second.heard.said, ElementsAre(HasSubstr("What stands in")));
}

TEST(TrainingLoop, EndsWhenChecksGainNoMore) {
  const TemporaryFolder folder;
  Pull pull(folder.path() / "file");
  pull.settings.patience = 3;
  pull.heldOut = [](int step) { return step == 21 || step > 28 ? 1.0 : 1.0 / (1 + step); };
  pull.train();
  EXPECT_THAT(pull.saved, ElementsAre(7, 14, 28));
  EXPECT_EQ(pull.steps.back().step, 28 + 3 * 7);
}

TEST(TrainingLoop, LeavesOutStepsThatAreNoNumbers) {
  const TemporaryFolder folder;
  Pull pull(folder.path() / "file");
  pull.broken = [](int step) {
    return step % 10 == 5   ? Pull::Broken::Loss
           : step % 10 == 7 ? Pull::Broken::Gradients
                            : Pull::Broken::Nothing;
  };
  pull.train();
  EXPECT_GT(pull.number, 1.5);
  EXPECT_THAT(pull.heard.said, ElementsAre(HasSubstr("12 of 60 steps had a loss or gradients")));
  EXPECT_EQ(std::ranges::count_if(pull.steps, [](const TrainingStep& step) { return !step.loss; }), 13);
}

TEST(TrainingLoop, TakesNoCheckForTheBestThatIsNoNumber) {
  const TemporaryFolder folder;
  Pull never(folder.path() / "never"), later(folder.path() / "later");
  never.heldOut = [](int) { return kNoNumber; };
  EXPECT_THAT(messageOf([&] { never.train(); }), HasSubstr("No check gave a loss that is a number"));
  EXPECT_THAT(never.saved, IsEmpty());
  later.heldOut = [](int step) { return step < 14 || step > 30 ? kNoNumber : 1.0 / step; };
  later.train();
  EXPECT_THAT(later.saved, ElementsAre(14, 21, 28));
}

TEST(TrainingLoop, SaysThatItIsFinishedWhereItIs) {
  const TemporaryFolder folder;
  Pull pull(folder.path() / "file"), again(pull.file), changed(pull.file);
  pull.train();
  EXPECT_FALSE(std::filesystem::exists(pull.file.string() + ".checkpoint"));
  again.train();
  EXPECT_THAT(again.heard.said, ElementsAre(HasSubstr("finished")));
  EXPECT_THAT(again.saved, IsEmpty());
  ASSERT_EQ(again.steps.size(), 1u);  // its best
  EXPECT_TRUE(again.steps[0].isPast && again.steps[0].isBest);
  EXPECT_EQ(again.steps[0].step, 60);
  EXPECT_EQ(again.steps[0].heldOutLoss, pull.steps.back().heldOutLoss);
  changed.name = "another";
  changed.train();
  EXPECT_EQ(changed.steps.size(), 61u);
}

TEST(TrainingLoop, IsNotFinishedByAFileOfARunThatWasEnded) {
  const TemporaryFolder folder;
  Pull pull(folder.path() / "file");
  pull.trainUntil(15);  // before the first checkpoint
  pull.steps.clear();
  pull.train();
  EXPECT_EQ(pull.steps.size(), 61u);
  EXPECT_THAT(pull.saved, ElementsAre(7, 14, 7, 14, 21, 28, 35, 42, 49, 56, 60));
}

TEST(TrainingLoop, SaysThatItPassesOverACheckpointOfAnother) {
  const TemporaryFolder folder;
  Pull ended(folder.path() / "file"), other(ended.file);
  ended.trainUntil(25);
  other.name = "another";
  other.train();
  EXPECT_THAT(other.heard.said, ElementsAre(HasSubstr("other texts or settings")));
  EXPECT_EQ(other.steps.size(), 61u);
}

TEST(Adam, ChangesNothingByGradientsThatAreNoNumbers) {
  const c10::InferenceMode training(false);
  at::Tensor first = at::ones({2}), second = at::ones({2});
  Adam adam({first, second});
  first.mutable_grad() = at::ones({2});
  second.mutable_grad() = at::ones({2}) * kNoNumber;
  EXPECT_FALSE(adam.step(0.1));
  EXPECT_TRUE(at::equal(first, at::ones({2})) && at::equal(second, at::ones({2})));
  EXPECT_EQ(adam.steps(), 0);
  adam.forgetGradients();
  EXPECT_FALSE(first.grad().defined());
  first.mutable_grad() = at::ones({2});
  EXPECT_TRUE(adam.step(0.1));
  EXPECT_LT(first[0].item<double>(), 1);
}

}  // namespace
}  // namespace kvasir
