#include "tests/engine/tiny_model.h"

#include <random>

namespace kvasir {

TemporaryFolder::TemporaryFolder() {
  std::random_device random;
  path_ = std::filesystem::temp_directory_path() /
          ("kvasir-test-" + std::to_string(random()) + std::to_string(random()));
  std::filesystem::create_directories(path_);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

namespace {

std::filesystem::path writeModel(const std::string& architecture, RopeScaling scaling, int context,
                                 const std::filesystem::path& folder) {
  SyntheticModel model;
  model.architecture = architecture;
  model.context = context;
  model.scaling = scaling;
  if (architecture == "gemma3") {
    model.layers = 7;
    model.slidingWindow = 160;
  }
  return writeSyntheticGguf(model, folder);
}

}  // namespace

TinyModel::TinyModel(const std::string& architecture, RopeScaling scaling, int context)
    : file(writeModel(architecture, scaling, context, folder.path())) {
  Listener silent;
  loaded = loadModel(settings(), silent);
  at::manual_seed(5);
  WhiteningSums sums;
  const std::vector<int> layers = usualWhitenedLayers(loaded.shape);
  for (const int layer : layers)
    for (int i = 0; i < 2 * loaded.shape.width; ++i) sums.add(layer, at::randn({loaded.shape.width}));
  sums.whitening(layers, 0.2).save(folder.path() / whiteningFileName(loaded.info), loaded.info, "random");
  loaded = loadModel(settings(), silent);
}

EngineSettings TinyModel::settings() const { return {file, 2, Device::Cpu, Precision::Exact, {folder.path()}}; }

std::string messageOf(const std::function<void()>& work) {
  try {
    work();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

std::unique_ptr<Adapter> randomAdapter(const LoadedModel& model, int rank, const char* actsOn) {
  const Adapter start = Adapter::untrained(model.weights, rank, 7);
  std::vector<Adapter::Layer> layers = start.layers();
  at::manual_seed(3);
  for (Adapter::Layer& layer : layers)
    for (Adapter::Change& change : layer) change.up = at::randn(change.up.sizes()) * 0.3;
  return std::make_unique<Adapter>(std::move(layers), std::map<std::string, std::string>{
                                                          {"rank", std::to_string(rank)}, {"acts_on", actsOn}});
}

std::vector<TokenId> randomTokens(int count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<TokenId> tokens;
  for (int i = 0; i < count; ++i) tokens.push_back(static_cast<TokenId>(3 + random() % 250));
  return tokens;
}

std::string randomText(int words, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string text;
  for (int word = 0; word < words; ++word) {
    for (int letter = 0; letter < 4; ++letter) text += static_cast<char>('a' + random() % 26);
    text += random() % 12 == 0 ? ".\n" : " ";
  }
  return text;
}

Left readMethod(const LoadedModel& model, const Method& method, int budget, const std::vector<TokenId>& text,
                int step) {
  const int tokens = static_cast<int>(text.size());
  Left left{std::make_unique<MemoryChunks>(TextRun::readingHeader(model, method, budget, tokens).slotBytes),
            {},
            {},
            0};
  TextRun run(model, {method, budget, nullptr, [] {}, {}, nullptr, false, tokens}, left.store.get());
  left.end = run.read(text, step);
  left.attended = run.pass().attendedTokens();
  left.chunks = run.cache().runs();
  if (run.isKeptWhole()) return left;
  auto kept = std::make_unique<MemoryChunks>(TextRun::fileHeader(model, method, budget, tokens).slotBytes);
  run.keepInto(*kept);
  std::swap(left.store, kept);
  return left;
}

Outcome runMethod(const LoadedModel& model, const Method& method, int budget, const std::vector<TokenId>& text,
                  int step) {
  return askMethod(model, method, budget, readMethod(model, method, budget, text, step), step);
}

Outcome askMethod(const LoadedModel& model, const Method& method, int budget, const Left& left, int step) {
  Outcome outcome;
  outcome.documentEnd = left.end;
  outcome.attendedInReading = left.attended;
  TextRun run(model, {method, budget, nullptr, [] {}, {}, nullptr, false, left.tokens()}, left.store.get());
  run.cache().adopt(left.chunks);
  run.cache().startTail();
  outcome.questionLogits = run.pass().logits(run.read(randomTokens(20, 99), step));
  std::vector<at::Tensor> generated;
  for (const TokenId token : randomTokens(5, 7)) {
    const std::span<const float> logits = run.pass().generate(token);
    generated.push_back(at::tensor(at::ArrayRef<float>(logits.data(), logits.size())));
  }
  outcome.generatedLogits = at::stack(generated);
  outcome.attended = run.pass().attendedTokens();
  return outcome;
}

double worstDifference(const Outcome& a, const Outcome& b) {
  const auto worst = [](const at::Tensor& x, const at::Tensor& y) {
    return (x - y).abs().max().item<double>();
  };
  return std::max({worst(a.documentEnd, b.documentEnd), worst(a.questionLogits, b.questionLogits),
                   worst(a.generatedLogits, b.generatedLogits)});
}

}  // namespace kvasir
