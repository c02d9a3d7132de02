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
  const float* queries = nullptr;  ///< [group, dimension]
  int kvHead = 0, from = 0, to = 0;
  std::int64_t weightsAt = 0;                                   ///< of this part's weights among all of a head
  float *output = nullptr, *largest = nullptr, *sum = nullptr;  ///< [group, dimension], [group] twice
};

/// What all parts of a layer share.
struct TokenShape {
  int kvHeads, group, dimension;
  float scale;
  float* weights;       ///< [heads, stride]
  std::int64_t stride;  ///< keys of both groups
};

/// A group's keys and values as they lie in memory.
template <class Value>
struct RawKv {
  const Value *keys, *values;
  std::int64_t headStride;

  explicit RawKv(const GatheredKv& gathered) {
    const at::Tensor rows = gathered.keys();
    keys = static_cast<const Value*>(rows.const_data_ptr());
    values = static_cast<const Value*>(gathered.values().const_data_ptr());
    headStride = rows.stride(0);
  }
};

template <class Value>
void run(const Part& part, const RawKv<Value>& kv, const TokenShape& shape) {
  const std::int64_t at = part.kvHead * kv.headStride + std::int64_t{part.from} * shape.dimension;
  TokenAttention<Value> attention;
  attention.queries = part.queries;
  attention.group = shape.group;
  attention.dimension = shape.dimension;
  attention.keys = kv.keys + at;
  attention.values = kv.values + at;
  attention.count = part.to - part.from;
  attention.scale = shape.scale;
  attention.weights = shape.weights + part.kvHead * shape.group * shape.stride + part.weightsAt;
  attention.weightStride = shape.stride;
  attention.output = part.output;
  attention.largest = part.largest;
  attention.sum = part.sum;
  kvasir::attendToken(attention);
}

template <class Value>
void runAll(const std::vector<Part>& parts, const AttendedGroups& groups, const TokenShape& shape, Team& team) {
  const RawKv<Value> near(groups.near), far(groups.far.count() > 0 ? groups.far : groups.near);
  team.share(std::ssize(parts), 1, [&](std::int64_t begin, std::int64_t end) {
    for (const Part& part :
         std::span(parts).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)))
      run<Value>(part, part.gathered == &groups.near ? near : far, shape);
  });
}

/// Divides [from, all) of a group among parts for each KV head, so that threads share the work evenly.
void addParts(const GatheredKv& gathered, const at::Tensor& queries, const TokenShape& shape, int from,
              std::vector<Part>& parts, std::int64_t weightsAt) {
  constexpr int kFewKeys = 64, kManyKeys = 4096;
  const int keys = gathered.count() - from, pieces = keys <= kFewKeys ? 1 : std::max(2, keys / kManyKeys);
  for (int head = 0; head < shape.kvHeads; ++head)
    for (int piece = 0; piece < pieces; ++piece) {
      const auto place = [&](int end) { return from + static_cast<int>(std::int64_t{keys} * end / pieces); };
      const int begin = place(piece), end = place(piece + 1);
      const float* own = queries.const_data_ptr<float>() + std::int64_t{head} * shape.group * shape.dimension;
      if (begin < end) parts.push_back({&gathered, own, head, begin, end, weightsAt + begin});
    }
}

/// Gives every part memory for its results.
void pointParts(std::vector<Part>& parts, const TokenShape& shape, std::vector<float>& memory) {
  const std::size_t each =
      static_cast<std::size_t>(shape.group) * static_cast<std::size_t>(shape.dimension + 2);
  memory.resize(std::max(memory.size(), parts.size() * each));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i].output = memory.data() + i * each;
    parts[i].largest = parts[i].output + shape.group * shape.dimension;
    parts[i].sum = parts[i].largest + shape.group;
  }
}

enum class Weights { Divided, Left };

/// Joins the parts of every head: attended [heads, dimension], and weights divided by their sum where anyone
/// looks at them.
void joinParts(const std::vector<Part>& parts, const TokenShape& shape, Weights weights, float* attended) {
  std::fill_n(attended, shape.kvHeads * shape.group * shape.dimension, 0.0f);
  for (int head = 0; head < shape.kvHeads * shape.group; ++head) {
    const int g = head % shape.group;
    float largest = -std::numeric_limits<float>::infinity(), sum = 0;
    const auto isMine = [&](const Part& part) { return part.kvHead == head / shape.group; };
    for (const Part& part : parts)
      if (isMine(part)) largest = std::max(largest, part.largest[g]);
    for (const Part& part : parts)
      if (isMine(part)) sum += part.sum[g] * std::exp(part.largest[g] - largest);
    for (const Part& part : parts) {
      if (!isMine(part)) continue;
      const float factor = std::exp(part.largest[g] - largest) / sum;
      float* out = attended + head * shape.dimension;
      for (int i = 0; i < shape.dimension; ++i) out[i] += factor * part.output[g * shape.dimension + i];
      if (weights == Weights::Left) continue;
      float* mine = shape.weights + head * shape.stride + part.weightsAt;
      for (int key = 0; key < part.to - part.from; ++key) mine[key] *= factor;
    }
  }
}

}  // namespace

std::span<const float> ForwardPass::generate(TokenId token) {
  if (!team_) team_ = std::make_unique<Team>(at::get_num_threads());
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
    if (opens || outgrows(state.selection, block)) {
      state.selection = choose(layer, block, state.before.query, state.before.states);
      if (parts_.tap) parts_.tap->select(layer, state.selection, block, cache);
    }
    generateLayer(layer, block);
    parts_.breathe();
  }
  if (parts_.tap) parts_.tap->countQueries(1);
  normalizeVector(token_.x, parts_.weights.finalNorm, parts_.shape.normEpsilon, token_.normed);
  multiply(parts_.weights.outputHead(), token_.normed, token_.logits);
  return token_.logits;
}

void ForwardPass::multiply(const WeightMatrix& matrix, const std::vector<float>& x, std::vector<float>& y) {
  y.resize(static_cast<std::size_t>(matrix.rows()));
  matrix.multiply(x.data(), y.data(), parts_.form, *team_, token_.memory);
}

bool ForwardPass::outgrows(const Selection& selection, const Block& block) const {
  if (parts_.budgetTokens == 0 || selection.window > 0) return false;
  int seen = block.first + 1 - parts_.cache.chunk(block.chunk).begin;
  if (selection.kept.defined()) seen += static_cast<int>(selection.kept.size(1));
  for (const Run& run : selection.runs) seen += run.end - run.begin;
  return seen > parts_.budgetTokens;
}

void ForwardPass::generateLayer(int layer, const Block& block) {
  const ModelShape& shape = parts_.shape;
  const LayerWeights& weights = parts_.weights.layers[static_cast<std::size_t>(layer)];
  projectToken(weights, layer, block);
  attendToken(layer, block);
  multiply(weights.output, token_.attended, token_.out);
  addVector(token_.out, weights.postAttentionNorm);

  normalizeVector(token_.x, weights.feedForwardNorm, shape.normEpsilon, token_.normed);
  multiply(weights.gateUp, token_.normed, token_.gate);
  token_.hidden.resize(static_cast<std::size_t>(shape.feedForward));
  RowGate<float> gate{token_.gate.data(), token_.hidden.data(), shape.feedForward,
                      RowGate<float>::Activation::Silu};
  if (shape.activation == Activation::Gelu) gate.activation = RowGate<float>::Activation::GeluTanh;
  gateRows(gate, 0, 1);
  multiply(weights.down, token_.hidden, token_.out);
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
  multiply(weights.queryKeyValue, token_.normed, token_.projected);
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

  const std::int64_t stride = near.count() + far.count();
  const auto count = static_cast<std::size_t>(shape.heads * stride);
  const bool isWatched = isObserved(layer) || parts_.tap;
  if (isWatched) token_.weights.assign(count, 0.0f);
  if (token_.weights.size() < count) token_.weights.resize(count + count / 2);
  const TokenShape token{shape.kvHeads,        shape.group(),         shape.headDimension,
                         shape.attentionScale, token_.weights.data(), stride};
  std::vector<Part> parts;
  addParts(near, nearQueries, token, state.groups.view.hidden, parts, 0);
  if (far.count() > 0) addParts(far, farQueries, token, 0, parts, near.count());
  pointParts(parts, token, token_.parts);
  if (near.keys().scalar_type() == at::kFloat)
    runAll<float>(parts, state.groups, token, *team_);
  else
    runAll<std::uint16_t>(parts, state.groups, token, *team_);
  token_.attended.resize(static_cast<std::size_t>(shape.heads * shape.headDimension));
  joinParts(parts, token, isWatched ? Weights::Divided : Weights::Left, token_.attended.data());
  if (isWatched) watchToken(layer, block);
}

void ForwardPass::watchToken(int layer, const Block& block) {
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
  if (!parts_.tap) return;
  parts_.tap->weigh(layer, near, 0, weights.narrow(1, 0, near.count()), parts_.cache);
  if (far.count() > 0)
    parts_.tap->weigh(layer, far, 0, weights.narrow(1, near.count(), far.count()), parts_.cache);
}

}  // namespace kvasir
