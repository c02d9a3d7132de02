#include "engine/retrieval/sentence_embedder.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "engine/model/named_tensor.h"
#include "engine/model/safetensors.h"

namespace kvasir {
namespace {

constexpr std::size_t kBatch = 32;  // texts of about the same length, so that little is filled up

nlohmann::json configOf(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  auto json = nlohmann::json::parse(stream, nullptr, false);
  if (!json.is_object() || json.value("model_type", "") != "bert" || json.value("hidden_act", "") != "gelu" ||
      json.value("position_embedding_type", "absolute") != "absolute")
    throw std::runtime_error(file.string() + " does not describe a BERT encoder that Kvasir knows.");
  return json;
}

class Tensors {
 public:
  explicit Tensors(const std::filesystem::path& file)
      : name_(file.string()), contents_(readSafetensors(file)) {}
  at::Tensor take(const std::string& name, const std::vector<std::int64_t>& shape) const {
    const auto found = contents_.tensors.find(name);
    if (found == contents_.tensors.end() || found->second.shape != shape)
      throw std::runtime_error(name_ + " lacks " + name + " or has it in another shape.");
    return tensorOf(found->second);
  }

 private:
  std::string name_;
  Safetensors contents_;
};

}  // namespace

std::unique_ptr<SentenceEmbedder> SentenceEmbedder::load(const std::filesystem::path& folder) {
  const nlohmann::json config = configOf(folder / "config.json");
  const auto number = [&](const char* key, int least, int most) {
    const int value = config.value(key, 0);
    if (value < least || value > most)
      throw std::runtime_error((folder / "config.json").string() + ": " + key + " is out of range.");
    return value;
  };
  const std::int64_t width = number("hidden_size", 1, 8192), inner = number("intermediate_size", 1, 65536),
                     vocabulary = number("vocab_size", 1, 1'000'000),
                     positions = number("max_position_embeddings", kMostPieces, 65536);
  const int layers = number("num_hidden_layers", 1, 96), heads = number("num_attention_heads", 1, 256);
  if (width % heads != 0)
    throw std::runtime_error((folder / "config.json").string() + ": the heads do not divide the width.");

  std::unique_ptr<SentenceEmbedder> made(new SentenceEmbedder(WordPiece::load(folder / "tokenizer.json")));
  const Tensors file(folder / "model.safetensors");
  const auto linear = [&](const std::string& name, std::int64_t out, std::int64_t in) {
    return Linear{file.take(name + ".weight", {out, in}), file.take(name + ".bias", {out})};
  };
  const auto norm = [&](const std::string& name) {
    return Norm{file.take(name + ".weight", {width}), file.take(name + ".bias", {width})};
  };
  made->width_ = static_cast<int>(width);
  made->heads_ = heads;
  made->epsilon_ = config.value("layer_norm_eps", 1e-12);
  made->pieces_ = file.take("embeddings.word_embeddings.weight", {vocabulary, width});
  made->positions_ = file.take("embeddings.position_embeddings.weight", {positions, width});
  made->type_ =
      file.take("embeddings.token_type_embeddings.weight", {config.value("type_vocab_size", 2), width})
          .select(0, 0);
  made->embeddingNorm_ = norm("embeddings.LayerNorm");
  for (int i = 0; i < layers; ++i) {
    const std::string at = "encoder.layer." + std::to_string(i) + ".", own = at + "attention.self.";
    made->layers_.push_back(
        {linear(own + "query", width, width), linear(own + "key", width, width),
         linear(own + "value", width, width), linear(at + "attention.output.dense", width, width),
         linear(at + "intermediate.dense", inner, width), linear(at + "output.dense", width, inner),
         norm(at + "attention.output.LayerNorm"), norm(at + "output.LayerNorm")});
  }
  return made;
}

at::Tensor SentenceEmbedder::normed(const at::Tensor& x, const Norm& norm) const {
  return at::layer_norm(x, {width_}, norm.weight, norm.bias, epsilon_);
}

at::Tensor SentenceEmbedder::statesOf(std::span<const std::vector<int>> texts) const {
  const auto count = static_cast<std::int64_t>(texts.size());
  std::size_t longest = 0;
  for (const auto& text : texts) longest = std::max(longest, text.size());
  const auto length = static_cast<std::int64_t>(longest);
  at::Tensor ids = at::zeros({count, length}, at::kLong), isThere = at::zeros({count, length}, at::kFloat);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::vector<int>& text = texts[static_cast<std::size_t>(i)];
    for (std::size_t k = 0; k < text.size(); ++k) {
      if (text[k] < 0 || text[k] >= pieces_.size(0))
        throw std::runtime_error("The embedder's tokenizer has more pieces than its model.");
      ids.data_ptr<std::int64_t>()[i * length + static_cast<std::int64_t>(k)] = text[k];
    }
    isThere[i].narrow(0, 0, static_cast<std::int64_t>(text.size())).fill_(1);
  }
  const at::Tensor hidden = (1 - isThere).mul(-1e9f).view({count, 1, 1, length});
  const std::int64_t dimension = width_ / heads_;
  at::Tensor x = normed(pieces_.index_select(0, ids.view(-1)).view({count, length, width_}) +
                            positions_.narrow(0, 0, length) + type_,
                        embeddingNorm_);
  const auto apply = [](const at::Tensor& in, const Linear& linear) {
    return at::linear(in, linear.weight, linear.bias);
  };
  for (const Layer& layer : layers_) {
    const auto byHead = [&](const Linear& linear) {
      return apply(x, linear).view({count, length, heads_, dimension}).transpose(1, 2);
    };
    const at::Tensor scores = at::matmul(byHead(layer.query), byHead(layer.key).transpose(2, 3)) /
                              std::sqrt(static_cast<double>(dimension));
    const at::Tensor seen = at::matmul(at::softmax(scores + hidden, -1), byHead(layer.value));
    x = normed(x + apply(seen.transpose(1, 2).reshape({count, length, width_}), layer.output),
               layer.afterAttention);
    x = normed(x + apply(at::gelu(apply(x, layer.up)), layer.down), layer.afterFeedForward);
  }
  return x;
}

void SentenceEmbedder::inBatches(
    const std::vector<std::vector<int>>& texts, const std::function<void()>& breathe,
    const std::function<void(std::span<const std::size_t> places, const at::Tensor& states)>& use) const {
  std::vector<std::size_t> order(texts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return texts[i].size(); });
  for (std::size_t first = 0; first < order.size(); first += kBatch) {
    breathe();
    const auto places = std::span(order).subspan(first, std::min(kBatch, order.size() - first));
    std::vector<std::vector<int>> batch;
    for (const std::size_t place : places) batch.push_back(texts[place]);
    use(places, statesOf(batch));
  }
}

at::Tensor SentenceEmbedder::embed(std::span<const std::string> texts,
                                   const std::function<void()>& breathe) const {
  std::vector<std::vector<int>> encoded;
  for (const std::string& text : texts) encoded.push_back(words_.encode(text, kMostPieces));
  at::Tensor embeddings = at::empty({static_cast<std::int64_t>(texts.size()), width_}, at::kFloat);
  inBatches(encoded, breathe, [&](std::span<const std::size_t> places, const at::Tensor& states) {
    for (std::size_t i = 0; i < places.size(); ++i) {
      const at::Tensor mean = states[static_cast<std::int64_t>(i)]
                                  .narrow(0, 0, static_cast<std::int64_t>(encoded[places[i]].size()))
                                  .mean(0);
      embeddings[static_cast<std::int64_t>(places[i])].copy_(mean / mean.norm().clamp_min(1e-12));
    }
  });
  return embeddings;
}

std::vector<int> SentenceEmbedder::piecesInside(std::string_view text) const {
  const std::vector<int> pieces = words_.encode(text, kMostPieces);
  return {pieces.begin() + 1, pieces.end() - 1};
}

at::Tensor SentenceEmbedder::embedParts(std::span<const Window> windows,
                                        const std::function<void()>& breathe) const {
  const std::vector<int> marks = words_.encode("", kMostPieces);
  std::vector<std::vector<int>> encoded;
  std::vector<std::int64_t> firstRow;
  std::int64_t rows = 0;
  for (const Window& window : windows) {
    std::vector<int>& pieces = encoded.emplace_back(1, marks.front());
    const auto held = std::min(window.pieces.size(), static_cast<std::size_t>(mostInside()));
    pieces.insert(pieces.end(), window.pieces.begin(),
                  window.pieces.begin() + static_cast<std::ptrdiff_t>(held));
    pieces.push_back(marks.back());
    firstRow.push_back(rows);
    rows += std::ssize(window.parts);
  }
  at::Tensor means = at::zeros({rows, width_}, at::kFloat);
  inBatches(encoded, breathe, [&](std::span<const std::size_t> places, const at::Tensor& states) {
    for (std::size_t i = 0; i < places.size(); ++i) {
      std::int64_t row = firstRow[places[i]];
      const std::size_t held = encoded[places[i]].size() - 2;
      for (const auto& [begin, end] : windows[places[i]].parts) {
        const std::size_t count = std::min(end, held) - std::min(begin, held);
        if (count > 0)
          means[row].copy_(
              states[static_cast<std::int64_t>(i)]
                  .narrow(0, static_cast<std::int64_t>(begin) + 1, static_cast<std::int64_t>(count))
                  .mean(0));
        ++row;
      }
    }
  });
  return means;
}

}  // namespace kvasir
