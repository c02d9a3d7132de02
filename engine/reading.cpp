#include "engine/reading.h"

#include <chrono>
#include <cstring>

#include "engine/passage_index.h"

namespace kvasir {
namespace {

// Once a file is larger, its mapped chunks leave memory after every step: what a step writes and retrieves from
// all over the document would add up otherwise.
constexpr std::size_t kMostMappedBytes = std::size_t{256} << 20;

std::vector<StoredToken> tokenize(const LoadedModel& model, std::string_view text) {
  std::vector<StoredToken> tokens;
  for (const TokenId id : framePrefix(model)) tokens.push_back({id, 0, 0});
  for (const Token& token : model.tokenizer->encode(text))
    tokens.push_back(
        {token.id, static_cast<std::uint32_t>(token.start), static_cast<std::uint32_t>(token.end)});
  return tokens;
}

std::vector<ChunkRange> rangesOf(const std::vector<StoredToken>& tokens) {
  std::vector<ChunkRange> ranges;
  for (std::size_t first = 0; first < tokens.size(); first += kChunkTokens) {
    const std::size_t end = std::min(first + kChunkTokens, tokens.size());
    ChunkRange range{static_cast<int>(first), static_cast<int>(end - first), 0, 0};
    for (std::size_t i = first; i < end; ++i) {
      if (tokens[i].start == tokens[i].end) continue;  // of the prompt's frame
      if (range.end == 0) range.start = tokens[i].start;
      range.end = tokens[i].end;
    }
    ranges.push_back(range);
  }
  return ranges;
}

/// Tells the listener how far reading is, whenever the pass breathes.
class ReadingProgress {
 public:
  ReadingProgress(Listener& listener, int done, int total)
      : listener_(listener), done_(done), startedAt_(done), total_(total) {}

  /// So much need not be read.
  void startAt(int done) {
    done_ = startedAt_ = done;
    started_ = std::chrono::steady_clock::now();
  }
  void breathe() { listener_.progress({Stage::Reading, done_, total_, speed_}); }
  void advance(int done) {
    done_ = done;
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started_;
    if (seconds.count() > 0) speed_ = (done_ - startedAt_) / seconds.count();
    breathe();
  }

 private:
  Listener& listener_;
  int done_, startedAt_, total_;
  double speed_ = 0;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

/// A dense reading depends on the budget only where that is smaller than the windows of the model's own.
bool dependsOnBudget(const LoadedModel& model, const Method& method, int budgetTokens) {
  if (!keepsKv(method)) return false;
  if (method.sees == Sees::BudgetInAnswers) return model.shape.window > budgetTokens;
  return method.sees != Sees::WholeDocument;
}

}  // namespace

std::string readingName(const Method& method) {
  const std::string own = method.policy.name + method.numbers.readingText();
  if (method.sees != Sees::BudgetInAnswers) return own;
  constexpr KvShape kAnyShape{1, 1, 1};
  constexpr int kAnyBudget = 1 << 20;
  const KvCache::Extras extras = method.makePolicy({kAnyShape, 1, kAnyBudget})->needs().extras;
  const bool isBare = extras.indexFloats == 0 && extras.noteFloats == 0 && extras.keptTokens == 0;
  return isBare ? findMethod("full").policy.name : own;
}

std::optional<ReadSettings> denseSettings(const LoadedModel& model, const ReadSettings& settings) {
  const Method& method = findMethod(settings.method);
  const bool isDense = method.sees == Sees::BudgetInAnswers || method.sees == Sees::BudgetOnceRead;
  if (!isDense || model.shape.window > settings.budgetTokens) return std::nullopt;
  const auto policy = method.makePolicy({model.kvShape(), model.shape.heads, settings.budgetTokens});
  if (policy->needs().heardTokens == KvPolicy::kAllTokens) return std::nullopt;
  for (const Method& row : methods())
    if (row.policy.make == fullPolicy && row.sees == Sees::WholeDocument &&
        row.positions.make == method.positions.make && row.codec.make == readingCodec(method))
      return ReadSettings{row.name, settings.budgetTokens, settings.stepTokens};
  return std::nullopt;
}

ChunkedReading::ChunkedReading(const Method& method, int budgetTokens, std::vector<StoredToken> tokens,
                               std::vector<ChunkRange> chunks)
    : methodName_(method.name),
      budgetTokens_(budgetTokens),
      tokens_(std::move(tokens)),
      chunks_(std::move(chunks)) {}

std::size_t ChunkedReading::bytesInMemory() const {
  return chunks_.size() * sizeof(ChunkRange) + tokens_.size() * sizeof(StoredToken);
}

std::vector<Run> ChunkedReading::finishedRuns() const {
  std::vector<Run> runs;
  for (int chunk = 0; chunk < finished(); ++chunk) {
    const ChunkRange& range = chunks_[static_cast<std::size_t>(chunk)];
    runs.push_back({range.firstToken, range.firstToken + range.tokens});
  }
  return runs;
}

std::vector<Run> ChunkedReading::frames() const {
  std::vector<Run> frames;
  int document = -1;
  for (const ChunkRange& chunk : chunks_) {
    if (chunk.document == document) continue;
    document = chunk.document;
    Run frame{chunk.firstToken, chunk.firstToken};
    const auto isFrame = [&](int token) {
      const StoredToken& stored = tokens_[static_cast<std::size_t>(token)];
      return stored.start == stored.end;
    };
    while (frame.end < static_cast<int>(tokens_.size()) && isFrame(frame.end)) ++frame.end;
    frames.push_back(frame);
  }
  return frames;
}

StoredReading::StoredReading(std::unique_ptr<ChunkFile> file, const Method& method, int budgetTokens)
    : ChunkedReading(method, budgetTokens, file->tokens(), rangesOf(file->tokens())), file_(std::move(file)) {}

std::size_t StoredReading::bytesInMemory() const {
  return ChunkedReading::bytesInMemory() + file_->tokens().size() * sizeof(StoredToken);
}

int StoredReading::tokensRead() const {
  const auto whole = static_cast<std::size_t>(finished());
  return whole < chunks().size() ? chunks()[whole].firstToken : tokens();
}

std::string readingKey(const LoadedModel& model, const ReadSettings& settings) {
  const Method& method = findMethod(settings.method);
  requireBudget(model, method, settings.budgetTokens);
  std::string key = model.info.fingerprint + "-" + model.info.settings + "-" + model.chat.name + "-" +
                    readingName(method) + "-" + method.positions.name + "-" + method.codec.name +
                    (model.form == DenseForm::Float32 ? "32" : "16");
  if (readsPassages(method)) key += std::string("-") + method.passages.name;
  if (keepsKv(method) && method.judge == Judge::Score)
    key += "-" + (method.policy.make == retrolmPolicy ? model.bookmarks : model.whitened)->id();
  if (method.policy.make == beaconPolicy) key += "-" + model.beacons->id();
  if (dependsOnBudget(model, method, settings.budgetTokens)) key += "-" + std::to_string(settings.budgetTokens);
  for (char& letter : key)
    if (!std::isalnum(static_cast<unsigned char>(letter)) && letter != '-') letter = '_';
  return key;
}

namespace {

/// What a file's head says of a reading to come.
ChunkFileHeader headerFor(const LoadedModel& model, const ReadSettings& settings, std::size_t tokens) {
  constexpr std::uint64_t kNoKv = 64;  // bytes of a slot that holds no keys and values: a slot has some
  const Method& method = findMethod(settings.method);
  const int chunks = static_cast<int>((tokens + kChunkTokens - 1) / kChunkTokens);
  ChunkFileHeader header;
  header.slotBytes = kNoKv;
  header.chunks = static_cast<std::uint32_t>(chunks);
  if (keepsKv(method))
    header = TextRun::fileHeader(model, method, settings.budgetTokens, static_cast<int>(tokens));
  if (readsPassages(method)) makeRoomForPassages(model, method, header);
  header.key = readingKey(model, settings);
  return header;
}

bool areWhole(const std::vector<StoredToken>& tokens, int vocabulary) {
  return std::ranges::all_of(tokens, [&](const StoredToken& token) {
    return token.id >= 0 && token.id < vocabulary && token.start <= token.end;
  });
}

}  // namespace

std::shared_ptr<const StoredReading> openReading(const LoadedModel& model, const std::filesystem::path& path,
                                                 const ReadSettings& settings, Extent extent) {
  auto file = ChunkFile::open(path, readingKey(model, settings));
  if (!file || file->header() != headerFor(model, settings, file->tokens().size()) ||
      !areWhole(file->tokens(), model.shape.vocabulary))
    return nullptr;
  auto reading = std::make_shared<const StoredReading>(std::move(file), findMethod(settings.method),
                                                       settings.budgetTokens);
  const bool isEnough =
      extent == Extent::Whole ? reading->isComplete() : reading->finished() > 0 || reading->isComplete();
  return isEnough ? reading : nullptr;
}

namespace {

bool isOf(const StoredReading& reading, const std::vector<StoredToken>& tokens) {
  const std::vector<StoredToken>& held = reading.file().tokens();
  return held.size() == tokens.size() &&
         std::memcmp(held.data(), tokens.data(), tokens.size() * sizeof(StoredToken)) == 0;
}

/// The whole reading of a text that `denseSettings` speak of; null where the file is none.
std::shared_ptr<const StoredReading> openDense(const LoadedModel& model, const ReadSettings& settings,
                                               const std::vector<StoredToken>& tokens,
                                               const std::filesystem::path& path) {
  const auto dense = path.empty() ? std::nullopt : denseSettings(model, settings);
  auto reading = dense ? openReading(model, path, *dense) : nullptr;
  return reading && isOf(*reading, tokens) ? reading : nullptr;
}

/// Begins with what is there of a text: the first chunks of the file, and those of a dense reading, if there is
/// one, but for its end, which the policy is to hear. Returns how many tokens need not be read.
int begin(TextRun& run, const StoredReading& reading, const StoredReading* dense, ReadingProgress& progress) {
  KvCache& cache = run.cache();
  cache.adopt(reading.finishedRuns());
  if (!dense) return cache.tokens();
  KvCache from(cache.shape(), cache.codec(), dense->store(), {});
  from.adopt(dense->finishedRuns());
  const int heard = std::max(1, run.policy().needs().heardTokens);
  const auto mostMapped = static_cast<int>(kMostMappedBytes / reading.file().header().slotBytes) + 1;
  while (cache.tokens() + kChunkTokens + heard <= dense->tokens()) {
    progress.breathe();
    const int chunk = cache.open(kChunkTokens);
    cache.copy(from, chunk);
    if (chunk % mostMapped > 0) continue;
    dense->store().release();
    reading.store().release();
  }
  progress.startAt(cache.tokens());
  return cache.tokens();
}

std::vector<TokenId> idsFrom(const StoredReading& reading, int first) {
  std::vector<TokenId> ids;
  for (int i = first; i < reading.tokens(); ++i)
    ids.push_back(reading.storedTokens()[static_cast<std::size_t>(i)].id);
  return ids;
}

/// Reads all of a text, keeps of it what the method does, and writes only that. A reading that was stopped
/// starts again: what is kept is decided at its end, from all of it.
void readAndKeep(const LoadedModel& model, const ReadSettings& settings, const ChunkFileHeader& header,
                 const std::vector<StoredToken>& tokens, const std::filesystem::path& path,
                 const StoredReading* dense, Listener& listener) {
  const Method& method = findMethod(settings.method);
  MemoryChunks kept(header.slotBytes);
  {
    const ChunkFileHeader all =
        TextRun::readingHeader(model, method, settings.budgetTokens, static_cast<int>(tokens.size()));
    ChunkFileHeader wholeHeader = header;
    wholeHeader.slotBytes = all.slotBytes;
    wholeHeader.ring = all.ring;
    const StoredReading whole(ChunkFile::create(path, wholeHeader, tokens), method, settings.budgetTokens);
    ReadingProgress progress(listener, 0, whole.tokens());
    const auto breathe = [&] { progress.breathe(); };
    TextRun run(model, {method, settings.budgetTokens, nullptr, breathe}, &whole.file());
    const int first = begin(run, whole, dense, progress);
    run.read(idsFrom(whole, first), settings.stepTokens, [&](int chunks) {
      if (static_cast<std::size_t>(chunks) * all.slotBytes > kMostMappedBytes) whole.file().release();
      progress.advance(run.cache().tokens());
    });
    run.keepInto(kept);
  }
  const auto file = ChunkFile::create(path, header, tokens);
  for (int slot = 0; slot < static_cast<int>(std::min(header.chunks, header.ring + 1)); ++slot)
    std::memcpy(file->slot(slot), kept.slot(slot), header.slotBytes);
  if (readsPassages(method))
    PassageIndexer(model, method, *file).add(0, static_cast<int>(header.chunks), [&] {
      listener.progress({Stage::Reading, std::ssize(tokens), std::ssize(tokens), 0});
    });
  file->finish(static_cast<int>(header.chunks));
}

/// Leaves of a text only what finds passages in it.
void indexPassages(const LoadedModel& model, const Method& method, ChunkFile& file, Listener& listener) {
  constexpr int kAtOnce = 256;  // chunks
  const int chunks = static_cast<int>(file.header().chunks), done = file.finished();
  ReadingProgress progress(listener, done * kChunkTokens, static_cast<int>(file.tokens().size()));
  PassageIndexer indexer(model, method, file);
  for (int first = done; first < chunks; first += kAtOnce) {
    const int end = std::min(first + kAtOnce, chunks);
    progress.advance(first * kChunkTokens);
    indexer.add(first, end, [&] { progress.breathe(); });
    for (int chunk = first; chunk < end; ++chunk) file.slot(chunk);
    file.finish(end);
  }
}

/// Reads a text from where its file stands, and finds passages in it on the way where the method does.
void readOn(const LoadedModel& model, const ReadSettings& settings, StoredReading& reading,
            const StoredReading* dense, Listener& listener) {
  const Method& method = findMethod(settings.method);
  const std::uint64_t slotBytes = reading.file().header().slotBytes;
  int done = reading.finished();
  ReadingProgress progress(listener, reading.tokensRead(), reading.tokens());
  const auto breathe = [&] { progress.breathe(); };
  std::optional<PassageIndexer> indexer;
  if (readsPassages(method)) indexer.emplace(model, method, reading.file());
  TextRun run(model, {method, settings.budgetTokens, nullptr, breathe, {}, nullptr, false, reading.tokens()},
              &reading.file());
  const int first = begin(run, reading, dense, progress);
  run.read(idsFrom(reading, first), settings.stepTokens, [&](int whole) {
    if (indexer) indexer->add(done, whole, breathe);
    done = whole;
    reading.file().finish(whole);
    if (static_cast<std::size_t>(whole) * slotBytes > kMostMappedBytes) reading.file().release();
    progress.advance(run.cache().tokens());
  });
}

}  // namespace

std::shared_ptr<const StoredReading> readText(const LoadedModel& model, std::string_view text,
                                              const ReadSettings& settings, const std::filesystem::path& path,
                                              Listener& listener, const std::filesystem::path& densePath) {
  const Method& method = findMethod(settings.method);
  const std::vector<StoredToken> tokens = tokenize(model, text);
  const ChunkFileHeader header = headerFor(model, settings, tokens.size());
  const auto dense = openDense(model, settings, tokens, densePath);
  if (method.sees == Sees::BudgetOnceRead) {
    if (auto kept = openReading(model, path, settings); kept && isOf(*kept, tokens)) return kept;
    readAndKeep(model, settings, header, tokens, path, dense.get(), listener);
    return openReading(model, path, settings);
  }
  if (keepsKv(method)) {
    StoredReading reading(ChunkFile::create(path, header, tokens), method, settings.budgetTokens);
    readOn(model, settings, reading, dense.get(), listener);
  } else {
    indexPassages(model, method, *ChunkFile::create(path, header, tokens), listener);
  }
  return openReading(model, path, settings);
}

}  // namespace kvasir
