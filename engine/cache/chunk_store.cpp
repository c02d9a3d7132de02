#include "engine/cache/chunk_store.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <new>
#include <optional>
#include <stdexcept>

#include "engine/cache/file_map.h"

namespace kvasir {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::uint64_t kGranularity = 64 << 10;  // of places to map, on every system
constexpr std::uint32_t kExtentChunks = 32;       // slots mapped at once
constexpr char kMagic[8] = {'K', 'V', 'A', 'S', 'I', 'R', 'K', 'V'};
constexpr std::uint32_t kVersion = 1;
constexpr std::uint64_t kMostTokens = std::uint64_t{1} << 30;
constexpr std::uint32_t kMostLayers = 1024, kMostIndexFloats = 1 << 20;
constexpr std::uint64_t kMostSlotBytes = std::uint64_t{1} << 34;
constexpr auto kFlushEvery = std::chrono::seconds(10);

/// The first bytes of a chunk file, as they stand on the disk (little-endian, as every system we serve).
struct FixedHeader {
  char magic[8];
  std::uint32_t version;
  std::uint32_t chunks;
  std::uint32_t ring;
  std::uint32_t tokens;
  std::uint32_t layers;
  std::uint32_t indexFloats;  ///< index entries stand behind the tokens: [layers, chunks, indexFloats]
  std::uint64_t slotBytes;
  std::uint64_t slotsAt;   ///< where slot 0 begins
  std::uint32_t finished;  ///< whole chunks, sure as long as the system that wrote them has not gone down since
  std::uint32_t durable;   ///< whole chunks that are on the disk
  char boot[40];           ///< names the run of the system that wrote `finished`
  char key[1024];
};
static_assert(sizeof(FixedHeader) == 8 + 24 + 16 + 8 + 40 + 1024);

std::uint64_t roundUp(std::uint64_t value, std::uint64_t to) { return (value + to - 1) / to * to; }

std::string bootName() {
  std::string name;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), name);
  return name.substr(0, sizeof(FixedHeader::boot) - 1);
}

std::uint64_t indexOffset(const FixedHeader& h) {
  return sizeof(FixedHeader) + std::uint64_t{h.tokens} * sizeof(StoredToken);
}

std::uint64_t slotsOffset(const FixedHeader& h) {
  return roundUp(indexOffset(h) + std::uint64_t{h.layers} * h.chunks * h.indexFloats * sizeof(float),
                 kGranularity);
}

bool isPlausible(const FixedHeader& h, std::uint64_t fileBytes) {
  return std::memcmp(h.magic, kMagic, sizeof kMagic) == 0 && h.version == kVersion && h.tokens <= kMostTokens &&
         h.layers <= kMostLayers && h.indexFloats <= kMostIndexFloats && h.chunks <= h.tokens &&
         h.ring <= kMostTokens && h.finished <= h.chunks && h.durable <= h.finished && h.slotBytes > 0 &&
         h.slotBytes <= kMostSlotBytes && h.slotsAt == slotsOffset(h) && h.slotsAt <= fileBytes &&
         h.key[sizeof h.key - 1] == 0;
}

std::uint32_t slotCount(const FixedHeader& h, std::uint32_t chunks) {
  return h.ring ? std::min(chunks, h.ring + 1) : chunks;
}

}  // namespace

void MemoryChunks::Free::operator()(std::byte* bytes) const {
  ::operator delete(bytes, std::align_val_t(kAlignment));
}

std::byte* MemoryChunks::slot(int chunk) {
  const auto index = static_cast<std::size_t>(chunk);
  if (index >= slots_.size()) slots_.resize(index + 1);
  if (!slots_[index]) {
    slots_[index].reset(static_cast<std::byte*>(::operator new(slotBytes_, std::align_val_t(kAlignment))));
    std::memset(slots_[index].get(), 0, slotBytes_);
  }
  return slots_[index].get();
}

void MemoryChunks::writeIndex(int layer, int chunk, std::span<const float> entry) {
  const auto row = static_cast<std::size_t>(layer);
  if (row >= index_.size()) index_.resize(row + 1);
  const std::size_t end = (static_cast<std::size_t>(chunk) + 1) * entry.size();
  if (index_[row].size() < end) index_[row].resize(end);
  std::ranges::copy(entry, index_[row].begin() + static_cast<std::ptrdiff_t>(end - entry.size()));
}

void MemoryChunks::readIndex(int layer, int, std::span<float> entries) {
  std::ranges::fill(entries, 0.0f);
  const auto row = static_cast<std::size_t>(layer);
  if (row >= index_.size()) return;
  const std::size_t held = std::min(entries.size(), index_[row].size());
  std::copy_n(index_[row].begin(), held, entries.begin());
}

std::size_t MemoryChunks::bytes() const {
  std::size_t sum = 0;
  for (const auto& slot : slots_) sum += slot ? slotBytes_ : 0;
  for (const auto& row : index_) sum += row.capacity() * sizeof(float);
  return sum;
}

struct ChunkFile::Parts {
  Parts(const std::filesystem::path& path, FileMap::Access access) : file(path, access), access(access) {}

  FileMap file;
  FileMap::Access access;
  FixedHeader fixed{};
  ChunkFileHeader header;
  std::vector<StoredToken> tokens;
  std::vector<std::byte*> extents;
  std::chrono::steady_clock::time_point flushed = std::chrono::steady_clock::now();

  std::uint64_t extentBytes() const { return roundUp(kExtentChunks * fixed.slotBytes, kGranularity); }
  void writeFixed() { file.write(0, &fixed, sizeof fixed); }

  /// Reads what stands at the head; false where it is not a whole chunk file.
  bool load() {
    if (file.size() < sizeof fixed) return false;
    file.read(0, &fixed, sizeof fixed);
    if (!isPlausible(fixed, file.size())) return false;
    header = {fixed.key, fixed.slotBytes, fixed.chunks, fixed.layers, fixed.indexFloats, fixed.ring};
    if ((bootName().empty() || bootName() != fixed.boot) && fixed.durable < fixed.finished)
      fixed.finished = fixed.durable = fixed.ring ? 0 : fixed.durable;
    const std::uint32_t slots = slotCount(fixed, fixed.finished);
    const std::uint64_t extentsNeeded = (slots + kExtentChunks - 1) / kExtentChunks;
    if (file.size() < fixed.slotsAt + extentsNeeded * extentBytes()) return false;
    tokens.resize(fixed.tokens);
    file.read(sizeof fixed, tokens.data(), tokens.size() * sizeof(StoredToken));
    return true;
  }

  void start(const ChunkFileHeader& wanted, const std::vector<StoredToken>& wantedTokens) {
    fixed = {};
    std::memcpy(fixed.magic, kMagic, sizeof kMagic);
    fixed.version = kVersion;
    fixed.chunks = wanted.chunks;
    fixed.layers = wanted.layers;
    fixed.indexFloats = wanted.indexFloats;
    fixed.ring = wanted.ring;
    fixed.tokens = static_cast<std::uint32_t>(wantedTokens.size());
    fixed.slotBytes = wanted.slotBytes;
    fixed.slotsAt = slotsOffset(fixed);
    std::strncpy(fixed.key, wanted.key.c_str(), sizeof fixed.key - 1);
    std::strncpy(fixed.boot, bootName().c_str(), sizeof fixed.boot - 1);
    header = wanted;
    tokens = wantedTokens;
    file.resize(0);
    file.resize(fixed.slotsAt);
    file.write(sizeof fixed, tokens.data(), tokens.size() * sizeof(StoredToken));
    writeFixed();
  }
};

ChunkFile::ChunkFile(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ChunkFile::~ChunkFile() = default;

namespace {

bool isSame(const std::vector<StoredToken>& a, const std::vector<StoredToken>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(StoredToken)) == 0;
}

}  // namespace

std::unique_ptr<ChunkFile> ChunkFile::create(const std::filesystem::path& path, const ChunkFileHeader& header,
                                             const std::vector<StoredToken>& tokens) {
  if (header.key.size() >= sizeof(FixedHeader::key))
    throw std::runtime_error("The name of this reading is too long.");
  auto parts = std::make_unique<Parts>(path, FileMap::Access::Write);
  if (!parts->load() || parts->header != header || !isSame(parts->tokens, tokens)) parts->start(header, tokens);
  std::memset(parts->fixed.boot, 0, sizeof parts->fixed.boot);
  std::strncpy(parts->fixed.boot, bootName().c_str(), sizeof parts->fixed.boot - 1);
  parts->writeFixed();
  return std::unique_ptr<ChunkFile>(new ChunkFile(std::move(parts)));
}

std::unique_ptr<ChunkFile> ChunkFile::open(const std::filesystem::path& path, const std::string& key) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return nullptr;
  auto parts = std::make_unique<Parts>(path, FileMap::Access::Read);
  if (!parts->load() || parts->header.key != key) return nullptr;
  return std::unique_ptr<ChunkFile>(new ChunkFile(std::move(parts)));
}

const ChunkFileHeader& ChunkFile::header() const { return parts_->header; }
const std::vector<StoredToken>& ChunkFile::tokens() const { return parts_->tokens; }
int ChunkFile::finished() const { return static_cast<int>(parts_->fixed.finished); }

void ChunkFile::finish(int chunks) {
  FixedHeader& fixed = parts_->fixed;
  fixed.finished = static_cast<std::uint32_t>(chunks);
  const auto now = std::chrono::steady_clock::now();
  if (fixed.finished == fixed.chunks || now - parts_->flushed > kFlushEvery) {
    parts_->file.flush();
    fixed.durable = fixed.finished;
    parts_->flushed = now;
  }
  parts_->writeFixed();
}

std::size_t ChunkFile::bytes() const {
  return static_cast<std::size_t>(parts_->fixed.slotsAt +
                                  slotCount(parts_->fixed, parts_->fixed.finished) * parts_->fixed.slotBytes);
}

std::byte* ChunkFile::slot(int chunk) {
  const std::uint32_t ring = parts_->fixed.ring;
  const auto index = static_cast<std::uint32_t>(chunk);
  const std::uint32_t slot = ring && index ? 1 + (index - 1) % ring : index;
  const std::uint32_t extent = slot / kExtentChunks;
  if (extent >= parts_->extents.size()) parts_->extents.resize(extent + 1);
  if (!parts_->extents[extent]) {
    const std::uint64_t from = parts_->fixed.slotsAt + extent * parts_->extentBytes();
    if (parts_->access == FileMap::Access::Write && parts_->file.size() < from + parts_->extentBytes())
      parts_->file.resize(from + parts_->extentBytes());
    parts_->extents[extent] = parts_->file.map(from, parts_->extentBytes());
  }
  return parts_->extents[extent] + (slot % kExtentChunks) * parts_->fixed.slotBytes;
}

void ChunkFile::writeIndex(int layer, int chunk, std::span<const float> entry) {
  const FixedHeader& h = parts_->fixed;
  const std::uint64_t row = static_cast<std::uint64_t>(layer) * h.chunks + static_cast<std::uint64_t>(chunk);
  parts_->file.write(indexOffset(h) + row * entry.size_bytes(), entry.data(), entry.size_bytes());
}

void ChunkFile::readIndex(int layer, int, std::span<float> entries) {
  const FixedHeader& h = parts_->fixed;
  const std::uint64_t rowBytes = std::uint64_t{h.indexFloats} * sizeof(float);
  parts_->file.read(indexOffset(h) + static_cast<std::uint64_t>(layer) * h.chunks * rowBytes, entries.data(),
                    entries.size_bytes());
}

void ChunkFile::release() { parts_->file.release(); }

}  // namespace kvasir
