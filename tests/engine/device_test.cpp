// The engine on a device: a stand-in with memory of its own, and the processor's kernels.
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/answer.h"
#include "engine/model/feed_forward.h"
#include "tests/engine/far_device.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;

constexpr int kBudget = 512;
constexpr double kRounding = 2e-4;       // of float32 sums in another order, on logits of about ±3
constexpr double kLevelRounding = 2e-3;  // where a number that lies between two levels then becomes the other

/// A step's rows as one; and in many slabs, through memory that they fill several times.
constexpr DeviceLimits kWhole{.leastOfVector = 0, .leastOfSlab = 1 << 30},
    kSlabs{.leastOfVector = 0, .leastOfSlab = 1, .staging = 1 << 16};

std::shared_ptr<Accelerator> farDevice(const DeviceLimits& limits = {.leastOfVector = 0}) {
  return std::make_shared<Accelerator>(FarDevice::backend(), 0, limits);
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

/// device: null: the processor.
Outcome outcomeOn(const std::shared_ptr<Accelerator>& device, const std::string& method) {
  TinyModel model;
  Listener silent;
  if (device) placeOn(model.loaded, device, silent);
  return runMethod(model.loaded, findMethod(method), kBudget, randomTokens(900, 1), 512);
}

TEST_F(OnDevice, SlabsAndTheOrderOfStreamsChangeNothing) {
  for (const std::string method : {"full", "retrolm"}) {
    const Outcome whole = outcomeOn(farDevice(kWhole), method);
    const int copies = FarDevice::lateCopies;
    for (const bool othersFirst : {false, true}) {
      FarDevice::othersFirst = othersFirst;
      FarDevice::lateCopies = 0;
      const Outcome inSlabs = outcomeOn(farDevice(kSlabs), method);
      EXPECT_EQ(worstDifference(whole, inSlabs), 0) << method << " " << othersFirst;
      EXPECT_GT(FarDevice::lateCopies, 3 * copies) << method;
    }
    FarDevice::reset();
    EXPECT_LT(worstDifference(outcomeOn(nullptr, method), whole), kRounding) << method;
  }
}

TEST_F(OnDevice, MoreSlabsThanStreamsGiveWhatOneGives) {
  for (const DenseForm form : {DenseForm::Float32, DenseForm::Bfloat16}) {
    const auto outputOf = [&](const DeviceLimits& limits) {
      at::manual_seed(4);
      const auto matrix = [&](int rows, int columns) { return WeightMatrix(at::randn({rows, columns}), form); };
      LayerWeights weights;
      weights.gateUp = matrix(192, 64).changedBy({matrix(8, 64), matrix(192, 8)});
      weights.down = matrix(64, 96).changedBy({matrix(16, 96), matrix(64, 16)});
      const auto device = farDevice(limits);
      EXPECT_TRUE(weights.gateUp.placeOn(device, form) && weights.down.placeOn(device, form));
      const at::Tensor x = at::randn({1100, 64}).to(typeOf(form));
      return at::cat({weights.gateUp.multiply(x, form), feedForward(weights, x, Activation::Silu, form)}, 1);
    };
    EXPECT_TRUE(at::equal(outputOf(kWhole), outputOf(kSlabs)));
  }
}

TEST_F(OnDevice, OtherMemoryServesWhereNoneIsPinned) {
  const Outcome pinned = outcomeOn(farDevice(kSlabs), "full");
  FarDevice::pinnedFailure = "out of memory";
  const auto device = farDevice(kSlabs);
  EXPECT_EQ(FarDevice::pinned, 0);
  EXPECT_EQ(worstDifference(pinned, outcomeOn(device, "full")), 0);
}

TEST_F(OnDevice, ATripLeavesItsCallersTheirMemory) {
  const auto device = farDevice(kSlabs);
  std::vector<int> in(100'000), out(in.size());
  std::iota(in.begin(), in.end(), 0);
  const std::vector<int> wanted = in;
  const std::size_t bytes = in.size() * sizeof(int);
  ASSERT_GT(bytes, 4 * kSlabs.staging);
  std::byte* there = device->room(Accelerator::Room::Input, bytes);
  void* stream = device->stream(3);
  Trip trip(*device);
  trip.copyIn(there, in.data(), bytes, stream);
  std::ranges::fill(in, -1);
  trip.copyOut(out.data(), there, bytes, stream);
  trip.land(stream);
  EXPECT_EQ(out, wanted);
}

TEST_F(OnDevice, WhatDidNotLandWhenATripEndedIsNoLongerUnderWay) {
  const auto device = farDevice();
  std::vector<int> out(1000, 7);
  const std::size_t bytes = out.size() * sizeof(int);
  std::byte* there = device->room(Accelerator::Room::Output, bytes);
  Trip(*device).copyOut(out.data(), there, bytes, device->stream(0));
  const std::size_t copied = FarDevice::copied;
  EXPECT_EQ(FarDevice::backend().finish(), nullptr);
  EXPECT_EQ(FarDevice::copied, copied);
  EXPECT_THAT(out, Each(7));
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
  EXPECT_EQ(FarDevice::pinned, 0);
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
    Trip trip(*device);
    for (int head = 0; head < shape.kvHeads; ++head) gathered.copyHead<float>(head, trip, device->stream(head));
    trip.landAll();
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

TEST_F(OnDevice, ACopyThatFailsLaterIsOneToo) {
  TinyModel model;
  const auto run = [&] {
    return runMethod(model.loaded, findMethod("full"), kBudget, randomTokens(600, 1), 512);
  };
  const Outcome wanted = run();
  placeOn(model.loaded, farDevice(kSlabs), silent_);
  FarDevice::copyFailure = "an uncorrectable error was encountered";
  EXPECT_THAT(messageOf(run), AllOf(HasSubstr("Far device failed: an uncorrectable error was encountered."),
                                    HasSubstr("--device cpu")));
  FarDevice::copyFailure = nullptr;
  EXPECT_LT(worstDifference(wanted, run()), kRounding) << "something of it was still under way";
}

TEST_F(OnDevice, ADeviceWhoseCopiesFailIsNotUsed) {
  FarDevice::copyFailure = "an uncorrectable error was encountered";
  EXPECT_EQ(messageOf([] { farDevice(); }),
            "Far device cannot be used: an uncorrectable error was encountered.");
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
