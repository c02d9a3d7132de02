// The engine against the plain double-precision model, in exact precision: every logit of tiny models of every
// family, and the real models where they are installed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "engine/engine.h"
#include "tests/engine/model/reference_model.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

struct TinyKind {
  const char* architecture;
  RopeScaling scaling;
  const char* name;
};

class ModelAgreement : public testing::TestWithParam<TinyKind> {
 protected:
  c10::InferenceMode noGradients_;
};

TEST_P(ModelAgreement, HoldsForEveryLogitOfATinyModel) {
  const TinyModel model(GetParam().architecture, GetParam().scaling);
  const std::vector<TokenId> text = randomTokens(400, 21);
  const ReferenceRows expected = referenceLogits(GgufFile(model.file), text);
  TextRun run(model.loaded, {findMethod("full"), 0});
  double worst = 0;
  for (std::size_t first = 0; first < text.size(); first += kChunkTokens) {
    const std::size_t count = std::min<std::size_t>(kChunkTokens, text.size() - first);
    const int chunk = run.cache().open(static_cast<int>(count));
    const at::Tensor logits =
        run.pass().logits(run.pass().read(std::span(text).subspan(first, count), chunk, Outputs::All));
    for (std::size_t row = 0; row < count; ++row)
      for (std::size_t token = 0; token < expected[0].size(); ++token)
        worst = std::max(worst, std::abs(logits[static_cast<long>(row)].data_ptr<float>()[token] -
                                         expected[first + row][token]));
  }
  EXPECT_LT(worst, 2e-4);
}

TEST_P(ModelAgreement, HoldsForGeneratedTokens) {
  const TinyModel model(GetParam().architecture, GetParam().scaling);
  std::vector<TokenId> text = randomTokens(300, 22);
  const ReferenceRows expected = referenceLogits(GgufFile(model.file), text);
  TextRun run(model.loaded, {findMethod("full"), 0});
  run.read(std::span(text).first(150), 128);
  run.cache().startTail();
  double worst = 0;
  for (std::size_t i = 150; i < text.size(); ++i) {
    const std::span<const float> logits = run.pass().generate(text[i]);
    for (std::size_t token = 0; token < logits.size(); ++token)
      worst = std::max(worst, std::abs(logits[token] - expected[i][token]));
  }
  EXPECT_LT(worst, 2e-4);
}

INSTANTIATE_TEST_SUITE_P(Families, ModelAgreement,
                         testing::Values(TinyKind{"llama", RopeScaling::Long, "llama"},
                                         TinyKind{"llama", RopeScaling::Linear, "llama_linear"},
                                         TinyKind{"llama", RopeScaling::Llama3, "llama3"},
                                         TinyKind{"gemma3", RopeScaling::Long, "gemma3"},
                                         TinyKind{"gemma3", RopeScaling::Linear, "gemma3_linear"},
                                         TinyKind{"phi3", RopeScaling::Long, "phi3"},
                                         TinyKind{"phi3", RopeScaling::None, "phi3_short"}),
                         [](const auto& kind) { return std::string(kind.param.name); });

struct RealModel {
  const char* file;
  int tokens;  ///< of the text compared; the plain model takes about a minute for 512
};

class RealModelAgreement : public testing::TestWithParam<RealModel> {};

std::filesystem::path modelsFolder() {
  if (const char* folder = std::getenv("KVASIR_MODELS")) return folder;
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home ? home : ".") / ".cache" / "kvasir" / "models";
}

/// The beginning of the licence, as far as so many tokens go.
std::string licence(const Engine& engine, int tokens) {
  std::ifstream in(std::filesystem::path(KVASIR_SOURCE) / "LICENSE");
  std::string text{std::istreambuf_iterator<char>(in), {}};
  text.resize(engine.tokenizer().encode(text)[static_cast<std::size_t>(tokens) - 1].end);
  return text;
}

TEST_P(RealModelAgreement, OfGreedyTokensAndTopLogProbabilities) {
  const std::filesystem::path path = modelsFolder() / GetParam().file;
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not installed";
  Listener silent;
  Engine engine({path, 0, Device::Cpu, Precision::Exact}, silent);
  const auto hasBeginning = engine.tokenizer().vocabulary().beginning;
  const std::string text = licence(engine, GetParam().tokens - (hasBeginning ? 1 : 0));
  const std::vector<TopTokens> ours = engine.logits(text, 1, silent);
  std::vector<TokenId> tokens;
  if (hasBeginning) tokens.push_back(*hasBeginning);
  for (const Token& token : engine.tokenizer().encode(text)) tokens.push_back(token.id);
  ASSERT_EQ(ours.size(), tokens.size());
  const ReferenceRows reference = referenceLogits(GgufFile(path), tokens);
  int same = 0;
  double difference = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const std::vector<double> expected = logProbabilities(reference[i]);
    const auto best = std::ranges::max_element(expected) - expected.begin();
    same += ours[i].top[0].first == best;
    difference += std::abs(ours[i].top[0].second - expected[static_cast<std::size_t>(best)]) /
                  static_cast<double>(ours.size());
  }
  std::cout << GetParam().file << ": greedy equal at " << same << " of " << ours.size()
            << ", mean difference of the top log-probability " << difference << "\n";
  EXPECT_GE(same, static_cast<int>(0.99 * static_cast<double>(ours.size())));
  EXPECT_LT(difference, 0.05);
}

// What products in 8 bits and keys and values in bf16 may move. docs/PERFORMANCE.md has it for whole books.
TEST_P(RealModelAgreement, OfFastProductsWithExactOnes) {
  const std::filesystem::path path = modelsFolder() / GetParam().file;
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not installed";
  Listener silent;
  const auto topsBy = [&](Precision precision) {
    Engine engine({path, 0, Device::Cpu, precision}, silent);
    return engine.logits(licence(engine, GetParam().tokens), 1, silent);
  };
  const std::vector<TopTokens> exact = topsBy(Precision::Exact), fast = topsBy(Precision::Fast);
  ASSERT_EQ(exact.size(), fast.size());
  int same = 0;
  double difference = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    same += exact[i].top[0].first == fast[i].top[0].first;
    difference += std::abs(exact[i].top[0].second - fast[i].top[0].second) / static_cast<double>(exact.size());
  }
  std::cout << GetParam().file << ": the same first token at " << same << " of " << exact.size()
            << ", its log-probability off by " << difference << " in the mean\n";
  EXPECT_GE(same, static_cast<int>(0.93 * static_cast<double>(exact.size())));
  EXPECT_LT(difference, 0.05);
  EXPECT_GT(difference, 0);
}

INSTANTIATE_TEST_SUITE_P(Quick, RealModelAgreement,
                         testing::Values(RealModel{"SmolLM2-135M-Instruct.Q4_1.gguf", 96}));
INSTANTIATE_TEST_SUITE_P(Long, RealModelAgreement,
                         testing::Values(RealModel{"SmolLM2-135M-Instruct.Q4_1.gguf", 512},
                                         RealModel{"gemma-3-270m-q4_k_m.gguf", 512}));

}  // namespace
}  // namespace kvasir
