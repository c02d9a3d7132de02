#include "engine/training/beacon_forward.h"

#include <numeric>

namespace kvasir {
namespace {

constexpr int kSinkTokens = 4;  // as the policy's
constexpr float kHidden = -1e30f;

std::vector<int> counting(int first, int count, int step = 1) {
  std::vector<int> numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(first + i * step);
  return numbers;
}

void append(std::vector<int>& to, const std::vector<int>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

}  // namespace

/// Where a lesson's rows stand: its tokens, then the beacons of one window after the other.
struct BeaconForward::Rows {
  const BeaconLesson& lesson;
  std::vector<int> counts;  ///< beacons by window
  int tokens, beacons;

  explicit Rows(const BeaconLesson& of) : lesson(of), tokens(static_cast<int>(of.tokens.size())) {
    for (const int ratio : of.ratios) counts.push_back(of.windowTokens / ratio);
    counts.push_back(0);
    beacons = std::accumulate(counts.begin(), counts.end(), 0);
  }
  int windows() const { return static_cast<int>(counts.size()); }
  int beaconsBefore(int window) const { return std::accumulate(counts.begin(), counts.begin() + window, 0); }
};

/// Tokens and beacons of one window over sinks, earlier beacons and themselves: [heads, tokens + beacons,
/// headDimension].
at::Tensor BeaconForward::attendWindow(const Rows& rows, int window, const at::Tensor& queries,
                                       const at::Tensor& keys, const at::Tensor& values) {
  const ModelShape& shape = frozen_.shape();
  const int length = rows.lesson.windowTokens, first = window * length, before = rows.beaconsBefore(window);
  const int own = rows.counts[static_cast<std::size_t>(window)], each = own > 0 ? length / own : 0;
  const int sinks = window > 0 ? kSinkTokens : 0, base = sinks + before;
  const auto gather = [&](const at::Tensor& from, bool isKey) {
    std::vector<at::Tensor> parts;
    if (isKey) parts = {from.narrow(1, 0, sinks), from.narrow(1, rows.tokens, before)};
    parts.push_back(from.narrow(1, first, length));
    parts.push_back(from.narrow(1, rows.tokens + before, own));
    return at::cat(parts, 1);
  };
  std::vector<int> asking = counting(base, length);
  append(asking, counting(base + each, own, each));
  std::vector<int> places = counting(0, base);
  append(places, asking);

  const int count = length + own;
  at::Tensor mask = at::zeros({count, base + count}, at::kFloat);
  auto cells = mask.accessor<float, 2>();
  for (int row = 0; row < count; ++row) {
    const bool isBeacon = row >= length;
    const int seenTokens = isBeacon ? (row - length + 1) * each : row + 1;
    for (int key = 0; key < count; ++key) {
      const bool isSeen = key < length ? key < seenTokens : isBeacon && key <= row;
      if (!isSeen) cells[row][base + key] = kHidden;
    }
  }
  const at::ScalarType type = frozen_.type();
  const at::Tensor asked = rotated(gather(queries, false), anglesAt(table_, asking))
                               .reshape({shape.kvHeads, -1, shape.headDimension})
                               .to(type);
  const at::Tensor seen = rotated(gather(keys, true), anglesAt(table_, places)).to(type);
  const at::Tensor scores = at::bmm(asked, seen.transpose(1, 2)).to(at::kFloat) * shape.attentionScale +
                            mask.repeat({shape.group(), 1});
  return at::bmm(at::softmax(scores, 2).to(type), gather(values, true).to(type))
      .reshape({shape.heads, count, shape.headDimension});
}

/// [rows, heads · headDimension]
at::Tensor BeaconForward::attend(const Rows& rows, const at::Tensor& queries, const at::Tensor& keys,
                                 const at::Tensor& values) {
  std::vector<at::Tensor> tokens, beacons;
  for (int window = 0; window < rows.windows(); ++window) {
    const at::Tensor attended = attendWindow(rows, window, queries, keys, values);
    const std::int64_t length = rows.lesson.windowTokens;
    tokens.push_back(attended.narrow(1, 0, length));
    beacons.push_back(attended.narrow(1, length, attended.size(1) - length));
  }
  tokens.insert(tokens.end(), beacons.begin(), beacons.end());
  const at::Tensor all = at::cat(tokens, 1);
  return all.transpose(0, 1).reshape({all.size(1), -1});
}

at::Tensor BeaconForward::loss(const BeaconLesson& lesson, const Trained& trained,
                               const std::function<void()>& breathe) {
  const ModelShape& shape = frozen_.shape();
  const at::ScalarType type = frozen_.type();
  const Rows rows(lesson);
  at::Tensor x = at::cat({frozen_.embed(lesson.tokens),
                          (trained.embedding * shape.embeddingScale).expand({rows.beacons, shape.width})});
  for (int layer = 0; layer < shape.layers; ++layer) {
    const FrozenModel::Layer& frozen = frozen_.layer(layer);
    const at::Tensor normed = frozen_.norm(x, frozen.attentionNorm).to(type);
    at::Tensor projected = at::linear(normed, frozen.projections[Adapter::QueryKeyValue]);
    if (!trained.layers.empty()) {
      const Adapter::Change& change = trained.layers[static_cast<std::size_t>(layer)];
      const at::Tensor own = at::linear(
          at::linear(normed.narrow(0, rows.tokens, rows.beacons), change.down.to(type)), change.up.to(type));
      projected =
          at::cat({projected.narrow(0, 0, rows.tokens), projected.narrow(0, rows.tokens, rows.beacons) + own});
    }
    const at::Tensor attended =
        attend(rows, frozen_.heads(projected, 0, shape.heads, frozen.queryNorm),
               frozen_.heads(projected, shape.heads, shape.kvHeads, frozen.keyNorm),
               frozen_.heads(projected, shape.heads + shape.kvHeads, shape.kvHeads, {}));
    x = frozen_.add(x, at::linear(attended, frozen.projections[Adapter::Output]), frozen.postAttentionNorm);
    const at::Tensor gateUp =
        at::linear(frozen_.norm(x, frozen.feedForwardNorm).to(type), frozen.projections[Adapter::GateUp]);
    x = frozen_.add(x, at::linear(frozen_.gated(gateUp), frozen.projections[Adapter::Down]),
                    frozen.postFeedForwardNorm);
    breathe();
  }
  const int first = lesson.windowTokens;  // what it foresees is the first that earlier beacons tell of
  return frozen_.loss(x.narrow(0, first, rows.tokens - first - 1),
                      {lesson.tokens.begin() + first + 1, lesson.tokens.end()});
}

}  // namespace kvasir
