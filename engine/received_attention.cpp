// Attention that gathered keys received of a block, on the processor or on a device.
#include "engine/attention.h"
#include "engine/seen_keys.h"
#include "engine/trip.h"
#include "kernels/received.h"

namespace kvasir {
namespace {

/// A block's rotated queries [heads, tokens, headDimension] when softmax is done: logSums as BlockOutput has
/// them.
struct Attended {
  const at::Tensor& queries;
  const at::Tensor& logSums;
  float scale;
};

template <class Value>
class Receiving {
 public:
  Receiving(const Attended& attended, std::int64_t kvHeads)
      : attended_(attended),
        logSums_(attended.logSums.contiguous()),
        heads_(attended.queries.size(0)),
        tokens_(static_cast<int>(attended.queries.size(1))),
        kvHeads_(kvHeads) {}

  std::int64_t group() const { return heads_ / kvHeads_; }

  /// Of each query head: [heads, count]. keys: so many rows of each KV head, the next one's headStride on.
  at::Tensor onProcessor(const KvRows<Value>& keys, int count, const SeenKeys& seen) const {
    constexpr std::int64_t kLeastKeys = 512;  // of a thread
    at::Tensor out = at::empty({heads_, count}, at::kFloat);
    const Memory memory{queries(),
                        keys,
                        seen.begins.data(),
                        seen.ends.data(),
                        logSums_.const_data_ptr<float>(),
                        out.data_ptr<float>()};
    at::parallel_for(0, kvHeads_ * count, kLeastKeys, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t head = begin / count; head * count < end; ++head)
        receiveAttention(argumentOf(memory, count, head), std::max(begin, head * count) - head * count,
                         std::min(end, (head + 1) * count) - head * count);
    });
    return out;
  }

  /// The same of keys in place from `first` on, on a device: each KV head on a stream of its own. Throws
  /// DeviceFull.
  at::Tensor onDevice(Accelerator& device, const GatheredKv& gathered, int first, const SeenKeys& seen) const {
    using Room = Accelerator::Room;
    const int count = gathered.countInPlace() - first;
    const std::int64_t rows = group() * tokens_, queryCount = rows * attended_.queries.size(2);
    at::Tensor out = at::empty({heads_, count}, at::kFloat);
    auto* queriesThere = device.roomOf<Value>(Room::Queries, kvHeads_ * queryCount);
    auto* seenThere = device.roomOf<int>(Room::Seen, 2 * rows);
    auto* sumsThere = device.roomOf<float>(Room::Sums, logSums_.numel() + out.numel());
    const auto seenBytes = static_cast<std::size_t>(rows) * sizeof(int);
    device.copyIn(seenThere, seen.begins.data(), seenBytes);
    device.copyIn(seenThere + rows, seen.ends.data(), seenBytes);
    device.copyIn(sumsThere, logSums_.const_data_ptr(), logSums_.nbytes());
    const Memory memory{queriesThere, from(gathered.onDevice<Value>(device), first),
                        seenThere,    seenThere + rows,
                        sumsThere,    sumsThere + logSums_.numel()};
    Trip trip(device);
    for (std::int64_t head = 0; head < kvHeads_; ++head) {
      void* stream = device.stream(head);
      trip.copyIn(queriesThere + head * queryCount, queries() + head * queryCount,
                  static_cast<std::size_t>(queryCount) * sizeof(Value), stream);
      gathered.copyHead<Value>(head, trip, stream);
      const ReceivedAttention<Value> argument = argumentOf(memory, count, head);
      device.run(device.kernels().receiveAttention.of<Value>(), argument, count, stream);
      trip.copyOut(out.data_ptr<float>() + head * group() * count, argument.received,
                   static_cast<std::size_t>(group() * count) * sizeof(float), stream);
    }
    trip.landAll();
    return out;
  }

  KvRows<Value> from(KvRows<Value> rows, int first) const {
    rows.keys += first * attended_.queries.size(2);
    return rows;
  }

 private:
  /// Where numbers lie, on the processor or on a device.
  struct Memory {
    const Value* queries;
    KvRows<Value> keys;
    const int *begins, *ends;
    const float* logSums;
    float* out;
  };

  const Value* queries() const { return static_cast<const Value*>(attended_.queries.const_data_ptr()); }

  /// Of one KV head.
  ReceivedAttention<Value> argumentOf(const Memory& memory, int count, std::int64_t head) const {
    const std::int64_t rows = group() * tokens_, dimension = attended_.queries.size(2);
    ReceivedAttention<Value> received;
    received.queries = memory.queries + head * rows * dimension;
    received.rows = static_cast<int>(rows);
    received.rowsOfHead = tokens_;
    received.dimension = static_cast<int>(dimension);
    received.keys = memory.keys.keys + head * memory.keys.headStride;
    received.count = count;
    received.begins = memory.begins;
    received.ends = memory.ends;
    received.logSums = memory.logSums + head * rows;
    received.scale = attended_.scale;
    received.received = memory.out + head * group() * count;
    return received;
  }

  const Attended& attended_;
  at::Tensor logSums_;
  std::int64_t heads_;
  int tokens_;
  std::int64_t kvHeads_;
};

/// Of the keys in place from `first` on.
template <class Value>
at::Tensor ofKeysInPlace(const Receiving<Value>& receiving, const GatheredKv& gathered, int first,
                         const SeenKeys& seen, Accelerator* device) {
  if (device && device->kernels().receiveAttention.isWhole() && gathered.packedCount() == 0) {
    try {
      return receiving.onDevice(*device, gathered, first, seen);
    } catch (const DeviceFull&) {
      // What is attended to is larger than the device's memory: the processor has it all.
    }
  }
  const KvRows<Value> rows{gathered.keyRows<Value>(), nullptr, gathered.headStride()};
  return receiving.onProcessor(receiving.from(rows, first), gathered.countInPlace() - first, seen);
}

template <class Value>
at::Tensor receivedNearAs(const AttendedGroups& groups, const Attended& attended, int from, const Block& block,
                          Accelerator* device) {
  constexpr int kUnpackedAtOnce = 1024;
  const GatheredKv& gathered = groups.near;
  const Receiving<Value> receiving(attended, gathered.kvHeads());
  std::vector<at::Tensor> parts;
  for (int begin = from, end = 0; begin < gathered.packedCount(); begin = end) {
    end = std::min(begin + kUnpackedAtOnce, gathered.packedCount());
    const at::Tensor keys = gathered.keysAt(begin, end);
    const int rows = static_cast<int>(receiving.group()) * block.tokens;
    parts.push_back(
        receiving.onProcessor({static_cast<const Value*>(keys.const_data_ptr()), nullptr, keys.stride(0)},
                              end - begin, allKeys(rows, end - begin)));
  }
  const int first = std::max(0, from - gathered.packedCount());
  parts.push_back(
      ofKeysInPlace(receiving, gathered, first, nearKeys(groups, block, receiving.group(), first), device));
  return parts.size() == 1 ? parts[0] : at::cat(parts, 1);
}

template <class Value>
at::Tensor receivedFarAs(const AttendedGroups& groups, const Attended& attended, const Block& block,
                         Accelerator* device) {
  const Receiving<Value> receiving(attended, groups.far.kvHeads());
  return ofKeysInPlace(receiving, groups.far, 0, farKeys(groups, block, receiving.group()), device);
}

}  // namespace

at::Tensor receivedNear(const AttendedGroups& groups, const at::Tensor& near, const at::Tensor& logSums,
                        int from, const Block& block, float scale, Accelerator* device) {
  const Attended attended{near, logSums, scale};
  if (near.scalar_type() == at::kFloat) return receivedNearAs<float>(groups, attended, from, block, device);
  return receivedNearAs<std::uint16_t>(groups, attended, from, block, device);
}

at::Tensor receivedFar(const AttendedGroups& groups, const at::Tensor& far, const at::Tensor& logSums,
                       const Block& block, float scale, Accelerator* device) {
  const Attended attended{far, logSums, scale};
  if (far.scalar_type() == at::kFloat) return receivedFarAs<float>(groups, attended, block, device);
  return receivedFarAs<std::uint16_t>(groups, attended, block, device);
}

}  // namespace kvasir
