#include "engine/attention.h"

#include <cassert>
#include <cstring>
#include <numeric>
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

/// Between tensors of one type.
void copy(HeadRows from, HeadRows to, std::int64_t rows) {
  assert(from.tensor.scalar_type() == to.tensor.scalar_type());
  assert((from.tensor.size(1) == 1 || from.tensor.stride(1) == from.tensor.size(2)) &&
         from.tensor.stride(2) == 1);
  const auto width = static_cast<std::int64_t>(from.tensor.element_size());
  const auto* in = static_cast<const std::byte*>(from.tensor.const_data_ptr());
  auto* out = static_cast<std::byte*>(to.tensor.mutable_data_ptr());
  for (std::int64_t head = 0; head < from.tensor.size(0); ++head)
    std::memcpy(out + to.offset(head) * width, in + from.offset(head) * width,
                static_cast<std::size_t>(rows * from.tensor.size(2) * width));
}

/// [heads, tokens, d] of query heads as [1, kvHeads, group · tokens, d].
at::Tensor byKvHead(const at::Tensor& queries, std::int64_t kvHeads) {
  return queries.reshape({1, kvHeads, -1, queries.size(2)});
}

}  // namespace

void GatheredKv::keepPrefix(const std::vector<PlacedRun>& runs) {
  std::size_t same = 0;
  int count = keptCount();
  for (; same < inPlace_.size() && same < runs.size() && inPlace_[same] == runs[same]; ++same)
    count += inPlace_[same].keys();
  const bool grows = same + 1 == inPlace_.size() && same < runs.size() &&
                     inPlace_[same].run.begin == runs[same].run.begin &&
                     inPlace_[same].position == runs[same].position && inPlace_[same].step == runs[same].step &&
                     inPlace_[same].group == runs[same].group && inPlace_[same].isOwn == runs[same].isOwn &&
                     inPlace_[same].each == runs[same].each && inPlace_[same].run.end <= runs[same].run.end;
  if (grows) {
    count += inPlace_[same].keys();
    ++same;
  }
  inPlace_.resize(same);
  count_ = count;
  mirror_.count = std::min(mirror_.count, count);
}

void GatheredKv::reserve(int tokens, const at::Tensor& like) {
  if (keys_.defined() && keys_.size(1) >= tokens) return;
  // Room for more is a part of what is there: 1/16 moves each key some 16 times while a text is read, which is
  // little beside attending to it, and a half would be memory for nothing.
  constexpr int kGrowth = 16;
  const int wanted = std::max(tokens, expected_);
  const std::int64_t capacity = wanted + (grows_ ? std::max(kChunkTokens, wanted / kGrowth) : 0);
  const auto grow = [&](at::Tensor& held) {
    at::Tensor larger = at::empty({like.size(0), capacity, like.size(2)}, like.options());
    if (count_ > 0) larger.narrow(1, 0, count_).copy_(held.narrow(1, 0, count_));
    // Written to, so that what it takes does not depend on what stood there before.
    larger.narrow(1, wanted, capacity - wanted).zero_();
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
    const KvTensors kv = placed.each > 0 ? cache.readBeacons(layer, chunk) : cache.read(layer, chunk);
    const int each = std::max(1, placed.each), rows = (end - begin) / each,
              offset = (begin - whole.begin) / each;
    reserve(count_ + rows, kv.keys);
    const int position = placed.position + (begin - placed.run.begin) / each * placed.step;
    rotate({kv.keys, offset}, {keys_, count_}, rows, {position, placed.step, placed.group}, table);
    copy({kv.values, offset}, {values_, count_}, rows);
    count_ += rows;
  }
}

void GatheredKv::startWith(const at::Tensor& kept, int layer, const KvCache& cache, const RopeTable& table) {
  inPlace_.clear();
  count_ = mirror_.count = 0;
  table_ = &table;
  kept_ = kept;
  const int count = keptCount();
  if (count == 0) return;
  const KvTensors rows = cache.readKept(layer, kept);
  reserve(count, rows.keys);
  rotateEach(rows.keys, keys_.narrow(1, 0, count), kept, table);
  values_.narrow(1, 0, count).copy_(rows.values);
  count_ = count;
}

/// Takes from the front of `runs` the whole chunks that the cache has packed.
void GatheredKv::leavePacked(std::vector<PlacedRun>& runs, int layer, const KvCache& cache) {
  std::size_t same = 0, first = 0;
  for (; first < runs.size() && !runs[first].isOwn && runs[first].each == 0; ++first) {
    PlacedRun& left = runs[first];
    for (int chunk = cache.chunkOf(left.run.begin); left.run.begin < left.run.end; ++chunk) {
      const Run whole = cache.chunk(chunk);
      if (whole.begin != left.run.begin || whole.end > std::min(left.run.end, cache.packedTokens())) break;
      PlacedRun piece = left;
      piece.run = whole;
      if (same == packed_.size() || packed_[same].placed != piece) {
        packed_.resize(same);
        packed_.push_back({piece, cache.packed(layer, chunk)});
      }
      ++same;
      left.position += (whole.end - whole.begin) * left.step;
      left.run.begin = whole.end;
    }
    if (left.run.begin < left.run.end) break;
  }
  packed_.resize(same);
  runs.erase(runs.begin(), runs.begin() + static_cast<std::ptrdiff_t>(first));
}

void GatheredKv::arrange(const at::Tensor& kept, const std::vector<PlacedRun>& runs, int layer,
                         const KvCache& cache, const RopeTable& table, int mostUnpacked) {
  const auto keysOf = [](const std::vector<PlacedRun>& some) {
    return std::accumulate(some.begin(), some.end(), 0,
                           [](int sum, const PlacedRun& run) { return sum + run.keys(); });
  };
  std::vector<PlacedRun> rest = runs;
  const int all = keysOf(runs);
  if (mostUnpacked > 0 && all > mostUnpacked && !kept.defined() && cache.packedTokens() > 0) {
    if (packed_.empty()) *this = {};  // what was in place goes
    leavePacked(rest, layer, cache);
    codec_ = &cache.codec();
  } else {
    packed_.clear();
  }
  packedCount_ = all - keysOf(rest);
  expected_ = all - packedCount_ + (kept.defined() ? static_cast<int>(kept.size(1)) : 0);
  grows_ = std::ranges::any_of(rest, &PlacedRun::isOwn);
  if (table_ != &table || !kept_.is_same(kept)) startWith(kept, layer, cache, table);
  keepPrefix(rest);
  for (std::size_t i = inPlace_.empty() ? 0 : inPlace_.size() - 1; i < rest.size(); ++i) {
    PlacedRun added = rest[i];
    if (i < inPlace_.size()) {  // the last one kept may have grown
      added.run.begin = inPlace_[i].run.end;
      added.position += inPlace_[i].keys() * added.step;
    }
    append(added, layer, cache, table);
  }
  inPlace_ = std::move(rest);
  runs_ = runs;
}

void GatheredKv::dropLast(int tokens) {
  assert(!inPlace_.empty() && inPlace_.back().isOwn);
  for (std::vector<PlacedRun>* runs : {&runs_, &inPlace_}) runs->back().run.end -= tokens;
  count_ -= tokens;
  mirror_.count = std::min(mirror_.count, count_);
}

KvTensors GatheredKv::unpacked(std::span<const PackedChunk> chunks) const {
  std::vector<std::int64_t> places = {0};
  for (const PackedChunk& chunk : chunks) places.push_back(places.back() + chunk.placed.keys());
  const std::vector<std::int64_t> sizes = {keys_.size(0), places.back(), keys_.size(2)};
  const KvTensors all{at::empty(sizes, keys_.options()), at::empty(sizes, keys_.options())};
  const KvShape shape{1, static_cast<int>(keys_.size(0)), static_cast<int>(keys_.size(2))};
  at::parallel_for(0, std::ssize(chunks), 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      const PlacedRun& placed = chunks[i].placed;
      const KvTensors kv = codec_->decode(shape, placed.keys(), chunks[i].bytes);
      rotate({kv.keys}, {all.keys, places[i]}, placed.keys(), {placed.position, placed.step, placed.group},
             *table_);
      copy({kv.values}, {all.values, places[i]}, placed.keys());
    }
  });
  return all;
}

at::Tensor GatheredKv::keysAt(int from, int to) const {
  std::vector<at::Tensor> keys;
  int place = 0;
  for (const PackedChunk& chunk : packed_) {
    const int begin = std::max(from, place), end = std::min(to, place + chunk.placed.keys());
    if (begin < end) keys.push_back(unpacked({&chunk, 1}).keys.narrow(1, begin - place, end - begin));
    place += chunk.placed.keys();
  }
  if (to > place) {
    const int begin = std::max(from, place);
    keys.push_back(keys_.narrow(1, begin - place, to - begin));
  }
  return keys.size() == 1 ? keys[0] : at::cat(keys, 1);
}

template <class Value>
KvRows<Value> GatheredKv::onDevice(const Accelerator& device) const {
  assert(packed_.empty());
  const std::int64_t heads = keys_.size(0), width = keys_.size(2);
  if (mirror_.capacity < count_) {
    // By half at least: what is there is copied anew, over a slower way than within memory.
    const std::int64_t capacity = std::max(keys_.size(1), mirror_.capacity * 3 / 2);
    const auto bytes = static_cast<std::size_t>(heads * capacity * width) * sizeof(Value);
    const auto hold = [&] { return device.hold(bytes, Accelerator::kLeftByKeys); };
    mirror_ = {};  // before what takes its place
    mirror_ = {hold(), hold(), capacity, 0};
  }
  const std::int64_t first = mirror_.count * width;
  const auto bytes = static_cast<std::size_t>((count_ - mirror_.count) * width) * sizeof(Value);
  for (std::int64_t head = 0; bytes > 0 && head < heads; ++head) {
    const std::int64_t to = head * mirror_.capacity * width + first, from = head * headStride() + first;
    device.copyIn(mirror_.keys.at<Value>() + to, keyRows<Value>() + from, bytes);
    device.copyIn(mirror_.values.at<Value>() + to, valueRows<Value>() + from, bytes);
  }
  mirror_.count = count_;
  return {mirror_.keys.at<Value>(), mirror_.values.at<Value>(), mirror_.capacity * width};
}
template KvRows<float> GatheredKv::onDevice(const Accelerator& device) const;
template KvRows<std::uint16_t> GatheredKv::onDevice(const Accelerator& device) const;

int countBefore(const GatheredKv& gathered, int token) {
  assert(gathered.keptCount() == 0 && "tokens that heads name for themselves are seen by all");
  assert(std::ranges::all_of(gathered.runs(), [](const PlacedRun& placed) { return placed.each == 0; }));
  int count = 0;
  for (const PlacedRun& placed : gathered.runs())
    count += std::clamp(token - placed.run.begin, 0, placed.run.end - placed.run.begin);
  return count;
}

namespace {

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
  const std::int64_t group = near.size(0) / groups.near.keys().size(0);
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
  const at::Tensor keys = groups.far.keys();
  const int count = groups.far.count(), open = groups.farOpen;
  if (open == count) return received(far, keys, logSums, {}, scale);
  const at::Tensor hidden = farMask(groups, block).of(open, count, far.size(0) / keys.size(0), at::kFloat);
  const at::Tensor last = received(far, keys.narrow(1, open, count - open), logSums, hidden, scale);
  return open == 0 ? last : at::cat({received(far, keys.narrow(1, 0, open), logSums, {}, scale), last}, 1);
}

}  // namespace kvasir
