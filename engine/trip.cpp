#include "engine/trip.h"

#include <algorithm>
#include <cstring>

namespace kvasir {
namespace {

/// work(first byte, bytes) for pieces of at most so many.
template <class Work>
void forPieces(std::size_t bytes, std::size_t most, const Work& work) {
  for (std::size_t first = 0; first < bytes; first += most) work(first, std::min(most, bytes - first));
}

}  // namespace

Trip::~Trip() {
  if (!copies_.empty()) device_.backend_.finish();
}

/// While one piece is on its way the next is put into the staging memory, or taken out of it.
std::size_t Trip::mostAtOnce() const { return device_.staging_.memory().size() / 16; }

void Trip::copyIn(void* to, const void* from, std::size_t bytes, void* stream) {
  forPieces(bytes, mostAtOnce(), [&](std::size_t first, std::size_t count) {
    std::byte* staged = stage(count, stream, nullptr);
    std::memcpy(staged, static_cast<const std::byte*>(from) + first, count);
    device_.require(device_.backend_.startCopyIn(static_cast<std::byte*>(to) + first, staged, count, stream));
  });
}

void Trip::copyOut(void* to, const void* from, std::size_t bytes, void* stream) {
  forPieces(bytes, mostAtOnce(), [&](std::size_t first, std::size_t count) {
    std::byte* staged = stage(count, stream, static_cast<std::byte*>(to) + first);
    device_.require(
        device_.backend_.startCopyOut(staged, static_cast<const std::byte*>(from) + first, count, stream));
  });
}

std::byte* Trip::stage(std::size_t bytes, void* stream, std::byte* to) {
  constexpr std::size_t kLine = 64;
  const std::span<std::byte> memory = device_.staging_.memory();
  if (next_ + bytes > memory.size()) next_ = 0;
  const std::size_t begin = next_, end = begin + bytes;
  const auto isInTheWay = [&](const Copy& copy) { return copy.begin < end && begin < copy.end; };
  for (auto found = std::ranges::find_if(copies_, isInTheWay); found != copies_.end();
       found = std::ranges::find_if(copies_, isInTheWay))
    land(found->stream);
  copies_.push_back({begin, end, stream, to});
  next_ = (end + kLine - 1) / kLine * kLine;
  return memory.data() + begin;
}

void Trip::land(void* stream) {
  device_.require(device_.backend_.waitFor(stream));
  const auto isOfStream = [&](const Copy& copy) { return copy.stream == stream; };
  for (const Copy& copy : copies_)
    if (isOfStream(copy) && copy.to)
      std::memcpy(copy.to, device_.staging_.memory().data() + copy.begin, copy.end - copy.begin);
  std::erase_if(copies_, isOfStream);
}

void Trip::landAll() {
  while (!copies_.empty()) land(copies_.front().stream);
}

namespace {

/// A quarter of all rows, or fewer where that were more than a stream's share of the staging memory.
std::int64_t rowsOfSlab(const TripRows& rows, const DeviceLimits& limits) {
  constexpr std::size_t kSlabs = 4;
  constexpr std::int64_t kTile = 64;  // rows of a tile of the CUDA product
  const std::size_t all = rows.inBytes + rows.outBytes,
                    most = std::max(limits.leastOfSlab, limits.staging / Accelerator::kStreams),
                    each = std::clamp(all / kSlabs, limits.leastOfSlab, most);
  const auto slabs = std::max<std::int64_t>(1, static_cast<std::int64_t>(all / each));
  return ((rows.count + slabs - 1) / slabs + kTile - 1) / kTile * kTile;
}

}  // namespace

void forSlabs(Accelerator& device, const TripRows& rows, const std::function<void(const Slab&)>& work) {
  using Room = Accelerator::Room;
  if (rows.count == 0) return;
  const std::size_t inBytes = rows.inBytes / static_cast<std::size_t>(rows.count),
                    outBytes = rows.outBytes / static_cast<std::size_t>(rows.count);
  const std::int64_t each = rowsOfSlab(rows, device.limits());
  Trip trip(device);
  for (std::int64_t first = 0, turn = 0; first < rows.count; first += each, ++turn) {
    const auto count = static_cast<std::size_t>(std::min(each, rows.count - first)),
               before = static_cast<std::size_t>(first);
    std::byte *x = device.room(Room::Input, count * inBytes, turn),
              *y = device.room(Room::Output, count * outBytes, turn);
    trip.copyIn(x, static_cast<const std::byte*>(rows.in) + before * inBytes, count * inBytes,
                device.stream(turn));
    work({x, y, static_cast<int>(count), turn});
    trip.copyOut(static_cast<std::byte*>(rows.out) + before * outBytes, y, count * outBytes,
                 device.stream(turn));
  }
  trip.landAll();
}

}  // namespace kvasir
