// Passages, and how the rag rows rank them, beside the same written plainly.
#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "engine/loaded_model.h"
#include "engine/methods.h"
#include "engine/retrieval/lexical_prior.h"
#include "engine/retrieval/sentence_embedder.h"
#include "tests/engine/plain_bm25.h"
#include "tests/engine/plain_encoder.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

TEST(Passages, ReachToTheEndsOfTheirSentences) {
  const TinyModel model;
  std::string text;
  for (int i = 0; i < 60; ++i) text += "Sentence number " + std::to_string(i) + " ends here. ";
  std::vector<StoredToken> tokens;
  for (const TokenId id : framePrefix(model.loaded)) tokens.push_back({id, 0, 0});
  for (const Token& token : model.loaded.tokenizer->encode(text))
    tokens.push_back(
        {token.id, static_cast<std::uint32_t>(token.start), static_cast<std::uint32_t>(token.end)});
  std::vector<kvasir::Run> chunks;
  for (int first = 0; first < std::ssize(tokens); first += kChunkTokens)
    chunks.push_back({first, std::min(first + kChunkTokens, static_cast<int>(std::ssize(tokens)))});
  const TokenText whole = tokenTextOf(model.loaded, tokens, chunks);
  const std::vector<kvasir::Run> passages = chunkPassages(whole);
  std::vector<std::string> texts;
  for (const kvasir::Run& passage : passages) texts.emplace_back(whole.textOf(passage));
  ASSERT_GT(passages.size(), 4u);
  for (std::size_t i = 1; i + 1 < passages.size(); ++i) {
    EXPECT_LE(passages[i].begin, static_cast<int>(i) * kChunkTokens);
    EXPECT_GE(passages[i].end, static_cast<int>(i + 1) * kChunkTokens);
    EXPECT_TRUE(texts[i].starts_with("Sentence") || texts[i].starts_with(" Sentence")) << texts[i];
    EXPECT_NE(texts[i].find_last_not_of(' '), std::string::npos);
    EXPECT_EQ(texts[i][texts[i].find_last_not_of(' ')], '.') << texts[i];
  }
}

using Scores = std::vector<double>;  // by passage

constexpr const char* kQuestion = "Which quokka met the abcd?";
/// Of a hundred words of each chunk, those that are the question's.
constexpr int kAskedWords[] = {0, 0, 5, 9, 2, 7, 12, 4, 1, 6, 11, 3};

/// Sentences of eleven words, each a token.
TokenText textOfWords() {
  const std::vector<std::string> asked = {"which", "quokka", "met", "abcd"};
  std::mt19937_64 random(4);
  TokenText made;
  const int tokens = static_cast<int>(std::ssize(kAskedWords)) * kChunkTokens - 30;
  for (int token = 0; token < tokens; ++token) {
    std::string word;
    for (int letter = 0; letter < 3; ++letter) word += static_cast<char>('a' + random() % 26);
    if (static_cast<int>(random() % 100) < kAskedWords[token / kChunkTokens])
      word = asked[random() % asked.size()];
    if (token % 11 == 0) word = "A" + word;
    if (token % 11 == 10) word += ".";
    made.bytes.push_back(made.text.size());
    made.isText.push_back(1);
    made.text += (token > 0 ? " " : "") + word;
  }
  made.bytes.push_back(made.text.size());
  for (int first = 0; first < tokens; first += kChunkTokens)
    made.chunks.push_back({first, std::min(first + kChunkTokens, tokens)});
  return made;
}

/// Reciprocal rank fusion (Cormack et al. 2009): 1 / (k + place) over the lists that a passage has a place in,
/// as a share of the most there can be. What has no score has no place.
double plainFusion(const std::vector<Scores>& lists, std::size_t passage, double k) {
  double sum = 0, most = 0;
  for (const Scores& scores : lists) {
    most += 1 / (k + 1);
    if (scores[passage] <= 0) continue;
    int place = 1;
    for (std::size_t other = 0; other < scores.size(); ++other)
      place += scores[other] > scores[passage] || (scores[other] == scores[passage] && other < passage);
    sum += 1 / (k + place);
  }
  return sum / most;
}

class PassageRanking : public testing::Test {
 protected:
  PassageRanking() : embedder_(SentenceEmbedder::load(writeEmbedder(folder_.path()))) {}

  std::vector<ScoredPassage> found(const std::string& method) const {
    const auto retriever =
        findMethod(method).makePassages([this]() -> const SentenceEmbedder& { return *embedder_; });
    const auto index = retriever->index(text_, {0, static_cast<int>(text_.chunks.size())}, [] {});
    return retriever->find(text_, index, kQuestion);
  }
  std::vector<std::string> textsOf(const std::vector<ScoredPassage>& passages) const {
    std::vector<std::string> texts;
    for (const ScoredPassage& passage : passages) texts.emplace_back(text_.textOf(passage.tokens));
    return texts;
  }
  Scores plainCosines(const std::vector<ScoredPassage>& passages) const {
    const WordPiece words = WordPiece::load(folder_.path() / "tokenizer.json");
    const PlainEncoder plain(folder_.path());
    const auto embed = [&](const std::string& text) {
      return plain.embed(words.encode(text, SentenceEmbedder::kMostPieces));
    };
    const PlainEncoder::Vector asked = embed(kQuestion);
    Scores cosines;
    for (const std::string& text : textsOf(passages)) {
      const PlainEncoder::Vector own = embed(text);
      cosines.push_back(std::inner_product(own.begin(), own.end(), asked.begin(), 0.0));
    }
    return cosines;
  }
  Scores plainWords(const std::vector<ScoredPassage>& passages) const {
    std::vector<std::vector<std::string>> words;
    for (const std::string& text : textsOf(passages)) words.push_back(lexicalWords(text));
    Scores scores;
    for (std::size_t i = 0; i < words.size(); ++i)
      scores.push_back(plainBm25(words, i, lexicalWords(kQuestion)));
    return scores;
  }

  c10::InferenceMode noGradients_;
  TemporaryFolder folder_;
  std::unique_ptr<SentenceEmbedder> embedder_;
  TokenText text_ = textOfWords();
};

TEST_F(PassageRanking, OfRagDenseIsByPlainCosines) {
  const std::vector<ScoredPassage> passages = found("rag-dense");
  ASSERT_EQ(passages.size(), text_.chunks.size());
  const std::vector<kvasir::Run> runs = chunkPassages(text_);
  const Scores expected = plainCosines(passages);
  for (std::size_t i = 0; i < passages.size(); ++i) {
    EXPECT_EQ(passages[i].judged, text_.chunks[i]);
    EXPECT_EQ(passages[i].tokens, runs[i]);
    EXPECT_NEAR(static_cast<double>(passages[i].score), expected[i], 1e-4) << i;
  }
  const auto [least, most] = std::ranges::minmax(expected);
  EXPECT_GT(most - least, 2e-3) << "all passages are alike";
  const std::vector<std::size_t> best = bestPassages(passages, passages.size());
  EXPECT_GT(best.size(), 1u);
  for (std::size_t i = 1; i < best.size(); ++i) EXPECT_GT(expected[best[i - 1]], expected[best[i]] - 2e-4);
}

// The cosines are those that the test above compares, so that rounding moves no place.
TEST_F(PassageRanking, OfRagIsByBothPlaces) {
  const std::vector<ScoredPassage> dense = found("rag-dense");
  std::vector<Scores> lists = {{}, plainWords(dense)};
  for (const ScoredPassage& passage : dense) lists[0].push_back(static_cast<double>(passage.score));
  EXPECT_GT(*std::ranges::max_element(lists[1]), 0);
  EXPECT_EQ(lists[1].front(), 0) << "the first passage has no word of the question";
  for (const auto& [method, k] :
       {std::pair{"rag", 60.0}, std::pair{"rag:rank=0", 0.0}, std::pair{"rag:rank=1000", 1000.0}}) {
    const std::vector<ScoredPassage> fused = found(method);
    ASSERT_EQ(fused.size(), dense.size());
    Scores expected;
    for (std::size_t i = 0; i < fused.size(); ++i) {
      expected.push_back(plainFusion(lists, i, k));
      EXPECT_NEAR(static_cast<double>(fused[i].score), expected[i], 1e-5) << method << " " << i;
    }
    const std::vector<std::size_t> best = bestPassages(fused, 5);
    ASSERT_EQ(best.size(), 5u);
    for (std::size_t i = 0; i < fused.size(); ++i)
      if (std::ranges::find(best, i) == best.end()) {
        EXPECT_LE(expected[i], expected[best.back()] + 1e-5) << method << " " << i;
      }
  }
}

}  // namespace
}  // namespace kvasir
