#include "tests/app/fake_engine.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>

#include "engine/engine.h"
#include "engine/wishes.h"

// Text is cut into chunks of 40 bytes and tokens of 4. A chunk file holds the key and one line a chunk. A model
// is its file's name, and all methods but `full` read within the budget. Evidence is every chunk that holds a
// word of the question, and the answer is the first of them.

FakeEngine& fakeEngine() {
  static FakeEngine engine;
  return engine;
}

namespace kvasir {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kChunkBytes = 40;
constexpr int kTokenBytes = 4;
constexpr int kLayers = 3;
constexpr int kHeads = 2;

class FakeTokenizer : public Tokenizer {
 public:
  FakeTokenizer() : Tokenizer(Vocabulary{}) {}
  std::vector<Token> encode(std::string_view text) const override {
    std::vector<Token> tokens;
    for (std::size_t i = 0; i < text.size(); ++i)
      tokens.push_back({static_cast<unsigned char>(text[i]), i, i + 1});
    return tokens;
  }
  std::string bytesOf(TokenId token) const override { return std::string(1, static_cast<char>(token)); }
};

class FakeReading : public Reading {
 public:
  /// tokens: of the whole document, of which `text` is the beginning.
  FakeReading(std::string text, int tokens, std::string method)
      : texts_{std::move(text)}, method_(std::move(method)), tokens_(tokens) {
    addChunks(0);
  }
  FakeReading(const std::vector<std::shared_ptr<const Reading>>& readings)
      : method_(readings.front()->method()) {
    for (const auto& reading : readings) {
      texts_.push_back(dynamic_cast<const FakeReading&>(*reading).texts_.front());
      addChunks(static_cast<int>(texts_.size()) - 1);
      tokens_ += reading->tokens();
    }
  }
  const std::vector<ChunkRange>& chunks() const override { return chunks_; }
  int tokens() const override { return tokens_; }
  int tokensRead() const override {
    int bytes = 0;
    for (const std::string& text : texts_) bytes += static_cast<int>(text.size());
    return std::min(bytes / kTokenBytes, tokens_);
  }
  std::size_t bytesOnDisk() const override { return 1000; }
  std::size_t bytesInMemory() const override { return 100; }
  const std::string& method() const override { return method_; }
  int documents() const { return static_cast<int>(texts_.size()); }
  std::string textOf(const ChunkRange& chunk) const {
    return texts_[static_cast<std::size_t>(chunk.document)].substr(chunk.start, chunk.end - chunk.start);
  }

 private:
  void addChunks(int document) {
    const std::string& text = texts_.back();
    int first = chunks_.empty() ? 0 : chunks_.back().firstToken + chunks_.back().tokens;
    for (std::size_t start = 0; start < text.size(); start += kChunkBytes) {
      const std::size_t end = std::min(start + kChunkBytes, text.size());
      const int tokens = static_cast<int>(end - start) / kTokenBytes;
      chunks_.push_back({first, tokens, start, end, document});
      first += tokens;
    }
  }

  std::vector<std::string> texts_;
  std::string method_;
  std::vector<ChunkRange> chunks_;
  int tokens_ = 0;
};

int tokensOf(std::string_view text) { return static_cast<int>(text.size()) / kTokenBytes; }

/// Lines of the file: the key, then each chunk with line breaks as '\1'.
std::vector<std::string> linesOf(const fs::path& file) {
  std::vector<std::string> lines;
  std::ifstream stream(file, std::ios::binary);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (std::size_t i = 1; i < lines.size(); ++i) text += lines[i];
  std::replace(text.begin(), text.end(), '\1', '\n');
  return text;
}

std::string firstLine(const std::string& key, std::size_t bytes) { return key + " " + std::to_string(bytes); }

EvidenceMap emptyMap(int chunks) {
  EvidenceMap map;
  map.layers = kLayers;
  map.chunks = chunks;
  map.heads = kHeads;
  const auto cells = static_cast<std::size_t>(kLayers * chunks);
  map.scores.assign(cells, 0.1F);
  map.mass.assign(cells, 0);
  map.attended.assign(cells, 0);
  map.headMass.assign(cells * kHeads, 0);
  return map;
}

/// The chunk gets half of each layer's attention.
void attend(EvidenceMap& map, int chunk) {
  for (int layer = 0; layer < kLayers; ++layer) {
    const auto cell = static_cast<std::size_t>(layer * map.chunks + chunk);
    map.scores[cell] = 1;
    map.mass[cell] = 0.5F;
    map.attended[cell] = 1;
  }
}

std::vector<std::string> wordsOf(std::string_view question) {
  std::vector<std::string> words(1);
  for (char c : question) {
    if (std::isalnum(static_cast<unsigned char>(c)))
      words.back() += c;
    else if (!words.back().empty())
      words.emplace_back();
  }
  std::erase_if(words, [](const std::string& word) { return word.size() < 4; });
  return words;
}

}  // namespace

struct Engine::Parts {
  ModelInfo model;
  FakeTokenizer tokenizer;
};

std::vector<MethodInfo> listMethods() {
  return {{"full", "everything", "rope", "bf16", "full", "none", "reading"},
          {"infllm", "chunks", "rope", "bf16", "infllm", "none", "reading"},
          {"whitened", "chunks", "rope", "bf16", "whitened", "none", "reading"},
          {"retrolm", "chunks", "rope", "bf16", "retrolm", "none", "reading"},
          {"reread", "chunks", "rope", "bf16", "retrolm", "none", "reread"},
          {"h2o", "tokens", "rope", "bf16", "h2o", "none", "reading"},
          {"streaming",
           "recent tokens",
           "rope",
           "bf16",
           "streaming",
           "none",
           "reading",
           {{"sinks", "First tokens that always stay", 4, 0, 64}}}};
}

bool takesWishes(const std::string& method) { return method != "streaming"; }

/// Keys and values of `infllm` and `reread` can be kept in 4 bits too.
void requireMethod(const std::string& name) {
  std::string wanted(rowNameOf(name));
  if (wanted == "infllm+kivi-4" || wanted == "reread+kivi-4") wanted = tableRowOf(name);
  for (const MethodInfo& row : listMethods())
    if (row.name == wanted) return Numbers(row.numbers).choose(numbersOf(name));
  throw std::runtime_error("There is no method \"" + name + "\".");
}

namespace {

/// The row a reading is called after.
std::string readAs(const std::string& method) { return method == "reread" ? "retrolm" : method; }

}  // namespace

bool readAlike(const std::string& method, const std::string& other) { return readAs(method) == readAs(other); }
bool readsInOneGo(const std::string& method) { return method == "h2o"; }
bool boundsAnswersOnly(const std::string& method) { return method == "h2o"; }

Engine::Engine(const EngineSettings& settings, Listener& listener) : parts_(std::make_unique<Parts>()) {
  ++fakeEngine().loads;
  if (settings.device == Device::Cuda) throw std::runtime_error(fakeEngine().refusal);
  listener.progress({Stage::Loading, 1, 1, 0});
  parts_->model.name = "Fake";
  parts_->model.fingerprint = settings.model.stem().string();
}
Engine::~Engine() = default;

const ModelInfo& Engine::model() const { return parts_->model; }
const Tokenizer& Engine::tokenizer() const { return parts_->tokenizer; }
int Engine::threads() const { return 1; }
std::string Engine::deviceName() const { return fakeEngine().device; }

void Engine::requireBudget(const std::string& method, int budgetTokens) const {
  const int most = fakeEngine().trainedTokens;
  if (most == 0 || budgetTokens <= most || rowNameOf(method) != "streaming") return;
  throw std::runtime_error("A budget of " + std::to_string(budgetTokens) + " is more than the " +
                           std::to_string(most) + " tokens the model was trained on.");
}

std::string Engine::adapterId() const { return fakeEngine().adapter; }

void Engine::requireUse(const std::string& method, int budgetTokens, MethodUse) const {
  requireBudget(method, budgetTokens);
  if (!fakeEngine().unusable.empty() && method == fakeEngine().unusable)
    throw std::runtime_error("The method " + method + " is of no use with this model.");
}

std::string Engine::denseKey(const ReadSettings& settings) const {
  const bool isSpared = !fakeEngine().spared.empty() && settings.method == fakeEngine().spared;
  return isSpared ? readingKey({"full", settings.budgetTokens, settings.stepTokens}) : "";
}

std::string Engine::readingKey(const ReadSettings& settings) const {
  requireBudget(settings.method, settings.budgetTokens);
  const std::string key = parts_->model.fingerprint + "-" + readAs(settings.method);
  return settings.method == "full" ? key : key + "-" + std::to_string(settings.budgetTokens);
}

std::shared_ptr<const Reading> Engine::read(std::string_view text, const ReadSettings& settings,
                                            const fs::path& file, Listener& listener, const fs::path& dense) {
  const std::string key = readingKey(settings);
  const std::vector<std::string> denseLines = dense.empty() ? std::vector<std::string>() : linesOf(dense);
  const bool isSpared = denseLines.size() > 1 && denseLines.back() == "end" &&
                        denseLines.front() == firstLine(denseKey(settings), text.size());
  if (isSpared) fakeEngine().readSparingly.push_back(settings.method);
  std::vector<std::string> lines = linesOf(file);
  if (lines.empty() || lines[0] != firstLine(key, text.size())) lines.clear();
  std::ofstream stream(file, std::ios::binary | (lines.empty() ? std::ios::trunc : std::ios::app));
  if (lines.empty()) stream << firstLine(key, text.size()) << std::endl;
  auto reading = std::make_shared<FakeReading>(std::string(text), tokensOf(text), settings.method);
  const std::size_t done = lines.empty() ? 0 : lines.size() - 1;
  for (std::size_t c = done; c < reading->chunks().size(); ++c) {
    listener.progress({Stage::Reading, static_cast<std::int64_t>(c),
                       static_cast<std::int64_t>(reading->chunks().size()), 1000});
    if (c == done && !isSpared) fakeEngine().chunksRead.push_back(0);
    std::string chunk(text.substr(c * kChunkBytes, kChunkBytes));
    std::replace(chunk.begin(), chunk.end(), '\n', '\1');
    stream << chunk << std::endl;
    if (!isSpared) ++fakeEngine().chunksRead.back();
    if (fakeEngine().onChunk) fakeEngine().onChunk(static_cast<int>(c));
  }
  stream << "end" << std::endl;
  return reading;
}

std::shared_ptr<const Reading> Engine::open(const fs::path& file, const ReadSettings& settings, Extent extent) {
  std::vector<std::string> lines = linesOf(file);
  const std::string key = readingKey(settings) + " ";
  if (lines.size() < 2 || !lines[0].starts_with(key)) return nullptr;
  const bool isWhole = lines.back() == "end";
  if (!isWhole && extent == Extent::Whole) return nullptr;
  if (isWhole) lines.pop_back();
  const int tokens = std::stoi(lines[0].substr(key.size())) / kTokenBytes;
  return std::make_shared<FakeReading>(joined(lines), tokens, settings.method);
}

std::shared_ptr<const Reading> Engine::join(const std::vector<std::shared_ptr<const Reading>>& readings) {
  return std::make_shared<FakeReading>(readings);
}

ReadSettings Engine::readSettingsFor(const AskSettings& settings) const {
  return {settings.method, settings.budgetTokens, 64};
}

namespace {

/// Evidence, map and the look of the question.
Answer look(const FakeReading& reading, std::string_view question, const AskSettings& settings) {
  Answer answer;
  answer.map = emptyMap(static_cast<int>(reading.chunks().size()));
  const auto isIn = [](const std::vector<int>& chunks, int chunk) {
    return std::find(chunks.begin(), chunks.end(), chunk) != chunks.end();
  };
  for (int c = 0; c < answer.map.chunks; ++c) {
    const ChunkRange& range = reading.chunks()[static_cast<std::size_t>(c)];
    const std::string chunk = reading.textOf(range);
    const std::vector<std::string> words = wordsOf(question);
    const bool isFound = std::any_of(words.begin(), words.end(), [&](const std::string& word) {
      return chunk.find(word) != std::string::npos;
    });
    if (isIn(settings.blockedChunks, c) || !(isFound || isIn(settings.pinnedChunks, c))) continue;
    answer.evidence.push_back(
        {c, 1.0 / (1 + c), 0.5, kLayers, range.start, range.end, fakeEngine().readShare, range.document});
    if (settings.method == "whitened")
      answer.evidence.back().parts = ScoreParts{0.75 / (1 + c), 0.25 / (1 + c)};
  }
  for (const EvidenceChunk& found : answer.evidence) attend(answer.map, found.chunk);
  answer.looks.emplace_back();
  for (const EvidenceChunk& found : answer.evidence) {
    for (std::int16_t layer = 0; layer < kLayers; ++layer)
      answer.looks.back().shares.push_back({layer, found.chunk, 0.25F});
  }
  answer.questionTokens = static_cast<int>(question.size()) / kTokenBytes;
  answer.attendedTokens = static_cast<int>(answer.evidence.size() * kChunkBytes) / kTokenBytes;
  answer.coverage = answer.evidence.empty() ? std::nullopt : std::optional(0.8);
  answer.kvBytesInMemory = reading.bytesInMemory();
  answer.firstTokenSeconds = 0.01;
  answer.totalSeconds = 0.5;
  return answer;
}

/// One token more of the answer; each looks at one chunk of the evidence in its turn.
void say(Answer& answer, const std::string& piece) {
  AnswerLook look{answer.text.size(), answer.text.size() + piece.size(), {}};
  if (!answer.evidence.empty()) {
    const auto turn = static_cast<std::size_t>(answer.answerTokens) % answer.evidence.size();
    look.shares.push_back({1, answer.evidence[turn].chunk, 0.75F});
  }
  answer.looks.push_back(std::move(look));
  answer.text += piece;
  ++answer.answerTokens;
  answer.logProbability = -answer.answerTokens;
}

}  // namespace

Answer Engine::ask(const Reading& reading, std::string_view question, const AskSettings& settings,
                   Listener& listener) {
  const auto& asked = dynamic_cast<const FakeReading&>(reading);
  fakeEngine().questions.emplace_back(question);
  fakeEngine().pinned.push_back(settings.pinnedChunks);
  fakeEngine().blocked.push_back(settings.blockedChunks);
  fakeEngine().documentsAsked.push_back(asked.documents());
  fakeEngine().chunksAsked.push_back(static_cast<int>(asked.chunks().size()));
  Answer answer = look(asked, question, settings);
  std::string whole = fakeEngine().saying;
  if (whole.empty() && !answer.evidence.empty())
    whole = asked.textOf(asked.chunks()[static_cast<std::size_t>(answer.evidence[0].chunk)]);
  for (std::size_t i = 0; i < whole.size() && answer.answerTokens < settings.maxTokens; i += kTokenBytes) {
    listener.progress({Stage::Answering, answer.answerTokens, settings.maxTokens, 100});
    const std::string piece = whole.substr(i, kTokenBytes);
    listener.answerText(piece);
    say(answer, piece);
    if (fakeEngine().onAnswerWord) fakeEngine().onAnswerWord();
  }
  answer.stoppedByLimit = answer.text.size() < whole.size();
  answer.steps = fakeEngine().steps;
  return answer;
}

Answer Engine::retrace(const Reading& reading, std::string_view question, std::string_view said,
                       const AskSettings& settings, Listener& listener) {
  listener.progress({Stage::Retrieving, 0, 1, 0});
  ++fakeEngine().retraces;
  if (fakeEngine().onRetrace) fakeEngine().onRetrace();
  Answer answer = look(dynamic_cast<const FakeReading&>(reading), question, settings);
  for (std::size_t i = 0; i < said.size(); i += kTokenBytes)
    say(answer, std::string(said.substr(i, kTokenBytes)));
  return answer;
}

namespace {

void endFirstStep(Listener& listener) {
  if (!fakeEngine().onTrainingStep) return;
  fakeEngine().onTrainingStep();
  listener.progress({Stage::Training, 1, 2, 0});
}

}  // namespace

fs::path Engine::trainWhitening(const std::vector<WhiteningText>& texts, const WhiteningSettings&,
                                const fs::path& folder, Listener& listener) {
  for (const WhiteningText& text : texts) {
    fakeEngine().trainingTexts.push_back(text.text);
    for (const std::string& question : text.questions) fakeEngine().questions.push_back(question);
  }
  endFirstStep(listener);
  return folder / "fake.safetensors";
}

fs::path Engine::trainAdapter(const AdapterTexts& texts, const AdapterSettings& settings,
                              const fs::path& folder, const std::function<void(const TrainingStep&)>& report,
                              Listener& listener) {
  for (const AdapterLesson& lesson : texts.train) fakeEngine().trainingTexts.push_back(lesson.text);
  fakeEngine().rank = settings.rank;
  fakeEngine().trainingFiles = texts.files;
  if (fakeEngine().losses.empty())
    fakeEngine().losses = {{1, 2, 3.0, {}, {}, false}, {2, 2, 2.0, 1.5, {}, true}};
  report(fakeEngine().losses.front());
  endFirstStep(listener);
  for (const TrainingStep& step : std::span(fakeEngine().losses).subspan(1)) report(step);
  return folder / "fake.safetensors";
}

fs::path Engine::trainBeacons(const BeaconTexts& texts, const BeaconSettings& settings, const fs::path& folder,
                              const std::function<void(const TrainingStep&)>& report, Listener& listener) {
  fakeEngine().trainingTexts = texts.train;
  fakeEngine().rank = settings.rank;
  report({1, 1, 2.0, 1.5, {}, true});
  endFirstStep(listener);
  return folder / "fake.safetensors";
}

fs::path Engine::trainRetriever(const RetrieverTexts& texts, const RetrieverSettings& settings,
                                const fs::path& folder, const std::function<void(const TrainingStep&)>& report,
                                Listener& listener) {
  for (const RetrieverLesson& lesson : texts.train) {
    fakeEngine().trainingTexts.push_back(lesson.text);
    for (const auto& item : lesson.items)
      for (const auto& gold : item.gold)
        fakeEngine().questions.push_back(item.question + ": " +
                                         lesson.text.substr(gold.start, gold.end - gold.start));
  }
  fakeEngine().rank = settings.rank;
  report({1, 1, 2.0, 1.5, 0.75, true});
  endFirstStep(listener);
  return folder / "fake.safetensors";
}

FullAttention Engine::fullAttention(const Reading& reading, std::string_view, std::string_view,
                                    Listener& listener) {
  listener.progress({Stage::Answering, 0, 1, 0});
  if (fakeEngine().onLook) fakeEngine().onLook(listener);
  EvidenceMap map = emptyMap(static_cast<int>(reading.chunks().size()));
  std::fill(map.attended.begin(), map.attended.end(), std::uint8_t{1});
  std::fill(map.mass.begin(), map.mass.end(), 1.0F / static_cast<float>(std::max(map.chunks, 1)));
  return {map, {}};
}

std::vector<TopTokens> Engine::logits(std::string_view text, int top, Listener&) {
  std::vector<TopTokens> positions;
  for (std::size_t i = 0; i < text.size(); ++i) {
    positions.push_back({{}, i + 1 < text.size() ? -1.0 : 0.0});
    for (int k = 0; k < top; ++k) positions.back().top.emplace_back(text[i] + k, -1.0 - k);
  }
  return positions;
}

/// The first token of a window is foreseen by nothing; the others the better the earlier they stand, and half
/// as well by `infllm`.
std::vector<std::optional<double>> Engine::foresee(std::string_view text, const ReadSettings& settings,
                                                   const TextStretch& stretch, Listener& listener) {
  listener.progress({Stage::Reading, 0, 1, 0});
  const int window = stretch.windowTokens > 0 ? stretch.windowTokens : stretch.tokens;
  std::vector<std::optional<double>> foreseen;
  for (int i = 0; i < std::min(stretch.tokens, static_cast<int>(text.size())); ++i) {
    const int place = i % window;
    foreseen.push_back(place == 0 ? std::nullopt : std::optional(std::log(place < window / 2 ? 0.5 : 0.25)));
    if (foreseen.back() && settings.method == "infllm") *foreseen.back() += std::log(0.5);
  }
  return foreseen;
}

BenchResult Engine::benchRead(int tokens, int depth, const ReadSettings&, Listener&) {
  static int call = 0;
  return {"read", tokens, depth, 100.0 * (1 + call++ % 3)};
}

std::vector<BenchResult> Engine::benchGenerate(int tokens, int depth, int times, const ReadSettings&,
                                               Listener&) {
  std::vector<BenchResult> results;
  for (int i = 0; i < times; ++i) results.push_back({"generate", tokens, depth, 10.0 * (1 + (i + 1) % 3)});
  return results;
}

}  // namespace kvasir
