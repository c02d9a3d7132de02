// Attention to what stays packed in the cache beside the same unpacked, through a model and all that watches.
#include <gtest/gtest.h>

#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

constexpr int kBudget = 512, kDocument = 700, kAnswer = 140;  // the answer fills a chunk and begins another

/// What is left of a document, a question and an answer to it.
struct Outcomes {
  at::Tensor question, answer;  ///< log-odds: after the question, after each token of the answer
  EvidenceMap map;
  int attended = 0;
  std::size_t bytes = 0;  ///< held when the document was read, beside its chunks
};

Outcomes outcomesOf(const LoadedModel& model, const Method& method, int mostUnpacked) {
  EvidenceTap tap(model.shape.layers, model.shape.heads, {{0, 4}});
  TextRun::Settings settings{method, kBudget, &tap};
  settings.documentTokens = kDocument;
  settings.mostUnpacked = mostUnpacked;
  const Left left{
      std::make_unique<MemoryChunks>(TextRun::fileHeader(model, method, kBudget, kDocument).slotBytes), {}, {}};
  TextRun run(model, std::move(settings), left.store.get());
  run.read(randomTokens(kDocument, 1), 256);
  Outcomes outcomes;
  outcomes.bytes = run.bytesInMemory();
  run.cache().startTail();
  outcomes.question = run.pass().logits(run.read(randomTokens(30, 2), 256));
  std::vector<at::Tensor> answer;
  for (const TokenId token : randomTokens(kAnswer, 3)) {
    const std::span<const float> logits = run.pass().generate(token);
    answer.push_back(at::tensor(at::ArrayRef<float>(logits.data(), logits.size())));
  }
  outcomes.answer = at::stack(answer);
  outcomes.map = tap.map(run.cache().chunks());
  outcomes.attended = run.pass().attendedTokens();
  return outcomes;
}

class Packed : public testing::TestWithParam<const char*> {
 protected:
  c10::InferenceMode noGradients_;
  TinyModel model_;
};

TEST_P(Packed, IsAttendedToAsIfItWereUnpacked) {
  const Method& method = findMethod(GetParam());
  const Outcomes unpacked = outcomesOf(model_.loaded, method, 0);
  const Outcomes packed = outcomesOf(model_.loaded, method, 2 * kChunkTokens);
  constexpr double kNear = 2e-4;
  EXPECT_TRUE(at::allclose(packed.question, unpacked.question, kNear, kNear));
  EXPECT_TRUE(at::allclose(packed.answer, unpacked.answer, kNear, kNear));
  EXPECT_EQ(packed.attended, unpacked.attended);
  EXPECT_EQ(packed.map.attended, unpacked.map.attended);
  ASSERT_EQ(packed.map.headMass.size(), unpacked.map.headMass.size());
  for (std::size_t i = 0; i < packed.map.headMass.size(); ++i)
    ASSERT_NEAR(packed.map.headMass[i], unpacked.map.headMass[i], kNear) << i;
  EXPECT_LT(packed.bytes, unpacked.bytes);
}

// Dense rows, positions that change with the length, and rows that watch attention or choose for their answers.
INSTANTIATE_TEST_SUITE_P(Methods, Packed,
                         testing::Values("kivi-4", "kivi-2", "yarn+kivi-4", "quest+kivi-4", "infllm+kivi-2"),
                         [](const auto& method) {
                           std::string name = method.param;
                           std::ranges::replace_if(
                               name, [](char c) { return !std::isalnum(c); }, '_');
                           return name;
                         });

}  // namespace
}  // namespace kvasir
