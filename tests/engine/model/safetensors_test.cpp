#include "engine/model/safetensors.h"

#include <fstream>
#include <random>

#include <gtest/gtest.h>

namespace kvasir {
namespace {

class SafetensorsFile : public testing::Test {
 protected:
  void SetUp() override {
    file_ = std::filesystem::temp_directory_path() /
            ("kvasir-" + std::to_string(std::random_device()()) + ".safetensors");
  }
  void TearDown() override { std::filesystem::remove(file_); }

  void writeBytes(const std::string& bytes) { std::ofstream(file_, std::ios::binary) << bytes; }
  static std::string withHeader(const std::string& header, const std::string& data) {
    std::string bytes(8, '\0');
    for (std::size_t i = 0; i < 8; ++i)
      bytes[i] = static_cast<char>(static_cast<std::uint64_t>(header.size()) >> (8 * i));
    return bytes + header + data;
  }

  std::filesystem::path file_;
};

TEST_F(SafetensorsFile, ComesBackAsItWasWritten) {
  Safetensors contents;
  contents.metadata["model"] = "abc";
  contents.tensors["a"] = {{2, 3}, {1, -2, 0.5f, 0, 256, -0.125f}};
  contents.tensors["b"] = {{1}, {3}};
  writeSafetensors(file_, contents);
  const Safetensors back = readSafetensors(file_);
  EXPECT_EQ(back.metadata, contents.metadata);
  EXPECT_EQ(back.tensors.at("a").shape, contents.tensors["a"].shape);
  EXPECT_EQ(back.tensors.at("a").values, contents.tensors["a"].values);
  EXPECT_EQ(back.tensors.at("b").values, contents.tensors["b"].values);
}

TEST_F(SafetensorsFile, RoundsToTheNearestBfloat16) {
  Safetensors contents;
  contents.tensors["a"] = {{2}, {1.00390625f + 0.001f, 3.14159265f}};
  writeSafetensors(file_, contents);
  EXPECT_EQ(readSafetensors(file_).tensors.at("a").values, (std::vector<float>{1.0078125f, 3.140625f}));
}

TEST_F(SafetensorsFile, IsReadInFloat32Too) {
  writeBytes(
      withHeader(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", std::string("\0\0\x80\x3f", 4)));
  EXPECT_EQ(readSafetensors(file_).tensors.at("x").values, std::vector<float>{1.0f});
}

TEST_F(SafetensorsFile, IsRefusedWhenDamaged) {
  const std::string four(4, '\0');
  const std::vector<std::string> damaged = {
      "",
      "short",
      std::string(8, '\xff'),
      withHeader("{", four),
      withHeader("[]", four).substr(0, 9),
      withHeader(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", four),
      withHeader(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", four),
      withHeader(R"({"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", four),
      withHeader(R"({"x":{"dtype":"F32","shape":[4611686018427387905,4],"data_offsets":[0,4]}})", four),
      withHeader(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", four),
      withHeader(R"({"x":{"dtype":"I64","shape":[1],"data_offsets":[0,4]}})", four),
      withHeader(R"({"x":{"dtype":"F32","shape":[1]}})", four),
  };
  for (const std::string& bytes : damaged) {
    writeBytes(bytes);
    EXPECT_THROW(readSafetensors(file_), std::runtime_error) << bytes;
  }
}

}  // namespace
}  // namespace kvasir
