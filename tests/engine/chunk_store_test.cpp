#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "engine/cache/chunk_store.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

class ChunkFiles : public testing::Test {
 protected:
  ChunkFileHeader header(int chunks, int ring = 0) const {
    ChunkFileHeader header;
    header.key = "a-key";
    header.slotBytes = 8192;
    header.chunks = static_cast<std::uint32_t>(chunks);
    header.layers = 2;
    header.indexFloats = 3;
    header.ring = static_cast<std::uint32_t>(ring);
    return header;
  }
  std::vector<StoredToken> tokens(int count) const {
    std::vector<StoredToken> tokens;
    for (int i = 0; i < count; ++i)
      tokens.push_back({i, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i + 1)});
    return tokens;
  }
  static void fill(ChunkFile& file, int chunk) { std::memset(file.slot(chunk), chunk + 1, 8192); }
  static bool isFilled(ChunkFile& file, int chunk) {
    const std::byte* bytes = file.slot(chunk);
    return std::all_of(bytes, bytes + 8192,
                       [&](std::byte b) { return b == static_cast<std::byte>(chunk + 1); });
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "reading.kv";
};

TEST_F(ChunkFiles, KeepChunksTokensAndIndexOverAReopening) {
  {
    const auto file = ChunkFile::create(path_, header(40), tokens(500));
    for (int chunk = 0; chunk < 40; ++chunk) fill(*file, chunk);
    file->writeIndex(1, 39, std::vector<float>{1, 2, 3});
    file->finish(40);
  }
  const auto file = ChunkFile::open(path_, "a-key");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->finished(), 40);
  EXPECT_EQ(file->tokens().size(), 500u);
  EXPECT_EQ(file->tokens()[499].id, 499);
  for (int chunk = 0; chunk < 40; ++chunk) EXPECT_TRUE(isFilled(*file, chunk)) << chunk;
  std::vector<float> entries(120);
  file->readIndex(1, 40, entries);
  EXPECT_EQ(entries[119], 3);
  EXPECT_EQ(entries[0], 0);
}

TEST_F(ChunkFiles, GoOnAfterTheLastFinishedChunk) {
  {
    const auto file = ChunkFile::create(path_, header(40), tokens(500));
    for (int chunk = 0; chunk < 7; ++chunk) fill(*file, chunk);
    file->finish(5);
  }
  const auto file = ChunkFile::create(path_, header(40), tokens(500));
  EXPECT_EQ(file->finished(), 5);
  EXPECT_TRUE(isFilled(*file, 4));
}

TEST_F(ChunkFiles, StartAgainForAnotherTextOrKey) {
  { ChunkFile::create(path_, header(40), tokens(500))->finish(5); }
  auto other = tokens(500);
  other[7].id = 1000;
  EXPECT_EQ(ChunkFile::create(path_, header(40), other)->finished(), 0);
  ChunkFile::create(path_, header(40), other)->finish(3);
  ChunkFileHeader key = header(40);
  key.key = "another";
  EXPECT_EQ(ChunkFile::create(path_, key, other)->finished(), 0);
}

TEST_F(ChunkFiles, AreNotOpenedWithAnotherKeyOrWhenMissing) {
  EXPECT_EQ(ChunkFile::open(path_, "a-key"), nullptr);
  ChunkFile::create(path_, header(4), tokens(50))->finish(4);
  EXPECT_EQ(ChunkFile::open(path_, "another"), nullptr);
}

TEST_F(ChunkFiles, AreNotOpenedWhenCutShortOrOverwritten) {
  {
    const auto file = ChunkFile::create(path_, header(40), tokens(500));
    for (int chunk = 0; chunk < 40; ++chunk) fill(*file, chunk);
    file->finish(40);
  }
  const auto whole = std::filesystem::file_size(path_);
  for (const std::uintmax_t size : {whole - 1, std::uintmax_t{3000}, std::uintmax_t{100}, std::uintmax_t{0}}) {
    std::filesystem::resize_file(path_, size);
    EXPECT_EQ(ChunkFile::open(path_, "a-key"), nullptr) << size;
  }
  std::ofstream(path_) << std::string(20000, 'x');
  EXPECT_EQ(ChunkFile::open(path_, "a-key"), nullptr);
  EXPECT_EQ(ChunkFile::create(path_, header(40), tokens(500))->finished(), 0);
}

TEST_F(ChunkFiles, RefuseHeadersThatPointOutsideTheFile) {
  { ChunkFile::create(path_, header(40), tokens(500))->finish(2); }
  for (int offset = 8; offset < 48; ++offset) {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(offset);
    const char was = static_cast<char>(file.get());
    file.seekp(offset);
    file.put('\x7f');
    file.close();
    const auto opened = ChunkFile::open(path_, "a-key");
    EXPECT_TRUE(!opened || opened->finished() <= 40) << offset;
    std::fstream back(path_, std::ios::in | std::ios::out | std::ios::binary);
    back.seekp(offset);
    back.put(was);
  }
}

TEST_F(ChunkFiles, AreWrittenByOneAtATime) {
  const auto file = ChunkFile::create(path_, header(4), tokens(50));
  EXPECT_THROW(ChunkFile::create(path_, header(4), tokens(50)), std::runtime_error);
}

/// After the system went down only what is on the disk counts; a ring's slots may hold later chunks by then.
TEST_F(ChunkFiles, GoOnFromWhatIsOnTheDiskAfterTheSystemWentDown) {
  for (const int ring : {0, 20}) {
    {
      const auto file = ChunkFile::create(path_, header(300, ring), tokens(500));
      for (int chunk = 0; chunk < 60; ++chunk) {
        fill(*file, chunk);
        file->finish(chunk + 1);
      }
    }
    EXPECT_EQ(ChunkFile::create(path_, header(300, ring), tokens(500))->finished(), 60);
    const std::uint32_t durable = 40;
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(8 + 24 + 16 + 4);
    file.write(reinterpret_cast<const char*>(&durable), sizeof durable);
    file.write("another boot", 12);
    file.close();
    EXPECT_EQ(ChunkFile::open(path_, "a-key")->finished(), ring ? 0 : 40);
  }
}

TEST_F(ChunkFiles, WithARingKeepTheFirstAndTheLastChunksInLittleSpace) {
  const auto file = ChunkFile::create(path_, header(300, 20), tokens(500));
  for (int chunk = 0; chunk < 300; ++chunk) {
    fill(*file, chunk);
    file->finish(chunk + 1);
  }
  EXPECT_TRUE(isFilled(*file, 0));
  for (int chunk = 281; chunk < 300; ++chunk) EXPECT_TRUE(isFilled(*file, chunk)) << chunk;
  EXPECT_LT(file->bytes(), 30u * 8192u + 70000u);
}

}  // namespace
}  // namespace kvasir
