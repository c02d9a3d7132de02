#include "engine/pass.h"

#include <cassert>

#include "engine/model/feed_forward.h"
#include "kernels/rows.h"

namespace kvasir {
namespace {

template <class Value>
void normalizeAll(const at::Tensor& in, at::Tensor& out, const at::Tensor& weight, double epsilon) {
  RowNorm<Value> norm;
  norm.in = in.const_data_ptr<float>();
  norm.weight = weight.const_data_ptr<float>();
  norm.out = static_cast<Value*>(out.mutable_data_ptr());
  norm.width = static_cast<int>(weight.size(0));
  norm.epsilon = static_cast<float>(epsilon);
  at::parallel_for(0, in.numel() / norm.width, 32,
                   [&](std::int64_t begin, std::int64_t end) { normalizeRows(norm, begin, end); });
}

/// Rows of `in` (float32, contiguous) normalised, in the type asked for.
at::Tensor normalized(const at::Tensor& in, const at::Tensor& weight, double epsilon, at::ScalarType type) {
  at::Tensor out = at::empty(in.sizes(), type);
  if (type == at::kFloat)
    normalizeAll<float>(in, out, weight, epsilon);
  else
    normalizeAll<std::uint16_t>(in, out, weight, epsilon);
  return out;
}

}  // namespace

ForwardPass::ForwardPass(PassParts parts)
    : parts_(std::move(parts)),
      needs_(parts_.policy.needs()),
      localTable_(ropeFrequencies(parts_.shape, true)),
      layers_(static_cast<std::size_t>(parts_.shape.layers)) {
  int window = parts_.shape.window;
  if (parts_.budgetTokens > 0) window = std::min(window, parts_.budgetTokens);
  localPositions_ = windowPositions(window);
}

const PositionScheme& ForwardPass::positionsOf(int layer) const {
  return parts_.shape.isLocal(layer) ? *localPositions_ : parts_.positions;
}

RopeTable& ForwardPass::tableOf(int layer, const Block& block) {
  if (parts_.shape.isLocal(layer)) return localTable_;
  const PositionScheme::Rules& rules = parts_.positions.rules();
  const RopeStretch stretch = rules.stretch;
  const int scale =
      rules.scale > 0 ? rules.scale : stretchScale(parts_.shape, stretch, block.first + block.tokens);
  const auto known = tables_.find(scale);
  return known != tables_.end()
             ? known->second
             : tables_.emplace(scale, stretchedTable(parts_.shape, stretch, scale, rules.numbers))
                   .first->second;
}

int ForwardPass::beaconsOf(int chunk) const {
  const BeaconPlan& plan = needs_.beacons;
  const Run run = parts_.cache.chunk(chunk);
  const bool hasSome = plan.each > 0 && !parts_.cache.isTail(chunk) && run.end - run.begin == kChunkTokens &&
                       run.end <= plan.end;
  return hasSome ? kChunkTokens / plan.each : 0;
}

ForwardPass::StepRows ForwardPass::rowsOf(std::int64_t tokens, int firstChunk, Outputs outputs) const {
  StepRows rows{firstChunk, tokens, 0, outputs};
  for (int chunk = firstChunk; chunk < parts_.cache.chunks(); ++chunk) rows.beacons += beaconsOf(chunk);
  return rows;
}

at::Tensor ForwardPass::embed(std::span<const TokenId> tokens, std::int64_t beacons) const {
  at::Tensor x = at::empty({static_cast<std::int64_t>(tokens.size()), parts_.shape.width}, at::kFloat);
  for (std::size_t i = 0; i < tokens.size(); ++i)
    parts_.weights.embedding.row(tokens[i],
                                 x.data_ptr<float>() + static_cast<std::int64_t>(i) * parts_.shape.width);
  if (parts_.shape.embeddingScale != 1) x.mul_(parts_.shape.embeddingScale);
  if (beacons > 0) x = at::cat({x, parts_.beacons.embedding.expand({beacons, parts_.shape.width})});
  return x;
}

at::Tensor ForwardPass::normalize(const at::Tensor& x, const at::Tensor& weight) const {
  return normalized(x, weight, parts_.shape.normEpsilon, typeOf(parts_.form));
}

ForwardPass::Projected ForwardPass::project(int layer, const at::Tensor& x, const StepRows& rows) const {
  const ModelShape& shape = parts_.shape;
  const LayerWeights& weights = parts_.weights.layers[static_cast<std::size_t>(layer)];
  const at::Tensor normed = normalize(x, weights.attentionNorm);
  at::Tensor all = weights.queryKeyValue.multiply(normed.narrow(0, 0, rows.tokens), parts_.form);
  if (rows.beacons > 0)
    all = at::cat({all, parts_.beacons.queryKeyValue[static_cast<std::size_t>(layer)].multiply(
                            normed.narrow(0, rows.tokens, rows.beacons), parts_.form)});
  const auto heads = [&](int first, int count) {
    return all.narrow(1, std::int64_t{first} * shape.headDimension, std::int64_t{count} * shape.headDimension)
        .reshape({all.size(0), count, shape.headDimension})
        .transpose(0, 1)
        .contiguous();
  };
  Projected projected{heads(0, shape.heads), heads(shape.heads, shape.kvHeads),
                      heads(shape.heads + shape.kvHeads, shape.kvHeads), normed};
  if (!shape.hasHeadNorms) return projected;
  const auto norm = [&](at::Tensor& of, const at::Tensor& weight) {
    of = normalized(of.to(at::kFloat), weight, shape.normEpsilon, typeOf(parts_.form));
  };
  norm(projected.queries, weights.queryNorm);
  norm(projected.keys, weights.keyNorm);
  return projected;
}

bool ForwardPass::wantsStates(int layer) const { return std::ranges::binary_search(needs_.stateLayers, layer); }

Selection ForwardPass::choose(int layer, const Block& block, const at::Tensor& queries,
                              const at::Tensor& states) {
  Selection chosen;
  if (parts_.shape.isLocal(layer)) {
    chosen = localWindow(block);
  } else {
    const at::Tensor far = rotateFar(queries, block, parts_.positions, tableOf(layer, block));
    chosen =
        parts_.policy.select(layer, block, {queries, far, states, block.chunk != openChunk_}, parts_.cache);
  }
  if (parts_.tap) parts_.tap->select(layer, chosen, block, parts_.cache);
  return chosen;
}

Selection ForwardPass::localWindow(const Block& block) const {
  Selection own;
  own.window = localPositions_->nearLimit();
  const int end = parts_.cache.chunk(block.chunk).begin;
  const int firstVisible = std::max(0, block.first - own.window + 1);
  if (firstVisible < end) own.runs = {{parts_.cache.chunk(parts_.cache.chunkOf(firstVisible)).begin, end}};
  return own;
}

at::Tensor ForwardPass::attendChunk(int layer, const Block& block, const at::Tensor& queries,
                                    const at::Tensor& states) {
  Layer& here = layers_[static_cast<std::size_t>(layer)];
  const PositionScheme& positions = positionsOf(layer);
  RopeTable& table = tableOf(layer, block);
  here.selection = choose(layer, block, queries, states);
  arrangeGroups(here.selection, block, positions, layer, parts_.cache, table, here.groups, mostUnpacked());
  attended_ = std::max(attended_, attendedBy(here.groups, block));
  BlockQueries rotated;
  rotated.plain = rotateNear(queries, block, here.groups, table);
  if (here.groups.far.count() > 0) rotated.far = rotateFar(queries, block, positions, table);
  const BlockOutput output =
      attendBlock(here.groups, rotated.plain, rotated.far, block, parts_.shape.attentionScale, parts_.device);
  watch(layer, block, rotated, output);
  here.before = {queries.to(at::kFloat).mean(1, true), states};
  return output.values;
}

/// Of the chunk that was attended last: its groups are in place.
at::Tensor ForwardPass::attendBeacons(int layer, const Block& block, const at::Tensor& queries,
                                      const KvTensors& kv) {
  Layer& here = layers_[static_cast<std::size_t>(layer)];
  RopeTable& table = tableOf(layer, block);
  const BeaconPlan& plan = needs_.beacons;
  const int origin = here.groups.nearOrigin;
  table.grow(block.first + block.tokens - origin + 1);
  if (!parts_.shape.isLocal(layer)) {
    parts_.cache.writeBeacons(layer, block.chunk, kv);
    PlacedRun window{{plan.windowBegin(block.first), block.first + block.tokens}};
    window.position = window.run.begin + plan.each - origin;
    window.step = window.each = plan.each;
    here.beacons.arrange({}, {window}, layer, parts_.cache, table);
    attended_ = std::max(attended_, attendedBy(here.groups, block) + here.beacons.count());
  }
  at::Tensor placed = at::empty_like(queries);
  rotate(queries, placed, {block.first + plan.each - origin, plan.each}, table);
  return kvasir::attendBeacons(here.groups, here.beacons, placed, block, parts_.shape.attentionScale,
                               parts_.device)
      .values;
}

bool ForwardPass::isObserved(int layer) const {
  return needs_.observedTokens > 0 && !parts_.shape.isLocal(layer);
}

void ForwardPass::watch(int layer, const Block& block, const BlockQueries& rotated, const BlockOutput& output) {
  if (!isObserved(layer) && !isWeighed()) return;
  Layer& state = layers_[static_cast<std::size_t>(layer)];
  const float scale = parts_.shape.attentionScale;
  const int count = state.groups.near.count();
  const int observed = std::min(countInARow(state.groups.near), needs_.observedTokens + block.tokens);
  const int from = isWeighed() ? 0 : count - observed;
  const at::Tensor near =
      receivedNear(state.groups, rotated.plain, output.logSums, from, block, scale, parts_.device);
  const int end = block.first + block.tokens;
  if (isObserved(layer)) {
    const at::Tensor recent = near.narrow(1, near.size(1) - observed, observed);
    const at::Tensor byKvHead = recent.reshape({parts_.shape.kvHeads, parts_.shape.group(), observed}).sum(1);
    parts_.policy.observe(layer, block, byKvHead, {end - observed, end}, parts_.cache);
  }
  if (!isWeighed()) return;
  parts_.tap->weigh(layer, state.groups.near, from, near, parts_.cache);
  if (state.groups.far.count() == 0) return;
  const at::Tensor far = receivedFar(state.groups, rotated.far, output.logSums, block, scale, parts_.device);
  parts_.tap->weigh(layer, state.groups.far, 0, far, parts_.cache);
}

bool ForwardPass::attendsAll(int layer, const StepRows& rows) const {
  return layer + 1 < parts_.shape.layers || rows.outputs == Outputs::All || rows.beacons > 0 || isWeighed() ||
         isObserved(layer);
}

at::Tensor ForwardPass::attendStep(int layer, const Projected& projected, const StepRows& rows) {
  const ModelShape& shape = parts_.shape;
  const std::int64_t all = rows.tokens + rows.beacons;
  at::Tensor out = at::empty({all, shape.heads, shape.headDimension}, projected.queries.options());
  const int firstToken = parts_.cache.chunk(rows.firstChunk).begin;
  std::int64_t nextBeacon = rows.tokens;
  for (int chunk = rows.firstChunk, done = 0; done < rows.tokens; ++chunk) {
    const Run run = parts_.cache.chunk(chunk);
    const int count = run.end - run.begin, at = run.begin - firstToken;
    parts_.cache.write(layer, chunk,
                       {projected.keys.narrow(1, at, count), projected.values.narrow(1, at, count)});
    const Block block{chunk, run.begin, count};
    at::Tensor states;  // a copy: the chunk before an answer's is remembered longer than its step
    if (wantsStates(layer)) states = projected.normed.narrow(0, at, count).clone();
    const at::Tensor queries = projected.queries.narrow(1, at, count).contiguous();
    done += count;
    if (done == rows.tokens || attendsAll(layer, rows))
      out.narrow(0, at, count).copy_(attendChunk(layer, block, queries, states).transpose(0, 1));
    else
      choose(layer, block, queries, states);  // the policy keeps what the chunk is found by
    if (const int beacons = beaconsOf(chunk); beacons > 0) {
      const auto own = [&](const at::Tensor& of) { return of.narrow(1, nextBeacon, beacons).contiguous(); };
      const at::Tensor gathered =
          attendBeacons(layer, block, own(projected.queries), {own(projected.keys), own(projected.values)});
      out.narrow(0, nextBeacon, beacons).copy_(gathered.transpose(0, 1));
      nextBeacon += beacons;
    }
    parts_.breathe();
  }
  return out.view({all, -1});
}

void ForwardPass::addOutput(const at::Tensor& output, const at::Tensor& postNorm, at::Tensor& x) const {
  if (!postNorm.defined()) {
    x.add_(output);
    return;
  }
  x.add_(normalized(output.to(at::kFloat).contiguous(), postNorm, parts_.shape.normEpsilon, at::kFloat));
}

void ForwardPass::addFeedForward(const LayerWeights& weights, at::Tensor& x) const {
  const at::Tensor normed = normalize(x, weights.feedForwardNorm);
  addOutput(feedForward(weights, normed, parts_.shape.activation, parts_.form), weights.postFeedForwardNorm, x);
}

at::Tensor ForwardPass::read(std::span<const TokenId> tokens, int firstChunk, Outputs outputs) {
  const StepRows rows = rowsOf(std::ssize(tokens), firstChunk, outputs);
  at::Tensor x = embed(tokens, rows.beacons);
  for (int layer = 0; layer < parts_.shape.layers; ++layer) {
    const LayerWeights& weights = parts_.weights.layers[static_cast<std::size_t>(layer)];
    at::Tensor attended = attendStep(layer, project(layer, x, rows), rows);
    if (layer + 1 == parts_.shape.layers && outputs == Outputs::LastRow) {
      attended = attended.narrow(0, rows.tokens - 1, 1);
      x = x.narrow(0, rows.tokens - 1, 1);
    }
    addOutput(weights.output.multiply(attended, parts_.form), weights.postAttentionNorm, x);
    addFeedForward(weights, x);
    if (!parts_.keepsGathered) layers_[static_cast<std::size_t>(layer)].groups = {};
    parts_.breathe();
  }
  if (parts_.tap) parts_.tap->countQueries(static_cast<int>(tokens.size()));
  openChunk_ = -1;
  return outputs == Outputs::All ? x.narrow(0, 0, rows.tokens) : x;
}

at::Tensor ForwardPass::logits(const at::Tensor& hidden) const {
  const at::Tensor normed = normalize(hidden.contiguous(), parts_.weights.finalNorm);
  return parts_.weights.outputHead().multiply(normed, parts_.form).to(at::kFloat);
}

std::size_t ForwardPass::bytes() const {
  std::size_t sum = token_.bytes() + localTable_.bytes();
  for (const auto& [scale, table] : tables_) sum += table.bytes();
  for (const Layer& layer : layers_)
    sum +=
        layer.groups.near.bytes() + layer.groups.far.bytes() + layer.beacons.bytes() + layer.before.bytes() +
        layer.open.bytes() +
        (layer.selection.scores.capacity() + layer.selection.words.capacity() + layer.triedQueries.capacity()) *
            sizeof(float);
  return sum;
}

}  // namespace kvasir
