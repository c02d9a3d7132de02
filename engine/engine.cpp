#include "engine/engine.h"

#include <chrono>
#include <thread>

#include "engine/answer.h"
#include "engine/foresight.h"
#include "engine/joined_reading.h"
#include "engine/training/train_adapter.h"
#include "engine/training/train_beacon.h"
#include "engine/training/train_retriever.h"
#include "engine/training/train_whitening.h"

namespace kvasir {
namespace {

constexpr int kLogitStepTokens = 256;

int chooseThreads(int wanted) {
  if (wanted > 0) return wanted;
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

/// Tokens that any model has, in no pattern a cache could profit from.
std::vector<TokenId> anyTokens(int count, int vocabulary) {
  std::vector<TokenId> tokens(static_cast<std::size_t>(count));
  std::uint64_t state = 42;
  for (TokenId& token : tokens) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    token = static_cast<TokenId>((state >> 33) % static_cast<std::uint64_t>(vocabulary));
  }
  return tokens;
}

TopTokens topOf(std::span<const float> logits, int top) {
  double largest = -std::numeric_limits<double>::infinity(), sum = 0;
  for (const float value : logits) largest = std::max<double>(largest, value);
  for (const float value : logits) sum += std::exp(value - largest);
  const double logSum = largest + std::log(sum);
  std::vector<TokenId> order(logits.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<TokenId>(i);
  const auto kept = std::min(order.size(), static_cast<std::size_t>(std::max(0, top)));
  const auto value = [&](TokenId token) { return logits[static_cast<std::size_t>(token)]; };
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(),
                    [&](TokenId a, TokenId b) { return value(a) != value(b) ? value(a) > value(b) : a < b; });
  TopTokens result;
  for (std::size_t i = 0; i < kept; ++i) result.top.emplace_back(order[i], value(order[i]) - logSum);
  return result;
}

}  // namespace

struct Engine::Parts {
  LoadedModel model;
  int threads = 1;
  c10::InferenceMode noGradients;  // of the engine's thread, as long as the engine lives
};

std::vector<MethodInfo> listMethods() {
  std::vector<MethodInfo> rows;
  for (const Method& method : methods())
    rows.push_back({method.name, method.description, method.positions.name, method.codec.name,
                    method.policy.name, method.passages.name, method.answers.name, method.numbers.known()});
  return rows;
}

void requireMethod(const std::string& name) { findMethod(name); }

bool readAlike(const std::string& method, const std::string& other) {
  const Method *a = methodNamed(method), *b = methodNamed(other);
  if (!a || !b) return false;
  return a == b || (readingName(*a) == readingName(*b) && a->codec.make == b->codec.make &&
                    a->positions.make == b->positions.make && a->passages.make == b->passages.make &&
                    a->answers.keeps == b->answers.keeps);
}

bool readsInOneGo(const std::string& method) {
  const Method* row = methodNamed(method);
  return row && row->sees == Sees::BudgetOnceRead;
}

bool boundsAnswersOnly(const std::string& method) {
  const Method* row = methodNamed(method);
  return row && (row->sees == Sees::BudgetInAnswers || row->sees == Sees::BudgetOnceRead);
}

Engine::Engine(const EngineSettings& settings, Listener& listener) {
  parts_ = std::make_unique<Parts>();
  parts_->threads = chooseThreads(settings.threads);
  at::set_num_threads(parts_->threads);
  parts_->model = loadModel(settings, listener);
}

Engine::~Engine() = default;

const ModelInfo& Engine::model() const { return parts_->model.info; }
const Tokenizer& Engine::tokenizer() const { return *parts_->model.tokenizer; }
int Engine::threads() const { return parts_->threads; }
std::string Engine::deviceName() const { return parts_->model.device ? parts_->model.device->name() : ""; }

void Engine::requireBudget(const std::string& method, int budgetTokens) const {
  kvasir::requireBudget(parts_->model, findMethod(method), budgetTokens);
}

void Engine::requireUse(const std::string& name, int budgetTokens, MethodUse use) const {
  const LoadedModel& model = parts_->model;
  const Method& method = findMethod(name);
  TextRun::fileHeader(model, method, budgetTokens, 0);  // what its policy refuses
  const auto positions = method.makePositions(reachOf(budgetTokens, model.shape.trainedTokens));
  stretchedTable(model.shape, positions->rules().stretch, 1, positions->rules().numbers);
  if (use == MethodUse::Answers && readsPassages(method)) method.makePassages(model.findEmbedder());
  if (use == MethodUse::Foresight) {
    Listener silent;
    kvasir::foresee(model, "", {name, budgetTokens}, {}, silent);  // of no text: what it refuses
  }
}

std::string Engine::adapterId() const { return parts_->model.adapter ? parts_->model.adapter->id() : ""; }

std::string Engine::readingKey(const ReadSettings& settings) const {
  return kvasir::readingKey(parts_->model, settings);
}

std::string Engine::denseKey(const ReadSettings& settings) const {
  const auto dense = denseSettings(parts_->model, settings);
  return dense ? readingKey(*dense) : "";
}

std::shared_ptr<const Reading> Engine::read(std::string_view text, const ReadSettings& settings,
                                            const std::filesystem::path& file, Listener& listener,
                                            const std::filesystem::path& dense) {
  return readText(parts_->model, text, settings, file, listener, dense);
}

std::shared_ptr<const Reading> Engine::open(const std::filesystem::path& file, const ReadSettings& settings,
                                            Extent extent) {
  return openReading(parts_->model, file, settings, extent);
}

std::shared_ptr<const Reading> Engine::join(const std::vector<std::shared_ptr<const Reading>>& readings) {
  std::vector<std::shared_ptr<const StoredReading>> stored;
  for (const auto& reading : readings)
    stored.push_back(std::dynamic_pointer_cast<const StoredReading>(reading));
  return joinReadings(parts_->model, std::move(stored));
}

ReadSettings Engine::readSettingsFor(const AskSettings& settings) const {
  ReadSettings read;
  read.method = settings.method;
  read.budgetTokens = settings.budgetTokens;
  return read;
}

Answer Engine::ask(const Reading& reading, std::string_view question, const AskSettings& settings,
                   Listener& listener) {
  return answerQuestion(parts_->model, dynamic_cast<const ChunkedReading&>(reading), question, settings,
                        listener);
}

Answer Engine::retrace(const Reading& reading, std::string_view question, std::string_view answer,
                       const AskSettings& settings, Listener& listener) {
  return retraceAnswer(parts_->model, dynamic_cast<const ChunkedReading&>(reading), question, answer, settings,
                       listener);
}

FullAttention Engine::fullAttention(const Reading& reading, std::string_view question, std::string_view answer,
                                    Listener& listener) {
  return lookFully(parts_->model, dynamic_cast<const ChunkedReading&>(reading), question, answer, listener);
}

std::filesystem::path Engine::trainWhitening(const std::vector<WhiteningText>& texts,
                                             const WhiteningSettings& settings,
                                             const std::filesystem::path& folder, Listener& listener) {
  return kvasir::trainWhitening(parts_->model, texts, settings, folder, listener);
}

std::filesystem::path Engine::trainAdapter(const AdapterTexts& texts, const AdapterSettings& settings,
                                           const std::filesystem::path& folder,
                                           const std::function<void(const TrainingStep&)>& report,
                                           Listener& listener) {
  return kvasir::trainAdapter(parts_->model, texts, settings, folder, report, listener);
}

std::filesystem::path Engine::trainRetriever(const RetrieverTexts& texts, const RetrieverSettings& settings,
                                             const std::filesystem::path& folder,
                                             const std::function<void(const TrainingStep&)>& report,
                                             Listener& listener) {
  return kvasir::trainRetriever(parts_->model, texts, settings, folder, report, listener);
}

std::filesystem::path Engine::trainBeacons(const BeaconTexts& texts, const BeaconSettings& settings,
                                           const std::filesystem::path& folder,
                                           const std::function<void(const TrainingStep&)>& report,
                                           Listener& listener) {
  return kvasir::trainBeacons(parts_->model, texts, settings, folder, report, listener);
}

std::vector<TopTokens> Engine::logits(std::string_view text, int top, Listener& listener) {
  const LoadedModel& model = parts_->model;
  std::vector<TokenId> tokens;
  if (const auto beginning = model.tokenizer->vocabulary().beginning) tokens.push_back(*beginning);
  const std::vector<TokenId> own = plainTokens(model, text);
  tokens.insert(tokens.end(), own.begin(), own.end());
  std::vector<TopTokens> positions;
  std::int64_t done = 0;
  const auto breathe = [&] {
    listener.progress({Stage::Reading, done, static_cast<std::int64_t>(tokens.size()), 0});
  };
  TextRun run(model, {findMethod("full"), 0, nullptr, breathe});
  readInRows(run, tokens, kLogitStepTokens, [&](std::size_t at, std::span<const float> values) {
    positions.push_back(topOf(values, top));
    if (at + 1 < tokens.size()) positions.back().nextLogProbability = logProbability(values, tokens[at + 1]);
    done = static_cast<std::int64_t>(at + 1);
  });
  return positions;
}

std::vector<std::optional<double>> Engine::foresee(std::string_view text, const ReadSettings& settings,
                                                   const TextStretch& stretch, Listener& listener) {
  return kvasir::foresee(parts_->model, text, settings, stretch, listener);
}

namespace {

double secondsOf(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// As many tokens in whole chunks: within a document none is short.
int wholeChunks(int tokens) { return (tokens + kChunkTokens - 1) / kChunkTokens * kChunkTokens; }

}  // namespace

BenchResult Engine::benchRead(int tokens, int depth, const ReadSettings& settings, Listener& listener) {
  const auto breathe = [&] { listener.progress({Stage::Reading, 0, 0, 0}); };
  const int before = wholeChunks(depth);
  TextRun run(parts_->model, {findMethod(settings.method),
                              settings.budgetTokens,
                              nullptr,
                              breathe,
                              {},
                              nullptr,
                              false,
                              before + tokens});
  if (before > 0) run.read(anyTokens(before, parts_->model.shape.vocabulary), settings.stepTokens);
  const std::vector<TokenId> text = anyTokens(tokens, parts_->model.shape.vocabulary);
  const double seconds = secondsOf([&] { run.pass().logits(run.read(text, settings.stepTokens)); });
  return {"read", tokens, depth, tokens / seconds};
}

std::vector<BenchResult> Engine::benchGenerate(int tokens, int depth, int times, const ReadSettings& settings,
                                               Listener& listener) {
  const auto breathe = [&] { listener.progress({Stage::Answering, 0, 0, 0}); };
  const Method& method = findMethod(settings.method);
  const int vocabulary = parts_->model.shape.vocabulary;
  // An answer always follows something: one token stands for an empty context.
  const int before = std::max(1, depth);
  MemoryChunks read(TextRun::readingHeader(parts_->model, method, settings.budgetTokens, before).slotBytes),
      kept(TextRun::fileHeader(parts_->model, method, settings.budgetTokens, before).slotBytes);
  const auto runOver = [&](MemoryChunks& store) {
    return std::make_unique<TextRun>(
        parts_->model,
        TextRun::Settings{method, settings.budgetTokens, nullptr, breathe, {}, nullptr, false, before}, &store);
  };
  std::vector<Run> chunks;
  bool isKept = true;
  {
    const auto reading = runOver(read);
    reading->read(anyTokens(before, vocabulary), settings.stepTokens);
    chunks = reading->cache().runs();
    isKept = reading->isKeptWhole();
    if (!isKept) reading->keepInto(kept);
  }
  const std::vector<TokenId> text = anyTokens(tokens, vocabulary);
  std::vector<BenchResult> results;
  for (int i = 0; i < times; ++i) {
    const auto answering = runOver(isKept ? read : kept);
    answering->readAfter(chunks, anyTokens(1, vocabulary));
    const double seconds = secondsOf([&] {
      for (const TokenId token : text) answering->pass().generate(token);
    });
    results.push_back({"generate", tokens, depth, tokens / seconds});
  }
  return results;
}

}  // namespace kvasir
