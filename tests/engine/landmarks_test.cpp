// Landmark Embedding's retrieval beside a plain one.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "engine/retrieval/landmarks.h"
#include "engine/retrieval/sentence_embedder.h"
#include "tests/engine/model/testing_models.h"
#include "tests/engine/plain_encoder.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

using Range = kvasir::Run;
using Vector = PlainEncoder::Vector;

/// A text whose tokens are words; frames, [begin, end) in tokens, have no text.
TokenText wordTokens(const std::string& text, const std::vector<Range>& frames = {}) {
  TokenText made;
  const auto isFrame = [&] {
    const int token = made.tokens();
    return std::ranges::any_of(frames, [&](Range run) { return run.begin <= token && token < run.end; });
  };
  const auto add = [&](const std::string& word, bool isText) {
    made.bytes.push_back(made.text.size());
    made.isText.push_back(isText);
    if (isText) made.text += word;
  };
  std::string word;
  const auto close = [&] {
    while (isFrame()) add("", false);
    if (!word.empty()) add(word, true);
    word.clear();
  };
  for (const char letter : text) {
    if (letter == ' ') close();
    word += letter;
  }
  close();
  made.bytes.push_back(made.text.size());
  for (int first = 0; first < made.tokens(); first += kChunkTokens)
    made.chunks.push_back({first, std::min(first + kChunkTokens, made.tokens())});
  return made;
}

/// Sentences of a few to many words, now and then far too long.
std::string randomSentences(int count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string text;
  for (int i = 0; i < count; ++i) {
    const auto words = random() % 23 == 0 ? 300 : 1 + random() % 30;
    for (std::size_t word = 0; word < words; ++word) {
      text += word == 0 ? "A" : " ";
      for (int letter = 0; letter < 3; ++letter) text += static_cast<char>('a' + random() % 26);
    }
    text += i + 1 < count ? ". " : ".";
  }
  return text;
}

// ---- Plain: the same written from the header's words ----

struct Plain {
  const TokenText& text;
  const PlainEncoder& encoder;
  const WordPiece& words;
  std::vector<Range> sentences = sentencesOf(text, 9, 128);

  int chunkOf(int sentence) const {
    return (sentences[static_cast<std::size_t>(sentence)].end - 1) / kChunkTokens;
  }
  std::vector<int> pieces(int sentence) const {
    std::vector<int> all =
        words.encode(text.textOf(sentences[static_cast<std::size_t>(sentence)]), SentenceEmbedder::kMostPieces);
    return {all.begin() + 1, all.end() - 1};
  }
  bool areTogether(int one, int next) const {
    return one >= 0 && next < std::ssize(sentences) &&
           sentences[static_cast<std::size_t>(one)].end == sentences[static_cast<std::size_t>(next)].begin;
  }

  /// Sentences of the window around a chunk.
  std::vector<int> window(int chunk) const {
    std::vector<int> inside;
    std::size_t used = 0;
    for (int i = 0; i < std::ssize(sentences); ++i)
      if (chunkOf(i) == chunk) inside.push_back(i), used += pieces(i).size();
    const std::size_t room = SentenceEmbedder::kMostPieces - 2;
    for (bool grew = !inside.empty(); grew;) {
      grew = false;
      if (areTogether(inside.front() - 1, inside.front()) && used + pieces(inside.front() - 1).size() <= room) {
        inside.insert(inside.begin(), inside.front() - 1);
        used += pieces(inside.front()).size();
        grew = true;
      }
      if (areTogether(inside.back(), inside.back() + 1) && used + pieces(inside.back() + 1).size() <= room) {
        inside.push_back(inside.back() + 1);
        used += pieces(inside.back()).size();
        grew = true;
      }
    }
    return inside;
  }

  Vector embedding(int sentence) const {
    Vector sum(kEncoderWidth);
    for (int around = chunkOf(sentence) - 1; around <= chunkOf(sentence) + 1; ++around) {
      std::vector<int> all = {2};
      std::size_t begin = 0, end = 0;
      for (const int other : window(around)) {
        const std::vector<int> more = pieces(other);
        if (other == sentence) begin = all.size(), end = all.size() + more.size();
        all.insert(all.end(), more.begin(), more.end());
      }
      if (end == 0) continue;
      all.resize(std::min<std::size_t>(all.size(), SentenceEmbedder::kMostPieces - 1));
      end = std::min(end, all.size());
      begin = std::min(begin, end);
      all.push_back(3);
      const std::vector<Vector> states = encoder.states(all);
      for (std::size_t i = begin; i < end; ++i)
        for (std::size_t c = 0; c < sum.size(); ++c) sum[c] += states[i][c] / static_cast<double>(end - begin);
    }
    double length = 0;
    for (const double value : sum) length += value * value;
    for (double& value : sum) value /= std::max(1e-12, std::sqrt(length));
    return sum;
  }

  std::vector<ScoredPassage> find(const std::string& question) const {
    const Vector asked = encoder.embed(words.encode(question, SentenceEmbedder::kMostPieces));
    std::vector<double> cosines;
    for (int i = 0; i < std::ssize(sentences); ++i) {
      const Vector own = embedding(i);
      double sum = 0;
      for (std::size_t c = 0; c < own.size(); ++c) sum += own[c] * asked[c];
      cosines.push_back(std::max(0.0, sum));
    }
    std::vector<ScoredPassage> found;
    for (int last = 0; last < std::ssize(sentences); ++last) {
      const Range end = sentences[static_cast<std::size_t>(last)];
      double sum = 0, weights = 0;
      int first = last;
      for (int i = last; i >= 0; --i) {
        if (i < last && !areTogether(i, i + 1)) break;
        if (i < last && end.end - sentences[static_cast<std::size_t>(i)].begin > kChunkTokens) break;
        const double weight = std::pow(0.5, last - i);
        sum += weight * cosines[static_cast<std::size_t>(i)];
        weights += weight;
        first = i;
      }
      found.push_back({{sentences[static_cast<std::size_t>(first)].begin, end.end},
                       end,
                       static_cast<float>(sum / weights)});
    }
    return found;
  }
};

struct Landmarks : testing::Test {
  TemporaryFolder folder;
  std::filesystem::path written = writeEmbedder(folder.path());
  std::unique_ptr<SentenceEmbedder> embedder = SentenceEmbedder::load(folder.path());
  WordPiece words = WordPiece::load(folder.path() / "tokenizer.json");
  PlainEncoder encoder{folder.path()};
  std::unique_ptr<PassageRetriever> retriever =
      findMethod("landmark").makePassages([this]() -> const SentenceEmbedder& { return *embedder; });
  c10::InferenceMode noGradients;

  std::vector<float> indexOf(const TokenText& text, Range chunks) {
    return retriever->index(text, chunks, [] {});
  }
  Range all(const TokenText& text) { return {0, static_cast<int>(text.chunks.size())}; }
};

TEST_F(Landmarks, DivideTheTextIntoSentencesThatAreNeitherShortNorLong) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const TokenText text = wordTokens(randomSentences(60, seed));
    const LandmarkText landmarks = landmarkText(text);
    int at = 0;
    std::map<int, int> ending;
    for (std::size_t i = 0; i < landmarks.sentences.size(); ++i) {
      const Range sentence = landmarks.sentences[i];
      EXPECT_EQ(sentence.begin, at);
      EXPECT_LE(sentence.end - sentence.begin, kChunkTokens);
      EXPECT_GE(sentence.end - sentence.begin, 9);
      at = sentence.end;
      EXPECT_LE(++ending[landmarks.chunks[i]], kLandmarksEach);
    }
    EXPECT_EQ(at, text.tokens());
  }
}

TEST_F(Landmarks, BeginWhereSentencesDo) {
  std::string text;
  for (int i = 0; i < 40; ++i)
    text += "Many words that say nothing make up this sentence number " + std::to_string(i) + ". ";
  const TokenText tokens = wordTokens(text);
  for (const Range& sentence : sentencesOf(tokens, 9, 128)) {
    const std::string_view own = tokens.textOf(sentence);
    if (own.find_first_not_of(' ') == std::string_view::npos) continue;
    EXPECT_EQ(own.substr(own.find_first_not_of(' '), 4), "Many") << own;
  }
}

TEST_F(Landmarks, FindWhatThePlainOnesFind) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const TokenText text = wordTokens(randomSentences(20, seed), {{0, 5}, {200, 207}});
    const Plain plain{text, encoder, words};
    const std::vector<ScoredPassage> expected = plain.find("What is abcd?"),
                                     found = retriever->find(text, indexOf(text, all(text)), "What is abcd?");
    ASSERT_EQ(found.size(), expected.size());
    double spread = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].tokens, expected[i].tokens);
      EXPECT_EQ(found[i].judged, expected[i].judged);
      EXPECT_NEAR(found[i].score, expected[i].score, 1e-5) << i;
      spread = std::max<double>(spread, std::abs(found[i].score - found[0].score));
    }
    EXPECT_GT(spread, 0.01) << "all the same would hide a mistake";
  }
}

TEST_F(Landmarks, AreTheSameWhateverChunksAreAskedForTogether) {
  const TokenText text = wordTokens(randomSentences(60, 9));
  const std::vector<float> whole = indexOf(text, all(text));
  std::vector<float> pieces;
  for (int first = 0; first < all(text).end; first += 3) {
    const std::vector<float> some = indexOf(text, {first, std::min(first + 3, all(text).end)});
    pieces.insert(pieces.end(), some.begin(), some.end());
  }
  ASSERT_EQ(whole.size(), pieces.size());
  for (std::size_t i = 0; i < whole.size(); ++i) ASSERT_NEAR(whole[i], pieces[i], 1e-5) << i;
}

TEST_F(Landmarks, DependOnTheTextAroundASentence) {
  const std::string same = " The same nine words stand here in both texts again.";
  const auto entriesOf = [&](const std::string& before) {
    const TokenText text = wordTokens(before + same);
    const std::vector<float> index = indexOf(text, all(text));
    return std::vector<float>(index.begin() + kEncoderWidth, index.begin() + 2 * kEncoderWidth);
  };
  const auto one = entriesOf("Aaa bbb ccc ddd eee fff ggg hhh iii jjj."),
             other = entriesOf("Zzz yyy xxx www vvv uuu ttt sss rrr qqq.");
  double most = 0;
  for (std::size_t i = 0; i < one.size(); ++i) most = std::max<double>(most, std::abs(one[i] - other[i]));
  EXPECT_GT(most, 1e-3);
}

TEST_F(Landmarks, DoNotReachOverTheFrameOfAnotherDocument) {
  const TokenText text = wordTokens(randomSentences(30, 3), {{0, 5}, {150, 160}});
  for (const ScoredPassage& passage : retriever->find(text, indexOf(text, all(text)), "abcd"))
    EXPECT_TRUE(passage.tokens.end <= 150 || passage.tokens.begin >= 160);
}

TEST_F(Landmarks, HoldOnlyWhatHasBeenRead) {
  TokenText text = wordTokens(randomSentences(60, 5));
  const std::vector<float> index = indexOf(text, all(text));
  text.chunks.resize(3);
  const auto found = retriever->find(
      text, std::span(index).first(3 * static_cast<std::size_t>(retriever->indexFloats())), "abcd");
  std::vector<char> isHeld(3 * kChunkTokens);
  for (const ScoredPassage& passage : found) {
    ASSERT_LE(passage.tokens.end, 3 * kChunkTokens);
    std::fill(isHeld.begin() + passage.tokens.begin, isHeld.begin() + passage.tokens.end, 1);
  }
  EXPECT_EQ(std::ranges::count(isHeld, 0), 0);
}

TEST(RealLandmarks, BringTheSentencesThatLeadUpToTheOneThatAnswers) {
  const std::filesystem::path folder = realModel("all-minilm-l6-v2").value_or("");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the embedder is not there";
  const c10::InferenceMode noGradients;
  const auto embedder = SentenceEmbedder::load(folder);
  const auto retriever =
      findMethod("landmark").makePassages([&]() -> const SentenceEmbedder& { return *embedder; });
  std::string text;
  for (int i = 0; i < 12; ++i)
    text += "The committee met on day " + std::to_string(i) +
            " and spoke at length about the roads and the harbour. ";
  text += "The lighthouse of Amber Point was built by two brothers in the spring of 1851. ";
  text += "It took them almost four years, and its lamp burned three litres of whale oil every night. ";
  for (int i = 0; i < 12; ++i)
    text +=
        "In the village number " + std::to_string(i) + " the harvest was poor and bread was dear that year. ";
  const TokenText tokens = wordTokens(text);
  const std::vector<float> index = retriever->index(tokens, {0, static_cast<int>(tokens.chunks.size())}, [] {});
  const auto found = retriever->find(tokens, index, "What did the lamp of the lighthouse burn?");
  const auto best = std::ranges::max_element(found, {}, &ScoredPassage::score);
  EXPECT_NE(tokens.textOf(best->judged).find("whale oil"), std::string_view::npos)
      << tokens.textOf(best->judged);
  EXPECT_NE(tokens.textOf(best->tokens).find("Amber Point"), std::string_view::npos);
}

}  // namespace
}  // namespace kvasir
