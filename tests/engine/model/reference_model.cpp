#include "tests/engine/model/reference_model.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>

namespace kvasir {
namespace {

struct Shape {
  bool isGemma = false, isPhi = false;
  int layers = 0, width = 0, heads = 0, kvHeads = 0, headDimension = 0, ropeDimension = 0, window = 0;
  double epsilon = 0, ropeBase = 0, ropeScale = 1;  // positions are divided by ropeScale
};

Shape shapeOf(const GgufFile& file) {
  const std::string family = file.text("general.architecture").value_or("");
  if (family != "llama" && family != "gemma3" && family != "phi3")
    throw std::runtime_error("no reference for " + family);
  const auto whole = [&](const std::string& key, std::int64_t otherwise) {
    return static_cast<int>(file.integer(family + key).value_or(otherwise));
  };
  Shape shape;
  shape.isGemma = family == "gemma3";
  shape.isPhi = family == "phi3";
  shape.layers = whole(".block_count", 0);
  shape.width = whole(".embedding_length", 0);
  shape.heads = whole(".attention.head_count", 0);
  shape.kvHeads = whole(".attention.head_count_kv", shape.heads);
  shape.headDimension = whole(".attention.key_length", shape.width / shape.heads);
  shape.ropeDimension = whole(".rope.dimension_count", shape.headDimension);
  shape.window = whole(".attention.sliding_window", 0);
  shape.epsilon = file.real(family + ".attention.layer_norm_rms_epsilon").value_or(1e-6);
  shape.ropeBase = file.real(family + ".rope.freq_base").value_or(10000);
  if (file.text(family + ".rope.scaling.type") == "linear") {
    shape.ropeScale = file.real(family + ".rope.scaling.factor").value_or(1);
  }
  return shape;
}

void inParallel(int count, int threads, const std::function<void(int)>& work) {
  std::vector<std::thread> workers;
  for (int first = 0; first < threads; ++first) {
    workers.emplace_back([=, &work] {
      for (int i = first; i < count; i += threads) work(i);
    });
  }
  for (std::thread& worker : workers) worker.join();
}

std::vector<float> rowOf(const GgufTensor& matrix, std::int64_t row) {
  const std::int64_t columns = matrix.shape.back();
  std::vector<float> values(static_cast<std::size_t>(columns));
  dequantize(matrix, row * columns, columns, values.data());
  return values;
}

/// Positions worked on at once: their sums stay in registers.
constexpr std::size_t kAtOnce = 8;

/// Channels of kAtOnce positions side by side, channel after channel; zeros after the last position.
std::vector<double> interleaved(const ReferenceRows& rows, std::size_t channels) {
  const std::size_t blocks = (rows.size() + kAtOnce - 1) / kAtOnce;
  std::vector<double> values(blocks * channels * kAtOnce);
  for (std::size_t p = 0; p < rows.size(); ++p) {
    for (std::size_t i = 0; i < channels; ++i)
      values[(p / kAtOnce * channels + i) * kAtOnce + p % kAtOnce] = rows[p].at(i);
  }
  return values;
}

/// rows · matrixᵀ
ReferenceRows product(const ReferenceRows& rows, const GgufTensor& matrix, int threads) {
  const auto outputs = static_cast<int>(matrix.shape.at(0));
  const auto inputs = static_cast<std::size_t>(matrix.shape.at(1));
  const std::vector<double> columns = interleaved(rows, inputs);
  ReferenceRows result(rows.size(), std::vector<double>(static_cast<std::size_t>(outputs)));
  inParallel(outputs, threads, [&](int output) {
    const std::vector<float> weights = rowOf(matrix, output);
    for (std::size_t first = 0; first < rows.size(); first += kAtOnce) {
      const double* column = &columns[first * inputs];
      double sums[kAtOnce] = {};
      for (std::size_t i = 0; i < inputs; ++i) {
        for (std::size_t k = 0; k < kAtOnce; ++k) sums[k] += weights[i] * column[i * kAtOnce + k];
      }
      for (std::size_t p = first; p < std::min(first + kAtOnce, rows.size()); ++p)
        result[p][output] = sums[p - first];
    }
  });
  return result;
}

void normalise(double* values, int count, const std::vector<float>& weights, double epsilon) {
  double squares = 0;
  for (int i = 0; i < count; ++i) squares += values[i] * values[i];
  const double scale = 1 / std::sqrt(squares / count + epsilon);
  for (int i = 0; i < count; ++i) values[i] *= scale * weights[static_cast<std::size_t>(i)];
}

void add(ReferenceRows& to, const ReferenceRows& rows) {
  for (std::size_t p = 0; p < to.size(); ++p) {
    for (std::size_t i = 0; i < to[p].size(); ++i) to[p][i] += rows[p][i];
  }
}

double silu(double x) { return x / (1 + std::exp(-x)); }

double geluTanh(double x) {
  constexpr double kRootTwoOverPi = 0.79788456080286535588;
  return 0.5 * x * (1 + std::tanh(kRootTwoOverPi * (x + 0.044715 * x * x * x)));
}

class Reference {
 public:
  Reference(const GgufFile& file, int threads) : file_(file), shape_(shapeOf(file)), threads_(threads) {
    if (const GgufTensor* factors = file.find("rope_freqs.weight")) {
      ropeFactors_.resize(static_cast<std::size_t>(factors->count()));
      dequantize(*factors, 0, factors->count(), ropeFactors_.data());
    }
  }

  ReferenceRun run(const std::vector<TokenId>& tokens) const {
    ReferenceRun result;
    ReferenceRows rows = embed(tokens);
    for (int layer = 0; layer < shape_.layers; ++layer) {
      result.hidden.push_back(rows);
      add(rows, attention(rows, layer));
      add(rows, feedForward(rows, layer));
    }
    const GgufTensor* output = file_.find("output.weight");
    rows = normalised(rows, "output_norm.weight");
    result.logits = product(rows, output != nullptr ? *output : file_.tensor("token_embd.weight"), threads_);
    return result;
  }

 private:
  const GgufTensor& weight(int layer, const std::string& name) const {
    return file_.tensor("blk." + std::to_string(layer) + "." + name + ".weight");
  }
  static std::string nameOf(int layer, const std::string& name) {
    return "blk." + std::to_string(layer) + "." + name + ".weight";
  }

  ReferenceRows embed(const std::vector<TokenId>& tokens) const {
    const double scale = shape_.isGemma ? std::sqrt(static_cast<double>(shape_.width)) : 1;
    ReferenceRows rows;
    for (const TokenId token : tokens) {
      const std::vector<float> values = rowOf(file_.tensor("token_embd.weight"), token);
      rows.emplace_back(values.begin(), values.end());
      for (double& value : rows.back()) value *= scale;
    }
    return rows;
  }

  ReferenceRows normalised(ReferenceRows rows, const std::string& name) const {
    const GgufTensor& tensor = file_.tensor(name);
    std::vector<float> weights(static_cast<std::size_t>(tensor.count()));
    dequantize(tensor, 0, tensor.count(), weights.data());
    for (auto& row : rows) normalise(row.data(), shape_.width, weights, shape_.epsilon);
    return rows;
  }

  /// Gemma 3: five local layers, then a global one.
  bool isLocal(int layer) const { return shape_.isGemma && layer % 6 != 5; }

  /// The file keeps Llama's pairs side by side, those of the others half a head apart.
  void rotate(double* head, std::size_t position, bool local) const {
    const double base = local ? 10000 : shape_.ropeBase, scale = local ? 1 : shape_.ropeScale;
    const int half = shape_.ropeDimension / 2;
    const bool isApart = shape_.isGemma || shape_.isPhi;
    for (int pair = 0; pair < half; ++pair) {
      const double factor = ropeFactors_.empty() ? 1 : ropeFactors_.at(static_cast<std::size_t>(pair));
      const double angle =
          static_cast<double>(position) / scale / factor * std::pow(base, -2.0 * pair / shape_.ropeDimension);
      double& a = head[isApart ? pair : 2 * pair];
      double& b = head[isApart ? pair + half : 2 * pair + 1];
      const double turned = a * std::cos(angle) - b * std::sin(angle);
      b = a * std::sin(angle) + b * std::cos(angle);
      a = turned;
    }
  }

  /// Queries or keys of all heads, normalised where the family does so, and rotated.
  ReferenceRows placed(ReferenceRows rows, int heads, int layer, const std::string& norm) const {
    std::vector<float> weights(static_cast<std::size_t>(shape_.headDimension));
    if (shape_.isGemma) dequantize(weight(layer, norm), 0, shape_.headDimension, weights.data());
    for (std::size_t p = 0; p < rows.size(); ++p) {
      for (int h = 0; h < heads; ++h) {
        double* head = &rows[p][static_cast<std::size_t>(h * shape_.headDimension)];
        if (shape_.isGemma) normalise(head, shape_.headDimension, weights, shape_.epsilon);
        rotate(head, p, isLocal(layer));
      }
    }
    return rows;
  }

  /// By a matrix of its own; of Phi, by some rows of one that it shares with others.
  ReferenceRows projected(const ReferenceRows& input, int layer, const std::string& own,
                          const std::string& shared, int first, int count) const {
    if (!shape_.isPhi) return product(input, weight(layer, own), threads_);
    ReferenceRows part;
    for (const std::vector<double>& row : product(input, weight(layer, shared), threads_))
      part.emplace_back(row.begin() + first, row.begin() + first + count);
    return part;
  }

  ReferenceRows attention(const ReferenceRows& rows, int layer) const {
    const ReferenceRows input = normalised(rows, nameOf(layer, "attn_norm"));
    const int queryWidth = shape_.heads * shape_.headDimension,
              keyWidth = shape_.kvHeads * shape_.headDimension;
    const ReferenceRows queries = placed(projected(input, layer, "attn_q", "attn_qkv", 0, queryWidth),
                                         shape_.heads, layer, "attn_q_norm");
    const ReferenceRows keys = placed(projected(input, layer, "attn_k", "attn_qkv", queryWidth, keyWidth),
                                      shape_.kvHeads, layer, "attn_k_norm");
    const ReferenceRows values = projected(input, layer, "attn_v", "attn_qkv", queryWidth + keyWidth, keyWidth);

    ReferenceRows mixed(rows.size(),
                        std::vector<double>(static_cast<std::size_t>(shape_.heads * shape_.headDimension)));
    inParallel(shape_.heads, threads_, [&](int head) {
      for (std::size_t p = 0; p < rows.size(); ++p)
        attend(queries, keys, values, head, p, isLocal(layer), mixed[p]);
    });
    ReferenceRows result = product(mixed, weight(layer, "attn_output"), threads_);
    return shape_.isGemma ? normalised(std::move(result), nameOf(layer, "post_attention_norm")) : result;
  }

  void attend(const ReferenceRows& queries, const ReferenceRows& keys, const ReferenceRows& values, int head,
              std::size_t position, bool local, std::vector<double>& mixed) const {
    const auto dimension = static_cast<std::size_t>(shape_.headDimension);
    const std::size_t at = static_cast<std::size_t>(head) * dimension;
    const std::size_t keyAt = static_cast<std::size_t>(head / (shape_.heads / shape_.kvHeads)) * dimension;
    const auto window = static_cast<std::size_t>(shape_.window);
    const std::size_t first = local && position + 1 > window ? position + 1 - window : 0;

    std::vector<double> weights;
    for (std::size_t k = first; k <= position; ++k) {
      const double* query = &queries[position][at];
      weights.push_back(std::inner_product(query, query + dimension, &keys[k][keyAt], 0.0) /
                        std::sqrt(static_cast<double>(dimension)));
    }
    const double highest = *std::max_element(weights.begin(), weights.end());
    for (double& weight : weights) weight = std::exp(weight - highest);
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    for (std::size_t k = first; k <= position; ++k) {
      for (std::size_t i = 0; i < dimension; ++i)
        mixed[at + i] += weights[k - first] / sum * values[k][keyAt + i];
    }
  }

  ReferenceRows feedForward(const ReferenceRows& rows, int layer) const {
    const ReferenceRows input = normalised(rows, nameOf(layer, "ffn_norm"));
    const auto inner = static_cast<int>(weight(layer, "ffn_down").shape.at(1));
    ReferenceRows gate = projected(input, layer, "ffn_gate", "ffn_up", 0, inner);
    const ReferenceRows up = projected(input, layer, "ffn_up", "ffn_up", inner, inner);
    for (std::size_t p = 0; p < gate.size(); ++p) {
      for (std::size_t i = 0; i < gate[p].size(); ++i) {
        gate[p][i] = (shape_.isGemma ? geluTanh(gate[p][i]) : silu(gate[p][i])) * up[p][i];
      }
    }
    ReferenceRows result = product(gate, weight(layer, "ffn_down"), threads_);
    return shape_.isGemma ? normalised(std::move(result), nameOf(layer, "post_ffw_norm")) : result;
  }

  const GgufFile& file_;
  Shape shape_;
  int threads_;
  std::vector<float> ropeFactors_;
};

}  // namespace

ReferenceRun referenceRun(const GgufFile& file, const std::vector<TokenId>& tokens, int threads) {
  return Reference(file, threads).run(tokens);
}

ReferenceRows referenceLogits(const GgufFile& file, const std::vector<TokenId>& tokens, int threads) {
  return referenceRun(file, tokens, threads).logits;
}

std::vector<double> logProbabilities(const std::vector<double>& logits) {
  const double highest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit - highest);
  std::vector<double> result = logits;
  for (double& value : result) value -= highest + std::log(sum);
  return result;
}

}  // namespace kvasir
