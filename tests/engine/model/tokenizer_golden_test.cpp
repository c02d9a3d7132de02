#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "engine/model/gguf.h"
#include "engine/model/tokenizer.h"
#include "tests/engine/model/testing_models.h"

namespace kvasir {
namespace {

const std::filesystem::path kFolder = std::filesystem::path(KVASIR_TEST_DATA) / "model";

std::string readText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<TokenId> ids(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<TokenId> result;
  for (const Token& token : tokenizer.encode(text)) result.push_back(token.id);
  return result;
}

struct Model {
  const char* file;
  const char* goldens;
};

class EveryRealModel : public testing::TestWithParam<Model> {
 protected:
  void SetUp() override {
    const auto path = realModel(GetParam().file);
    if (!path) GTEST_SKIP() << GetParam().file << " is not on this machine: ./dev setup fetches it";
    tokenizer_ = makeTokenizer(GgufFile(*path));
    goldens_ = nlohmann::json::parse(readText(kFolder / GetParam().goldens));
    ASSERT_GE(goldens_.size(), 14u) << "real texts of eight scripts, and four of our own";
  }

  std::unique_ptr<Tokenizer> tokenizer_;
  nlohmann::json goldens_;
};

TEST_P(EveryRealModel, GivesTheTokensOfLlamaCpp) {
  for (const auto& [name, tokens] : goldens_.items()) {
    EXPECT_EQ(ids(*tokenizer_, readText(kFolder / "texts" / name)), tokens.get<std::vector<TokenId>>()) << name;
  }
}

TEST_P(EveryRealModel, DecodesWhatItEncoded) {
  for (const auto& [name, tokens] : goldens_.items()) {
    if (name == "nasty.txt")
      continue;  // holds U+2581 and control characters, which these vocabularies cannot write
    const std::string text = readText(kFolder / "texts" / name);
    EXPECT_EQ(tokenizer_->decode(ids(*tokenizer_, text)), text) << name;
  }
}

TEST_P(EveryRealModel, GivesRangesThatFollowEachOther) {
  for (const auto& [name, tokens] : goldens_.items()) {
    const std::string text = readText(kFolder / "texts" / name);
    std::size_t position = 0;
    for (const Token& token : tokenizer_->encode(text)) {
      ASSERT_EQ(token.start, position) << name;
      ASSERT_LE(token.start, token.end) << name;
      position = token.end;
    }
    EXPECT_EQ(position, text.size()) << name;
  }
}

TEST_P(EveryRealModel, GivesRangesThatHoldTheTokensBytes) {
  const std::string text = readText(kFolder / "texts" / "many_scripts.txt");
  for (const Token& token : tokenizer_->encode(text)) {
    ASSERT_EQ(text.substr(token.start, token.end - token.start), tokenizer_->bytesOf(token.id)) << token.start;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, EveryRealModel,
                         testing::Values(Model{kSmolModel, "tokens_smollm2.json"},
                                         Model{kGemmaModel, "tokens_gemma3.json"}),
                         [](const auto& model) {
                           return std::string(model.index == 0 ? "SmolLM2" : "Gemma3");
                         });

void expectPeerTokens(const std::filesystem::path& path) {
  const auto tokenizer = makeTokenizer(GgufFile(path));
  std::string texts = readText(path.string() + ".inp");
  std::ifstream tokens(path.string() + ".out");
  const std::string separator = "\n__ggml_vocab_test__\n";
  int lines = 0;
  for (std::string line; std::getline(tokens, line); ++lines) {
    const std::size_t end = std::min(texts.find(separator), texts.size());
    const std::string text = texts.substr(0, end);
    texts.erase(0, end + separator.size());
    std::istringstream numbers(line);
    const std::vector<TokenId> expected{std::istream_iterator<TokenId>(numbers), {}};
    EXPECT_EQ(ids(*tokenizer, text), expected) << path << ": " << text;
  }
  EXPECT_GT(lines, 40) << path;
}

/// llama.cpp's sources hold vocabularies of other models with texts and their tokens; they are too large to
/// keep here.
TEST(PeerVocabularies, GiveTheTokensOfLlamaCpp) {
  const char* folder = std::getenv("KVASIR_PEER_VOCABULARIES");
  if (folder == nullptr)
    GTEST_SKIP() << "KVASIR_PEER_VOCABULARIES names no folder with ggml-vocab-*.gguf (CONTRIBUTING.md)";
  for (const std::string name : {"gpt-2", "llama-bpe", "qwen2", "llama-spm", "phi-3"}) {
    expectPeerTokens(std::filesystem::path(folder) / ("ggml-vocab-" + name + ".gguf"));
  }
}

}  // namespace
}  // namespace kvasir
