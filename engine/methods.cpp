#include "engine/methods.h"

namespace kvasir {

namespace {

constexpr PolicySeam kFull{"full", fullPolicy}, kStreaming{"streaming", streamingPolicy}, kInfllm{"infllm", infllmPolicy},
    kWhitened{"whitened", whitenedPolicy};
constexpr CodecSeam kPlain{"plain", plainCodec};
constexpr PositionSeam kRope{"rope", ropePositions}, kInCache{"cache", cachePositions}, kClamped{"clamped", clampedPositions};
constexpr PassageSeam kWhole{"whole", wholeDocument};

}  // namespace

std::unique_ptr<PassageRetriever> wholeDocument() { return nullptr; }

const std::vector<Method>& methods() {
  static const std::vector<Method> rows = {
      {"full", "dense attention to everything before", kFull, kPlain, kRope, kWhole, Sees::WholeDocument},
      {"streaming", "StreamingLLM: the first four tokens and the most recent ones; the rest is forgotten", kStreaming,
       kPlain, kInCache, kWhole, Sees::Budget},
      {"infllm", "InfLLM: first and recent chunks, and those each layer retrieves by representative keys", kInfllm, kPlain,
       kClamped, kWhole, Sees::Budget},
      {"whitened", "first and recent chunks, and those each layer retrieves by whitened hidden states and shared words",
       kWhitened, kPlain, kClamped, kWhole, Sees::Budget, Judge::Score},
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
