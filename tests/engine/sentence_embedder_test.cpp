// The sentence embedder's tokenizer beside its own, and the encoder beside a plain one.
#include "engine/retrieval/sentence_embedder.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/engine/model/testing_models.h"
#include "tests/engine/plain_encoder.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

using Json = nlohmann::json;

TEST(WordPiece, GivesTheTokensOfTheModelsOwnTokenizer) {
  const std::filesystem::path folder = realModel("all-minilm-l6-v2").value_or("");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the embedder is not there";
  const WordPiece words = WordPiece::load(folder / "tokenizer.json");
  std::ifstream stream(std::filesystem::path(KVASIR_TEST_DATA) / "model" / "word_piece_golden.json");
  for (const Json& golden : Json::parse(stream))
    EXPECT_EQ(words.encode(golden["text"].get<std::string>(), 512), golden["ids"].get<std::vector<int>>())
        << golden["text"];
}

TEST(WordPiece, CutsLongTextsButKeepsTheirMarks) {
  const TemporaryFolder folder;
  const WordPiece words = WordPiece::load(writeEmbedder(folder.path()) / "tokenizer.json");
  const std::vector<int> pieces = words.encode(std::string(80, 'a') + " b c d", 10);
  EXPECT_EQ(pieces.size(), 10u);
  EXPECT_EQ(pieces.front(), 2);
  EXPECT_EQ(pieces.back(), 3);
}

TEST(SentenceEmbedder, EqualsThePlainEncoder) {
  const TemporaryFolder folder;
  writeEmbedder(folder.path());
  const auto embedder = SentenceEmbedder::load(folder.path());
  const WordPiece words = WordPiece::load(folder.path() / "tokenizer.json");
  const PlainEncoder plain(folder.path());
  const std::vector<std::string> texts = {"What is abcd?", "ab", "a longer text. with two sentences", "",
                                          "zebra zebra"};
  const at::Tensor ours = embedder->embed(texts);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const PlainEncoder::Vector expected = plain.embed(words.encode(texts[i], SentenceEmbedder::kMostPieces));
    for (int c = 0; c < kEncoderWidth; ++c)
      EXPECT_NEAR(ours[static_cast<std::int64_t>(i)][c].item<double>(), expected[static_cast<std::size_t>(c)],
                  1e-5)
          << texts[i];
  }
}

TEST(SentenceEmbedder, FindsTheSentenceThatMeansTheSame) {
  const std::filesystem::path folder = realModel("all-minilm-l6-v2").value_or("");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the embedder is not there";
  const auto embedder = SentenceEmbedder::load(folder);
  const std::vector<std::string> texts = {"A man is eating food.", "Someone has a meal.",
                                          "The fund's auditor resigned in March."};
  const at::Tensor rows = embedder->embed(texts), cosines = at::mm(rows, rows.t());
  EXPECT_GT(cosines[0][1].item<double>(), 0.6);
  EXPECT_LT(cosines[0][2].item<double>(), 0.2);
}

TEST(SentenceEmbedder, RefusesWhatIsNoEncoder) {
  const TemporaryFolder folder;
  EXPECT_THROW(SentenceEmbedder::load(folder.path()), std::runtime_error);
  writeEmbedder(folder.path());
  std::ofstream(folder.path() / "tokenizer.json") << "{\"model\": {\"type\": \"BPE\", \"vocab\": {}}}";
  EXPECT_THROW(SentenceEmbedder::load(folder.path()), std::runtime_error);
}

}  // namespace
}  // namespace kvasir
