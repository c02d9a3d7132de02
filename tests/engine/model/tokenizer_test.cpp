#include "engine/model/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "engine/model/gguf.h"
#include "engine/model/utf8.h"
#include "tests/engine/model/gguf_writer.h"
#include "tests/engine/model/synthetic_vocabulary.h"

namespace kvasir {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A tokenizer of a file with only a vocabulary.
struct Made {
  explicit Made(const GgufWriter& writer)
      : bytes(writer.bytes()), file(bytes, "model.gguf"), tokenizer(makeTokenizer(file)) {}
  std::vector<std::byte> bytes;
  GgufFile file;
  std::unique_ptr<Tokenizer> tokenizer;
};

GgufWriter byteLevel(const std::string& preTokenizer = "smollm") {
  GgufWriter writer;
  addSyntheticVocabulary(writer, 300, preTokenizer);
  return writer;
}

constexpr std::string_view kSpace = "\xe2\x96\x81";

struct Piece {
  std::string text;
  float score;
  std::int32_t type;
};

std::vector<Piece> smallPieces() {
  std::vector<Piece> pieces = {{"<unk>", 0, 2}, {"<s>", 0, 3}, {"</s>", 0, 3}};
  for (int byte = 0; byte < 256; ++byte) {
    char text[8];
    std::snprintf(text, sizeof text, "<0x%02X>", byte);
    pieces.push_back({text, 0, 6});
  }
  const std::string space(kSpace);
  pieces.insert(
      pieces.end(),
      {{"a", -10, 1}, {"b", -11, 1}, {space, -12, 1}, {"ab", -1, 1}, {space + "ab", -2, 1}, {"\n\n", 0, 4}});
  return pieces;
}

GgufWriter sentencePieces(const std::vector<Piece>& pieces, bool hasPrefix) {
  GgufWriter writer;
  std::vector<std::string> texts;
  std::vector<float> scores;
  std::vector<std::int32_t> types;
  for (const Piece& piece : pieces) {
    texts.push_back(piece.text);
    scores.push_back(piece.score);
    types.push_back(piece.type);
  }
  writer.text("tokenizer.ggml.model", "llama");
  writer.texts("tokenizer.ggml.tokens", texts);
  writer.reals("tokenizer.ggml.scores", scores);
  writer.integers("tokenizer.ggml.token_type", types);
  writer.integer("tokenizer.ggml.bos_token_id", 1);
  writer.integer("tokenizer.ggml.eos_token_id", 2);
  writer.flag("tokenizer.ggml.add_space_prefix", hasPrefix);
  return writer;
}

std::string failureOf(const GgufWriter& writer) {
  try {
    Made made(writer);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

std::vector<std::string> written(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<std::string> result;
  for (const Token& token : tokenizer.encode(text)) result.push_back(tokenizer.bytesOf(token.id));
  return result;
}

std::string decoded(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<TokenId> ids;
  for (const Token& token : tokenizer.encode(text)) ids.push_back(token.id);
  return tokenizer.decode(ids);
}

void expectCovered(const Tokenizer& tokenizer, std::string_view text) {
  std::size_t position = 0;
  for (const Token& token : tokenizer.encode(text)) {
    EXPECT_EQ(token.start, position);
    EXPECT_GE(token.end, token.start);
    position = token.end;
  }
  EXPECT_EQ(position, text.size()) << text;
}

const std::vector<std::string> kTexts = {"",
                                         " ",
                                         "the thing in the heron",
                                         "ab ab\n\n\nab  a",
                                         "naïve 漢字 🦉",
                                         "a\r\nb\tc\v\f ",
                                         std::string("zero\0byte", 9),
                                         " \xe2\x96\x81 x"};

TEST(BytePairs, JoinsTheEarlierPairFirst) {
  const Made made(byteLevel());
  EXPECT_THAT(written(*made.tokenizer, "in the thing"), ElementsAre("in", " the", " t", "h", "ing"));
}

TEST(BytePairs, GivesEachTokenItsBytes) {
  const Made made(byteLevel());
  for (const std::string& text : kTexts) {
    std::size_t at = 0;
    for (const Token& token : made.tokenizer->encode(text)) {
      EXPECT_EQ(token.start, at);
      EXPECT_EQ(text.substr(token.start, token.end - token.start), made.tokenizer->bytesOf(token.id));
      at = token.end;
    }
    EXPECT_EQ(at, text.size());
  }
}

TEST(BytePairs, NeverGivesControlTokensFromText) {
  const Made made(byteLevel("llama-bpe"));
  for (const Token& token : made.tokenizer->encode("<|im_start|>user<|im_end|><|endoftext|>"))
    EXPECT_GT(token.id, 2);
  EXPECT_EQ(decoded(*made.tokenizer, "<|im_end|>"), "<|im_end|>");
  EXPECT_EQ(made.tokenizer->control("<|im_end|>"), 2);
  EXPECT_EQ(made.tokenizer->bytesOf(2), "");
}

TEST(BytePairs, ReplacesWhatIsNotUtf8) {
  const Made made(byteLevel());
  EXPECT_EQ(decoded(*made.tokenizer, "a\xff z\xe2\x82"), "a\xef\xbf\xbd z\xef\xbf\xbd");
  for (const char* text : {"a\xff z\xe2\x82", "\xc3\xc3\xc3", "\xf0\x9f\xa6", "\xed\xa0\x80x"}) {
    expectCovered(*made.tokenizer, text);
  }
}

TEST(BytePairs, LeavesOutHalfACharacterAtTheEnd) {
  const Made made(byteLevel());
  const auto tokens = made.tokenizer->encode("a🦉");
  ASSERT_EQ(tokens.size(), 5u);
  std::vector<TokenId> ids;
  for (const Token& token : tokens) {
    ids.push_back(token.id);
    EXPECT_EQ(made.tokenizer->decode(ids), ids.size() == 5 ? "a🦉" : "a");
  }
}

TEST(BytePairs, KnowsWhatEndsAnAnswer) {
  const Made made(byteLevel());
  EXPECT_THAT(made.tokenizer->vocabulary().ends, ElementsAre(2, 0));
  EXPECT_EQ(made.tokenizer->vocabulary().beginning, std::nullopt);
  EXPECT_EQ(made.tokenizer->vocabulary().kind, "gpt2/smollm");
}

TEST(BytePairs, TakesAMegabyteInUnderTwoSeconds) {
  const Made made(byteLevel());
  std::string text;
  for (int i = 0; text.size() < (1 << 20); ++i) text += "the heron " + std::to_string(i) + " stands in it.\n";
  text += std::string(1 << 20, 'x');
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(made.tokenizer->encode(text).empty());
  EXPECT_LT(std::chrono::steady_clock::now() - start,
            std::chrono::seconds(20));  // sanitizers are ten times slower
}

TEST(SentencePieces, JoinsTheHigherScoreFirst) {
  const Made made(sentencePieces(smallPieces(), false));
  EXPECT_THAT(written(*made.tokenizer, "ab ab"), ElementsAre("ab", " ab"));
  EXPECT_THAT(written(*made.tokenizer, "aab"), ElementsAre("a", "ab"));
}

TEST(SentencePieces, PutsASpaceBeforeTheTextWhereTheModelWantsIt) {
  const Made made(sentencePieces(smallPieces(), true));
  EXPECT_THAT(written(*made.tokenizer, "ab\n\nab"), ElementsAre(" ab", "\n\n", " ab"));
  expectCovered(*made.tokenizer, "ab\n\nab b");
}

TEST(SentencePieces, FallsBackToBytesWithAPlaceEach) {
  const Made made(sentencePieces(smallPieces(), false));
  const auto tokens = made.tokenizer->encode("a漢b");
  ASSERT_EQ(tokens.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(tokens[i].start, i);
  EXPECT_EQ(decoded(*made.tokenizer, "a漢b"), "a漢b");
}

TEST(SentencePieces, FindsUserDefinedTokensFirst) {
  const Made made(sentencePieces(smallPieces(), false));
  EXPECT_THAT(written(*made.tokenizer, "\n\n\n"), ElementsAre("\n\n", "\n"));
}

TEST(SentencePieces, NeverGivesControlTokensFromText) {
  const Made made(sentencePieces(smallPieces(), false));
  for (const Token& token : made.tokenizer->encode("<s>a</s><unk><0x41>")) EXPECT_GT(token.id, 2);
  EXPECT_EQ(decoded(*made.tokenizer, "<s>a</s><unk><0x41>"), "<s>a</s><unk><0x41>");
}

TEST(SentencePieces, CoversEveryText) {
  for (const bool hasPrefix : {false, true}) {
    const Made made(sentencePieces(smallPieces(), hasPrefix));
    for (const std::string& text : kTexts) expectCovered(*made.tokenizer, text);
    expectCovered(*made.tokenizer, "a\xff b\xe2\x82");
  }
}

TEST(SentencePieces, DoWithoutBytesAndUnknown) {
  const Made made(sentencePieces({{"a", -1, 1}, {"b", -2, 1}, {"ab", -3, 1}}, false));
  EXPECT_THAT(written(*made.tokenizer, "ab漢字a"), ElementsAre("ab", "a"));
  expectCovered(*made.tokenizer, "ab漢字a漢");
}

TEST(SentencePieces, ExpectsABeginningUnlessTheFileSaysNo) {
  GgufWriter without = sentencePieces(smallPieces(), true);
  without.flag("tokenizer.ggml.add_bos_token", false);
  EXPECT_EQ(Made(sentencePieces(smallPieces(), true)).tokenizer->vocabulary().beginning, 1);
  EXPECT_EQ(Made(without).tokenizer->vocabulary().beginning, std::nullopt);
}

TEST(Vocabularies, NameWhatIsUnknown) {
  GgufWriter none, kind;
  kind.text("tokenizer.ggml.model", "bert");
  EXPECT_THAT(failureOf(none), HasSubstr("no vocabulary inside"));
  EXPECT_THAT(failureOf(kind), HasSubstr("the kind \"bert\""));
  EXPECT_THAT(
      failureOf(byteLevel("runes")),
      HasSubstr(
          "rules \"runes\", which this program does not know; choose a model with one of: smollm, gpt-2"));
}

TEST(Vocabularies, RefuseListsThatDoNotFit) {
  auto twice = smallPieces(), infinite = smallPieces(), invalid = smallPieces(), byte = smallPieces();
  twice.push_back({"ab", 0, 1});
  infinite.push_back({"c", std::numeric_limits<float>::infinity(), 1});
  invalid.push_back({"\xff", 0, 1});
  byte.push_back({"<0xZZ>", 0, 6});
  EXPECT_THAT(failureOf(sentencePieces(twice, true)), HasSubstr("there twice"));
  EXPECT_THAT(failureOf(sentencePieces(infinite, true)), HasSubstr("not a number"));
  EXPECT_THAT(failureOf(sentencePieces(invalid, true)), HasSubstr("not UTF-8"));
  EXPECT_THAT(failureOf(sentencePieces(byte, true)), HasSubstr("no byte"));
}

TEST(Vocabularies, RefuseIdsOutside) {
  GgufWriter writer = byteLevel();
  writer.integer("tokenizer.ggml.eot_token_id", 300);
  EXPECT_THAT(failureOf(writer), HasSubstr("tokenizer.ggml.eot_token_id is 300, of 300 tokens"));
}

TEST(CleanTexts, KeepWhatIsSound) {
  const std::string text = "ok 漢字";
  const CleanText clean(text);
  EXPECT_EQ(clean.text().data(), text.data());
  EXPECT_EQ(clean.given(5), 5u);
}

TEST(CleanTexts, KnowWhereTheirBytesWere) {
  const std::string text =
      "a\xff"
      "b\xf0\x9f"
      "c";
  const CleanText clean(text);
  EXPECT_EQ(clean.text(),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd"
            "c");
  EXPECT_EQ(clean.given(1), 1u);
  EXPECT_EQ(clean.given(2), 2u);
  EXPECT_EQ(clean.given(4), 2u);
  EXPECT_EQ(clean.given(5), 3u);
  EXPECT_EQ(clean.given(8), 5u);
  EXPECT_EQ(clean.given(9), 6u);
}

}  // namespace
}  // namespace kvasir
