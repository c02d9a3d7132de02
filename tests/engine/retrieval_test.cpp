#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "engine/policy/chunk_choice.h"
#include "engine/retrieval/lexical_prior.h"
#include "engine/retrieval/paragraphs.h"
#include "engine/tap.h"
#include "engine/training/train_whitening.h"
#include "tests/engine/plain_bm25.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

using testing::ElementsAre;

TEST(LexicalWords, AreFoldedAndCutAtWordBoundaries) {
  EXPECT_THAT(lexicalWords("The Court’s rulings (1976): \"no harm\""),
              ElementsAre("the", "court", "ruling", "1976", "no", "harm"));
  EXPECT_THAT(lexicalWords("ÜBER glass"), ElementsAre("über", "glass"));
  EXPECT_THAT(lexicalWords(""), ElementsAre());
}

TEST(LexicalWords, AreFoundInScriptsWithoutSpaces) { EXPECT_GT(lexicalWords("北京是中国的首都").size(), 3u); }

TEST(Paragraphs, StandBetweenBlankLinesAndAreTheWholeText) {
  const std::string body(300, 'x');
  const std::string text = "Heading\n\n" + body + "\n \n" + body + "\r\n\r\nend";
  std::vector<std::string> parts;
  std::string whole;
  for (const ByteRange& range : paragraphsOf(text)) {
    parts.push_back(text.substr(range.start, range.end - range.start));
    whole += parts.back();
  }
  EXPECT_EQ(whole, text);
  EXPECT_THAT(parts, ElementsAre("Heading\n\n" + body + "\n \n", body + "\r\n\r\n", "end"));
  EXPECT_TRUE(paragraphsOf("").empty() || paragraphsOf("").front().end == 0);
}

TEST(Paragraphs, AreCutBetweenSentencesWhereTheyAreLong) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "This is sentence number " + std::to_string(i) + ". ";
  const std::vector<ByteRange> pieces = paragraphsOf(text);
  ASSERT_GT(pieces.size(), 2u);
  std::size_t at = 0;
  for (const ByteRange& piece : pieces) {
    EXPECT_EQ(piece.start, at);
    EXPECT_EQ(text.substr(piece.start, 4), "This");
    EXPECT_LE(piece.end - piece.start, 3000u);
    at = piece.end;
  }
  EXPECT_EQ(at, text.size());
}

TEST(Paragraphs, KnowTheChunksTheyLieIn) {
  const std::string red = "The red house " + std::string(200, 'r'),
                    blue = "The blue river " + std::string(200, 'b');
  const std::string text = red + "\n\n" + blue;
  std::vector<std::string> chunks;
  for (std::size_t at = 0; at < text.size(); at += 100) chunks.push_back(text.substr(at, 100));
  const std::vector<ScoredParagraph> scored = scoreParagraphs(chunks, "Which river is blue?");
  ASSERT_EQ(scored.size(), 2u);
  EXPECT_EQ(scored[0].firstChunk, 0);
  EXPECT_EQ(scored[0].lastChunk, static_cast<int>((red.size() - 1) / 100));
  EXPECT_EQ(scored[1].firstChunk, static_cast<int>((red.size() + 2) / 100));
  EXPECT_EQ(scored[1].lastChunk, static_cast<int>(chunks.size()) - 1);
  EXPECT_EQ(scored[1].score, 1.0f);
  EXPECT_LT(scored[0].score, 0.5f);
}

TEST(LexicalScores, AreThoseOfBm25DividedByTheBest) {
  const std::vector<std::string> chunks = {"red house red door", "blue house", "green tree by the river bank",
                                           "red river"};
  std::vector<std::vector<std::string>> words;
  for (const std::string& chunk : chunks) words.push_back(lexicalWords(chunk));
  const std::vector<float> ours = lexicalScores(chunks, "red river?");
  double best = 0;
  for (std::size_t i = 0; i < chunks.size(); ++i) best = std::max(best, plainBm25(words, i, {"red", "river"}));
  for (std::size_t i = 0; i < chunks.size(); ++i)
    EXPECT_NEAR(ours[i], plainBm25(words, i, {"red", "river"}) / best, 1e-5) << i;
  EXPECT_EQ(ours[3], 1.0f);
  EXPECT_EQ(ours[1], 0.0f);
}

TEST(LexicalScores, AreZeroWhereNoWordIsShared) {
  EXPECT_THAT(lexicalScores({"a b", "c"}, "zebra"), ElementsAre(0.0f, 0.0f));
}

class WhiteningTest : public testing::Test {
 protected:
  c10::InferenceMode noGradients_;
};

TEST_F(WhiteningTest, MakesAllDirectionsWeighTheSame) {
  constexpr int kWidth = 12, kCount = 4000;
  at::manual_seed(1);
  const at::Tensor mixing = at::randn({kWidth, kWidth}), offset = at::randn({kWidth}) * 5;
  WhiteningSums sums;
  std::vector<at::Tensor> states;
  for (int i = 0; i < kCount; ++i)
    sums.add(0, states.emplace_back(at::mv(mixing, at::randn({kWidth})) + offset));
  const Whitening whitening = sums.whitening({0}, 0);
  at::Tensor products = at::zeros({kWidth, kWidth});
  for (const at::Tensor& state : states) {
    const at::Tensor entry = whitening.entry(0, state);
    EXPECT_NEAR(entry.norm().item<double>(), 1, 1e-5);
    products += at::outer(entry, entry);
  }
  // Entries of length 1, spread evenly: their covariance is the identity divided by the width.
  EXPECT_LT((products / kCount - at::eye(kWidth) / kWidth).abs().max().item<double>(), 0.02);
}

TEST_F(WhiteningTest, IsTheSameFromItsFileAndRefusedByAnotherModel) {
  const TinyModel model, other("gemma3");
  const auto file = model.folder.path() / whiteningFileName(model.loaded.info);
  const Whitening back = Whitening::load(file, model.loaded.info);
  const at::Tensor state = at::randn({model.loaded.shape.width});
  EXPECT_TRUE(at::allclose(back.entry(0, state), model.loaded.whitening->entry(0, state)));
  EXPECT_THROW(Whitening::load(file, other.loaded.info), std::runtime_error);
  EXPECT_EQ(Whitening::find({other.folder.path()}, model.loaded.info), nullptr);
}

TEST_F(WhiteningTest, IsMadeFromTextsByTheEngine) {
  const TinyModel model;
  const TemporaryFolder folder;
  Listener silent;
  Engine engine(model.settings(), silent);
  std::vector<Engine::WhiteningText> texts;
  for (std::uint64_t seed = 0; seed < 12; ++seed) texts.push_back({randomText(300, seed), {"What is abcd?"}});
  const auto file = engine.trainWhitening(texts, {}, folder.path(), silent);
  const Whitening made = Whitening::load(file, engine.model());
  for (const int layer : usualWhitenedLayers(model.loaded.shape)) EXPECT_TRUE(made.has(layer)) << layer;
  EXPECT_THROW(engine.trainWhitening({texts[0]}, {}, folder.path(), silent), std::runtime_error);
}

TEST_F(WhiteningTest, IsMadeOfTheLayersThatAreNamedAndOfNoneThatAreNot) {
  const TinyModel model;
  const TemporaryFolder folder;
  struct Reads : Listener {
    void progress(const Progress&) override { ++calls; }
    int calls = 0;
  } listener;
  Engine engine(model.settings(), listener);
  std::vector<Engine::WhiteningText> texts;
  for (std::uint64_t seed = 0; seed < 12; ++seed) texts.push_back({randomText(300, seed), {}});
  listener.calls = 0;
  for (const std::vector<int>& wrong : {std::vector<int>{1, 7}, std::vector<int>{-1}})
    EXPECT_NE(messageOf([&] { engine.trainWhitening(texts, {wrong, 0.2}, folder.path(), listener); }), "");
  EXPECT_EQ(listener.calls, 0) << "texts were read in vain";
  const auto file = engine.trainWhitening(texts, {{1, 0, 1}, 0.2}, folder.path(), listener);
  EXPECT_EQ(Whitening::load(file, engine.model()).layers(), (std::vector<int>{0, 1}));
  engine.trainWhitening(texts, {{1}, 0.2}, folder.path(), listener);
  EXPECT_EQ(Whitening::load(file, engine.model()).layers(), (std::vector<int>{1}));
}

TEST_F(WhiteningTest, OfAnotherMakingIsAnotherReading) {
  const TinyModel model;
  EngineSettings settings = model.settings();
  Listener silent;
  const Engine with(settings, silent);
  settings.retrievers = {};
  Engine without(settings, silent);
  ReadSettings read;
  read.budgetTokens = 512;
  EXPECT_NE(with.readingKey(read), without.readingKey(read));
  // Plain states serve where no file is there.
  const auto reading = without.read(randomText(300, 1), read, model.folder.path() / "plain.kv", silent);
  AskSettings ask;
  ask.budgetTokens = 512;
  ask.maxTokens = 2;
  EXPECT_FALSE(without.ask(*reading, "What is abcd?", ask, silent).evidence.empty());
}

/// Whitened retrieval by plain loops: cosines of whitened means, averaged over the layers so far.
TEST_F(WhiteningTest, RetrievesWhatAPlainSimulationRetrieves) {
  constexpr int kBudget = 768,
                kChunks = 12;  // of six chunks: the first, one recent, the own, so three retrieved
  const TinyModel model;
  const int width = model.loaded.shape.width, layers = model.loaded.shape.layers;
  const KvShape shape = model.loaded.kvShape();
  const std::vector<ScoredParagraph> paragraphs = {{1, 2, 0.3f}, {3, 5, 0.15f}, {6, 8, 0}, {8, 9, 0.2f}};
  ChunkWishes wishes;
  wishes.paragraphs = paragraphs;
  const auto policy =
      findMethod("whitened")
          .makePolicy({shape, model.loaded.shape.heads, kBudget, wishes, model.loaded.whitened.get()});
  const auto codec = plainCodec(at::kFloat);
  MemoryChunks store(KvCache::slotBytes(shape, *codec, policy->needs().extras));
  KvCache cache(shape, *codec, store, policy->needs().extras);
  at::manual_seed(9);
  std::map<std::pair<int, int>, at::Tensor> entries;  // by layer and chunk
  // The last chunk is a question's: a chunk has the score of its best paragraph, and a little of its own.
  for (int chunk = 0; chunk < kChunks; ++chunk) {
    const bool isQuestion = chunk + 1 == kChunks;
    if (isQuestion) cache.startTail();
    cache.open(kChunkTokens);
    std::vector<double> sums(static_cast<std::size_t>(chunk), 0.0);
    int counted = 0;
    for (int layer = 0; layer < layers; ++layer) {
      const at::Tensor states = at::randn({kChunkTokens, width}), state = states.mean(0);
      const Selection selection =
          policy->select(layer, {chunk, chunk * kChunkTokens, kChunkTokens}, {{}, {}, states}, cache);
      if (model.loaded.whitening->has(layer)) {
        ++counted;
        entries[{layer, chunk}] = model.loaded.whitening->entry(layer, state);
        for (int i = 0; i < chunk; ++i)
          sums[static_cast<std::size_t>(i)] +=
              at::dot(entries[{layer, i}], entries[{layer, chunk}]).item<double>();
      }
      if (chunk < 7) continue;
      std::vector<std::pair<double, int>> order;
      const auto meanAt = [&](int i) { return sums[static_cast<std::size_t>(i)] / counted; };
      for (int i = 1; i < chunk - 1; ++i) {
        double score = meanAt(i), best = -10;
        for (const ScoredParagraph& paragraph : paragraphs) {
          if (!isQuestion || i < paragraph.firstChunk || i > paragraph.lastChunk) continue;
          double cosine = -10;
          for (int k = paragraph.firstChunk; k <= paragraph.lastChunk; ++k)
            cosine = std::max(cosine, meanAt(k));
          best = std::max(best, cosine + paragraph.score + 1e-3 * meanAt(i));
        }
        if (best > -10) score = best;
        order.push_back({-score, i});
      }
      std::ranges::sort(order);
      std::vector<int> expected = {0, chunk - 1}, chosen;
      for (int i = 0; i < 3; ++i) expected.push_back(order[static_cast<std::size_t>(i)].second);
      std::ranges::sort(expected);
      for (const kvasir::Run& run : selection.runs) chosen.push_back(cache.chunkOf(run.begin));
      EXPECT_EQ(chosen, expected) << "layer " << layer << " chunk " << chunk;
    }
  }
}

/// What the last layer selects for a question after so many chunks; of the same states every time.
Selection selectedForAQuestion(const TinyModel& model, const std::string& method,
                               const std::vector<ScoredParagraph>& paragraphs, int chunks) {
  const KvShape shape = model.loaded.kvShape();
  ChunkWishes wishes;
  wishes.paragraphs = paragraphs;
  const auto policy = findMethod(method).makePolicy(
      {shape, model.loaded.shape.heads, 768, wishes, model.loaded.whitened.get()});
  const auto codec = plainCodec(at::kFloat);
  MemoryChunks store(KvCache::slotBytes(shape, *codec, policy->needs().extras));
  KvCache cache(shape, *codec, store, policy->needs().extras);
  at::manual_seed(9);
  Selection last;
  for (int chunk = 0; chunk <= chunks; ++chunk) {
    if (chunk == chunks) cache.startTail();
    cache.open(kChunkTokens);
    for (int layer = 0; layer < model.loaded.shape.layers; ++layer) {
      const at::Tensor states = at::randn({kChunkTokens, model.loaded.shape.width});
      last = policy->select(layer, {chunk, chunk * kChunkTokens, kChunkTokens}, {{}, {}, states}, cache);
    }
  }
  return last;
}

TEST_F(WhiteningTest, TellsWhatWordsGaveOfEachScore) {
  constexpr int kChunks = 9;
  const TinyModel model;
  const std::vector<ScoredParagraph> paragraphs = {{1, 2, 0.3f}, {2, 4, 0.9f}, {5, 6, 0}};
  const std::vector<float> cosines = selectedForAQuestion(model, "whitened", {}, kChunks).scores;
  ASSERT_EQ(cosines.size(), static_cast<std::size_t>(kChunks));
  for (const auto& [method, weight] : {std::pair("whitened", 1.0f), std::pair("whitened:words=2", 2.0f)}) {
    const Selection fused = selectedForAQuestion(model, method, paragraphs, kChunks);
    ASSERT_EQ(fused.scores.size(), cosines.size());
    ASSERT_EQ(fused.words.size(), cosines.size());
    for (std::size_t i = 0; i < cosines.size(); ++i) {
      float states = cosines[i], words = 0, best = -10;
      for (const ScoredParagraph& paragraph : paragraphs) {
        if (static_cast<int>(i) < paragraph.firstChunk || static_cast<int>(i) > paragraph.lastChunk) continue;
        const float cosine = *std::max_element(cosines.begin() + paragraph.firstChunk,
                                               cosines.begin() + paragraph.lastChunk + 1);
        if (cosine + weight * paragraph.score <= best) continue;
        best = cosine + weight * paragraph.score;
        words = weight * paragraph.score;
        states = cosine + 1e-3f * cosines[i];
      }
      EXPECT_NEAR(fused.words[i], words, 1e-6) << method << ", chunk " << i;
      EXPECT_NEAR(fused.scores[i] - fused.words[i], states, 1e-5) << method << ", chunk " << i;
    }
  }
  const Selection alone = selectedForAQuestion(model, "whitened:words=0", paragraphs, kChunks);
  EXPECT_EQ(alone.scores.size(), cosines.size());
  EXPECT_TRUE(alone.words.empty());
}

TEST(AnswerRecall, HoldsWhatWasFoundUntilSoManyTokensWereSaid) {
  for (const int again : {0, 1, 128, 129, 256, 300}) {
    PolicySettings settings{KvShape{2, 1, 8}};
    settings.numbers = Numbers({MethodNumber{"again", "", 128, 0, 65536}});
    settings.numbers.choose("again=" + std::to_string(again));
    AnswerRecall<std::vector<int>> recall(settings);
    BlockQueries asked, answered;
    answered.areOwnStates = false;
    int finds = 0;
    const auto foundBy = [&](int layer, const Block& block, const BlockQueries& queries, int value) {
      finds = 0;
      return recall.foundBy(layer, block, queries, [&] {
        ++finds;
        return std::vector<int>{value};
      });
    };
    foundBy(1, {9, 9 * kChunkTokens, kChunkTokens}, asked, 9);  // of a question: found with every chunk
    int foundAt = -1;
    for (int chunk = 10; chunk < 20; ++chunk) {
      const Block block{chunk, chunk * kChunkTokens, 1};
      EXPECT_EQ(foundBy(1, block, asked, -1), std::vector<int>{-1});
      const bool isDue = foundAt < 0 || (again > 0 && (chunk - foundAt) * kChunkTokens >= again);
      if (isDue) foundAt = chunk;
      EXPECT_EQ(foundBy(1, block, answered, chunk), std::vector<int>{foundAt});
      ASSERT_EQ(finds == 1, isDue) << "again=" << again << ", chunk " << chunk;
      EXPECT_EQ(foundBy(0, block, answered, 100 + chunk), std::vector<int>{100 + foundAt}) << "another layer";
    }
  }
}

/// Chunks of a document that layers attended to, [layers, chunks], when so many tokens of an answer were said.
std::vector<std::vector<std::uint8_t>> attendedWhileAnswering(const LoadedModel& model,
                                                              const std::string& method,
                                                              const std::vector<int>& counts) {
  constexpr int kBudget = 1024;
  const Method& row = findMethod(method);
  const Left left = readMethod(model, row, kBudget, randomTokens(3000, 1), 1024);
  EvidenceTap tap(model.shape.layers, model.shape.heads, {}, EvidenceTap::Records::Choices);
  TextRun run(model, {row, kBudget, &tap, [] {}, {}, nullptr, false, left.tokens()}, left.store.get());
  run.readAfter(left.chunks, randomTokens(20, 2));
  std::vector<std::vector<std::uint8_t>> attended;
  const std::vector<TokenId> said = randomTokens(counts.back(), 3);
  for (std::size_t i = 0; i < said.size(); ++i) {
    run.pass().generate(said[i]);
    if (std::ranges::find(counts, static_cast<int>(i) + 1) != counts.end())
      attended.push_back(tap.map(static_cast<int>(left.chunks.size())).attended);
  }
  return attended;
}

// An answer's first chunk retrieves by the question; every further one does so again, or those that the number
// says, or none.
TEST(AnswerRetrieval, IsRepeatedAsOftenAsTheNumberSays) {
  const c10::InferenceMode noGradients;
  const TinyModel model;
  const std::vector<int> counts = {1, 130, 250, 390};
  int looksAgain = 0, looksOnceMore = 0;
  for (const char* name : {"whitened", "infllm", "quest", "arkvale-reading", "lm-infinite-middle"}) {
    const std::string row = name;
    const auto usual = attendedWhileAnswering(model.loaded, row, counts),
               never = attendedWhileAnswering(model.loaded, row + ":again=0", counts),
               seldom = attendedWhileAnswering(model.loaded, row + ":again=250", counts);
    ASSERT_EQ(usual.size(), counts.size());
    EXPECT_EQ(never[0], usual[0]) << row;
    for (const auto& later : never) EXPECT_EQ(later, never[0]) << row;
    EXPECT_EQ(seldom[0], usual[0]) << row;
    EXPECT_EQ(seldom[1], usual[0]) << row;
    EXPECT_EQ(seldom[2], usual[0]) << row;
    looksAgain += usual.back() != usual[0];
    looksOnceMore += seldom.back() != seldom[0];
  }
  EXPECT_GT(looksAgain, 0);
  EXPECT_GT(looksOnceMore, 0);
}

// Where pins and blocks leave a gap before what is asked, the nearest keys are not those of the tokens just
// before it: what they draw is no other chunk's.
TEST(InfllmNotes, HoldNothingOfChunksThatWereNotSeen) {
  const c10::InferenceMode noGradients;
  constexpr int kBudget = 512, kChunks = 12, kLast = kChunks - 1;
  const TinyModel model;
  const Method& row = findMethod("infllm");
  const Left left = readMethod(model.loaded, row, kBudget, randomTokens(kChunks * kChunkTokens - 30, 1), 512);
  TextRun run(
      model.loaded,
      {row, kBudget, nullptr, [] {}, {{kLast - 2}, {kLast - 1, kLast}, {}}, nullptr, false, left.tokens()},
      left.store.get());
  run.cache().adopt(left.chunks);
  run.cache().startTail();
  const auto notes = [&] {
    std::vector<float> all;
    for (int layer = 0; layer < model.loaded.shape.layers; ++layer)
      for (int chunk = 0; chunk < kChunks; ++chunk)
        std::ranges::copy(run.cache().notes(layer, chunk), std::back_inserter(all));
    return all;
  };
  const std::vector<float> read = notes();
  EXPECT_GT(*std::ranges::max_element(read), 0);
  run.read(randomTokens(40, 2), 512);
  EXPECT_EQ(notes(), read) << "asked";
  for (const TokenId token : randomTokens(100, 3)) run.pass().generate(token);
  EXPECT_EQ(notes(), read) << "answered";
}

}  // namespace
}  // namespace kvasir
