// Methods whose model reads only passages: their tokenizer, their encoder beside a plain one, and what each
// must hold.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/model/named_tensor.h"
#include "engine/passage_answer.h"
#include "tests/engine/model/testing_models.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

using Json = nlohmann::json;
constexpr int kBudget = 512, kWidth = 12, kHeads = 3, kInner = 20, kLayers = 2;

/// A small random encoder of BERT's form in a folder, its vocabulary letters and pieces of letters.
std::filesystem::path writeEmbedder(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  Json vocabulary = {{"[PAD]", 0}, {"[UNK]", 1}, {"[CLS]", 2}, {"[SEP]", 3}};
  const auto add = [&](const std::string& piece) { vocabulary.emplace(piece, vocabulary.size()); };
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    add({letter});
    add(std::string("##") + letter);
  }
  for (const char* piece : {"?", ".", "ab", "##cd", "what"}) add(piece);
  const auto pieces = static_cast<std::int64_t>(vocabulary.size());
  std::ofstream(folder / "tokenizer.json") << Json{{"model", {{"type", "WordPiece"}, {"vocab", vocabulary}}}};
  std::ofstream(folder / "config.json")
      << Json{{"model_type", "bert"},         {"hidden_act", "gelu"},          {"hidden_size", kWidth},
              {"intermediate_size", kInner},  {"vocab_size", pieces},          {"max_position_embeddings", 256},
              {"num_hidden_layers", kLayers}, {"num_attention_heads", kHeads}, {"type_vocab_size", 2},
              {"layer_norm_eps", 1e-5}};
  at::manual_seed(3);
  Safetensors weights;
  const auto put = [&](const std::string& name, std::vector<std::int64_t> shape) {
    weights.tensors[name] = named(at::randn(shape) * 0.4);
  };
  const auto norm = [&](const std::string& name) {
    weights.tensors[name + ".weight"] = named(at::rand({kWidth}) + 0.5);
    put(name + ".bias", {kWidth});
  };
  const auto linear = [&](const std::string& name, std::int64_t out, std::int64_t in) {
    put(name + ".weight", {out, in});
    put(name + ".bias", {out});
  };
  put("embeddings.word_embeddings.weight", {pieces, kWidth});
  put("embeddings.position_embeddings.weight", {256, kWidth});
  put("embeddings.token_type_embeddings.weight", {2, kWidth});
  norm("embeddings.LayerNorm");
  for (int i = 0; i < kLayers; ++i) {
    const std::string at = "encoder.layer." + std::to_string(i) + ".";
    for (const char* part : {"query", "key", "value"}) linear(at + "attention.self." + part, kWidth, kWidth);
    linear(at + "attention.output.dense", kWidth, kWidth);
    linear(at + "intermediate.dense", kInner, kWidth);
    linear(at + "output.dense", kWidth, kInner);
    norm(at + "attention.output.LayerNorm");
    norm(at + "output.LayerNorm");
  }
  writeSafetensors(folder / "model.safetensors", weights, StoredAs::Float32);
  return folder;
}

// ---- The encoder written plainly, in double
// -------------------------------------------------------------------------

using Vector = std::vector<double>;

class PlainEncoder {
 public:
  explicit PlainEncoder(const std::filesystem::path& folder)
      : weights_(readSafetensors(folder / "model.safetensors")) {}

  Vector embed(const std::vector<int>& pieces) const {
    std::vector<Vector> x;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      Vector row(kWidth);
      for (int c = 0; c < kWidth; ++c)
        row[static_cast<std::size_t>(c)] = at("embeddings.word_embeddings.weight", pieces[i], c) +
                                           at("embeddings.position_embeddings.weight", static_cast<int>(i), c) +
                                           at("embeddings.token_type_embeddings.weight", 0, c);
      x.push_back(norm(row, "embeddings.LayerNorm"));
    }
    for (int layer = 0; layer < kLayers; ++layer) x = pass(x, "encoder.layer." + std::to_string(layer) + ".");
    Vector mean(kWidth);
    for (const Vector& row : x)
      for (std::size_t c = 0; c < mean.size(); ++c) mean[c] += row[c] / static_cast<double>(x.size());
    double length = 0;
    for (const double value : mean) length += value * value;
    for (double& value : mean) value /= std::sqrt(length);
    return mean;
  }

 private:
  double at(const std::string& name, int row, int column) const {
    const NamedTensor& tensor = weights_.tensors.at(name);
    return tensor.values[static_cast<std::size_t>(row * tensor.shape.back() + column)];
  }
  Vector apply(const Vector& in, const std::string& name, int out) const {
    Vector result;
    for (int row = 0; row < out; ++row) {
      double sum = at(name + ".bias", 0, row);
      for (std::size_t c = 0; c < in.size(); ++c) sum += at(name + ".weight", row, static_cast<int>(c)) * in[c];
      result.push_back(sum);
    }
    return result;
  }
  Vector norm(const Vector& in, const std::string& name) const {
    double mean = 0, spread = 0;
    for (const double value : in) mean += value / static_cast<double>(in.size());
    for (const double value : in) spread += (value - mean) * (value - mean) / static_cast<double>(in.size());
    Vector out;
    for (std::size_t c = 0; c < in.size(); ++c)
      out.push_back((in[c] - mean) / std::sqrt(spread + 1e-5) * at(name + ".weight", 0, static_cast<int>(c)) +
                    at(name + ".bias", 0, static_cast<int>(c)));
    return out;
  }
  std::vector<Vector> pass(const std::vector<Vector>& x, const std::string& layer) const {
    constexpr int kDimension = kWidth / kHeads;
    std::vector<Vector> queries, keys, values, out;
    for (const Vector& row : x) {
      queries.push_back(apply(row, layer + "attention.self.query", kWidth));
      keys.push_back(apply(row, layer + "attention.self.key", kWidth));
      values.push_back(apply(row, layer + "attention.self.value", kWidth));
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
      Vector seen(kWidth);
      for (int head = 0; head < kHeads; ++head) {
        Vector weights;
        double sum = 0;
        for (std::size_t j = 0; j < x.size(); ++j) {
          double score = 0;
          for (int c = head * kDimension; c < (head + 1) * kDimension; ++c)
            score += queries[i][static_cast<std::size_t>(c)] * keys[j][static_cast<std::size_t>(c)];
          weights.push_back(std::exp(score / std::sqrt(kDimension)));
          sum += weights.back();
        }
        for (std::size_t j = 0; j < x.size(); ++j)
          for (int c = head * kDimension; c < (head + 1) * kDimension; ++c)
            seen[static_cast<std::size_t>(c)] += weights[j] / sum * values[j][static_cast<std::size_t>(c)];
      }
      Vector row = added(x[i], apply(seen, layer + "attention.output.dense", kWidth));
      row = norm(row, layer + "attention.output.LayerNorm");
      Vector inner = apply(row, layer + "intermediate.dense", kInner);
      for (double& value : inner) value = value / 2 * (1 + std::erf(value / std::sqrt(2.0)));
      out.push_back(norm(added(row, apply(inner, layer + "output.dense", kWidth)), layer + "output.LayerNorm"));
    }
    return out;
  }
  static Vector added(Vector a, const Vector& b) {
    for (std::size_t c = 0; c < a.size(); ++c) a[c] += b[c];
    return a;
  }
  Safetensors weights_;
};

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
    const Vector expected = plain.embed(words.encode(texts[i], SentenceEmbedder::kMostPieces));
    for (int c = 0; c < kWidth; ++c)
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

// ---- Every method that reads passages ----

std::vector<std::string> passageMethods() {
  std::vector<std::string> names;
  for (const Method& method : methods())
    if (readsPassages(method)) names.push_back(method.name);
  return names;
}

class EveryPassageMethod : public testing::TestWithParam<std::string> {
 protected:
  EveryPassageMethod() {
    writeEmbedder(model_.folder.path() / "all-minilm-l6-v2");
    asking_.method = GetParam();
    asking_.budgetTokens = kBudget;
    asking_.maxTokens = 12;
  }
  std::shared_ptr<const Reading> read(Engine& engine, const std::string& text) {
    return engine.read(text, engine.readSettingsFor(asking_),
                       model_.folder.path() / (std::to_string(text.size()) + ".kv"), silent_);
  }

  c10::InferenceMode noGradients_;
  TinyModel model_;
  Listener silent_;
  AskSettings asking_;
};

constexpr const char* kQuestion = "What is abcd?";

double massOf(const AnswerLook& look) {
  double sum = 0;
  for (const AnswerLook::Share& share : look.shares) sum += share.mass;
  return sum;
}

TEST_P(EveryPassageMethod, KeepsWithinBudget) {
  Engine engine(model_.settings(), silent_);
  const Answer answer = engine.ask(*read(engine, randomText(1200, 3)), kQuestion, asking_, silent_);
  EXPECT_LE(answer.attendedTokens, kBudget);
  EXPECT_GT(answer.attendedTokens, kBudget / 2);
}

TEST_P(EveryPassageMethod, EqualsFullAttentionWhenAllFits) {
  Engine engine(model_.settings(), silent_);
  const std::string text = randomText(40, 8);
  const Answer ours = engine.ask(*read(engine, text), kQuestion, asking_, silent_);
  AskSettings full = asking_;
  full.method = "full";
  const auto reading =
      engine.read(text, engine.readSettingsFor(full), model_.folder.path() / "full.kv", silent_);
  const Answer whole = engine.ask(*reading, kQuestion, full, silent_);
  EXPECT_EQ(ours.text, whole.text);
  EXPECT_NEAR(ours.logProbability, whole.logProbability, 1e-3);
  ASSERT_EQ(ours.map.mass.size(), whole.map.mass.size());
  for (std::size_t i = 0; i < ours.map.mass.size(); ++i) EXPECT_NEAR(ours.map.mass[i], whole.map.mass[i], 1e-4);
  ASSERT_EQ(ours.looks.size(), whole.looks.size());
  for (std::size_t i = 0; i < ours.looks.size(); ++i) {
    EXPECT_EQ(ours.looks[i].start, whole.looks[i].start);
    EXPECT_NEAR(massOf(ours.looks[i]), massOf(whole.looks[i]), 1e-3);
  }
}

TEST_P(EveryPassageMethod, LeavesNothingForTheNextDocument) {
  Engine used(model_.settings(), silent_), fresh(model_.settings(), silent_);
  const std::string first = randomText(700, 1), second = randomText(500, 2);
  used.ask(*read(used, first), kQuestion, asking_, silent_);
  const Answer after = used.ask(*read(used, second), kQuestion, asking_, silent_);
  const Answer alone = fresh.ask(*read(fresh, second), kQuestion, asking_, silent_);
  EXPECT_EQ(after.text, alone.text);
  EXPECT_EQ(after.map.attended, alone.map.attended);
}

TEST_P(EveryPassageMethod, SeesNothingOfABlockedChunkAndAllOfAPinnedOne) {
  Engine engine(model_.settings(), silent_);
  const auto reading = read(engine, randomText(1200, 8));
  const Answer before = engine.ask(*reading, kQuestion, asking_, silent_);
  ASSERT_FALSE(before.evidence.empty());
  asking_.blockedChunks = {before.evidence.front().chunk};
  int pinned = 0;
  while (before.map.attended[static_cast<std::size_t>(pinned)] || pinned == asking_.blockedChunks[0]) ++pinned;
  asking_.pinnedChunks = {pinned};
  const Answer after = engine.ask(*reading, kQuestion, asking_, silent_);
  EXPECT_FALSE(after.map.attended[static_cast<std::size_t>(asking_.blockedChunks[0])]);
  EXPECT_TRUE(after.map.attended[static_cast<std::size_t>(pinned)]);
}

TEST_P(EveryPassageMethod, PutsTheChunkThatSharesTheQuestionsWordsFirst) {
  if (GetParam() == "rag-dense") GTEST_SKIP() << "random embeddings know no words";
  Engine engine(model_.settings(), silent_);
  const std::string text = randomText(500, 4) + "The quokka abcd. " + randomText(500, 5);
  const auto reading = read(engine, text);
  const Answer answer = engine.ask(*reading, "What is the quokka abcd?", asking_, silent_);
  ASSERT_FALSE(answer.evidence.empty());
  bool isFound = false;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, answer.evidence.size()); ++i) {
    const EvidenceChunk& best = answer.evidence[i];
    isFound = isFound || text.substr(best.start, best.end - best.start).find("quokka") != std::string::npos;
  }
  EXPECT_TRUE(isFound);
}

TEST_P(EveryPassageMethod, FindsWhatStandsInTheSecondOfJoinedDocuments) {
  if (GetParam() == "rag-dense") GTEST_SKIP() << "random embeddings know no words";
  Engine engine(model_.settings(), silent_);
  const std::string second = randomText(300, 5) + "The quokka abcd. " + randomText(100, 6);
  const auto joined = engine.join({read(engine, randomText(700, 4)), read(engine, second)});
  const Answer answer = engine.ask(*joined, "What is the quokka abcd?", asking_, silent_);
  ASSERT_FALSE(answer.evidence.empty());
  bool isFound = false;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, answer.evidence.size()); ++i) {
    const EvidenceChunk& best = answer.evidence[i];
    isFound = isFound || (best.document == 1 &&
                          second.substr(best.start, best.end - best.start).find("quokka") != std::string::npos);
  }
  EXPECT_TRUE(isFound);
}

TEST_P(EveryPassageMethod, LooksAgainWhereItLookedForTheQuestion) {
  Engine engine(model_.settings(), silent_);
  const auto reading = read(engine, randomText(900, 9));
  const Answer said = engine.ask(*reading, kQuestion, asking_, silent_);
  const Answer again = engine.retrace(*reading, kQuestion, "abcd efgh", asking_, silent_);
  EXPECT_EQ(again.text, "abcd efgh");
  EXPECT_EQ(again.map.attended, said.map.attended);
  ASSERT_FALSE(said.looks.empty());
  EXPECT_EQ(again.looks.size(), static_cast<std::size_t>(again.answerTokens) + 1);
  EXPECT_NEAR(massOf(again.looks[0]), massOf(said.looks[0]), 1e-4);
}

TEST_P(EveryPassageMethod, SaysWhatIsMissingWithoutAnEmbedder) {
  if (GetParam() == "rag-bm25") GTEST_SKIP() << "it needs none";
  std::filesystem::remove_all(model_.folder.path() / "all-minilm-l6-v2");
  Engine engine(model_.settings(), silent_);
  try {
    read(engine, randomText(100, 1));
    FAIL() << "it found an embedder";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("./dev setup"), std::string::npos) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Table, EveryPassageMethod, testing::ValuesIn(passageMethods()), [](const auto& row) {
  std::string name = row.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

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
  const std::vector<kvasir::Run> passages = passagesOf(model.loaded, tokens, chunks);
  const std::vector<std::string> texts = passageTexts(model.loaded, tokens, passages);
  ASSERT_GT(passages.size(), 4u);
  for (std::size_t i = 1; i + 1 < passages.size(); ++i) {
    EXPECT_LE(passages[i].begin, static_cast<int>(i) * kChunkTokens);
    EXPECT_GE(passages[i].end, static_cast<int>(i + 1) * kChunkTokens);
    EXPECT_TRUE(texts[i].starts_with("Sentence") || texts[i].starts_with(" Sentence")) << texts[i];
    EXPECT_NE(texts[i].find_last_not_of(' '), std::string::npos);
    EXPECT_EQ(texts[i][texts[i].find_last_not_of(' ')], '.') << texts[i];
  }
}

}  // namespace
}  // namespace kvasir
