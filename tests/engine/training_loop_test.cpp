#include "engine/training/training_loop.h"

#include <gtest/gtest.h>

#include "engine/listener.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

/// A training that pulls a number to 3, learns nothing at each third step, and ends at `last`.
std::vector<double> losses(const std::filesystem::path& checkpoint, int last) {
  const c10::InferenceMode training(false);
  at::Tensor number = at::zeros({1}).requires_grad_(true);
  std::vector<double> losses;
  TrainingLoop loop({number}, {60, 0.1, 0.1, 7, 100}, checkpoint, "pull");
  TrainingLoop::Work work;
  work.train = [&](int step) -> std::optional<double> {
    if (step % 3 == 0) return std::nullopt;
    const at::Tensor loss = (number - 3).square().sum();
    loss.backward();
    return loss.item<double>();
  };
  work.check = [&](TrainingStep& done) { done.heldOutLoss = 2.0 / 3 + 1e-9 * (done.step / 7 % 2); };
  int best = 0;
  work.saveBest = [&](const TrainingStep&) { ++best; };
  loop.run(work, [&](const TrainingStep& done) {
    losses.push_back(done.loss);
    if (done.step == last) throw Cancelled();
  });
  EXPECT_EQ(best, checkpoint.stem() == "whole" ? 2 : 0) << "a tie is no gain";
  return losses;
}

TEST(TrainingLoop, GoesOnAsIfNeverStoppedWhereStepsHadNothingToLearn) {
  const TemporaryFolder folder;
  const std::vector<double> whole = losses(folder.path() / "whole", -1);
  EXPECT_THROW(losses(folder.path() / "parts", 45), Cancelled);
  const std::vector<double> rest = losses(folder.path() / "parts", -1);  // from step 40 on
  ASSERT_EQ(rest.size(), 20u);
  for (std::size_t i = 0; i < rest.size(); ++i) EXPECT_EQ(rest[i], whole[40 + i]) << "step " << 41 + i;
}

}  // namespace
}  // namespace kvasir
