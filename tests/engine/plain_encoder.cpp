#include "tests/engine/plain_encoder.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/model/named_tensor.h"
#include "tests/engine/tiny_model.h"

namespace kvasir {
namespace {

using Json = nlohmann::json;
using Vector = PlainEncoder::Vector;
constexpr int kWidth = kEncoderWidth, kHeads = 3, kInner = 20, kLayers = 2;

Vector added(Vector a, const Vector& b) {
  for (std::size_t c = 0; c < a.size(); ++c) a[c] += b[c];
  return a;
}

}  // namespace

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

PlainEncoder::PlainEncoder(const std::filesystem::path& folder)
    : weights_(readSafetensors(folder / "model.safetensors")) {}

std::vector<Vector> PlainEncoder::states(const std::vector<int>& pieces) const {
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
  return x;
}

Vector PlainEncoder::embed(const std::vector<int>& pieces) const {
  const std::vector<Vector> x = states(pieces);
  Vector mean(kWidth);
  for (const Vector& row : x)
    for (std::size_t c = 0; c < mean.size(); ++c) mean[c] += row[c] / static_cast<double>(x.size());
  double length = 0;
  for (const double value : mean) length += value * value;
  for (double& value : mean) value /= std::sqrt(length);
  return mean;
}

double PlainEncoder::at(const std::string& name, int row, int column) const {
  const NamedTensor& tensor = weights_.tensors.at(name);
  return tensor.values[static_cast<std::size_t>(row * tensor.shape.back() + column)];
}

Vector PlainEncoder::apply(const Vector& in, const std::string& name, int out) const {
  Vector result;
  for (int row = 0; row < out; ++row) {
    double sum = at(name + ".bias", 0, row);
    for (std::size_t c = 0; c < in.size(); ++c) sum += at(name + ".weight", row, static_cast<int>(c)) * in[c];
    result.push_back(sum);
  }
  return result;
}

Vector PlainEncoder::norm(const Vector& in, const std::string& name) const {
  double mean = 0, spread = 0;
  for (const double value : in) mean += value / static_cast<double>(in.size());
  for (const double value : in) spread += (value - mean) * (value - mean) / static_cast<double>(in.size());
  Vector out;
  for (std::size_t c = 0; c < in.size(); ++c)
    out.push_back((in[c] - mean) / std::sqrt(spread + 1e-5) * at(name + ".weight", 0, static_cast<int>(c)) +
                  at(name + ".bias", 0, static_cast<int>(c)));
  return out;
}

std::vector<Vector> PlainEncoder::pass(const std::vector<Vector>& x, const std::string& layer) const {
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

}  // namespace kvasir
