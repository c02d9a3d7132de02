#include "engine/methods.h"

namespace kvasir {

namespace {

constexpr PolicySeam kFull{"full", fullPolicy}, kStreaming{"streaming", streamingPolicy}, kInfllm{"infllm", infllmPolicy},
    kWhitened{"whitened", whitenedPolicy}, kLambda{"lambda", lambdaPolicy};
constexpr CodecSeam kPlain{"plain", plainCodec};
constexpr PositionSeam kRope{"rope", ropePositions}, kInCache{"cache", cachePositions}, kClamped{"clamped", clampedPositions},
    kInterpolated{"pi", interpolatedPositions}, kNtk{"ntk", ntkPositions}, kYarn{"yarn", yarnPositions},
    kLongRope{"longrope", longRopePositions}, kGrouped{"grouped", groupedPositions}, kCeiling{"ceiling", ceilingPositions};
constexpr PassageSeam kWhole{"whole", wholeDocument}, kDense{"dense", densePassages},
    kLexical{"lexical", lexicalPassages}, kFused{"fused", fusedPassages};

}  // namespace

const std::vector<Method>& methods() {
  static const std::vector<Method> rows = {
      {"full", "dense attention to everything before", kFull, kPlain, kRope, kWhole, Sees::WholeDocument},
      {"pi", "position interpolation: dense attention, positions divided once a text outgrows the model", kFull, kPlain,
       kInterpolated, kWhole, Sees::WholeDocument},
      {"ntk", "NTK-aware scaling: dense attention, low frequencies slowed once a text outgrows the model", kFull, kPlain,
       kNtk, kWhole, Sees::WholeDocument},
      {"yarn", "YaRN: dense attention, frequencies slowed by parts once a text outgrows the model", kFull, kPlain, kYarn,
       kWhole, Sees::WholeDocument},
      {"longrope", "LongRoPE: dense attention, frequencies by the factors that the model file carries", kFull, kPlain,
       kLongRope, kWhole, Sees::WholeDocument},
      {"selfextend", "SelfExtend: dense attention, far positions in groups of eight", kFull, kPlain, kGrouped, kWhole,
       Sees::WholeDocument},
      {"lm-infinite", "LM-Infinite: the first hundred tokens at no more than a ceiling's distance, and the most recent ones",
       kLambda, kPlain, kCeiling, kWhole, Sees::Budget},
      {"streaming", "StreamingLLM: the first four tokens and the most recent ones; the rest is forgotten", kStreaming,
       kPlain, kInCache, kWhole, Sees::Budget},
      {"infllm", "InfLLM: first and recent chunks, and those each layer retrieves by representative keys", kInfllm, kPlain,
       kClamped, kWhole, Sees::Budget},
      {"whitened", "first and recent chunks, and those each layer retrieves by whitened hidden states and shared words",
       kWhitened, kPlain, kClamped, kWhole, Sees::Budget, Judge::Score},
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
