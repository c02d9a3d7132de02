// Softmax attention of a block over gathered keys, on the processor or on a device.
#include "engine/attention.h"
#include "engine/seen_keys.h"
#include "kernels/attend_block.h"

namespace kvasir {
namespace {

/// Where a group's numbers lie, on the processor or on a device.
template <class Value>
struct GroupMemory {
  const Value* queries = nullptr;  ///< [heads, rows, headDimension]
  KvRows<Value> rows;
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
        kvHeads_(meetings.front().gathered.kvHeads()),
        rows_(meetings.front().queries.size(0) / kvHeads_ * meetings.front().queries.size(1)),
        sums_(meetings.front().queries) {}

  BlockOutput onProcessor() {
    for (const Meeting& meeting : meetings_) attendPacked(meeting);
    forRows([&](std::int64_t head, std::int64_t first, std::int64_t last) {
      for (const Meeting& meeting : meetings_) {
        if (meeting.gathered.count() == 0) continue;
        const GatheredKv& gathered = meeting.gathered;
        const KvRows<Value> rows{gathered.keyRows<Value>(), gathered.valueRows<Value>(), gathered.headStride()};
        attendRows(
            attentionOf(memoryOf(meeting, rows, meeting.seen), gathered.countInPlace(), head, sums_.start()),
            first, last);
      }
      sums_.finish<Value>(head * rows_ + first, head * rows_ + last);
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
                   attentionOf(memory, meeting.gathered.count(), head, sums), rows_, device.stream(head));
    }
    device.copyOut(sums_.start(), sums, sums_.numbers.nbytes());
    at::parallel_for(0, kvHeads_ * rows_, kLeastRows,
                     [&](std::int64_t begin, std::int64_t end) { sums_.finish<Value>(begin, end); });
    return sums_.result;
  }

 private:
  static constexpr std::int64_t kLeastRows = 32;  // of a thread

  /// Shares the rows among the threads: work(KV head, first row, last row).
  template <class Work>
  void forRows(const Work& work) const {
    at::parallel_for(0, kvHeads_ * rows_, kLeastRows, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t head = begin / rows_; head * rows_ < end; ++head)
        work(head, std::max(begin, head * rows_) - head * rows_,
             std::min(end, (head + 1) * rows_) - head * rows_);
    });
  }

  /// Chunks that stayed packed, some at a time, so that few are unpacked at once.
  void attendPacked(const Meeting& meeting) {
    constexpr std::size_t kAtOnce = 8;
    const std::span<const GatheredKv::PackedChunk> chunks = meeting.gathered.packedChunks();
    for (std::size_t first = 0; first < chunks.size(); first += kAtOnce) {
      const KvTensors kv =
          meeting.gathered.unpacked(chunks.subspan(first, std::min(kAtOnce, chunks.size() - first)));
      const int count = static_cast<int>(kv.keys.size(1));
      const SeenKeys all = allKeys(static_cast<int>(rows_), count);
      const KvRows<Value> rows{static_cast<const Value*>(kv.keys.const_data_ptr()),
                               static_cast<const Value*>(kv.values.const_data_ptr()), kv.keys.stride(0)};
      forRows([&](std::int64_t head, std::int64_t begin, std::int64_t end) {
        attendRows(attentionOf(memoryOf(meeting, rows, all), count, head, sums_.start()), begin, end);
      });
    }
  }

  GroupMemory<Value> memoryOf(const Meeting& meeting, const KvRows<Value>& rows, const SeenKeys& seen) const {
    return {static_cast<const Value*>(meeting.queries.const_data_ptr()), rows, seen.begins.data(),
            seen.ends.data()};
  }

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
  if (device && device->kernels().attendRows.isWhole()) {
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
  const std::int64_t group = near.size(0) / groups.near.kvHeads();
  return attendMeetings(
      {{groups.near, near, nearKeys(groups, block, group)}, {groups.far, far, farKeys(groups, block, group)}},
      scale, device);
}

BlockOutput attendBeacons(const AttendedGroups& groups, const GatheredKv& own, const at::Tensor& queries,
                          const Block& block, float scale, Accelerator* device) {
  const std::int64_t group = queries.size(0) / groups.near.kvHeads();
  const int beacons = static_cast<int>(queries.size(1)), each = block.tokens / beacons;
  // A beacon stands where the token after those it stands for does.
  const auto next = [&](int beacon) { return (beacon + 1) * each; };
  const auto begin = [&](int beacon) {
    if (groups.window == 0) return 0;
    return countBefore(groups.near, block.first + next(beacon) - groups.window + 1);
  };
  const int inPlace = groups.view.own - groups.near.packedCount();
  const auto nearEnd = [&](int beacon) { return inPlace + next(beacon); };
  const auto ownEnd = [&](int beacon) { return own.count() - beacons + beacon + 1; };
  return attendMeetings({{groups.near, queries, {group, beacons, begin, nearEnd}},
                         {own, queries, {group, beacons, [](int) { return 0; }, ownEnd}}},
                        scale, device);
}

}  // namespace kvasir
