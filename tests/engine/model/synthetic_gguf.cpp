#include "tests/engine/model/synthetic_gguf.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <random>
#include <span>
#include <stdexcept>

#include "engine/model/dequantize.h"
#include "tests/engine/model/gguf_writer.h"
#include "tests/engine/model/synthetic_vocabulary.h"

namespace kvasir {
namespace {

/// Where a quantised block keeps its half-precision scale and minimum, and how large they must be for values of
/// standard deviation one about zero, given random bytes elsewhere.
struct ScaleRow {
  TensorType type;
  int scaleAt;
  float scale;
  int minimumAt;  // -1: none
  float minimum;
};

constexpr ScaleRow kScales[] = {
    {TensorType::Q4_0, 0, 0.217f, -1, 0},       {TensorType::Q4_1, 0, 0.217f, 2, -1.627f},
    {TensorType::Q5_0, 0, 0.108f, -1, 0},       {TensorType::Q5_1, 0, 0.108f, 2, -1.679f},
    {TensorType::Q8_0, 0, 0.0135f, -1, 0},      {TensorType::Q2_K, 80, 0.08f, 82, 0.12f},
    {TensorType::Q3_K, 108, 0.022f, -1, 0},     {TensorType::Q4_K, 0, 0.0048f, 2, 0.036f},
    {TensorType::Q5_K, 0, 0.0024f, 2, 0.0372f}, {TensorType::Q6_K, 208, 0.00073f, -1, 0},
};

/// Round to nearest is not needed for random numbers: bits beyond the half's are cut off. Normal halves only.
std::uint16_t halfBits(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const std::uint32_t exponent = (bits >> 23) & 255;
  const std::uint32_t sign = (bits >> 16) & 0x8000;
  if (exponent <= 112) return static_cast<std::uint16_t>(sign);
  return static_cast<std::uint16_t>(sign | (exponent - 112) << 10 | ((bits >> 13) & 0x3ff));
}

void put(std::byte* at, std::uint16_t bits) { std::memcpy(at, &bits, sizeof bits); }

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  double uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  /// Sum of twelve uniforms: near enough to normal, and the same on every system.
  float normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += uniform();
    return static_cast<float>(sum);
  }
  std::byte byte() { return static_cast<std::byte>(engine_() >> 56); }

 private:
  std::mt19937_64 engine_;
};

void fillNumbers(TensorType type, std::span<std::byte> bytes, int valueBytes, float deviation, Random& random) {
  for (std::size_t at = 0; at < bytes.size(); at += static_cast<std::size_t>(valueBytes)) {
    const float value = random.normal() * deviation;
    if (type == TensorType::F16) {
      put(&bytes[at], halfBits(value));
    } else if (type == TensorType::F32) {
      std::memcpy(&bytes[at], &value, sizeof value);
    } else {
      std::uint32_t bits;
      std::memcpy(&bits, &value, sizeof bits);
      put(&bytes[at], static_cast<std::uint16_t>(bits >> 16));
    }
  }
}

void fillBlock(const ScaleRow& row, std::span<std::byte> block, float deviation, Random& random) {
  for (std::byte& byte : block) byte = random.byte();
  const auto uneven = static_cast<float>(0.75 + random.uniform() / 2) * deviation;
  put(&block[static_cast<std::size_t>(row.scaleAt)], halfBits(row.scale * uneven));
  if (row.minimumAt >= 0) put(&block[static_cast<std::size_t>(row.minimumAt)], halfBits(row.minimum * uneven));
}

/// Adds the tensors of one model, each with a seed of its own.
class Weights {
 public:
  Weights(const SyntheticModel& model, GgufWriter& writer) : model_(model), writer_(writer) {}

  void matrix(const std::string& name, int rows, int columns) {
    const auto deviation = static_cast<float>(1.0 / std::sqrt(static_cast<double>(columns)));
    writer_.tensor(name, model_.type, {rows, columns},
                   randomTensor(model_.type, std::int64_t{rows} * columns, deviation, nextSeed()));
  }

  void norm(const std::string& name, int size) {
    Random random(nextSeed());
    std::vector<std::byte> data(static_cast<std::size_t>(size) * sizeof(float));
    for (int i = 0; i < size; ++i) {
      const float value = 1 + 0.1f * random.normal();
      std::memcpy(&data[static_cast<std::size_t>(i) * sizeof value], &value, sizeof value);
    }
    writer_.tensor(name, TensorType::F32, {size}, data);
  }

 private:
  std::uint64_t nextSeed() { return model_.seed * 1000003 + ++count_; }

  const SyntheticModel& model_;
  GgufWriter& writer_;
  std::uint64_t count_ = 0;
};

void addLayer(const SyntheticModel& model, const std::string& prefix, Weights& weights) {
  const int queryWidth = model.heads * model.headDimension, keyWidth = model.kvHeads * model.headDimension;
  const bool isFused = model.architecture == "phi3";
  weights.norm(prefix + "attn_norm.weight", model.width);
  if (isFused) {
    weights.matrix(prefix + "attn_qkv.weight", queryWidth + 2 * keyWidth, model.width);
  } else {
    weights.matrix(prefix + "attn_q.weight", queryWidth, model.width);
    weights.matrix(prefix + "attn_k.weight", keyWidth, model.width);
    weights.matrix(prefix + "attn_v.weight", keyWidth, model.width);
  }
  weights.matrix(prefix + "attn_output.weight", model.width, queryWidth);
  weights.norm(prefix + "ffn_norm.weight", model.width);
  if (!isFused) weights.matrix(prefix + "ffn_gate.weight", model.feedForward, model.width);
  weights.matrix(prefix + "ffn_up.weight", (isFused ? 2 : 1) * model.feedForward, model.width);
  weights.matrix(prefix + "ffn_down.weight", model.width, model.feedForward);
  if (model.architecture != "gemma3") return;
  weights.norm(prefix + "attn_q_norm.weight", model.headDimension);
  weights.norm(prefix + "attn_k_norm.weight", model.headDimension);
  weights.norm(prefix + "post_attention_norm.weight", model.width);
  weights.norm(prefix + "post_ffw_norm.weight", model.width);
}

void addShape(const SyntheticModel& model, GgufWriter& writer) {
  const std::string& key = model.architecture;
  writer.text("general.architecture", model.architecture);
  writer.text("general.name", "Synthetic " + model.architecture);
  writer.integer(key + ".block_count", model.layers);
  writer.integer(key + ".context_length", model.context);
  writer.integer(key + ".embedding_length", model.width);
  writer.integer(key + ".feed_forward_length", model.feedForward);
  writer.integer(key + ".attention.head_count", model.heads);
  writer.integer(key + ".attention.head_count_kv", model.kvHeads);
  writer.integer(key + ".attention.key_length", model.headDimension);
  writer.integer(key + ".attention.value_length", model.headDimension);
  writer.integer(key + ".rope.dimension_count", model.headDimension);
  writer.integer(key + ".vocab_size", model.vocabulary);
  writer.real(key + ".rope.freq_base", static_cast<float>(model.ropeBase));
  writer.real(key + ".attention.layer_norm_rms_epsilon", 1e-5f);
  if (model.architecture == "gemma3") writer.integer(key + ".attention.sliding_window", model.slidingWindow);
  if (model.scaling == RopeScaling::Linear) {
    writer.text(key + ".rope.scaling.type", "linear");
    writer.real(key + ".rope.scaling.factor", 4);
  }
  if (model.scaling != RopeScaling::Long) return;
  if (model.architecture != "phi3") writer.text(key + ".rope.scaling.type", "longrope");
  writer.integer(key + ".rope.scaling.original_context_length", model.context / 2);
  writer.real(key + ".rope.scaling.attn_factor", 1);
}

}  // namespace

std::vector<std::byte> randomTensor(TensorType type, std::int64_t count, float deviation, std::uint64_t seed) {
  const BlockFormat& format = *blockFormat(static_cast<std::uint32_t>(type));
  if (count % format.blockValues != 0) throw std::runtime_error("synthetic tensor is not whole blocks");
  const auto blockBytes = static_cast<std::size_t>(format.blockBytes);
  std::vector<std::byte> data(static_cast<std::size_t>(count / format.blockValues) * blockBytes);
  Random random(seed);
  if (format.decode == nullptr) {
    fillNumbers(type, data, format.blockBytes, deviation, random);
    return data;
  }
  for (const ScaleRow& row : kScales) {
    if (row.type != type) continue;
    for (std::size_t at = 0; at < data.size(); at += blockBytes) {
      fillBlock(row, std::span(data).subspan(at, blockBytes), deviation, random);
    }
  }
  return data;
}

std::vector<std::byte> syntheticGguf(const SyntheticModel& model) {
  GgufWriter writer;
  addShape(model, writer);
  addSyntheticVocabulary(writer, model.vocabulary);

  Weights weights(model, writer);
  weights.matrix("token_embd.weight", model.vocabulary, model.width);
  for (int layer = 0; layer < model.layers; ++layer) {
    addLayer(model, "blk." + std::to_string(layer) + ".", weights);
  }
  weights.norm("output_norm.weight", model.width);
  std::vector<float> factors(static_cast<std::size_t>(model.headDimension / 2), 1);
  const auto addFactors = [&](const char* name) {
    const std::span<const std::byte> bytes = std::as_bytes(std::span(factors));
    writer.tensor(name, TensorType::F32, {std::ssize(factors)}, {bytes.begin(), bytes.end()});
  };
  if (model.scaling == RopeScaling::Llama3) {
    for (std::size_t pair = 0; pair < factors.size(); ++pair) factors[pair] = 1 + static_cast<float>(pair);
    addFactors("rope_freqs.weight");
  }
  if (model.scaling == RopeScaling::Long) {
    addFactors("rope_factors_short.weight");
    std::ranges::fill(factors, 4.0f);
    addFactors("rope_factors_long.weight");
  }
  if (!model.tiedOutput) weights.matrix("output.weight", model.vocabulary, model.width);
  return writer.bytes();
}

std::filesystem::path writeSyntheticGguf(const SyntheticModel& model, const std::filesystem::path& folder,
                                         const std::string& fileName) {
  const std::vector<std::byte> bytes = syntheticGguf(model);
  std::filesystem::create_directories(folder);
  const std::filesystem::path path = folder / fileName;
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error(path.string() + " cannot be written");
  return path;
}

}  // namespace kvasir
