#include "engine/gathered_kv.h"

#include <cassert>
#include <cstring>
#include <numeric>
#include <ranges>

namespace kvasir {
namespace {

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

}  // namespace

void GatheredKv::keepPrefix(const std::vector<PlacedRun>& runs) {
  std::size_t same = 0;
  int count = keptCount();
  for (; same < inPlace_.size() && same < runs.size() && inPlace_[same] == runs[same]; ++same)
    count += inPlace_[same].keys();
  // The last one may go on where it ended.
  const auto beginsAlike = [](PlacedRun longer, const PlacedRun& held) {
    if (longer.run.end < held.run.end) return false;
    longer.run.end = held.run.end;
    return longer == held;
  };
  const bool grows =
      same + 1 == inPlace_.size() && same < runs.size() && beginsAlike(runs[same], inPlace_[same]);
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
  const int packedEnd = cache.packedTokens();
  std::size_t same = 0, first = 0;
  for (; first < runs.size() && !runs[first].isOwn && runs[first].each == 0; ++first) {
    PlacedRun& left = runs[first];
    for (int chunk = cache.chunkOf(left.run.begin); left.run.begin < left.run.end; ++chunk) {
      const Run whole = cache.chunk(chunk);
      if (whole.begin != left.run.begin || whole.end > std::min(left.run.end, packedEnd)) break;
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
    if (!codec_) *this = {};  // the memory of what was in place
    codec_ = &cache.codec();
    leavePacked(rest, layer, cache);
  } else {
    codec_ = nullptr;
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

KvShape GatheredKv::shape() const { return {1, kvHeads(), static_cast<int>(keys_.size(2))}; }

PackedAttention GatheredKv::packedHead(const PackedChunk& chunk, int kvHead) const {
  const PlacedRun& placed = chunk.placed;
  const KvShape shape = this->shape();
  const PackedHead head = codec_->packedHead(shape, placed.keys(), chunk.bytes, kvHead);
  assert(head.keys && "only levels stay packed");
  PackedAttention attention;
  attention.dimension = shape.headDimension;
  attention.keys = head.keys;
  attention.values = head.values;
  attention.bits = head.bits;
  attention.count = placed.keys();
  attention.cosines = table_->cosines(placed.position / placed.group);
  attention.sines = table_->sines(placed.position / placed.group);
  attention.step = placed.step;
  attention.neighbours = placed.group;
  attention.place = placed.position % placed.group;
  return attention;
}

KvTensors GatheredKv::unpacked(std::span<const PackedChunk> chunks) const {
  std::vector<std::int64_t> places = {0};
  for (const PackedChunk& chunk : chunks) places.push_back(places.back() + chunk.placed.keys());
  const std::vector<std::int64_t> sizes = {keys_.size(0), places.back(), keys_.size(2)};
  const KvTensors all{at::empty(sizes, keys_.options()), at::empty(sizes, keys_.options())};
  const KvShape shape = this->shape();
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
  std::size_t first = 0;  // of the packed chunks that have any of these
  int place = 0;
  for (; first < packed_.size() && place + packed_[first].placed.keys() <= from; ++first)
    place += packed_[first].placed.keys();
  std::size_t last = first;
  int end = place;
  for (; last < packed_.size() && end < to; ++last) end += packed_[last].placed.keys();
  if (first < last) {
    const at::Tensor some = unpacked(std::span(packed_).subspan(first, last - first)).keys;
    keys.push_back(some.narrow(1, from - place, std::min(to, end) - from));
  }
  if (to > packedCount_) {
    const int begin = std::max(from, packedCount_);
    keys.push_back(keys_.narrow(1, begin - packedCount_, to - begin));
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
  return {mirror_.keys.at<Value>(), mirror_.values.at<Value>(), mirror_.capacity * width};
}
template KvRows<float> GatheredKv::onDevice(const Accelerator& device) const;
template KvRows<std::uint16_t> GatheredKv::onDevice(const Accelerator& device) const;

template <class Value>
void GatheredKv::copyHead(std::int64_t head, Trip& trip, void* stream) const {
  const std::int64_t width = keys_.size(2), first = mirror_.count * width;
  const std::int64_t to = head * mirror_.capacity * width + first, from = head * headStride() + first;
  const auto bytes = static_cast<std::size_t>((count_ - mirror_.count) * width) * sizeof(Value);
  trip.copyIn(mirror_.keys.at<Value>() + to, keyRows<Value>() + from, bytes, stream);
  trip.copyIn(mirror_.values.at<Value>() + to, valueRows<Value>() + from, bytes, stream);
  if (head + 1 == keys_.size(0)) mirror_.count = count_;
}
template void GatheredKv::copyHead<float>(std::int64_t head, Trip& trip, void* stream) const;
template void GatheredKv::copyHead<std::uint16_t>(std::int64_t head, Trip& trip, void* stream) const;

int countBefore(const GatheredKv& gathered, int token) {
  assert(gathered.keptCount() == 0 && "tokens that heads name for themselves are seen by all");
  assert(std::ranges::all_of(gathered.runs(), [](const PlacedRun& placed) { return placed.each == 0; }));
  int count = 0;
  for (const PlacedRun& placed : gathered.runs())
    count += std::clamp(token - placed.run.begin, 0, placed.run.end - placed.run.begin);
  return count;
}

int countInARow(const GatheredKv& gathered) {
  int count = 0, begin = -1;  // of the run behind
  for (const PlacedRun& placed : std::views::reverse(gathered.runs())) {
    if (placed.each > 0 || (begin >= 0 && placed.run.end != begin)) break;
    count += placed.keys();
    begin = placed.run.begin;
  }
  return count;
}

}  // namespace kvasir
