#include "engine/attention.h"

#include <cassert>
#include <cstring>
#include <ranges>

#include "kernels/attend_block.h"

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
  for (; same < runs_.size() && same < runs.size() && runs_[same] == runs[same]; ++same)
    count += runs_[same].keys();
  const bool grows = same + 1 == runs_.size() && same < runs.size() &&
                     runs_[same].run.begin == runs[same].run.begin &&
                     runs_[same].position == runs[same].position && runs_[same].step == runs[same].step &&
                     runs_[same].group == runs[same].group && runs_[same].isOwn == runs[same].isOwn &&
                     runs_[same].each == runs[same].each && runs_[same].run.end <= runs[same].run.end;
  if (grows) {
    count += runs_[same].keys();
    ++same;
  }
  runs_.resize(same);
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
  runs_.clear();
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

void GatheredKv::arrange(const at::Tensor& kept, const std::vector<PlacedRun>& runs, int layer,
                         const KvCache& cache, const RopeTable& table) {
  expected_ = kept.defined() ? static_cast<int>(kept.size(1)) : 0;
  grows_ = false;
  for (const PlacedRun& placed : runs) {
    expected_ += placed.keys();
    grows_ = grows_ || placed.isOwn;
  }
  if (table_ != &table || !kept_.is_same(kept)) startWith(kept, layer, cache, table);
  keepPrefix(runs);
  for (std::size_t i = runs_.empty() ? 0 : runs_.size() - 1; i < runs.size(); ++i) {
    PlacedRun rest = runs[i];
    if (i < runs_.size()) {  // the last one kept may have grown
      rest.run.begin = runs_[i].run.end;
      rest.position += runs_[i].keys() * rest.step;
    }
    append(rest, layer, cache, table);
  }
  runs_ = runs;
}

template <class Value>
DeviceRows<Value> GatheredKv::onDevice(const Accelerator& device) const {
  if (mirror_.capacity < count_) {
    mirror_ = {};  // before what takes its place
    const auto hold = [&] { return device.hold(keys_.nbytes(), Accelerator::kLeftByKeys); };
    mirror_ = {hold(), hold(), keys_.size(1), 0};
  }
  const std::int64_t width = keys_.size(2), first = mirror_.count * width;
  const auto bytes = static_cast<std::size_t>((count_ - mirror_.count) * width) * sizeof(Value);
  for (std::int64_t head = 0; bytes > 0 && head < keys_.size(0); ++head) {
    const std::int64_t to = head * mirror_.capacity * width + first, from = head * headStride() + first;
    device.copyIn(mirror_.keys.at<Value>() + to, keyRows<Value>() + from, bytes);
    device.copyIn(mirror_.values.at<Value>() + to, valueRows<Value>() + from, bytes);
  }
  mirror_.count = count_;
  return {mirror_.keys.at<Value>(), mirror_.values.at<Value>(), mirror_.capacity * width};
}

namespace {

/// Of gathered keys, ascending: how many come before a token.
int countBefore(const GatheredKv& gathered, int token) {
  assert(gathered.keptCount() == 0 && "tokens that heads name for themselves are seen by all");
  assert(std::ranges::all_of(gathered.runs(), [](const PlacedRun& placed) { return placed.each == 0; }));
  int count = 0;
  for (const PlacedRun& placed : gathered.runs())
    count += std::clamp(token - placed.run.begin, 0, placed.run.end - placed.run.begin);
  return count;
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
                   const KvCache& cache, RopeTable& table, AttendedGroups& groups) {
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
  groups.near.arrange(selection.kept, division.near, layer, cache, table);

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

/// The keys of a group, in places of the gathered ones, that each row of a KV head's queries sees: [group ·
/// tokens].
struct SeenKeys {
  std::vector<int> begins, ends;

  /// beginOf, endOf: of a row of the queries.
  template <class Begin, class End>
  SeenKeys(std::int64_t group, int rows, const Begin& beginOf, const End& endOf) {
    for (std::int64_t head = 0; head < group; ++head)
      for (int row = 0; row < rows; ++row) {
        begins.push_back(head == 0 ? beginOf(row) : begins[static_cast<std::size_t>(row)]);
        ends.push_back(head == 0 ? endOf(row) : ends[static_cast<std::size_t>(row)]);
      }
  }
};

SeenKeys nearKeys(const AttendedGroups& groups, const Block& block, std::int64_t group) {
  const auto begin = [&](int row) {
    return groups.window == 0 ? 0 : countBefore(groups.near, block.first + row - groups.window + 1);
  };
  return {group, block.tokens, begin, [&](int row) { return groups.view.own + row + 1; }};
}

SeenKeys farKeys(const AttendedGroups& groups, const Block& block, std::int64_t group) {
  const auto end = [&](int row) {
    return groups.farFrom == 0 ? groups.far.count()
                               : countBefore(groups.far, block.first + row - groups.farFrom + 1);
  };
  return {group, block.tokens, [](int) { return 0; }, end};
}

/// Where a group's numbers lie, on the processor or on a device.
template <class Value>
struct GroupMemory {
  const Value* queries = nullptr;  ///< [heads, rows, headDimension]
  DeviceRows<Value> rows;
  const int *begins = nullptr, *ends = nullptr;  ///< as SeenKeys has them
};

/// Results of a block as they grow, and as they are given back.
struct BlockSums {
  std::int64_t rows, dimension;  ///< of all heads
  at::Tensor numbers;            ///< output [rows, dimension], the largest [rows] and the sum [rows], in a row
  BlockOutput result;

  explicit BlockSums(const at::Tensor& queries)
      : rows(queries.size(0) * queries.size(1)),
        dimension(queries.size(2)),
        numbers(at::zeros({rows * (dimension + 2)}, at::kFloat)),
        result{at::empty_like(queries), at::empty({queries.size(0), queries.size(1)}, at::kFloat)} {
    std::fill_n(start() + largestAt(), rows, -std::numeric_limits<float>::infinity());
  }

  float* start() { return numbers.data_ptr<float>(); }
  std::int64_t largestAt() const { return rows * dimension; }
  std::int64_t sumAt() const { return rows * (dimension + 1); }

  template <class Value>
  void finish(std::int64_t begin, std::int64_t end) {
    const float *sums = start() + sumAt(), *most = start() + largestAt();
    for (std::int64_t row = begin; row < end; ++row) {
      const float* in = start() + row * dimension;
      auto* out = static_cast<Value*>(result.values.mutable_data_ptr()) + row * dimension;
      for (std::int64_t i = 0; i < dimension; ++i) writeValue(in[i] / sums[row], out + i);
      result.logSums.data_ptr<float>()[row] = most[row] + std::log(sums[row]);
    }
  }
};

/// Rotated queries and the keys they meet, which each row sees a part of.
struct Meeting {
  const GatheredKv& gathered;
  const at::Tensor& queries;  ///< [heads, rows, headDimension]
  SeenKeys seen;
};

/// Softmax over all meetings as one; the first has keys.
template <class Value>
class MeetingAttention {
 public:
  MeetingAttention(const std::vector<Meeting>& meetings, float scale)
      : meetings_(meetings),
        scale_(scale),
        kvHeads_(meetings.front().gathered.keys().size(0)),
        rows_(meetings.front().queries.size(0) / kvHeads_ * meetings.front().queries.size(1)),
        sums_(meetings.front().queries) {}

  BlockOutput onProcessor() {
    constexpr std::int64_t kLeastRows = 32;  // of a thread
    at::parallel_for(0, kvHeads_ * rows_, kLeastRows, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t head = begin / rows_; head * rows_ < end; ++head) {
        const std::int64_t first = std::max(begin, head * rows_) - head * rows_;
        const std::int64_t last = std::min(end, (head + 1) * rows_) - head * rows_;
        for (const Meeting& meeting : meetings_) {
          if (meeting.gathered.count() == 0) continue;
          const GatheredKv& gathered = meeting.gathered;
          const GroupMemory<Value> memory{
              static_cast<const Value*>(meeting.queries.const_data_ptr()),
              {gathered.keyRows<Value>(), gathered.valueRows<Value>(), gathered.headStride()},
              meeting.seen.begins.data(),
              meeting.seen.ends.data()};
          attendRows(attentionOf(memory, gathered.count(), head, sums_.start()), first, last);
        }
        sums_.finish<Value>(head * rows_ + first, head * rows_ + last);
      }
    });
    return sums_.result;
  }

  /// Throws DeviceFull.
  BlockOutput onDevice(Accelerator& device) {
    using Room = Accelerator::Room;
    auto* sums = device.roomOf<float>(Room::Sums, sums_.numbers.numel());
    device.copyIn(sums, sums_.start(), sums_.numbers.nbytes());
    for (const Meeting& meeting : meetings_) {
      if (meeting.gathered.count() == 0) continue;
      const GroupMemory<Value> memory = copied(meeting, device);
      for (std::int64_t head = 0; head < kvHeads_; ++head)
        device.run(device.kernels().attendRows.of<Value>(),
                   attentionOf(memory, meeting.gathered.count(), head, sums), rows_);
    }
    device.copyOut(sums_.start(), sums, sums_.numbers.nbytes());
    sums_.finish<Value>(0, kvHeads_ * rows_);
    return sums_.result;
  }

 private:
  /// Of one KV head.
  BlockAttention<Value> attentionOf(const GroupMemory<Value>& memory, int count, std::int64_t head,
                                    float* sums) const {
    BlockAttention<Value> attention;
    attention.dimension = static_cast<int>(sums_.dimension);
    attention.queries = memory.queries + head * rows_ * sums_.dimension;
    attention.keys = memory.rows.keys + head * memory.rows.headStride;
    attention.values = memory.rows.values + head * memory.rows.headStride;
    attention.count = count;
    attention.begins = memory.begins;
    attention.ends = memory.ends;
    attention.scale = scale_;
    attention.output = sums + head * rows_ * sums_.dimension;
    attention.largest = sums + sums_.largestAt() + head * rows_;
    attention.sum = sums + sums_.sumAt() + head * rows_;
    return attention;
  }

  GroupMemory<Value> copied(const Meeting& meeting, Accelerator& device) const {
    using Room = Accelerator::Room;
    const at::Tensor queries = meeting.queries.contiguous();
    auto* to = device.roomOf<Value>(Room::Queries, queries.numel());
    device.copyIn(to, queries.const_data_ptr(), queries.nbytes());
    auto* seen = device.roomOf<int>(Room::Seen, 2 * rows_);
    const auto bytes = static_cast<std::size_t>(rows_) * sizeof(int);
    device.copyIn(seen, meeting.seen.begins.data(), bytes);
    device.copyIn(seen + rows_, meeting.seen.ends.data(), bytes);
    return {to, meeting.gathered.onDevice<Value>(device), seen, seen + rows_};
  }

  const std::vector<Meeting>& meetings_;
  float scale_;
  std::int64_t kvHeads_, rows_;  ///< rows: of a KV head
  BlockSums sums_;
};

template <class Value>
BlockOutput attendAs(const std::vector<Meeting>& meetings, float scale, Accelerator* device) {
  if (device && device->attends()) {
    try {
      return MeetingAttention<Value>(meetings, scale).onDevice(*device);
    } catch (const DeviceFull&) {
      // What is attended to is larger than the device's memory: the processor has it all.
    }
  }
  return MeetingAttention<Value>(meetings, scale).onProcessor();
}

BlockOutput attendMeetings(const std::vector<Meeting>& meetings, float scale, Accelerator* device) {
  if (meetings.front().queries.scalar_type() == at::kFloat) return attendAs<float>(meetings, scale, device);
  return attendAs<std::uint16_t>(meetings, scale, device);
}

}  // namespace

BlockOutput attendBlock(const AttendedGroups& groups, const at::Tensor& near, const at::Tensor& far,
                        const Block& block, float scale, Accelerator* device) {
  const std::int64_t group = near.size(0) / groups.near.keys().size(0);
  return attendMeetings(
      {{groups.near, near, nearKeys(groups, block, group)}, {groups.far, far, farKeys(groups, block, group)}},
      scale, device);
}

BlockOutput attendBeacons(const AttendedGroups& groups, const GatheredKv& own, const at::Tensor& queries,
                          const Block& block, float scale, Accelerator* device) {
  const std::int64_t group = queries.size(0) / groups.near.keys().size(0);
  const int beacons = static_cast<int>(queries.size(1)), each = block.tokens / beacons;
  // A beacon stands where the token after those it stands for does.
  const auto next = [&](int beacon) { return (beacon + 1) * each; };
  const auto begin = [&](int beacon) {
    if (groups.window == 0) return 0;
    return countBefore(groups.near, block.first + next(beacon) - groups.window + 1);
  };
  const auto ownEnd = [&](int beacon) { return own.count() - beacons + beacon + 1; };
  return attendMeetings({{groups.near,
                          queries,
                          {group, beacons, begin, [&](int beacon) { return groups.view.own + next(beacon); }}},
                         {own, queries, {group, beacons, [](int) { return 0; }, ownEnd}}},
                        scale, device);
}

namespace {

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
  const at::Tensor keys = groups.near.keys();
  const std::int64_t group = near.size(0) / keys.size(0);
  const NearView& view = groups.view;
  std::vector<at::Tensor> slices;
  for (int begin = from, end = 0; begin < groups.near.count(); begin = end) {
    end = std::min(begin + kSlice, begin < view.own ? view.own : groups.near.count());
    std::optional<at::Tensor> mask;
    if (begin < view.open || begin >= view.own)
      mask = nearMask(groups, block).of(begin, end, group, at::kFloat);
    slices.push_back(received(near, keys.narrow(1, begin, end - begin), logSums, mask, scale));
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
