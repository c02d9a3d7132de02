#include "engine/training/training_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>

#include "kernels/processor.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(TrainingMemory, IsRefusedInASentenceWhereItIsTooLittle) {
  constexpr std::uint64_t kNeeded = 9'300'000'000u, kFree = 3'100'000'000u;
  EXPECT_THAT(messageOf([] { requireMemory(kNeeded, kFree, "ask fewer questions."); }),
              AllOf(HasSubstr("9.3 GB"), HasSubstr("3.1 GB"), HasSubstr("ask fewer questions.")));
  EXPECT_NO_THROW(requireMemory(kNeeded, kNeeded, ""));
  EXPECT_NO_THROW(requireMemory(kNeeded, 0, "")) << "what is free is not known";
}

TEST(TrainingMemory, IsKnownOnLinux) {
#ifdef __linux__
  EXPECT_GT(availableMemoryBytes(), 0u);
  EXPECT_LE(availableMemoryBytes(), machineMemoryBytes());
#else
  EXPECT_EQ(availableMemoryBytes(), 0u);
#endif
}

TEST(TrainingMemory, IsWeightsAndWhatRowsLeave) {
  const c10::InferenceMode noGradients;
  const TinyModel model;
  const auto numbers = static_cast<double>(model.loaded.info.parameters);
  EXPECT_NEAR(static_cast<double>(frozenBytes(model.loaded)), 4 * numbers, 0.05 * 4 * numbers);
  // Of a prompt of 1,000 tokens each head of each layer keeps 4 bytes a pair, which is most of it.
  constexpr std::int64_t kPrompt = 1000;
  const std::uint64_t pairs = 4 * kPrompt * kPrompt * static_cast<std::uint64_t>(model.loaded.shape.layers) *
                              static_cast<std::uint64_t>(model.loaded.shape.heads);
  const std::uint64_t once = runBytes(model.loaded, {kPrompt, 10, kPrompt * kPrompt, 0});
  EXPECT_GT(once, pairs);
  EXPECT_LT(once, 2 * pairs);
  const std::uint64_t twice = runBytes(model.loaded, {2 * kPrompt, 10, 4 * kPrompt * kPrompt, 0});
  EXPECT_GT(twice, 3 * once);
  EXPECT_LE(twice, 4 * once);
}

TEST(TrainingMemory, SaysWhatToLowerWhereItRunsOut) {
  EXPECT_THAT(messageOf([] { withMemory([] { throw std::bad_alloc(); }, "ask fewer questions."); }),
              AllOf(HasSubstr("too little memory"), HasSubstr("ask fewer questions.")));
  EXPECT_EQ(messageOf([] { withMemory([] { throw std::runtime_error("It rains."); }, ""); }), "It rains.");
}

}  // namespace
}  // namespace kvasir
