// ForwardPass, one token at a time or a few on trial: products with one row each on the weights' own levels, no
// tensor arithmetic between.
#include <cassert>
#include <functional>

#include "engine/pass.h"
#include "kernels/attend.h"
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

/// Where rows of one KV head lie.
struct KvPlace {
  const void *keys = nullptr, *values = nullptr;  ///< [count, dimension]
  at::ScalarType type = at::kFloat;
};

/// Of a KV head, from a row on. Heads of both are equally far apart.
KvPlace placeOf(const KvTensors& kv, int kvHead, int row) {
  const auto at =
      static_cast<std::size_t>(kvHead * kv.keys.stride(0) + row * kv.keys.size(2)) * kv.keys.element_size();
  return {static_cast<const std::byte*>(kv.keys.const_data_ptr()) + at,
          static_cast<const std::byte*>(kv.values.const_data_ptr()) + at, kv.keys.scalar_type()};
}

/// Part of a token's attention: some keys of one group, one KV head.
struct Part {
  const float* queries;  ///< [group, dimension], rotated
  int kvHead, count;
  std::int64_t weightsAt;  ///< of this part's weights among all
  KvPlace place = {};      ///< of what is packed nothing until a thread has unpacked it
  float *output = nullptr, *largest = nullptr, *sum = nullptr;  ///< [group, dimension], [group] twice
};

struct PartShape {
  int kvHeads, group, dimension;

  int heads() const { return kvHeads * group; }
  std::size_t floats() const { return static_cast<std::size_t>(group * (dimension + 2)); }
};

/// How a part is weighed and where its weights go.
struct TokenWeights {
  float scale;
  PartShape shape;
  float* weights;  ///< [heads, stride]
  std::int64_t stride;

  template <class Value>
  void attendAs(const Part& part) const {
    TokenAttention<Value> attention;
    attention.queries = part.queries;
    attention.group = shape.group;
    attention.dimension = shape.dimension;
    attention.keys = static_cast<const Value*>(part.place.keys);
    attention.values = static_cast<const Value*>(part.place.values);
    attention.count = part.count;
    attention.scale = scale;
    attention.weights = weights + part.kvHead * shape.group * stride + part.weightsAt;
    attention.weightStride = stride;
    attention.output = part.output;
    attention.largest = part.largest;
    attention.sum = part.sum;
    kvasir::attendToken(attention);
  }
  void attend(const Part& part) const {
    if (part.place.type == at::kFloat)
      attendAs<float>(part);
    else
      attendAs<std::uint16_t>(part);
  }
};

/// A part for each KV head, in turn; all parts of a token are added so.
void addHeads(const float* queries, const PartShape& shape, int count, std::int64_t weightsAt,
              const std::function<KvPlace(int head)>& placeOf, std::vector<Part>& parts) {
  for (int head = 0; head < shape.kvHeads; ++head)
    parts.push_back({queries + head * shape.group * shape.dimension, head, count, weightsAt, placeOf(head)});
}

/// Of each chunk that stayed packed, which every query sees whole.
void addPacked(const GatheredKv& gathered, const std::vector<float>& queries, const PartShape& shape,
               std::vector<Part>& parts) {
  std::int64_t first = 0;
  for (const GatheredKv::PackedChunk& chunk : gathered.packedChunks()) {
    addHeads(
        queries.data(), shape, chunk.placed.keys(), first, [](int) { return KvPlace(); }, parts);
    first += chunk.placed.keys();
  }
}

/// Keys of one group that are in place, from one on: what a token attends to of it.
struct TokenGroup {
  const GatheredKv& gathered;
  const std::vector<float>& queries;  ///< rotated for it
  int from;
  std::int64_t weightsAt;  ///< of its first key in place

  int count() const { return gathered.countInPlace() - from; }
  /// The share of one of so many pieces.
  void addPiece(int piece, int pieces, const PartShape& shape, std::vector<Part>& parts) const {
    const int begin = from + count() * piece / pieces, end = from + count() * (piece + 1) / pieces;
    if (begin == end) return;
    const KvTensors inPlace{gathered.keysInPlace(), gathered.valuesInPlace()};
    addHeads(
        queries.data(), shape, end - begin, weightsAt + begin,
        [&](int head) { return placeOf(inPlace, head, begin); }, parts);
  }
};

/// Pieces that so many keys are divided into: one for each thread, unless they would be too small.
int piecesOf(int keys, const PartShape& shape) {
  constexpr std::int64_t kLeastProducts = 1 << 15;
  const std::int64_t products = std::int64_t{2} * keys * shape.heads() * shape.dimension;
  return static_cast<int>(std::clamp<std::int64_t>(products / kLeastProducts, 1, at::get_num_threads()));
}

void placeSums(std::vector<Part>& parts, const PartShape& shape, std::vector<float>& sums) {
  sums.resize(parts.size() * shape.floats());
  float* next = sums.data();
  for (Part& part : parts) {
    part.output = next;
    part.largest = part.output + shape.group * shape.dimension;
    part.sum = part.largest + shape.group;
    next += shape.floats();
  }
}

/// Joins the parts of every head: attended [heads, dimension]; and the weights, if given, divided by their sum.
void joinParts(const std::vector<Part>& parts, const PartShape& shape, float* weights, std::int64_t stride,
               float* attended) {
  std::fill_n(attended, shape.heads() * shape.dimension, 0.0f);
  for (int head = 0; head < shape.heads(); ++head) {
    const int query = head % shape.group;
    float largest = -std::numeric_limits<float>::infinity(), sum = 0;
    const auto first = static_cast<std::size_t>(head / shape.group),
               step = static_cast<std::size_t>(shape.kvHeads);
    for (std::size_t i = first; i < parts.size(); i += step)
      largest = std::max(largest, parts[i].largest[query]);
    for (std::size_t i = first; i < parts.size(); i += step)
      sum += parts[i].sum[query] * std::exp(parts[i].largest[query] - largest);
    for (std::size_t i = first; i < parts.size(); i += step) {
      const Part& part = parts[i];
      const float factor = std::exp(part.largest[query] - largest) / sum;
      const float* output = part.output + query * shape.dimension;
      for (int d = 0; d < shape.dimension; ++d) attended[head * shape.dimension + d] += factor * output[d];
      if (!weights) continue;
      float* mine = weights + head * stride + part.weightsAt;
      for (int key = 0; key < part.count; ++key) mine[key] *= factor;
    }
  }
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
  const GatheredKv &near = state.groups.near, &far = state.groups.far;
  const PartShape partShape{shape.kvHeads, shape.group(), shape.headDimension};
  const int hidden = state.groups.view.hidden;  // where any is, nothing is packed
  const float* queries =
      token_.projected.data() + place * (shape.heads + 2 * shape.kvHeads) * shape.headDimension;
  rotateToken(queries, block.first - state.groups.nearOrigin, table, token_.nearQueries);
  if (far.count() > 0) rotateToken(queries, positionsOf(layer).farQuery(block.first), table, token_.farQueries);
  const TokenGroup groups[] = {{near, token_.nearQueries, hidden, near.packedCount()},
                               {far, token_.farQueries, 0, near.count()}};
  std::vector<Part> parts;
  addPacked(near, token_.nearQueries, partShape, parts);
  std::vector<std::size_t> pieces = {parts.size()};  // where each begins, and the last one ends
  const int count = piecesOf(groups[0].count() + groups[1].count(), partShape);
  for (int piece = 0; piece < count; ++piece) {
    for (const TokenGroup& group : groups) group.addPiece(piece, count, partShape, parts);
    pieces.push_back(parts.size());
  }
  placeSums(parts, partShape, token_.partSums);

  const std::int64_t stride = near.count() + far.count();
  token_.weights.resize(static_cast<std::size_t>(shape.heads * stride));
  for (int head = 0; head < shape.heads; ++head)
    std::fill_n(token_.weights.data() + head * stride, hidden, 0.0f);
  const TokenWeights weighing{shape.attentionScale, partShape, token_.weights.data(), stride};
  at::parallel_for(0, std::ssize(near.packedChunks()), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const KvTensors kv = near.unpacked({&near.packedChunks()[static_cast<std::size_t>(i)], 1});
      for (int head = 0; head < shape.kvHeads; ++head) {
        Part& part = parts[static_cast<std::size_t>(i * shape.kvHeads + head)];
        part.place = placeOf(kv, head, 0);
        weighing.attend(part);
      }
    }
  });
  at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::size_t i = pieces[static_cast<std::size_t>(begin)]; i < pieces[static_cast<std::size_t>(end)];
         ++i)
      weighing.attend(parts[i]);
  });
  const bool isWatched = isObserved(layer) || isWeighed();
  joinParts(parts, partShape, isWatched ? token_.weights.data() : nullptr, stride,
            token_.attended.data() + place * shape.heads * shape.headDimension);
  if (isWatched) watchToken(layer, block, place);
}

void ForwardPass::watchToken(int layer, const Block& block, int place) {
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
  parts_.tap->weigh(layer, near, 0, weights.narrow(1, 0, near.count()), parts_.cache, place);
  if (far.count() > 0)
    parts_.tap->weigh(layer, far, 0, weights.narrow(1, near.count(), far.count()), parts_.cache, place);
}

}  // namespace kvasir
