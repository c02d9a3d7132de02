// The engine on a device: a stand-in with memory of its own, and the processor's kernels.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/answer.h"
#include "tests/engine/far_device.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

constexpr int kBudget = 512;
constexpr double kRounding = 2e-4;       // of float32 sums in another order, on logits of about ±3
constexpr double kLevelRounding = 2e-3;  // where a number that lies between two levels then becomes the other

std::shared_ptr<Accelerator> farDevice() {
  return std::make_shared<Accelerator>(FarDevice::backend(), 0, /*leastOfVector=*/0);
}

class OnDevice : public testing::Test {
 protected:
  OnDevice() { FarDevice::reset(); }

  c10::InferenceMode noGradients_;
  Listener silent_;
};

struct Case {
  std::string method, architecture;
};

class EveryMethodOnDevice : public testing::TestWithParam<Case> {
 protected:
  EveryMethodOnDevice() { FarDevice::reset(); }

  c10::InferenceMode noGradients_;
  Listener silent_;
};

// Dense and retrieving rows, two groups of keys, tokens that heads name for themselves, beacons, a codec, and a
// family with windows, norms of heads and another activation.
INSTANTIATE_TEST_SUITE_P(Methods, EveryMethodOnDevice,
                         testing::Values(Case{"full", "llama"}, Case{"full", "gemma3"},
                                         Case{"streaming", "llama"}, Case{"lm-infinite-middle", "llama"},
                                         Case{"selfextend", "llama"}, Case{"infllm", "llama"},
                                         Case{"retrolm", "llama"}, Case{"retrolm", "gemma3"},
                                         Case{"quest", "llama"}, Case{"snapkv", "llama"}, Case{"h2o", "llama"},
                                         Case{"beacon", "llama"}, Case{"kivi-4", "llama"}),
                         [](const auto& param) {
                           std::string name = param.param.method + "_" + param.param.architecture;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST_P(EveryMethodOnDevice, GivesWhatTheProcessorGives) {
  const auto& [name, architecture] = GetParam();
  TinyModel model(architecture);
  const std::vector<TokenId> text = randomTokens(1500, 1);
  const Outcome onProcessor = runMethod(model.loaded, findMethod(name), kBudget, text, 512);
  placeOn(model.loaded, farDevice(), silent_);
  const int checked = FarDevice::launches;
  const Outcome onDevice = runMethod(model.loaded, findMethod(name), kBudget, text, 512);
  const bool isInLevels = name.starts_with("kivi");
  EXPECT_LT(worstDifference(onProcessor, onDevice), isInLevels ? kLevelRounding : kRounding);
  EXPECT_EQ(onProcessor.attended, onDevice.attended);
  // Four products and a gate a layer and step, and attention of every chunk.
  EXPECT_GT(FarDevice::launches - checked, 3 * 5 * model.loaded.shape.layers);
  EXPECT_GT(FarDevice::attentions, 11 * (model.loaded.shape.layers - 1) * model.loaded.shape.kvHeads);
}

TEST_F(OnDevice, TheLastDocumentLeavesNothing) {
  TinyModel model;
  placeOn(model.loaded, farDevice(), silent_);
  const std::vector<TokenId> first = randomTokens(900, 1), second = randomTokens(700, 2);
  const Method& method = findMethod("retrolm");
  const Outcome alone = runMethod(model.loaded, method, kBudget, second, 512);
  const std::size_t held = FarDevice::held;
  runMethod(model.loaded, method, kBudget, first, 512);
  EXPECT_EQ(worstDifference(alone, runMethod(model.loaded, method, kBudget, second, 512)), 0);
  EXPECT_LE(FarDevice::held, held + (1 << 16)) << "rooms of a step may grow, nothing else stays";
  model.loaded = {};
  EXPECT_EQ(FarDevice::held, 0u);
  EXPECT_EQ(FarDevice::streams, 0);
}

TEST_F(OnDevice, FastProductsLieAsNearAsOnTheProcessor) {
  TinyModel model;
  EngineSettings settings = model.settings();
  LoadedModel exact = loadModel(settings, silent_);
  settings.precision = Precision::Fast;
  LoadedModel fast = loadModel(settings, silent_);
  const std::vector<TokenId> text = randomTokens(600, 1);
  const Method& method = findMethod("full");
  const Outcome wanted = runMethod(exact, method, kBudget, text, 512);
  const double onProcessor = worstDifference(wanted, runMethod(fast, method, kBudget, text, 512));
  placeOn(fast, farDevice(), silent_);
  const int checked = FarDevice::launches;
  const double onDevice = worstDifference(wanted, runMethod(fast, method, kBudget, text, 512));
  EXPECT_GT(FarDevice::launches, checked);
  // Weights as bf16, which the processor has more exactly where it does not multiply bf16.
  EXPECT_LT(onDevice, 6 * onProcessor);
  EXPECT_LT(onDevice, 0.3);
}

at::Tensor endOf(const LoadedModel& model, bool isAdapted) {
  const std::vector<TokenId> text = randomTokens(300, 1);
  TextRun run(model, {findMethod("full"), kBudget, nullptr, [] {}, {}, nullptr, isAdapted, 300});
  const at::Tensor read = run.pass().logits(run.read(text, 128)).flatten();
  run.cache().startTail();
  run.cache().openTail();
  const std::span<const float> next = run.pass().generate(5);
  return at::cat({read, at::tensor(at::ArrayRef<float>(next.data(), next.size()))});
}

TEST_F(OnDevice, WhatAnAdapterChangesGoesAlong) {
  TinyModel model;
  model.loaded.adapter = randomAdapter(model.loaded, 8, "questions");
  model.loaded.adapted = model.loaded.adapter->applyTo(model.loaded.weights, model.loaded.form);
  const at::Tensor plain = endOf(model.loaded, false), adapted = endOf(model.loaded, true);
  ASSERT_GT((plain - adapted).abs().max().item<double>(), 0.1);
  placeOn(model.loaded, farDevice(), silent_);
  EXPECT_LT((plain - endOf(model.loaded, false)).abs().max().item<double>(), kRounding);
  EXPECT_LT((adapted - endOf(model.loaded, true)).abs().max().item<double>(), kRounding);
}

TEST_F(OnDevice, TheProcessorComputesTheLayersThatDoNotFit) {
  TinyModel model;
  const Outcome wanted = runMethod(model.loaded, findMethod("full"), kBudget, randomTokens(600, 1), 512);
  auto device = farDevice();
  const auto bytesOf = [](const WeightMatrix& matrix) {
    return static_cast<std::size_t>(matrix.rows()) * static_cast<std::size_t>(matrix.columns()) * sizeof(float);
  };
  const LayerWeights& first = model.loaded.weights.layers.front();
  FarDevice::limit = FarDevice::held + Accelerator::kLeftByWeights +
                     bytesOf(model.loaded.weights.outputHead()) + 2 * bytesOf(first.gateUp);
  placeOn(model.loaded, std::move(device), silent_);
  EXPECT_NE(model.loaded.weights.layers.front().queryKeyValue.device(DenseForm::Float32), nullptr);
  EXPECT_EQ(model.loaded.weights.layers.back().down.device(DenseForm::Float32), nullptr);
  const Outcome got = runMethod(model.loaded, findMethod("full"), kBudget, randomTokens(600, 1), 512);
  EXPECT_LT(worstDifference(wanted, got), kRounding);
}

TEST_F(OnDevice, TheProcessorAttendsToWhatDoesNotFit) {
  TinyModel model;
  const Outcome wanted = runMethod(model.loaded, findMethod("full"), kBudget, randomTokens(900, 1), 512);
  placeOn(model.loaded, farDevice(), silent_);
  runMethod(model.loaded, findMethod("full"), kBudget, randomTokens(600, 1), 512);  // for the rooms
  FarDevice::attentions = 0;
  FarDevice::limit = FarDevice::held + Accelerator::kLeftByKeys + (1 << 17);
  const Outcome got = runMethod(model.loaded, findMethod("full"), kBudget, randomTokens(900, 1), 512);
  EXPECT_LT(worstDifference(wanted, got), kRounding);
  EXPECT_GT(FarDevice::attentions, 0);
  EXPECT_LT(FarDevice::attentions, 8 * model.loaded.shape.layers * model.loaded.shape.kvHeads);
}

TEST_F(OnDevice, TheProcessorComputesWhatHasNoRoom) {
  TinyModel model;
  const Outcome wanted = runMethod(model.loaded, findMethod("full"), kBudget, randomTokens(600, 1), 512);
  placeOn(model.loaded, farDevice(), silent_);
  const int checked = FarDevice::launches;
  FarDevice::limit = FarDevice::held;
  const Outcome got = runMethod(model.loaded, findMethod("full"), kBudget, randomTokens(600, 1), 512);
  EXPECT_LT(worstDifference(wanted, got), kRounding);
  EXPECT_EQ(FarDevice::launches, checked);
}

// Dense attention appends, chunk after chunk; where room grows, what is there is copied anew.
TEST_F(OnDevice, OnlyWhatIsNewOfGatheredKeysIsCopied) {
  constexpr int kChunks = 60;
  const KvShape shape{1, 2, 8};
  const auto codec = findMethod("full").codec.make(at::kFloat);
  MemoryChunks store(KvCache::slotBytes(shape, *codec, {}));
  KvCache cache(shape, *codec, store, {});
  RopeTable table(std::vector<double>{1.0, 0.3, 0.05, 0.01});
  table.grow(kChunks * kChunkTokens);
  const auto device = farDevice();
  GatheredKv gathered;
  FarDevice::copied = 0;
  std::size_t all = 0;
  for (int chunk = 0; chunk < kChunks; ++chunk) {
    cache.open(kChunkTokens);
    const at::Tensor rows = at::randn({2, kChunkTokens, 8});
    cache.write(0, chunk, {rows, rows});
    all += 2 * rows.nbytes();
    std::vector<PlacedRun> runs;
    for (int seen = 0; seen <= chunk; ++seen)
      runs.push_back({cache.chunk(seen), seen * kChunkTokens, 1, 1, seen == chunk});
    gathered.arrange({}, runs, 0, cache, table);
    gathered.onDevice<float>(*device);
  }
  // A chunk is copied as computed, and as the codec gives it back; and as often again where room grows.
  EXPECT_LT(FarDevice::copied, 5 * all);
  at::Tensor back = at::empty({gathered.count(), 8});
  device->copyOut(back.data_ptr(), gathered.onDevice<float>(*device).keys, back.nbytes());
  EXPECT_TRUE(at::equal(back, gathered.keysInPlace()[0]));
}

TEST_F(OnDevice, AFailureIsASentenceThatSaysWhatToDo) {
  TinyModel model;
  placeOn(model.loaded, farDevice(), silent_);
  FarDevice::failure = "unspecified launch failure";
  EXPECT_THAT(
      messageOf([&] { runMethod(model.loaded, findMethod("full"), kBudget, randomTokens(200, 1), 512); }),
      AllOf(HasSubstr("Far device failed: unspecified launch failure."), HasSubstr("--device cpu")));
}

TEST_F(OnDevice, ADeviceThatRefusesIsNotUsed) {
  FarDevice::failure = "no kernel image is available";
  EXPECT_EQ(messageOf([] { farDevice(); }), "Far device cannot be used: no kernel image is available.");
}

TEST_F(OnDevice, ADeviceThatMultipliesWronglyIsNotUsed) {
  KernelBackend wrong = FarDevice::backend();
  wrong.kernels.multiplyDense.bfloats = [](const DenseProduct<std::uint16_t>&, std::int64_t, void*) -> Failure {
    return nullptr;  // and does nothing
  };
  EXPECT_THAT(messageOf([&] { Accelerator(wrong, 0); }),
              AllOf(HasSubstr("Far device does not multiply"), HasSubstr("devices --check")));
}

/// Settings of an engine that finds a stand-in for the library of CUDA kernels (fake_backend.cpp).
EngineSettings settingsWith(const TinyModel& model, const std::string& kind, Device device) {
  EngineSettings settings = model.settings();
  settings.device = device;
  settings.kernelFolders = {fs::path(FAKE_BACKENDS) / kind};
  for (const auto& entry : fs::directory_iterator(settings.kernelFolders[0]))
    settings.cudaDriver = entry.path();  // any library opens as one
  return settings;
}

TEST_F(OnDevice, AnEngineTakesTheDeviceItFinds) {
  const TinyModel model;
  EXPECT_EQ(Engine(settingsWith(model, "right", Device::Auto), silent_).deviceName(), "Fake device");
  EXPECT_EQ(Engine(settingsWith(model, "right", Device::Cuda), silent_).deviceName(), "Fake device");
  EXPECT_EQ(Engine(settingsWith(model, "right", Device::Cpu), silent_).deviceName(), "");
  EXPECT_EQ(Engine(settingsWith(model, "no_device", Device::Auto), silent_).deviceName(), "");
}

TEST_F(OnDevice, AnEngineComputesAroundKernelsThatAreWrong) {
  const TinyModel model;
  const auto answerOf = [&](Device device) {
    Engine engine(settingsWith(model, "wrong_kernel", device), silent_);
    const auto reading =
        engine.read(randomText(300, 1), {"full", kBudget, 256}, model.folder.path() / "r", silent_);
    AskSettings asking;
    asking.method = "full";
    asking.maxTokens = 8;
    return engine.ask(*reading, "What is it?", asking, silent_);
  };
  const Answer onProcessor = answerOf(Device::Cpu), onDevice = answerOf(Device::Cuda);
  EXPECT_EQ(onProcessor.text, onDevice.text);
  EXPECT_NEAR(onProcessor.logProbability, onDevice.logProbability, 1e-3);
}

TEST_F(OnDevice, AnEngineAskedForCudaSaysWhyThereIsNone) {
  const TinyModel model;
  const std::string message =
      messageOf([&] { Engine(settingsWith(model, "no_device", Device::Cuda), silent_); });
  EXPECT_THAT(message, AllOf(HasSubstr("no CUDA-capable device is detected"), HasSubstr("--device cpu")));
}

}  // namespace
}  // namespace kvasir
