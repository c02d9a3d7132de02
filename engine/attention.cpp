#include "engine/attention.h"

#include <cassert>
#include <ranges>

namespace kvasir {
namespace {

/// The near group's positions start here, moved in large strides so that gathered keys stay valid while
/// generating.
int originFor(const Block& block, int nearLimit) {
  constexpr int kStride = 1024;
  if (nearLimit == 0) return 0;
  return std::max(0, block.first - nearLimit - kChunkTokens) / kStride * kStride;
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

  NearView& view = groups.view;
  view = {0, groups.near.count() - block.tokens};
  if (groups.window == 0) return;
  view.hidden = std::min(view.own, countBefore(groups.near, block.first - groups.window + 1));
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

}  // namespace kvasir
