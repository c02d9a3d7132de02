#include "engine/attention.h"

#include <cassert>
#include <ranges>

namespace kvasir {
namespace {

constexpr float kHidden = -1e30f;  // a score that leaves no weight, yet keeps a row of hidden keys finite

/// The near group's positions start here, moved in large strides so that gathered keys stay valid while
/// generating.
int originFor(const Block& block, int nearLimit) {
  constexpr int kStride = 1024;
  if (nearLimit == 0) return 0;
  return std::max(0, block.first - nearLimit - kChunkTokens) / kStride * kStride;
}

/// [heads, tokens, d] of query heads as [1, kvHeads, group · tokens, d].
at::Tensor byKvHead(const at::Tensor& queries, std::int64_t kvHeads) {
  return queries.reshape({1, kvHeads, -1, queries.size(2)});
}

/// Tokens of the gathered keys [from, to).
std::vector<int> tokensOf(const GatheredKv& gathered, int from, int to) {
  std::vector<int> tokens;
  int place = gathered.keptCount();
  assert(from >= place);
  for (const PlacedRun& placed : gathered.runs()) {
    const int length = placed.keys();
    for (int i = std::max(0, from - place); i < std::min(length, to - place); ++i)
      tokens.push_back(placed.run.begin + i * std::max(1, placed.each));
    place += length;
  }
  return tokens;
}

/// Runs of both groups, before they are gathered.
struct Division {
  std::vector<PlacedRun> near, far;
  int farEnd = 0;  ///< after the last position of a far key

  void addFar(const Run& run, const Placement& placement) {
    far.push_back({run, placement.position, placement.step, placement.group});
    farEnd = std::max(farEnd, placement.position + (run.end - run.begin) * placement.step + 1);
  }
};

/// Runs and beacons in a row that ends where the block's chunk begins.
Division closeUp(const Selection& selection, int chunkBegin, int nearOrigin) {
  Division division;
  for (const Run& run : selection.runs) {
    division.near.push_back({run});
    if (division.near.size() == 1 && selection.beacons.count() > 0) {
      PlacedRun beacons{selection.beacons.run};
      beacons.each = selection.beacons.each;
      division.near.push_back(beacons);
    }
  }
  int end = chunkBegin - nearOrigin;
  for (PlacedRun& placed : std::views::reverse(division.near)) placed.position = end -= placed.keys();
  assert(end >= 0 && "more is seen than the budget");
  return division;
}

Division divide(const Selection& selection, const Block& block, const PositionScheme& positions,
                const KvCache& cache, int nearOrigin) {
  Division division;
  const int farFrom = positions.rules().farFrom;
  for (Run run : selection.runs) {
    if (farFrom > 0) {
      const Run distant{run.begin, std::min(run.end, block.first + block.tokens - farFrom)};
      if (distant.begin < distant.end) division.addFar(distant, positions.place(distant, block));
      // From the start of a chunk, so that gathered keys stay in place while generating.
      const int firstNear = block.first - farFrom + 1;
      if (firstNear > 0) run.begin = std::max(run.begin, cache.chunk(cache.chunkOf(firstNear)).begin);
      if (run.begin < run.end) division.near.push_back({run, run.begin - nearOrigin, 1});
      continue;
    }
    const Placement placement = positions.place(run, block);
    if (placement.isFar)
      division.addFar(run, placement);
    else
      division.near.push_back({run, run.begin - nearOrigin, 1});
  }
  return division;
}

}  // namespace

void arrangeGroups(const Selection& selection, const Block& block, const PositionScheme& positions, int layer,
                   const KvCache& cache, RopeTable& table, AttendedGroups& groups, int mostUnpacked) {
  groups.nearOrigin = originFor(block, positions.nearLimit());
  groups.farFrom = positions.rules().farFrom;
  groups.window = selection.window > 0 ? selection.window : groups.farFrom;
  const Run own{cache.chunk(block.chunk).begin, block.first + block.tokens};
  Division division = positions.rules().closesUp
                          ? closeUp(selection, own.begin, groups.nearOrigin)
                          : divide(selection, block, positions, cache, groups.nearOrigin);
  assert(selection.beacons.count() == 0 || positions.rules().closesUp);
  division.near.push_back({own, own.begin - groups.nearOrigin, 1, 1, true});
  table.grow(std::max({own.end - groups.nearOrigin, division.farEnd, positions.farQuery(own.end) + 1}));
  assert((!selection.kept.defined() || groups.nearOrigin == 0) && "kept tokens have true distances");
  groups.far.arrange({}, division.far, layer, cache, table);
  groups.near.arrange(selection.kept, division.near, layer, cache, table,
                      groups.window == 0 ? mostUnpacked : 0);

  groups.farOpen = groups.far.count();
  if (groups.farFrom > 0) groups.farOpen = countBefore(groups.far, block.first - groups.farFrom + 1);
  NearView& view = groups.view;
  view = {0, 0, groups.near.count() - block.tokens};
  if (groups.window == 0) return;
  view.hidden = std::min(view.own, countBefore(groups.near, block.first - groups.window + 1));
  view.open = std::min(view.own, countBefore(groups.near, block.first + block.tokens - groups.window));
}

at::Tensor rotateNear(const at::Tensor& queries, const Block& block, const AttendedGroups& groups,
                      const RopeTable& table) {
  at::Tensor out = at::empty_like(queries);
  rotate(queries, out, {block.first - groups.nearOrigin, 1}, table);
  return out;
}

at::Tensor rotateFar(const at::Tensor& queries, const Block& block, const PositionScheme& positions,
                     RopeTable& table) {
  table.grow(positions.farQuery(block.first + block.tokens) + 1);
  at::Tensor out = at::empty_like(queries);
  for (int row = 0; row < block.tokens;) {
    const int first = positions.farQuery(block.first + row);
    const int step = row + 1 < block.tokens ? positions.farQuery(block.first + row + 1) - first : 1;
    int rows = 1;
    while (row + rows < block.tokens && positions.farQuery(block.first + row + rows) == first + rows * step)
      ++rows;
    rotate({queries, row}, {out, row}, rows, {first, step}, table);
    row += rows;
  }
  return out;
}

int attendedBy(const AttendedGroups& groups, const Block& block) {
  int near = groups.near.count();
  if (groups.window > 0) near -= countBefore(groups.near, block.first + block.tokens - groups.window);
  return near + groups.far.count();
}

namespace {

/// Which of the gathered keys [from, to) a block's queries do not see: additive, [group · tokens, keys].
struct Mask {
  const GatheredKv& gathered;
  const Block& block;
  int nearest, window;  ///< keys nearer than the one or as far as the other are hidden; window 0: no limit

  at::Tensor of(int from, int to, std::int64_t group, at::ScalarType type) const {
    const std::vector<int> tokens = tokensOf(gathered, from, to);
    at::Tensor mask = at::zeros({block.tokens, to - from}, at::kFloat);
    auto cells = mask.accessor<float, 2>();
    for (int row = 0; row < block.tokens; ++row)
      for (int key = 0; key < to - from; ++key) {
        const int distance = block.first + row - tokens[static_cast<std::size_t>(key)];
        if (distance < nearest || (window > 0 && distance >= window)) cells[row][key] = kHidden;
      }
    return mask.to(type).repeat({group, 1});
  }
};

Mask nearMask(const AttendedGroups& groups, const Block& block) {
  return {groups.near, block, 0, groups.window};
}
Mask farMask(const AttendedGroups& groups, const Block& block) {
  return {groups.far, block, groups.farFrom, 0};
}

at::Tensor received(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& logSums,
                    const std::optional<at::Tensor>& mask, float scale) {
  const std::int64_t kvHeads = keys.size(0);
  // In float32: LibTorch's products of bf16 are slow where the processor has none.
  at::Tensor scores =
      at::bmm(byKvHead(queries, kvHeads).squeeze(0).to(at::kFloat), keys.to(at::kFloat).transpose(1, 2))
          .mul_(scale);
  if (mask) scores.add_(*mask);
  // Hidden keys: exp of very low numbers is slow, and nothing is left of it already here.
  constexpr double kNothing = -80;
  scores.sub_(logSums.reshape({kvHeads, -1, 1})).clamp_min_(kNothing).exp_();
  return scores.view({queries.size(0), queries.size(1), -1}).sum(1);
}

}  // namespace

at::Tensor receivedNear(const AttendedGroups& groups, const at::Tensor& near, const at::Tensor& logSums,
                        int from, const Block& block, float scale) {
  constexpr int kSlice = 4096;  // keys at once, so that a long document's scores are never held whole
  const std::int64_t group = near.size(0) / groups.near.keysInPlace().size(0);
  const NearView& view = groups.view;
  std::vector<at::Tensor> slices;
  for (int begin = from, end = 0; begin < groups.near.count(); begin = end) {
    end = std::min(begin + kSlice, begin < view.own ? view.own : groups.near.count());
    std::optional<at::Tensor> mask;
    if (begin < view.open || begin >= view.own)
      mask = nearMask(groups, block).of(begin, end, group, at::kFloat);
    slices.push_back(received(near, groups.near.keysAt(begin, end), logSums, mask, scale));
  }
  return at::cat(slices, 1);
}

at::Tensor receivedFar(const AttendedGroups& groups, const at::Tensor& far, const at::Tensor& logSums,
                       const Block& block, float scale) {
  const at::Tensor keys = groups.far.keysInPlace();
  const int count = groups.far.count(), open = groups.farOpen;
  if (open == count) return received(far, keys, logSums, {}, scale);
  const at::Tensor hidden = farMask(groups, block).of(open, count, far.size(0) / keys.size(0), at::kFloat);
  const at::Tensor last = received(far, keys.narrow(1, open, count - open), logSums, hidden, scale);
  return open == 0 ? last : at::cat({received(far, keys.narrow(1, 0, open), logSums, {}, scale), last}, 1);
}

}  // namespace kvasir
