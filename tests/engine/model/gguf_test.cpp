#include "engine/model/gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include "engine/model/mapped_file.h"
#include "tests/engine/model/gguf_writer.h"
#include "tests/engine/model/synthetic_gguf.h"

namespace kvasir {
namespace {

using ::testing::HasSubstr;

std::string failureOf(const std::vector<std::byte>& bytes) {
  try {
    GgufFile file(bytes, "model.gguf");
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

std::vector<std::byte> zeros(std::size_t count) { return std::vector<std::byte>(count); }

std::string bytesOf(std::uint64_t number) {
  std::string text(sizeof number, '\0');
  std::memcpy(text.data(), &number, sizeof number);
  return text;
}

std::string bytesOf32(std::uint32_t number) { return bytesOf(number).substr(0, 4); }

GgufWriter oneTensor() {
  GgufWriter writer;
  writer.tensor("a", TensorType::F32, {2, 4}, zeros(32));
  return writer;
}

TEST(Gguf, ReadsEveryKindOfValue) {
  GgufWriter writer;
  writer.integer("whole", -7);
  writer.real("part", 0.5f);
  writer.flag("yes", true);
  writer.text("name", "mimir");
  writer.texts("names", {"a", "", "ccc"});
  writer.reals("scores", {1.5f, -2});
  writer.integers("types", {1, 3});
  writer.raw("large", 10, bytesOf(std::numeric_limits<std::uint64_t>::max()));
  const auto bytes = writer.bytes();
  const GgufFile file(bytes);
  EXPECT_EQ(file.integer("whole"), -7);
  EXPECT_EQ(file.real("part"), 0.5);
  EXPECT_EQ(file.real("whole"), -7.0);
  EXPECT_EQ(file.integer("yes"), 1);
  EXPECT_EQ(file.text("name"), "mimir");
  EXPECT_EQ(file.texts("names"), (GgufFile::Strings{"a", "", "ccc"}));
  EXPECT_EQ(file.reals("scores"), (std::vector<double>{1.5, -2}));
  EXPECT_EQ(file.integers("types"), (std::vector<std::int64_t>{1, 3}));
  EXPECT_EQ(file.integer("large"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(file.integer("missing"), std::nullopt);
}

TEST(Gguf, GivesShapesWithRowsFirst) {
  const auto bytes = oneTensor().bytes();
  const GgufFile file(bytes);
  EXPECT_EQ(file.tensor("a").shape, (std::vector<std::int64_t>{2, 4}));
  EXPECT_EQ(file.tensor("a").count(), 8);
  EXPECT_EQ(file.tensor("a").data.size(), 32u);
  EXPECT_EQ(file.find("b"), nullptr);
}

TEST(Gguf, ReadsVersionTwo) {
  const auto bytes = oneTensor().bytes(2);
  EXPECT_EQ(GgufFile(bytes).version(), 2u);
}

TEST(Gguf, NamesTheKeyOfAnotherType) {
  GgufWriter writer;
  writer.text("count", "three");
  const auto bytes = writer.bytes();
  const GgufFile file(bytes);
  EXPECT_THROW(file.integer("count"), std::runtime_error);
  EXPECT_THROW(file.texts("count"), std::runtime_error);
}

TEST(Gguf, SaysWhatToDoWithAnotherFormat) {
  EXPECT_THAT(failureOf({}), HasSubstr("is not a GGUF file; choose"));
  EXPECT_THAT(failureOf(zeros(64)), HasSubstr("is not a GGUF file; choose"));
  EXPECT_THAT(failureOf(oneTensor().bytes(1)), HasSubstr("version 1, out of use"));
  EXPECT_THAT(failureOf(oneTensor().bytes(4)), HasSubstr("version 4, later than"));
  EXPECT_THAT(failureOf(oneTensor().bytes(0x03000000)), HasSubstr("big-endian"));
}

TEST(Gguf, AsksToJoinAPartOfAModel) {
  GgufWriter writer;
  writer.integer("split.count", 3);
  EXPECT_THAT(failureOf(writer.bytes()), HasSubstr("one of 3 parts of a model; join them"));
}

TEST(Gguf, RefusesEveryTruncation) {
  const auto whole = syntheticGguf({.layers = 1, .width = 32, .heads = 2, .kvHeads = 1, .feedForward = 32});
  for (std::size_t size = 0; size < whole.size(); size += size < 8192 ? 13 : 997) {
    const std::vector<std::byte> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_NE(failureOf(part), "") << size;
  }
  EXPECT_EQ(failureOf(whole), "");
}

TEST(Gguf, RefusesATensorPastTheEnd) {
  GgufWriter writer;
  writer.tensor("blk.3.attn_q.weight", TensorType::F32, {4, 4}, zeros(48));
  EXPECT_THAT(failureOf(writer.bytes()),
              HasSubstr("model.gguf is damaged: tensor blk.3.attn_q.weight reaches past the end of the file"));
}

TEST(Gguf, RefusesAnOffsetThatWrapsAround) {
  GgufWriter writer;
  writer.rawTensor("a", 0, {8}, ~std::uint64_t{31});
  EXPECT_THAT(failureOf(writer.bytes()), HasSubstr("reaches past the end"));
}

TEST(Gguf, RefusesAShapeThatOverflows) {
  for (const std::uint64_t size : {std::uint64_t{1} << 33, std::uint64_t{1} << 62, ~std::uint64_t{0}}) {
    GgufWriter writer;
    writer.rawTensor("a", 0, {size, size, size, 2}, 0);
    EXPECT_THAT(failureOf(writer.bytes()), HasSubstr("is larger than any file"));
  }
}

TEST(Gguf, RefusesEmptyAndDeepShapes) {
  GgufWriter empty, none, deep;
  empty.rawTensor("a", 0, {4, 0}, 0);
  none.rawTensor("a", 0, {}, 0);
  deep.rawTensor("a", 0, {1, 1, 1, 1, 1}, 0);
  EXPECT_THAT(failureOf(empty.bytes()), HasSubstr("empty shape"));
  EXPECT_THAT(failureOf(none.bytes()), HasSubstr("0 dimensions"));
  EXPECT_THAT(failureOf(deep.bytes()), HasSubstr("5 dimensions"));
}

TEST(Gguf, RefusesRowsThatAreNotWholeBlocks) {
  GgufWriter writer;
  writer.rawTensor("a", static_cast<std::uint32_t>(TensorType::Q4_K), {128, 2}, 0);
  EXPECT_THAT(failureOf(writer.bytes()), HasSubstr("not whole blocks of Q4_K"));
}

TEST(Gguf, NamesATensorTypeItDoesNotRead) {
  GgufWriter writer;
  writer.rawTensor("blk.0.ffn_up.weight", 23, {256}, 0);
  EXPECT_THAT(failureOf(writer.bytes()), HasSubstr("has tensor blk.0.ffn_up.weight in type 23"));
}

TEST(Gguf, RefusesOverlappingMisplacedAndDoubledTensors) {
  GgufWriter overlap = oneTensor(), misplaced = oneTensor(), doubled = oneTensor();
  overlap.rawTensor("b", 0, {1}, 0);
  misplaced.rawTensor("b", 0, {1}, 4);
  doubled.tensor("a", TensorType::F32, {1}, zeros(4));
  EXPECT_THAT(failureOf(overlap.bytes()), HasSubstr("overlaps another"));
  EXPECT_THAT(failureOf(misplaced.bytes()), HasSubstr("is misplaced"));
  EXPECT_THAT(failureOf(doubled.bytes()), HasSubstr("is there twice"));
}

TEST(Gguf, RefusesADoubledKey) {
  GgufWriter writer;
  writer.integer("a\nb", 1);
  writer.integer("a\nb", 2);
  EXPECT_THAT(failureOf(writer.bytes()), HasSubstr("it says a?b twice"));
}

TEST(Gguf, BelievesNoCountBeforeTheBytesAreThere) {
  for (const std::uint64_t count : {std::uint64_t{1000}, std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    GgufWriter list, text;
    list.raw("a", 9, bytesOf32(6) + bytesOf(count));
    text.raw("a", 8, bytesOf(count));
    EXPECT_THAT(failureOf(list.bytes()), HasSubstr("it holds a list of"));
    EXPECT_THAT(failureOf(text.bytes()), HasSubstr("is damaged"));
  }
}

TEST(Gguf, RefusesListsOfListsAndUnknownValues) {
  GgufWriter lists, unknown;
  lists.raw("a", 9, bytesOf32(9) + bytesOf(1) + bytesOf32(9));
  unknown.raw("a", 13, bytesOf(1));
  EXPECT_THAT(failureOf(lists.bytes()), HasSubstr("lists of lists"));
  EXPECT_THAT(failureOf(unknown.bytes()), HasSubstr("unknown type 13"));
}

TEST(Gguf, RefusesAnAlignmentThatIsNoPowerOfTwo) {
  for (const std::int64_t alignment : {0, -32, 24}) {
    GgufWriter writer;
    writer.integer("general.alignment", alignment);
    EXPECT_THAT(failureOf(writer.bytes()), HasSubstr("alignment"));
  }
}

TEST(Gguf, OpensAFileByPath) {
  const auto folder = std::filesystem::temp_directory_path() / "kvasir_gguf_test";
  const auto path = writeSyntheticGguf({}, folder);
  const GgufFile file(path);
  EXPECT_EQ(file.name(), "synthetic.gguf");
  EXPECT_EQ(file.text("general.architecture"), "llama");
  EXPECT_EQ(file.tensor("blk.1.attn_k.weight").shape, (std::vector<std::int64_t>{32, 64}));
  std::filesystem::remove_all(folder);
}

TEST(MappedFile, SaysWhichFileIsMissing) {
  try {
    MappedFile file("/nowhere/model.gguf");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("/nowhere/model.gguf cannot be opened"));
  }
}

TEST(MappedFile, IsEmptyForAnEmptyFile) {
  const auto path = std::filesystem::temp_directory_path() / "kvasir_empty_file";
  std::ofstream(path).close();
  EXPECT_TRUE(MappedFile(path).bytes().empty());
  std::filesystem::remove(path);
}

TEST(MappedFile, ReadsTheSameAfterRelease) {
  const auto path = std::filesystem::temp_directory_path() / "kvasir_released_file";
  const std::string text(100000, 'x');
  std::ofstream(path, std::ios::binary) << text;
  const MappedFile file(path);
  file.release(10, 50000);
  file.release(99999, std::numeric_limits<std::size_t>::max());
  file.release(200000, 1);
  EXPECT_EQ(std::memcmp(file.bytes().data(), text.data(), text.size()), 0);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace kvasir
