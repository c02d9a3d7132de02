// ForwardPass, one token at a time: products with one row on the weights' own levels, no tensor arithmetic
// between.
#include <cassert>

#include "engine/pass.h"
#include "kernels/attend.h"
#include "kernels/rows.h"

namespace kvasir {
namespace {

void normalizeVector(const std::vector<float>& in, const at::Tensor& weight, double epsilon,
                     std::vector<float>& out) {
  out.resize(in.size());
  RowNorm<float> norm;
  norm.in = in.data();
  norm.weight = weight.const_data_ptr<float>();
  norm.out = out.data();
  norm.width = static_cast<int>(weight.size(0));
  norm.epsilon = static_cast<float>(epsilon);
  normalizeRows(norm, 0, static_cast<std::int64_t>(in.size()) / norm.width);
}

at::Tensor asHeads(float* data, int heads, int dimension) {
  return at::from_blob(data, {heads, 1, dimension}, at::kFloat);
}

/// Part of a token's attention: some keys of one group, one KV head.
struct Part {
  const GatheredKv* gathered = nullptr;
  const at::Tensor* queries = nullptr;  ///< [heads, 1, dimension] float32
  int kvHead = 0, from = 0, to = 0;
  std::int64_t weightsAt = 0;  ///< of this part's weights among all
  std::vector<float> output, largest, sum;
};

template <class Value>
void run(Part& part, float scale, int group, float* weights, std::int64_t stride) {
  const at::Tensor keys = part.gathered->keys(), values = part.gathered->values();
  const std::int64_t dimension = keys.size(2), at = part.kvHead * keys.stride(0) + part.from * dimension;
  part.output.resize(static_cast<std::size_t>(group * dimension));
  part.largest.resize(static_cast<std::size_t>(group));
  part.sum.resize(static_cast<std::size_t>(group));
  TokenAttention<Value> attention;
  attention.queries = part.queries->const_data_ptr<float>() + part.kvHead * group * dimension;
  attention.group = group;
  attention.dimension = static_cast<int>(dimension);
  attention.keys = static_cast<const Value*>(keys.const_data_ptr()) + at;
  attention.values = static_cast<const Value*>(values.const_data_ptr()) + at;
  attention.count = part.to - part.from;
  attention.scale = scale;
  attention.weights = weights + part.weightsAt;
  attention.weightStride = stride;
  attention.output = part.output.data();
  attention.largest = part.largest.data();
  attention.sum = part.sum.data();
  kvasir::attendToken(attention);
}

/// Splits [from, to) of a group in two for each KV head, so that two threads share the work evenly.
void addParts(const GatheredKv& gathered, const at::Tensor& queries, int kvHeads, int from,
              std::vector<Part>& parts, std::int64_t weightsAt) {
  const int middle = (from + gathered.count()) / 2;
  for (int head = 0; head < kvHeads; ++head)
    for (const auto& [begin, end] : {std::pair{from, middle}, std::pair{middle, gathered.count()}})
      if (begin < end) parts.push_back({&gathered, &queries, head, begin, end, weightsAt + begin, {}, {}, {}});
}

/// Joins the parts of every head: attended [heads, dimension], and weights divided by their sum.
void joinParts(const std::vector<Part>& parts, int kvHeads, int group, int dimension, float* weights,
               std::int64_t stride, float* attended) {
  std::fill_n(attended, kvHeads * group * dimension, 0.0f);
  for (int head = 0; head < kvHeads * group; ++head) {
    const auto g = static_cast<std::size_t>(head % group);
    float largest = -std::numeric_limits<float>::infinity(), sum = 0;
    const auto isMine = [&](const Part& part) { return part.kvHead == head / group; };
    for (const Part& part : parts)
      if (isMine(part)) largest = std::max(largest, part.largest[g]);
    for (const Part& part : parts)
      if (isMine(part)) sum += part.sum[g] * std::exp(part.largest[g] - largest);
    for (const Part& part : parts) {
      if (!isMine(part)) continue;
      const float factor = std::exp(part.largest[g] - largest) / sum;
      for (int i = 0; i < dimension; ++i)
        attended[head * dimension + i] +=
            factor * part.output[g * static_cast<std::size_t>(dimension) + static_cast<std::size_t>(i)];
      float* mine = weights + head * stride + part.weightsAt;
      for (int key = 0; key < part.to - part.from; ++key) mine[key] *= factor;
    }
  }
}

}  // namespace

std::span<const float> ForwardPass::generate(TokenId token) {
  KvCache& cache = parts_.cache;
  const bool isFull =
      openChunk_ >= 0 && cache.chunk(openChunk_).end - cache.chunk(openChunk_).begin == kChunkTokens;
  const bool opens = openChunk_ < 0 || isFull;
  if (isFull)
    for (Layer& layer : layers_)
      layer.before = {layer.open.query / static_cast<double>(kChunkTokens), layer.open.states};
  if (opens) openChunk_ = cache.openTail();
  cache.grow(openChunk_);
  const Block block{openChunk_, cache.chunk(openChunk_).end - 1, 1};
  token_.x.resize(static_cast<std::size_t>(parts_.shape.width));
  parts_.weights.embedding.row(token, token_.x.data());
  for (float& value : token_.x) value *= parts_.shape.embeddingScale;
  for (int layer = 0; layer < parts_.shape.layers; ++layer) {
    Layer& state = layers_[static_cast<std::size_t>(layer)];
    if (opens) {
      state.open.query = at::zeros_like(state.before.query);
      if (wantsStates(layer)) state.open.states = at::empty({kChunkTokens, parts_.shape.width}, at::kFloat);
    }
    if (opens || outgrows(state.selection, block))
      state.selection = choose(layer, block, state.before.query, state.before.states);
    generateLayer(layer, block);
    parts_.breathe();
  }
  if (parts_.tap) parts_.tap->countQueries(1);
  normalizeVector(token_.x, parts_.weights.finalNorm, parts_.shape.normEpsilon, token_.normed);
  token_.logits.resize(static_cast<std::size_t>(parts_.shape.vocabulary));
  parts_.weights.outputHead().multiply(token_.normed.data(), token_.logits.data(), parts_.form, token_.memory);
  return token_.logits;
}

bool ForwardPass::outgrows(const Selection& selection, const Block& block) const {
  if (parts_.budgetTokens == 0 || selection.window > 0) return false;
  int seen = block.first + 1 - parts_.cache.chunk(block.chunk).begin + selection.beacons.count();
  if (selection.kept.defined()) seen += static_cast<int>(selection.kept.size(1));
  for (const Run& run : selection.runs) seen += run.end - run.begin;
  return seen > parts_.budgetTokens;
}

void ForwardPass::generateLayer(int layer, const Block& block) {
  const ModelShape& shape = parts_.shape;
  const LayerWeights& weights = parts_.weights.layers[static_cast<std::size_t>(layer)];
  projectToken(weights, layer, block);
  attendToken(layer, block);
  token_.out.resize(static_cast<std::size_t>(shape.width));
  weights.output.multiply(token_.attended.data(), token_.out.data(), parts_.form, token_.memory);
  addVector(token_.out, weights.postAttentionNorm);

  normalizeVector(token_.x, weights.feedForwardNorm, shape.normEpsilon, token_.normed);
  token_.gate.resize(static_cast<std::size_t>(2 * shape.feedForward));
  weights.gateUp.multiply(token_.normed.data(), token_.gate.data(), parts_.form, token_.memory);
  token_.hidden.resize(static_cast<std::size_t>(shape.feedForward));
  RowGate<float> gate{token_.gate.data(), token_.hidden.data(), shape.feedForward,
                      RowGate<float>::Activation::Silu};
  if (shape.activation == Activation::Gelu) gate.activation = RowGate<float>::Activation::GeluTanh;
  gateRows(gate, 0, 1);
  weights.down.multiply(token_.hidden.data(), token_.out.data(), parts_.form, token_.memory);
  addVector(token_.out, weights.postFeedForwardNorm);
}

void ForwardPass::addVector(const std::vector<float>& output, const at::Tensor& postNorm) {
  if (postNorm.defined()) {
    normalizeVector(output, postNorm, parts_.shape.normEpsilon, token_.normed);
    for (std::size_t i = 0; i < token_.x.size(); ++i) token_.x[i] += token_.normed[i];
    return;
  }
  for (std::size_t i = 0; i < token_.x.size(); ++i) token_.x[i] += output[i];
}

void ForwardPass::projectToken(const LayerWeights& weights, int layer, const Block& block) {
  const ModelShape& shape = parts_.shape;
  normalizeVector(token_.x, weights.attentionNorm, shape.normEpsilon, token_.normed);
  token_.projected.resize(static_cast<std::size_t>((shape.heads + 2 * shape.kvHeads) * shape.headDimension));
  weights.queryKeyValue.multiply(token_.normed.data(), token_.projected.data(), parts_.form, token_.memory);
  at::Tensor queries = asHeads(token_.projected.data(), shape.heads, shape.headDimension);
  at::Tensor keys =
      asHeads(token_.projected.data() + shape.heads * shape.headDimension, shape.kvHeads, shape.headDimension);
  if (shape.hasHeadNorms) {
    const auto norm = [&](at::Tensor& rows, const at::Tensor& weight) {
      RowNorm<float> heads{rows.const_data_ptr<float>(), weight.const_data_ptr<float>(), rows.data_ptr<float>(),
                           shape.headDimension, static_cast<float>(shape.normEpsilon)};
      normalizeRows(heads, 0, rows.size(0));
    };
    norm(queries, weights.queryNorm);
    norm(keys, weights.keyNorm);
  }
  const at::Tensor values =
      asHeads(token_.projected.data() + (shape.heads + shape.kvHeads) * shape.headDimension, shape.kvHeads,
              shape.headDimension);
  const at::ScalarType type = typeOf(parts_.form);
  parts_.cache.extend(layer, block.chunk, {keys.to(type), values.to(type)});
  BlockDigest& open = layers_[static_cast<std::size_t>(layer)].open;
  open.query.add_(queries);
  const int place = block.first - parts_.cache.chunk(block.chunk).begin;
  if (wantsStates(layer))
    open.states[place].copy_(at::from_blob(token_.normed.data(), {shape.width}, at::kFloat));
}

void ForwardPass::attendToken(int layer, const Block& block) {
  const ModelShape& shape = parts_.shape;
  Layer& state = layers_[static_cast<std::size_t>(layer)];
  const at::Tensor queries = asHeads(token_.projected.data(), shape.heads, shape.headDimension);
  arrangeGroups(state.selection, block, positionsOf(layer), layer, parts_.cache, tableOf(layer, block),
                state.groups);
  attended_ = std::max(attended_, attendedBy(state.groups, block));
  const GatheredKv &near = state.groups.near, &far = state.groups.far;
  const at::Tensor nearQueries = rotateNear(queries, block, state.groups, tableOf(layer, block));
  const at::Tensor farQueries =
      far.count() > 0 ? rotateFar(queries, block, positionsOf(layer), tableOf(layer, block)) : at::Tensor();

  const int group = shape.group();
  const std::int64_t stride = near.count() + far.count();
  token_.weights.assign(static_cast<std::size_t>(shape.heads * stride), 0.0f);
  std::vector<Part> parts;
  addParts(near, nearQueries, shape.kvHeads, state.groups.view.hidden, parts, 0);
  if (far.count() > 0) addParts(far, farQueries, shape.kvHeads, 0, parts, near.count());
  at::parallel_for(0, static_cast<std::int64_t>(parts.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      Part& part = parts[static_cast<std::size_t>(i)];
      float* weights = token_.weights.data() + part.kvHead * group * stride;
      if (near.keys().scalar_type() == at::kFloat)
        run<float>(part, shape.attentionScale, group, weights, stride);
      else
        run<std::uint16_t>(part, shape.attentionScale, group, weights, stride);
    }
  });
  token_.attended.resize(static_cast<std::size_t>(shape.heads * shape.headDimension));
  joinParts(parts, shape.kvHeads, group, shape.headDimension, token_.weights.data(), stride,
            token_.attended.data());
  watchToken(layer, block);
}

void ForwardPass::watchToken(int layer, const Block& block) {
  if (!isObserved(layer) && !isWeighed()) return;
  Layer& state = layers_[static_cast<std::size_t>(layer)];
  const GatheredKv &near = state.groups.near, &far = state.groups.far;
  const at::Tensor weights =
      at::from_blob(token_.weights.data(), {parts_.shape.heads, near.count() + far.count()}, at::kFloat);
  if (isObserved(layer)) {
    const at::Tensor sums = weights.view({parts_.shape.kvHeads, parts_.shape.group(), -1}).sum(1);
    const int observed =
        std::min(near.count(), needs_.observedTokens + block.first + 1 - parts_.cache.chunk(block.chunk).begin);
    parts_.policy.observe(layer, block, sums.narrow(1, near.count() - observed, observed),
                          {block.first + 1 - observed, block.first + 1}, parts_.cache);
  }
  if (!isWeighed()) return;
  parts_.tap->weigh(layer, near, 0, weights.narrow(1, 0, near.count()), parts_.cache);
  if (far.count() > 0)
    parts_.tap->weigh(layer, far, 0, weights.narrow(1, near.count(), far.count()), parts_.cache);
}

}  // namespace kvasir
