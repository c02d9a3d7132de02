#include "engine/methods.h"

namespace kvasir {

namespace {

constexpr PolicySeam kFull{"full", fullPolicy}, kStreaming{"streaming", streamingPolicy},
    kInfllm{"infllm", infllmPolicy}, kWhitened{"whitened", whitenedPolicy}, kLambda{"lambda", lambdaPolicy},
    kQuest{"quest", questPolicy}, kArkvale{"arkvale", arkvalePolicy},
    kQuestReading{"quest-reading", questReadingPolicy},
    kArkvaleReading{"arkvale-reading", arkvaleReadingPolicy}, kSnapkv{"snapkv", snapkvPolicy},
    kSnapkvBlind{"snapkv-blind", snapkvBlindPolicy}, kPyramidkv{"pyramidkv", pyramidkvPolicy},
    kPyramidkvBlind{"pyramidkv-blind", pyramidkvBlindPolicy}, kH2o{"h2o", h2oPolicy},
    kKeydiff{"keydiff", keydiffPolicy}, kExpected{"expected-attention", expectedAttentionPolicy};
constexpr CodecSeam kPlain{"plain", plainCodec}, kKivi4{"kivi-4-", kivi4Codec}, kKivi2{"kivi-2-", kivi2Codec};
constexpr PositionSeam kRope{"rope", ropePositions}, kInCache{"cache", cachePositions},
    kClamped{"clamped", clampedPositions}, kInterpolated{"pi", interpolatedPositions},
    kNtk{"ntk", ntkPositions}, kYarn{"yarn", yarnPositions}, kLongRope{"longrope", longRopePositions},
    kGrouped{"grouped", groupedPositions}, kCeiling{"ceiling", ceilingPositions};
constexpr PassageSeam kWhole{"whole", wholeDocument}, kDense{"dense", densePassages},
    kLexical{"lexical", lexicalPassages}, kFused{"fused", fusedPassages};

}  // namespace

const std::vector<Method>& methods() {
  static const std::vector<Method> rows = {
      {"full", "dense attention to everything before", kFull, kPlain, kRope, kWhole, Sees::WholeDocument},
      {"pi", "position interpolation: dense attention, positions divided once a text outgrows the model", kFull,
       kPlain, kInterpolated, kWhole, Sees::WholeDocument},
      {"ntk", "NTK-aware scaling: dense attention, low frequencies slowed once a text outgrows the model",
       kFull, kPlain, kNtk, kWhole, Sees::WholeDocument},
      {"yarn", "YaRN: dense attention, frequencies slowed by parts once a text outgrows the model", kFull,
       kPlain, kYarn, kWhole, Sees::WholeDocument},
      {"longrope", "LongRoPE: dense attention, frequencies by the factors that the model file carries", kFull,
       kPlain, kLongRope, kWhole, Sees::WholeDocument},
      {"selfextend", "SelfExtend: dense attention, far positions in groups of eight", kFull, kPlain, kGrouped,
       kWhole, Sees::WholeDocument},
      {"lm-infinite",
       "LM-Infinite: the first hundred tokens at no more than a ceiling's distance, and the most recent ones",
       kLambda, kPlain, kCeiling, kWhole, Sees::Budget},
      {"streaming", "StreamingLLM: the first four tokens and the most recent ones; the rest is forgotten",
       kStreaming, kPlain, kInCache, kWhole, Sees::Budget},
      {"infllm", "InfLLM: first and recent chunks, and those each layer retrieves by representative keys",
       kInfllm, kPlain, kClamped, kWhole, Sees::Budget},
      {"whitened",
       "first and recent chunks, and those each layer retrieves by whitened hidden states and shared words",
       kWhitened, kPlain, kClamped, kWhole, Sees::Budget, Judge::Score},
      {"kivi-4", "KIVI: dense attention, keys and values kept in 4 bits", kFull, kKivi4, kRope, kWhole,
       Sees::WholeDocument},
      {"kivi-2", "KIVI: dense attention, keys and values kept in 2 bits", kFull, kKivi2, kRope, kWhole,
       Sees::WholeDocument},
      {"whitened-kivi-4", "as whitened, keys and values kept in 4 bits", kWhitened, kKivi4, kClamped, kWhole,
       Sees::Budget, Judge::Score},
      {"quest", "Quest: read densely; pages of 16 tokens that each layer retrieves by bounds of their keys",
       kQuest, kPlain, kRope, kWhole, Sees::BudgetInAnswers},
      {"arkvale", "ArkVale: read densely; pages of 32 tokens that each layer retrieves by their keys' cuboid",
       kArkvale, kPlain, kRope, kWhole, Sees::BudgetInAnswers},
      {"quest-reading", "as quest, retrieving while reading too", kQuestReading, kPlain, kClamped, kWhole,
       Sees::Budget},
      {"arkvale-reading", "as arkvale, retrieving while reading too", kArkvaleReading, kPlain, kClamped, kWhole,
       Sees::Budget},
      {"snapkv", "SnapKV: read densely; each KV head keeps the tokens that the question's last ones attend to",
       kSnapkv, kPlain, kRope, kWhole, Sees::BudgetInAnswers},
      {"snapkv-blind", "as snapkv, by the document's last tokens; the rest is gone before a question comes",
       kSnapkvBlind, kPlain, kRope, kWhole, Sees::BudgetOnceRead},
      {"pyramidkv", "PyramidKV: as snapkv, fewer tokens the higher the layer", kPyramidkv, kPlain, kRope,
       kWhole, Sees::BudgetInAnswers},
      {"pyramidkv-blind",
       "as pyramidkv, by the document's last tokens; the rest is gone before a question comes", kPyramidkvBlind,
       kPlain, kRope, kWhole, Sees::BudgetOnceRead},
      {"h2o", "H2O: recent tokens and those that drew most attention in reading; the rest is gone", kH2o,
       kPlain, kRope, kWhole, Sees::BudgetOnceRead},
      {"keydiff", "KeyDiff: tokens whose keys are least like the others; the rest is gone", kKeydiff, kPlain,
       kRope, kWhole, Sees::BudgetOnceRead},
      {"expected-attention", "tokens that queries like the document's own will attend to; the rest is gone",
       kExpected, kPlain, kRope, kWhole, Sees::BudgetOnceRead},
      {"rag", "passages that a sentence embedder and shared words find, read anew at each question", kFull,
       kPlain, kRope, kFused, Sees::Budget, Judge::Score},
      {"rag-dense", "the same by the sentence embedder alone", kFull, kPlain, kRope, kDense, Sees::Budget,
       Judge::Score},
      {"rag-bm25", "the same by shared words alone (BM25)", kFull, kPlain, kRope, kLexical, Sees::Budget,
       Judge::Score},
  };
  return rows;
}

const Method& findMethod(std::string_view name) {
  std::string known;
  for (const Method& method : methods()) {
    if (name == method.name) return method;
    known += (known.empty() ? "" : ", ") + std::string(method.name);
  }
  throw std::runtime_error("There is no method \"" + std::string(name) + "\"; there are " + known + ".");
}

}  // namespace kvasir
