// Attention to what stays packed in the cache beside the same unpacked, through a model and all that watches.
#include <gtest/gtest.h>

#include "engine/reading.h"
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

struct PackedRow {
  const char* method;
  int context = kTinyContext;
};

class Packed : public testing::TestWithParam<PackedRow> {
 protected:
  c10::InferenceMode noGradients_;
  TinyModel model_{"llama", RopeScaling::Long, GetParam().context};
};

TEST_P(Packed, IsAttendedToAsIfItWereUnpacked) {
  const Method& method = findMethod(GetParam().method);
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

// Dense rows, positions that change with the length, here up to a scale of 8, and rows that watch attention or
// choose for their answers.
INSTANTIATE_TEST_SUITE_P(Methods, Packed,
                         testing::Values(PackedRow{"kivi-4"}, PackedRow{"kivi-2"},
                                         PackedRow{"yarn+kivi-4", 128}, PackedRow{"quest+kivi-4"},
                                         PackedRow{"infllm+kivi-2"}),
                         [](const auto& row) {
                           std::string name = row.param.method;
                           std::ranges::replace_if(
                               name, [](char c) { return !std::isalnum(c); }, '_');
                           return name;
                         });

/// Rows that choose from a document when it is read have all of it as computed until then.
struct ChosenWhenRead {
  const char *row, *packing;
};

class PackedOnce : public testing::TestWithParam<ChosenWhenRead> {
 protected:
  const Method& plain() const { return findMethod(GetParam().row); }
  const Method& packed() const { return findMethod(std::string(GetParam().row) + GetParam().packing); }

  /// What the plain row keeps, its keys and values once through the codec and back.
  std::unique_ptr<MemoryChunks> throughTheCodec(const Left& left) const {
    const KvShape shape = model_.loaded.kvShape();
    const KvCache::Extras extras =
        plain().makePolicy({shape, model_.loaded.shape.heads, kBudget})->needs().extras;
    const auto exact = plainCodec(at::kFloat), levels = packed().codec.make(at::kFloat);
    MemoryChunks between(KvCache::slotBytes(shape, *levels, extras));
    auto back = std::make_unique<MemoryChunks>(KvCache::slotBytes(shape, *exact, extras));
    KvCache from(shape, *exact, *left.store, extras), through(shape, *levels, between, extras),
        to(shape, *exact, *back, extras);
    for (KvCache* cache : {&from, &through, &to}) cache->adopt(left.chunks);
    for (int layer = 0; layer < shape.layers; ++layer) {
      const at::Tensor tokens = from.keptTokens(layer);
      through.writeKept(layer, from.readKept(layer, tokens), tokens);
      to.writeKept(layer, through.readKept(layer, tokens), tokens);
    }
    return back;
  }

  c10::InferenceMode noGradients_;
  TinyModel model_;
};

TEST_P(PackedOnce, KeepsLevelsOfWhatWasComputed) {
  constexpr double kNear = 2e-4;
  const std::vector<TokenId> text = randomTokens(2 * kDocument, 1);
  const Outcome ours = runMethod(model_.loaded, packed(), kBudget, text, 256);
  Left left = readMethod(model_.loaded, plain(), kBudget, text, 256);
  const Outcome exact = askMethod(model_.loaded, plain(), kBudget, left, 256);
  left.store = throughTheCodec(left);
  EXPECT_LT(worstDifference(ours, askMethod(model_.loaded, plain(), kBudget, left, 256)), kNear);
  EXPECT_LT((ours.documentEnd - exact.documentEnd).abs().max().item<double>(), kNear);
  EXPECT_GT(worstDifference(ours, exact), kNear) << "nothing is packed";
  EXPECT_EQ(ours.attended, exact.attended);
}

TEST_P(PackedOnce, TakesTheCodecsShareOfTheFileThatStays) {
  const auto header = [&](const Method& method) {
    return TextRun::fileHeader(model_.loaded, method, kBudget, 2 * kDocument);
  };
  const ChunkFileHeader whole = TextRun::readingHeader(model_.loaded, packed(), kBudget, 2 * kDocument);
  EXPECT_EQ(whole.slotBytes, header(plain()).slotBytes);
  EXPECT_EQ(whole.ring, 0u) << "until it is read all of it is there";
  EXPECT_EQ(header(packed()).ring, header(plain()).ring);
  EXPECT_LT(3 * header(packed()).slotBytes, header(plain()).slotBytes);
  const auto key = [&](const Method& method) { return readingKey(model_.loaded, {method.name, kBudget, 512}); };
  EXPECT_NE(key(packed()), key(plain()));
}

INSTANTIATE_TEST_SUITE_P(Methods, PackedOnce,
                         testing::Values(ChosenWhenRead{"h2o", "+kivi-4"}, ChosenWhenRead{"keydiff", "+kivi-2"},
                                         ChosenWhenRead{"snapkv-blind", "+kivi-4"},
                                         ChosenWhenRead{"pyramidkv-blind", "+kivi-2"},
                                         ChosenWhenRead{"expected-attention", "+kivi-4"}),
                         [](const auto& method) {
                           std::string name = std::string(method.param.row) + method.param.packing;
                           std::ranges::replace_if(
                               name, [](char c) { return !std::isalnum(c); }, '_');
                           return name;
                         });

}  // namespace
}  // namespace kvasir
