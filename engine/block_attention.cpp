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
  std::int64_t rows, dimension;  ///< rows: of a KV head
  at::Tensor numbers;            ///< of each KV head: output [rows, dimension], the largest and the sum [rows]
  BlockOutput result;

  BlockSums(const at::Tensor& queries, std::int64_t kvHeads)
      : rows(queries.size(0) / kvHeads * queries.size(1)),
        dimension(queries.size(2)),
        numbers(at::zeros({kvHeads, rows * (dimension + 2)}, at::kFloat)),
        result{at::empty_like(queries), at::empty({queries.size(0), queries.size(1)}, at::kFloat)} {
    numbers.narrow(1, largestAt(), rows).fill_(-std::numeric_limits<float>::infinity());
  }

  std::int64_t each() const { return numbers.size(1); }  ///< numbers of a KV head
  float* of(std::int64_t head) { return numbers.data_ptr<float>() + head * each(); }
  std::int64_t largestAt() const { return rows * dimension; }
  std::int64_t sumAt() const { return rows * (dimension + 1); }

  /// Rows of a KV head.
  template <class Value>
  void finish(std::int64_t head, std::int64_t begin, std::int64_t end) {
    const float *output = of(head), *most = output + largestAt(), *sums = output + sumAt();
    auto* values = static_cast<Value*>(result.values.mutable_data_ptr()) + head * rows * dimension;
    float* logSums = result.logSums.data_ptr<float>() + head * rows;
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::int64_t i = row * dimension; i < (row + 1) * dimension; ++i)
        writeValue(output[i] / sums[row], values + i);
      logSums[row] = most[row] + std::log(sums[row]);
    }
  }
};

/// Rotated queries and the keys they meet, which each row sees a part of.
struct Meeting {
  const GatheredKv& gathered;
  const at::Tensor& queries;  ///< [heads, rows, headDimension], contiguous
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
        sums_(meetings.front().queries, kvHeads_),
        rows_(sums_.rows) {}

  BlockOutput onProcessor() {
    for (const Meeting& meeting : meetings_) attendPacked(meeting);
    forRows([&](std::int64_t head, std::int64_t first, std::int64_t last) {
      for (const Meeting& meeting : meetings_) {
        if (meeting.gathered.count() == 0) continue;
        const GatheredKv& gathered = meeting.gathered;
        const KvRows<Value> rows{gathered.keyRows<Value>(), gathered.valueRows<Value>(), gathered.headStride()};
        attendRows(
            attentionOf(memoryOf(meeting, rows, meeting.seen), gathered.countInPlace(), head, sums_.of(head)),
            first, last);
      }
      sums_.finish<Value>(head, first, last);
    });
    return sums_.result;
  }

  /// While a KV head is attended to, keys and values of the next go there and results of those before come
  /// back. Throws DeviceFull.
  BlockOutput onDevice(Accelerator& device) {
    const Places places = placesOn(device);
    Trip trip(device);
    for (std::int64_t head = 0; head < kvHeads_; ++head) attendHead(head, places, trip, device);
    for (std::int64_t head = 0; head < kvHeads_; ++head) {
      trip.land(device.stream(head));
      at::parallel_for(0, rows_, kLeastRows,
                       [&](std::int64_t begin, std::int64_t end) { sums_.finish<Value>(head, begin, end); });
    }
    return sums_.result;
  }

 private:
  /// Where on a device what a block needs lies.
  struct Places {
    float* sums = nullptr;     ///< as BlockSums has them
    Value* queries = nullptr;  ///< of one meeting after the other
    std::vector<GroupMemory<Value>> meetings;
  };
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
        attendRows(attentionOf(memoryOf(meeting, rows, all), count, head, sums_.of(head)), begin, end);
      });
    }
  }

  GroupMemory<Value> memoryOf(const Meeting& meeting, const KvRows<Value>& rows, const SeenKeys& seen) const {
    return {static_cast<const Value*>(meeting.queries.const_data_ptr()), rows, seen.begins.data(),
            seen.ends.data()};
  }

  /// Of one KV head, and sums of it.
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
    attention.output = sums;
    attention.largest = sums + sums_.largestAt();
    attention.sum = sums + sums_.sumAt();
    return attention;
  }

  /// Room for all of it; and there already is what every KV head needs.
  Places placesOn(Accelerator& device) const {
    using Room = Accelerator::Room;
    std::vector<int> seen;
    for (const Meeting& meeting : meetings_)
      for (const std::vector<int>* some : {&meeting.seen.begins, &meeting.seen.ends})
        seen.insert(seen.end(), some->begin(), some->end());
    Places places;
    places.sums = device.roomOf<float>(Room::Sums, sums_.numbers.numel());
    places.queries = device.roomOf<Value>(Room::Queries, kvHeads_ * rows_ * sums_.dimension);
    int* begins = device.roomOf<int>(Room::Seen, std::ssize(seen));
    device.copyIn(begins, seen.data(), seen.size() * sizeof(int));
    for (const Meeting& meeting : meetings_) {
      KvRows<Value> rows;
      if (meeting.gathered.count() > 0) rows = meeting.gathered.onDevice<Value>(device);
      places.meetings.push_back({places.queries, rows, begins, begins + rows_});
      begins += 2 * rows_;
    }
    return places;
  }

  /// On a stream of its own, where the next meeting's queries replace those that are done with.
  void attendHead(std::int64_t head, const Places& places, Trip& trip, Accelerator& device) {
    void* stream = device.stream(head);
    float* sums = places.sums + head * sums_.each();
    const auto sumBytes = static_cast<std::size_t>(sums_.each()) * sizeof(float);
    const std::int64_t count = rows_ * sums_.dimension;
    trip.copyIn(sums, sums_.of(head), sumBytes, stream);
    for (std::size_t i = 0; i < meetings_.size(); ++i) {
      const GatheredKv& gathered = meetings_[i].gathered;
      if (gathered.count() == 0) continue;
      const auto* queries = static_cast<const Value*>(meetings_[i].queries.const_data_ptr());
      trip.copyIn(places.queries + head * count, queries + head * count,
                  static_cast<std::size_t>(count) * sizeof(Value), stream);
      gathered.copyHead<Value>(head, trip, stream);
      device.run(device.kernels().attendRows.of<Value>(),
                 attentionOf(places.meetings[i], gathered.count(), head, sums), rows_, stream);
    }
    trip.copyOut(sums_.of(head), sums, sumBytes, stream);
  }

  const std::vector<Meeting>& meetings_;
  float scale_;
  std::int64_t kvHeads_;
  BlockSums sums_;
  std::int64_t rows_;  ///< of a KV head
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
