#include "engine/joined_reading.h"

namespace kvasir {
namespace {

using Parts = std::vector<std::shared_ptr<const StoredReading>>;

/// The chunk stores of several readings, one behind the other. Only read from: what a question adds stays in
/// memory.
class JoinedChunks : public ChunkStore {
 public:
  explicit JoinedChunks(const Parts& parts) : parts_(parts) {}

  std::byte* slot(int chunk) override {
    const auto [part, own] = locate(chunk);
    return part->store().slot(own);
  }
  void writeIndex(int layer, int chunk, std::span<const float> entry) override {
    const auto [part, own] = locate(chunk);
    part->store().writeIndex(layer, own, entry);
  }
  void readIndex(int layer, int chunks, std::span<float> entries) override {
    const std::size_t floats = entries.size() / static_cast<std::size_t>(std::max(1, chunks));
    std::size_t done = 0;
    for (const auto& part : parts_) {
      const auto count =
          std::min(static_cast<std::size_t>(part->finished()), static_cast<std::size_t>(chunks) - done);
      part->store().readIndex(layer, static_cast<int>(count), entries.subspan(done * floats, count * floats));
      done += count;
    }
  }
  void release() override {
    for (const auto& part : parts_) part->store().release();
  }

 private:
  std::pair<const StoredReading*, int> locate(int chunk) const {
    for (const auto& part : parts_) {
      if (chunk < part->finished()) return {part.get(), chunk};
      chunk -= part->finished();
    }
    throw std::logic_error("a chunk that no joined reading has");
  }

  Parts parts_;
};

class JoinedReading : public ChunkedReading {
  template <class Of>
  auto sum(const Of& of) const {
    decltype(of(*parts_.front())) total = 0;
    for (const auto& part : parts_) total += of(*part);
    return total;
  }

 public:
  JoinedReading(Parts parts, std::vector<StoredToken> tokens, std::vector<ChunkRange> chunks)
      : ChunkedReading(findMethod(parts.front()->method()), parts.front()->budgetTokens(), std::move(tokens),
                       std::move(chunks)),
        parts_(std::move(parts)),
        store_(std::make_unique<JoinedChunks>(parts_)) {}

  int tokens() const override {
    return sum([](const StoredReading& part) { return part.tokens(); });
  }
  int tokensRead() const override {
    return sum([](const StoredReading& part) { return part.tokensRead(); });
  }
  std::size_t bytesOnDisk() const override {
    return sum([](const StoredReading& part) { return part.bytesOnDisk(); });
  }
  std::size_t bytesInMemory() const override {
    return ChunkedReading::bytesInMemory() +
           sum([](const StoredReading& part) { return part.bytesInMemory(); });
  }
  ChunkStore& store() const override { return *store_; }
  int finished() const override { return static_cast<int>(chunks().size()); }
  bool isForgetful() const override { return parts_.front()->isForgetful(); }

 private:
  Parts parts_;
  std::unique_ptr<JoinedChunks> store_;
};

void requireJoinable(const LoadedModel& model, const StoredReading& reading) {
  const Method& method = findMethod(reading.method());
  const PolicySettings settings{model.kvShape(),      model.shape.heads,    reading.budgetTokens(), {},
                                model.whitened.get(), model.bookmarks.get()};
  const KvPolicy::Needs needs = method.makePolicy(settings)->needs();
  if (needs.isPlaced || needs.extras.keptTokens > 0)
    throw std::runtime_error(
        "What the method " + reading.method() +
        " keeps of a document serves that document alone; ask one at a time, or choose another method.");
}

}  // namespace

std::shared_ptr<const ChunkedReading> joinReadings(const LoadedModel& model, Parts readings) {
  if (readings.empty()) throw std::runtime_error("There is no document to ask.");
  if (readings.size() > 1 && readings.front()) requireJoinable(model, *readings.front());
  std::vector<StoredToken> tokens;
  std::vector<ChunkRange> chunks;
  for (std::size_t document = 0; document < readings.size(); ++document) {
    const auto& part = readings[document];
    if (!part || part->file().header().key != readings.front()->file().header().key)
      throw std::runtime_error(
          "Documents can be asked together when they were read for the same model, method and budget.");
    const int first = static_cast<int>(tokens.size());
    for (int chunk = 0; chunk < part->finished(); ++chunk) {
      ChunkRange range = part->chunks()[static_cast<std::size_t>(chunk)];
      range.firstToken += first;
      range.document = static_cast<int>(document);
      chunks.push_back(range);
    }
    tokens.insert(tokens.end(), part->storedTokens().begin(),
                  part->storedTokens().begin() + part->tokensRead());
  }
  return std::make_shared<const JoinedReading>(std::move(readings), std::move(tokens), std::move(chunks));
}

}  // namespace kvasir
