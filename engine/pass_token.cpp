// ForwardPass, one token at a time or a few on trial: products with one row each on the weights' own levels, no
// tensor arithmetic between.
#include <cassert>

#include "engine/pass.h"
#include "engine/token_attention.h"
#include "kernels/rotate.h"
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

}  // namespace

std::span<const float> ForwardPass::generate(TokenId token) {
  const std::span<const float> logits = tryTokens({&token, 1});
  accept(1);
  return logits;
}

int ForwardPass::mostOnTrial() const {
  if (openChunk_ < 0 || needs_.observedTokens > 0 || parts_.device) return 1;
  const Run open = parts_.cache.chunk(openChunk_);
  int most = kChunkTokens - (open.end - open.begin);
  for (const Layer& layer : layers_) most = std::min(most, tokensLeft(layer.selection));
  return std::max(1, most);
}

std::span<const float> ForwardPass::tryTokens(std::span<const TokenId> tokens) {
  assert(onTrial_ == 0 && std::ssize(tokens) <= mostOnTrial());
  KvCache& cache = parts_.cache;
  const auto rows = tokens.size(), width = static_cast<std::size_t>(parts_.shape.width);
  const bool isFull =
      openChunk_ >= 0 && cache.chunk(openChunk_).end - cache.chunk(openChunk_).begin == kChunkTokens;
  const bool opens = openChunk_ < 0 || isFull;
  if (isFull)
    for (Layer& layer : layers_)
      layer.before = {layer.open.query / static_cast<double>(kChunkTokens), layer.open.states};
  if (opens) openChunk_ = cache.openTail();
  onTrial_ = static_cast<int>(rows);
  triedAttended_.assign(rows, 0);
  cache.grow(openChunk_, onTrial_);
  const Block block{openChunk_, cache.chunk(openChunk_).end - onTrial_, onTrial_};
  token_.x.resize(rows * width);
  for (std::size_t row = 0; row < rows; ++row)
    parts_.weights.embedding.row(tokens[row], token_.x.data() + row * width);
  for (float& value : token_.x) value *= parts_.shape.embeddingScale;
  for (int layer = 0; layer < parts_.shape.layers; ++layer) {
    Layer& state = layers_[static_cast<std::size_t>(layer)];
    if (opens) {
      state.open.query = at::zeros(state.before.query.sizes(), at::kFloat);
      if (wantsStates(layer)) state.open.states = at::empty({kChunkTokens, parts_.shape.width}, at::kFloat);
    }
    if (opens || tokensLeft(state.selection) < 0)
      state.selection = choose(layer, {block.chunk, block.first, 1}, state.before.query, state.before.states);
    generateLayer(layer, block);
    parts_.breathe();
  }
  normalizeVector(token_.x, parts_.weights.finalNorm, parts_.shape.normEpsilon, token_.normed);
  token_.logits.resize(rows * static_cast<std::size_t>(parts_.shape.vocabulary));
  parts_.weights.outputHead().multiply(token_.normed.data(), token_.logits.data(), onTrial_, parts_.form,
                                       token_.memory);
  return token_.logits;
}

void ForwardPass::accept(int tokens) {
  const int left = onTrial_ - tokens;
  const auto width = static_cast<std::size_t>(parts_.shape.heads * parts_.shape.headDimension);
  for (Layer& layer : layers_) {
    float* sums = layer.open.query.data_ptr<float>();
    const float* tried = layer.triedQueries.data();
    for (int token = 0; token < tokens; ++token, tried += width)
      for (std::size_t i = 0; i < width; ++i) sums[i] += tried[i];
    if (left > 0) layer.groups.near.dropLast(left);
  }
  for (int token = 0; token < tokens; ++token)
    attended_ = std::max(attended_, triedAttended_[static_cast<std::size_t>(token)]);
  parts_.cache.shrink(openChunk_, left);
  onTrial_ = 0;
  if (!parts_.tap) return;
  for (int token = 0; token < tokens; ++token) parts_.tap->countQueries(1);
  if (left > 0) parts_.tap->forgetUncounted();
}

int ForwardPass::tokensLeft(const Selection& selection) const {
  if (parts_.budgetTokens == 0 || selection.window > 0) return std::numeric_limits<int>::max();
  const Run open = parts_.cache.chunk(openChunk_);
  int seen = open.end - open.begin + selection.beacons.count();
  if (selection.kept.defined()) seen += static_cast<int>(selection.kept.size(1));
  for (const Run& run : selection.runs) seen += run.end - run.begin;
  return parts_.budgetTokens - seen;
}

void ForwardPass::generateLayer(int layer, const Block& block) {
  const ModelShape& shape = parts_.shape;
  const LayerWeights& weights = parts_.weights.layers[static_cast<std::size_t>(layer)];
  const auto rows = static_cast<std::size_t>(block.tokens);
  const auto multiply = [&](const WeightMatrix& matrix, const std::vector<float>& x, std::vector<float>& y) {
    matrix.multiply(x.data(), y.data(), block.tokens, parts_.form, token_.memory);
  };
  projectTokens(weights, layer, block);
  token_.attended.resize(rows * static_cast<std::size_t>(shape.heads * shape.headDimension));
  for (int place = 0; place < block.tokens; ++place)
    attendToken(layer, {block.chunk, block.first + place, 1}, place);
  token_.out.resize(rows * static_cast<std::size_t>(shape.width));
  multiply(weights.output, token_.attended, token_.out);
  addVector(token_.out, weights.postAttentionNorm);

  normalizeVector(token_.x, weights.feedForwardNorm, shape.normEpsilon, token_.normed);
  token_.gate.resize(rows * static_cast<std::size_t>(2 * shape.feedForward));
  multiply(weights.gateUp, token_.normed, token_.gate);
  token_.hidden.resize(rows * static_cast<std::size_t>(shape.feedForward));
  RowGate<float> gate{token_.gate.data(), token_.hidden.data(), shape.feedForward,
                      RowGate<float>::Activation::Silu};
  if (shape.activation == Activation::Gelu) gate.activation = RowGate<float>::Activation::GeluTanh;
  gateRows(gate, 0, block.tokens);
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

void ForwardPass::projectTokens(const LayerWeights& weights, int layer, const Block& block) {
  const ModelShape& shape = parts_.shape;
  Layer& state = layers_[static_cast<std::size_t>(layer)];
  normalizeVector(token_.x, weights.attentionNorm, shape.normEpsilon, token_.normed);
  const int width = shape.heads * shape.headDimension,
            all = (shape.heads + 2 * shape.kvHeads) * shape.headDimension;
  token_.projected.resize(static_cast<std::size_t>(block.tokens * all));
  state.triedQueries.resize(static_cast<std::size_t>(block.tokens * width));
  weights.queryKeyValue.multiply(token_.normed.data(), token_.projected.data(), block.tokens, parts_.form,
                                 token_.memory);
  const int firstPlace = block.first - parts_.cache.chunk(block.chunk).begin;
  for (int row = 0; row < block.tokens; ++row) {
    float* queries = token_.projected.data() + row * all;
    float* keys = queries + width;
    const float* values = keys + shape.kvHeads * shape.headDimension;
    if (shape.hasHeadNorms) {
      const auto norm = [&](float* rows, int heads, const at::Tensor& weight) {
        normalizeRows(RowNorm<float>{rows, weight.const_data_ptr<float>(), rows, shape.headDimension,
                                     static_cast<float>(shape.normEpsilon)},
                      0, heads);
      };
      norm(queries, shape.heads, weights.queryNorm);
      norm(keys, shape.kvHeads, weights.keyNorm);
    }
    parts_.cache.extend(layer, block.first + row, keys, values, typeOf(parts_.form));
    std::copy_n(queries, width, state.triedQueries.data() + row * width);
    if (wantsStates(layer))
      std::copy_n(token_.normed.data() + row * shape.width, shape.width,
                  state.open.states.data_ptr<float>() + (firstPlace + row) * shape.width);
  }
}

void ForwardPass::rotateToken(const float* queries, int position, const RopeTable& table,
                              std::vector<float>& rotated) const {
  rotated.resize(static_cast<std::size_t>(parts_.shape.heads * parts_.shape.headDimension));
  Rotation<float> rotation;
  rotation.in = queries;
  rotation.out = rotated.data();
  rotation.cosines = table.cosines(position);
  rotation.sines = table.sines(position);
  rotation.rows = parts_.shape.heads;
  rotation.half = static_cast<int>(table.half());
  rotateRows(rotation);
}

void ForwardPass::attendToken(int layer, const Block& block, int place) {
  const ModelShape& shape = parts_.shape;
  Layer& state = layers_[static_cast<std::size_t>(layer)];
  RopeTable& table = tableOf(layer, block);
  arrangeGroups(state.selection, block, positionsOf(layer), layer, parts_.cache, table, state.groups,
                mostUnpacked());
  int& attended = triedAttended_[static_cast<std::size_t>(place)];
  attended = std::max(attended, attendedBy(state.groups, block));
  const float* queries =
      token_.projected.data() + place * (shape.heads + 2 * shape.kvHeads) * shape.headDimension;
  rotateToken(queries, block.first - state.groups.nearOrigin, table, token_.nearQueries);
  if (state.groups.far.count() > 0)
    rotateToken(queries, positionsOf(layer).farQuery(block.first), table, token_.farQueries);
  const bool isWatched = isObserved(layer) || isWeighed();
  kvasir::attendToken(state.groups,
                      {token_.nearQueries.data(), token_.farQueries.data(), shape.heads, shape.headDimension},
                      shape.attentionScale, isWatched, token_.attention,
                      token_.attended.data() + place * shape.heads * shape.headDimension);
  if (isWatched) watchToken(layer, block, place);
}

void ForwardPass::watchToken(int layer, const Block& block, int place) {
  Layer& state = layers_[static_cast<std::size_t>(layer)];
  const GatheredKv &near = state.groups.near, &far = state.groups.far;
  const at::Tensor weights = at::from_blob(token_.attention.weights.data(),
                                           {parts_.shape.heads, near.count() + far.count()}, at::kFloat);
  if (isObserved(layer)) {
    const at::Tensor sums = weights.view({parts_.shape.kvHeads, parts_.shape.group(), -1}).sum(1);
    const int observed = std::min(
        countInARow(near), needs_.observedTokens + block.first + 1 - parts_.cache.chunk(block.chunk).begin);
    parts_.policy.observe(layer, block, sums.narrow(1, near.count() - observed, observed),
                          {block.first + 1 - observed, block.first + 1}, parts_.cache);
  }
  if (!isWeighed()) return;
  parts_.tap->weigh(layer, near, 0, weights.narrow(1, 0, near.count()), parts_.cache, place);
  if (far.count() > 0)
    parts_.tap->weigh(layer, far, 0, weights.narrow(1, near.count(), far.count()), parts_.cache, place);
}

}  // namespace kvasir
