#include "engine/model/model_shape.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "engine/model/family_gemma3.h"
#include "engine/model/family_llama.h"
#include "engine/model/family_phi3.h"
#include "engine/model/gguf.h"

namespace kvasir {
namespace {

// Bounds no real model passes; they keep products of them far inside 64 bits.
constexpr std::int64_t kMostLayers = 1024, kMostWidth = 1 << 17, kMostHeads = 1024, kMostTokens = 1 << 28;

std::int64_t number(const GgufFile& file, const std::string& key, std::int64_t most) {
  const auto value = file.integer(key);
  if (!value) throw std::runtime_error(file.name() + " is not a complete model: " + key + " is missing.");
  if (*value < 1 || *value > most)
    throw std::runtime_error(file.name() + " is damaged: " + key + " is " + std::to_string(*value) + ".");
  return *value;
}

const ModelFamily& familyOf(const GgufFile& file) {
  const std::string architecture = file.text("general.architecture").value_or("");
  for (const ModelFamily& family : modelFamilies())
    if (std::ranges::find(family.architectures, architecture) != family.architectures.end()) return family;
  std::string known;
  for (const ModelFamily& family : modelFamilies())
    known += (known.empty() ? "" : ", ") + std::string(family.name);
  throw std::runtime_error(file.name() + " is of the family \"" + architecture +
                           "\", which Kvasir does not know; it knows " + known + ".");
}

std::vector<float> readFactors(const GgufTensor& tensor) {
  std::vector<float> factors(static_cast<std::size_t>(tensor.count()));
  dequantize(tensor, 0, tensor.count(), factors.data());
  return factors;
}

/// Phi-3's way of LongRoPE in a file: factors for short and long texts, and one magnitude for both.
void readLongRope(const GgufFile& file, const std::string& prefix, ModelShape& shape) {
  const GgufTensor *shortOnes = file.find("rope_factors_short.weight"),
                   *longOnes = file.find("rope_factors_long.weight");
  if (!shortOnes || !longOnes)
    throw std::runtime_error(file.name() + " is not a complete model: its LongRoPE factors are missing.");
  shape.ropeFactors = readFactors(*shortOnes);
  shape.longRopeFactors = readFactors(*longOnes);
  shape.originalTokens =
      static_cast<int>(number(file, prefix + "rope.scaling.original_context_length", shape.trainedTokens));
  const double times = static_cast<double>(shape.trainedTokens) / shape.originalTokens;
  shape.ropeMagnitude =
      file.real(prefix + "rope.scaling.attn_factor")
          .value_or(std::sqrt(1 + std::log(times) / std::log(std::max(2, shape.originalTokens))));
}

void readRope(const GgufFile& file, const std::string& prefix, ModelShape& shape) {
  shape.ropeBase = file.real(prefix + "rope.freq_base").value_or(shape.ropeBase);
  const std::string scaling = file.text(prefix + "rope.scaling.type").value_or("none");
  const double factor = file.real(prefix + "rope.scaling.factor").value_or(1);
  if (scaling == "linear" && factor > 0) shape.ropeDivisor = factor;
  if (scaling != "linear" && scaling != "none" && scaling != "llama3" && scaling != "longrope")
    throw std::runtime_error(file.name() + " scales positions by \"" + scaling +
                             "\", which Kvasir does not read yet.");
  // Phi-3's files do not name it.
  if (scaling == "longrope" || file.find("rope_factors_long.weight")) readLongRope(file, prefix, shape);
  const auto rotated = file.integer(prefix + "rope.dimension_count");
  if (rotated && *rotated != shape.headDimension)
    throw std::runtime_error(file.name() + " rotates only " + std::to_string(*rotated) + " of " +
                             std::to_string(shape.headDimension) +
                             " dimensions of a head, which Kvasir does not read.");
}

void check(const GgufFile& file, const ModelShape& shape) {
  const auto refuse = [&](const std::string& why) {
    throw std::runtime_error(file.name() + " is damaged: " + why + ".");
  };
  if (shape.heads % shape.kvHeads != 0) refuse("its query heads are not a multiple of its key heads");
  if (shape.headDimension % 2 != 0) refuse("the dimension of a head is odd");
  if (!(shape.normEpsilon > 0 && shape.normEpsilon < 1)) refuse("the norm's epsilon is out of range");
  if (!(shape.ropeBase > 1)) refuse("the base of the rotary positions is out of range");
  if (!shape.ropeFactors.empty() && static_cast<int>(shape.ropeFactors.size()) != shape.headDimension / 2)
    refuse("its rotary factors have the wrong length");
  if (!shape.longRopeFactors.empty() &&
      static_cast<int>(shape.longRopeFactors.size()) != shape.headDimension / 2)
    refuse("rope_factors_long.weight has the wrong length");
  if (shape.window < 0 || shape.window > kMostTokens) refuse("the sliding window is out of range");
}

}  // namespace

const std::vector<ModelFamily>& modelFamilies() {
  static const std::vector<ModelFamily> families = {
      {"llama", {"llama"}, readLlamaShape},
      {"gemma3", {"gemma3"}, readGemma3Shape},
      {"phi3", {"phi3"}, readPhi3Shape},
  };
  return families;
}

ModelShape readModelShape(const GgufFile& file) {
  const ModelFamily& family = familyOf(file);
  const std::string prefix = *file.text("general.architecture") + ".";
  ModelShape shape;
  shape.family = family.name;
  shape.layers = static_cast<int>(number(file, prefix + "block_count", kMostLayers));
  shape.width = static_cast<int>(number(file, prefix + "embedding_length", kMostWidth));
  shape.heads = static_cast<int>(number(file, prefix + "attention.head_count", kMostHeads));
  shape.feedForward = static_cast<int>(number(file, prefix + "feed_forward_length", kMostWidth * 8));
  shape.trainedTokens = static_cast<int>(number(file, prefix + "context_length", kMostTokens));
  shape.kvHeads = file.integer(prefix + "attention.head_count_kv")
                      ? static_cast<int>(number(file, prefix + "attention.head_count_kv", shape.heads))
                      : shape.heads;
  shape.headDimension = file.integer(prefix + "attention.key_length")
                            ? static_cast<int>(number(file, prefix + "attention.key_length", kMostWidth))
                            : shape.width / shape.heads;
  if (file.integer(prefix + "attention.value_length").value_or(shape.headDimension) != shape.headDimension)
    throw std::runtime_error(file.name() +
                             " has values of another length than its keys, which Kvasir does not read.");
  shape.normEpsilon = file.real(prefix + "attention.layer_norm_rms_epsilon").value_or(shape.normEpsilon);
  shape.attentionScale = 1 / std::sqrt(static_cast<float>(shape.headDimension));
  const GgufTensor& embedding = file.tensor("token_embd.weight");
  if (embedding.shape.size() != 2 || embedding.shape[1] != shape.width)
    throw std::runtime_error(file.name() + " is damaged: token_embd.weight has the wrong shape.");
  shape.vocabulary = static_cast<int>(embedding.shape[0]);
  readRope(file, prefix, shape);
  family.readShape(file, prefix, shape);
  check(file, shape);
  return shape;
}

}  // namespace kvasir
