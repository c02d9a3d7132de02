#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace kvasir {

/// Equal slots of bytes, one a chunk, and the index entries of chunks layer by layer. Addresses of slots stay
/// valid until the store is destroyed.
class ChunkStore {
 public:
  virtual ~ChunkStore() = default;
  /// The bytes of a chunk, made if need be; 64-byte aligned. Throws when there is no room.
  virtual std::byte* slot(int chunk) = 0;
  /// The index entry of a chunk in a layer; entries not yet written are zero.
  virtual void writeIndex(int layer, int chunk, std::span<const float> entry) = 0;
  /// Entries of the first chunks of a layer: [chunks, entry length].
  virtual void readIndex(int layer, int chunks, std::span<float> entries) = 0;
  /// Tells the system that nothing is needed in memory for now; contents stay.
  virtual void release() {}
};

/// Slots in memory.
class MemoryChunks : public ChunkStore {
 public:
  explicit MemoryChunks(std::size_t slotBytes) : slotBytes_(slotBytes) {}
  std::byte* slot(int chunk) override;
  void writeIndex(int layer, int chunk, std::span<const float> entry) override;
  void readIndex(int layer, int chunks, std::span<float> entries) override;
  std::size_t bytes() const;

 private:
  struct Free {
    void operator()(std::byte* bytes) const;
  };
  std::size_t slotBytes_;
  std::vector<std::unique_ptr<std::byte, Free>> slots_;
  std::vector<std::vector<float>> index_;  ///< by layer
};

/// What stands at the head of a chunk file.
struct ChunkFileHeader {
  std::string key;  ///< of the reading: model, tokenizer, positions, codec, policy
  std::uint64_t slotBytes = 0;
  std::uint32_t chunks = 0;
  std::uint32_t layers = 0;
  std::uint32_t indexFloats = 0;  ///< of one index entry
  std::uint32_t ring = 0;         ///< slots that chunks after the first take in turn; 0: each has its own
  bool operator==(const ChunkFileHeader&) const = default;
};

/// A token of the document, as kept in the file.
struct StoredToken {
  std::int32_t id = 0;
  std::uint32_t start = 0, end = 0;  ///< bytes of the text; equal for tokens of the prompt's frame
};

/// Chunks in a file that is mapped piece by piece, written while reading and kept for later questions. The
/// count of finished chunks is made durable after their bytes are, so a file cut off at any moment continues
/// where its last durable chunk ends; with a ring, whose slots may hold later chunks by then, it begins anew
/// after the system itself ended. One process writes (the file is locked), many may read.
class ChunkFile : public ChunkStore {
 public:
  /// Starts a file, or continues one with the same header and tokens. Throws a sentence when the disk is full,
  /// the folder cannot be written, or another process is writing it.
  static std::unique_ptr<ChunkFile> create(const std::filesystem::path& path, const ChunkFileHeader& header,
                                           const std::vector<StoredToken>& tokens);
  /// Opens for questions; nothing when it is missing, damaged or has another key. What its header says is whole
  /// in itself, and still to be compared with what is expected.
  static std::unique_ptr<ChunkFile> open(const std::filesystem::path& path, const std::string& key);

  ~ChunkFile() override;

  const ChunkFileHeader& header() const;
  const std::vector<StoredToken>& tokens() const;
  int finished() const;       ///< chunks that are whole
  void finish(int chunks);    ///< all before `chunks` are whole now
  std::size_t bytes() const;  ///< on disk
  std::byte* slot(int chunk) override;
  void writeIndex(int layer, int chunk, std::span<const float> entry) override;
  void readIndex(int layer, int chunks, std::span<float> entries) override;
  void release() override;

 private:
  struct Parts;
  explicit ChunkFile(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace kvasir
