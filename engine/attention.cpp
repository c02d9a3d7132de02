#include "engine/attention.h"

#include <cassert>

namespace kvasir {
namespace {

constexpr float kHidden = -1e30f;  // a score that leaves no weight, yet keeps a row of hidden keys finite

/// The near group's positions start here, moved in large strides so that gathered keys stay valid while generating.
int originFor(const Block& block, int nearLimit) {
  constexpr int kStride = 1024;
  if (nearLimit == 0) return 0;
  return std::max(0, block.first - nearLimit - kChunkTokens) / kStride * kStride;
}

/// [heads, tokens, d] of query heads as [1, kvHeads, group · tokens, d].
at::Tensor byKvHead(const at::Tensor& queries, std::int64_t kvHeads) {
  return queries.reshape({1, kvHeads, -1, queries.size(2)});
}

}  // namespace

void GatheredKv::keepPrefix(const std::vector<PlacedRun>& runs) {
  std::size_t same = 0;
  int count = 0;
  for (; same < runs_.size() && same < runs.size() && runs_[same] == runs[same]; ++same)
    count += runs_[same].run.end - runs_[same].run.begin;
  const bool grows = same + 1 == runs_.size() && same < runs.size() && runs_[same].run.begin == runs[same].run.begin &&
                     runs_[same].position == runs[same].position && runs_[same].step == runs[same].step &&
                     runs_[same].run.end <= runs[same].run.end;
  if (grows) {
    count += runs_[same].run.end - runs_[same].run.begin;
    ++same;
  }
  runs_.resize(same);
  count_ = count;
}

void GatheredKv::reserve(int tokens, const at::Tensor& like) {
  if (keys_.defined() && keys_.size(1) >= tokens) return;
  const std::int64_t capacity = std::max<std::int64_t>(tokens + kChunkTokens, count_ * 3LL / 2);
  const auto grow = [&](at::Tensor& held) {
    at::Tensor larger = at::empty({like.size(0), capacity, like.size(2)}, like.options());
    if (held.defined()) larger.narrow(1, 0, count_).copy_(held.narrow(1, 0, count_));
    held = larger;
  };
  grow(keys_);
  grow(values_);
}

void GatheredKv::append(const PlacedRun& placed, int layer, const KvCache& cache, const RopeTable& table) {
  for (int chunk = cache.chunkOf(placed.run.begin); chunk < cache.chunks(); ++chunk) {
    const Run whole = cache.chunk(chunk);
    if (whole.begin >= placed.run.end) break;
    const int begin = std::max(whole.begin, placed.run.begin), end = std::min(whole.end, placed.run.end);
    const KvTensors kv = cache.read(layer, chunk);
    const int tokens = end - begin, offset = begin - whole.begin;
    reserve(count_ + tokens, kv.keys);
    const int position = placed.position + (begin - placed.run.begin) * placed.step;
    rotate(kv.keys.narrow(1, offset, tokens), keys_.narrow(1, count_, tokens), {position, placed.step}, table);
    values_.narrow(1, count_, tokens).copy_(kv.values.narrow(1, offset, tokens));
    count_ += tokens;
  }
}

void GatheredKv::arrange(const std::vector<PlacedRun>& runs, int layer, const KvCache& cache, const RopeTable& table) {
  keepPrefix(runs);
  for (std::size_t i = runs_.empty() ? 0 : runs_.size() - 1; i < runs.size(); ++i) {
    PlacedRun rest = runs[i];
    if (i < runs_.size()) {  // the last one kept may have grown
      const int have = runs_[i].run.end - runs_[i].run.begin;
      rest.run.begin += have;
      rest.position += have * rest.step;
    }
    append(rest, layer, cache, table);
  }
  runs_ = runs;
}

void arrangeGroups(const Selection& selection, const Block& block, const PositionScheme& positions, int layer,
                   const KvCache& cache, RopeTable& table, AttendedGroups& groups) {
  groups.nearOrigin = originFor(block, positions.nearLimit());
  std::vector<PlacedRun> near, far;
  int farEnd = 0;
  for (const Run& run : selection.runs) {
    const Placement placement = positions.place(run, block);
    if (placement.isFar) {
      far.push_back({run, placement.position, placement.step});
      farEnd = std::max(farEnd, placement.position + (run.end - run.begin) * placement.step + 1);
    } else {
      near.push_back({run, run.begin - groups.nearOrigin, 1});
    }
  }
  const Run own{cache.chunk(block.chunk).begin, block.first + block.tokens};
  near.push_back({own, own.begin - groups.nearOrigin, 1});
  table.grow(std::max({own.end - groups.nearOrigin, farEnd, positions.farQuery(own.end) + 1}));
  groups.far.arrange(far, layer, cache, table);
  groups.near.arrange(near, layer, cache, table);

  NearView& view = groups.view;
  view = {0, 0, groups.near.count() - block.tokens};
  if (selection.window == 0) return;
  const int firstToken = near.front().run.begin;
  assert(own.end - firstToken == groups.near.count() && "a window sees one stretch of near keys");
  const auto placeOf = [&](int token) { return std::clamp(token - firstToken, 0, view.own); };
  view.hidden = placeOf(block.first - selection.window + 1);
  view.open = placeOf(block.first + block.tokens - selection.window);
}

at::Tensor rotateNear(const at::Tensor& queries, const Block& block, const AttendedGroups& groups, const RopeTable& table) {
  at::Tensor out = at::empty_like(queries);
  rotate(queries, out, {block.first - groups.nearOrigin, 1}, table);
  return out;
}

at::Tensor rotateFar(const at::Tensor& queries, const Block& block, const PositionScheme& positions, RopeTable& table) {
  table.grow(positions.farQuery(block.first + block.tokens) + 1);
  at::Tensor out = at::empty_like(queries);
  for (int row = 0; row < block.tokens;) {
    const int first = positions.farQuery(block.first + row);
    const int step = row + 1 < block.tokens ? positions.farQuery(block.first + row + 1) - first : 1;
    int rows = 1;
    while (row + rows < block.tokens && positions.farQuery(block.first + row + rows) == first + rows * step) ++rows;
    rotate(queries.narrow(1, row, rows), out.narrow(1, row, rows), {first, step}, table);
    row += rows;
  }
  return out;
}

int attendedBy(const AttendedGroups& groups, const Block& block, const Selection& selection) {
  int near = groups.near.count();
  if (selection.window > 0) {
    const int firstToken = groups.near.runs().front().run.begin;
    near = std::min(near, block.first + block.tokens - std::max(firstToken, block.first + block.tokens - selection.window));
  }
  return near + groups.far.count();
}

namespace {

/// Additive mask [group · tokens, keys] of gathered near keys [from, to).
at::Tensor maskOf(const AttendedGroups& groups, int from, int to, const Block& block, const Selection& selection,
                  std::int64_t group, at::ScalarType type) {
  const int firstKey = block.first - groups.view.own;  // token of gathered key 0, were all one stretch
  at::Tensor mask = at::zeros({block.tokens, to - from}, at::kFloat);
  auto cells = mask.accessor<float, 2>();
  for (int row = 0; row < block.tokens; ++row)
    for (int key = from; key < to; ++key) {
      const int distance = block.first + row - (firstKey + key);
      if (distance < 0 || (selection.window > 0 && distance >= selection.window)) cells[row][key - from] = kHidden;
    }
  return mask.to(type).repeat({group, 1});
}

/// Running merge of attention over parts of the keys into attention over all of them.
struct Merge {
  at::Tensor values, logSums;  ///< [kvHeads, rows, d] float32 and [kvHeads, rows]

  void add(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& keyValues,
           const std::optional<at::Tensor>& mask, float scale) {
    auto [partValues, partSums] = at::_scaled_dot_product_flash_attention_for_cpu(
        queries, keys.unsqueeze(0), keyValues.unsqueeze(0), 0.0, false, mask, static_cast<double>(scale));
    partValues = partValues.squeeze(0);
    partSums = partSums.squeeze(0);
    if (!values.defined()) {
      values = partValues;
      logSums = partSums;
      return;
    }
    const at::Tensor sums = at::logaddexp(logSums, partSums);
    values = values.to(at::kFloat).mul((logSums - sums).exp_().unsqueeze(-1));
    values.addcmul_(partValues.to(at::kFloat), (partSums - sums).exp_().unsqueeze(-1));
    logSums = sums;
  }
};

}  // namespace

BlockOutput attendBlock(const AttendedGroups& groups, const at::Tensor& near, const at::Tensor& far, const Block& block,
                        const Selection& selection, float scale) {
  const at::Tensor keys = groups.near.keys(), values = groups.near.values();
  const std::int64_t kvHeads = keys.size(0), group = near.size(0) / kvHeads;
  const at::Tensor queries = byKvHead(near, kvHeads);
  const NearView& view = groups.view;
  Merge merge;
  const auto addNear = [&](int from, int to, bool isMasked) {
    if (from >= to) return;
    std::optional<at::Tensor> mask;
    if (isMasked) mask = maskOf(groups, from, to, block, selection, group, near.scalar_type());
    merge.add(queries, keys.narrow(1, from, to - from), values.narrow(1, from, to - from), mask, scale);
  };
  addNear(view.own, groups.near.count(), true);
  addNear(view.open, view.own, false);
  addNear(view.hidden, view.open, true);
  if (groups.far.count() > 0) merge.add(byKvHead(far, kvHeads), groups.far.keys(), groups.far.values(), {}, scale);
  return {merge.values.to(near.scalar_type()).reshape(near.sizes()), merge.logSums.reshape({near.size(0), block.tokens})};
}

namespace {

at::Tensor received(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& logSums,
                    const std::optional<at::Tensor>& mask, float scale) {
  const std::int64_t kvHeads = keys.size(0);
  at::Tensor scores = at::bmm(byKvHead(queries, kvHeads).squeeze(0), keys.transpose(1, 2)).to(at::kFloat).mul_(scale);
  if (mask) scores.add_(*mask);
  // Hidden keys: exp of very low numbers is slow, and nothing is left of it already here.
  constexpr double kNothing = -80;
  scores.sub_(logSums.reshape({kvHeads, -1, 1})).clamp_min_(kNothing).exp_();
  return scores.view({queries.size(0), queries.size(1), -1}).sum(1);
}

}  // namespace

at::Tensor receivedNear(const AttendedGroups& groups, const at::Tensor& near, const at::Tensor& logSums, int from,
                        const Block& block, const Selection& selection, float scale) {
  constexpr int kSlice = 4096;  // keys at once, so that a long document's scores are never held whole
  const at::Tensor keys = groups.near.keys();
  const std::int64_t group = near.size(0) / keys.size(0);
  const NearView& view = groups.view;
  std::vector<at::Tensor> slices;
  for (int begin = from, end = 0; begin < groups.near.count(); begin = end) {
    end = std::min(begin + kSlice, begin < view.own ? view.own : groups.near.count());
    std::optional<at::Tensor> mask;
    if (begin < view.open || begin >= view.own) mask = maskOf(groups, begin, end, block, selection, group, at::kFloat);
    slices.push_back(received(near, keys.narrow(1, begin, end - begin), logSums, mask, scale));
  }
  return at::cat(slices, 1);
}

at::Tensor receivedFar(const AttendedGroups& groups, const at::Tensor& far, const at::Tensor& logSums, float scale) {
  return received(far, groups.far.keys(), logSums, {}, scale);
}

}  // namespace kvasir
