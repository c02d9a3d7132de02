#include "engine/methods.h"

namespace kvasir {

namespace {

constexpr PolicySeam kFull{"full", fullPolicy}, kStreaming{"streaming", streamingPolicy},
    kInfllm{"infllm", infllmPolicy}, kWhitened{"whitened", whitenedPolicy};
constexpr CodecSeam kPlain{"plain", plainCodec};
constexpr PositionSeam kRope{"rope", ropePositions}, kInCache{"cache", cachePositions},
    kClamped{"clamped", clampedPositions};
constexpr PassageSeam kWhole{"whole", wholeDocument}, kDense{"dense", densePassages},
    kLexical{"lexical", lexicalPassages}, kFused{"fused", fusedPassages};

}  // namespace

const std::vector<Method>& methods() {
  static const std::vector<Method> rows = {
      {"full", "dense attention to everything before", kFull, kPlain, kRope, kWhole, Sees::WholeDocument},
      {"streaming", "StreamingLLM: the first four tokens and the most recent ones; the rest is forgotten",
       kStreaming, kPlain, kInCache, kWhole, Sees::Budget},
      {"infllm", "InfLLM: first and recent chunks, and those each layer retrieves by representative keys",
       kInfllm, kPlain, kClamped, kWhole, Sees::Budget},
      {"whitened",
       "first and recent chunks, and those each layer retrieves by whitened hidden states and shared words",
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
