#include "engine/cache/kv_cache.h"

#include <cassert>
#include <cstring>

#include "kernels/kernel.h"

namespace kvasir {
namespace {

std::size_t noteBytes(int floats) { return (static_cast<std::size_t>(floats) * sizeof(float) + 63) / 64 * 64; }

template <class Value>
void putRows(const KvShape& shape, const float* rows, Value* out, std::int64_t headStride) {
  for (int head = 0; head < shape.kvHeads; ++head)
    for (int i = 0; i < shape.headDimension; ++i)
      writeValue(rows[head * shape.headDimension + i], out + head * headStride + i);
}

/// rows: [kvHeads, headDimension], of one token. held: [kvHeads, tokens, headDimension].
void putToken(const KvShape& shape, const float* rows, int place, const at::Tensor& held) {
  const std::int64_t at = std::int64_t{place} * shape.headDimension;
  if (held.scalar_type() == at::kFloat)
    putRows(shape, rows, static_cast<float*>(held.mutable_data_ptr()) + at, held.stride(0));
  else
    putRows(shape, rows, static_cast<std::uint16_t*>(held.mutable_data_ptr()) + at, held.stride(0));
}

}  // namespace

KvCache::KvCache(const KvShape& shape, const KvCodec& codec, ChunkStore& store, Extras extras,
                 const KvCodec* keptCodec)
    : shape_(shape),
      codec_(&codec),
      keptCodec_(keptCodec ? keptCodec : &codec),
      store_(store),
      extras_(extras),
      kvBytes_(codec.bytes(shape, kChunkTokens)) {}

std::size_t KvCache::slotBytes(const KvShape& shape, const KvCodec& codec, Extras extras) {
  const std::size_t layer = codec.bytes(shape, kChunkTokens) + noteBytes(extras.noteFloats);
  return (layer * static_cast<std::size_t>(shape.layers) + 4095) / 4096 * 4096;
}

int KvCache::chunkOf(int token) const {
  const auto after = std::upper_bound(chunks_.begin(), chunks_.end(), token,
                                      [](int t, const Run& run) { return t < run.end; });
  return static_cast<int>(after - chunks_.begin());
}

void KvCache::adopt(const std::vector<Run>& chunks) {
  assert(chunks_.empty());
  chunks_ = chunks;
  adopted_ = notedChunks_ = this->chunks();
  isCompact_ = extras_.keptTokens > 0 && adopted_ > 0;
  if (!isCompact_) return;
  codec_ = keptCodec_;
  kvBytes_ = codec_->bytes(shape_, kChunkTokens);
}

void KvCache::copy(const KvCache& from, int chunk) {
  for (int layer = 0; layer < shape_.layers; ++layer)
    std::memcpy(layerBytes(layer, chunk), from.layerBytes(layer, chunk), kvBytes_);
}

int KvCache::open(int tokens) {
  assert(tokens > 0 && tokens <= kChunkTokens);
  chunks_.push_back({this->tokens(), this->tokens() + tokens});
  if (tailFrom_ >= 0) tails_.emplace_back(static_cast<std::size_t>(shape_.layers));
  return chunks() - 1;
}

int KvCache::openTail() {
  assert(tailFrom_ >= 0 && "a chunk that grows is kept in memory");
  const int chunk = open(1);
  chunks_.back().end = chunks_.back().begin;
  return chunk;
}

void KvCache::write(int layer, int chunk, const KvTensors& kv) {
  own_ = {layer, chunk, kv};
  if (isTail(chunk))
    tail(chunk)[static_cast<std::size_t>(layer)] = {kv.keys.contiguous(), kv.values.contiguous()};
  else
    codec_->encode(kv, layerBytes(layer, chunk));
}

void KvCache::extend(int layer, int token, const float* keys, const float* values, at::ScalarType type) {
  const int chunk = chunkOf(token);
  KvTensors& held = tail(chunk)[static_cast<std::size_t>(layer)];
  if (!held.keys.defined()) {
    const std::vector<std::int64_t> sizes = {shape_.kvHeads, kChunkTokens, shape_.headDimension};
    held = {at::zeros(sizes, type), at::zeros(sizes, type)};
  }
  const int place = token - this->chunk(chunk).begin;
  putToken(shape_, keys, place, held.keys);
  putToken(shape_, values, place, held.values);
}

void KvCache::grow(int chunk, int tokens) {
  assert(isTail(chunk) && this->chunk(chunk).end + tokens - this->chunk(chunk).begin <= kChunkTokens);
  chunks_[static_cast<std::size_t>(chunk)].end += tokens;
}

void KvCache::shrink(int chunk, int tokens) {
  assert(isTail(chunk) && chunk + 1 == chunks() && this->chunk(chunk).end - tokens >= this->chunk(chunk).begin);
  chunks_.back().end -= tokens;
}

KvTensors KvCache::read(int layer, int chunk) const {
  const Run run = this->chunk(chunk);
  if (layer == own_.layer && chunk == own_.chunk && !isTail(chunk)) return own_.kv;
  if (!isTail(chunk)) return codec_->decode(shape_, run.end - run.begin, layerBytes(layer, chunk));
  return tail(chunk)[static_cast<std::size_t>(layer)];
}

int KvCache::packedTokens() const {
  constexpr std::size_t kPlainBytes = 2;  // of a number in bf16
  const auto plain =
      kPlainBytes * 2 * static_cast<std::size_t>(shape_.kvHeads * kChunkTokens * shape_.headDimension);
  if (kvBytes_ >= plain || isCompact_) return 0;
  return tailFrom_ >= 0 && tailFrom_ < chunks() ? chunk(tailFrom_).begin : tokens();
}

const std::byte* KvCache::packed(int layer, int chunk) const {
  assert(this->chunk(chunk).end <= packedTokens());
  return layerBytes(layer, chunk);
}

std::byte* KvCache::layerBytes(int layer, int chunk) const {
  const int slot = isCompact_ ? chunk % extras_.keptSlots() : chunk;
  return store_.slot(slot) + static_cast<std::size_t>(layer) * (kvBytes_ + noteBytes(extras_.noteFloats));
}

KvTensors KvCache::readKept(int layer, const at::Tensor& tokens) const {
  const std::int64_t count = tokens.size(1), width = shape_.headDimension;
  KvTensors rows;
  const auto copy = [&](const KvTensors& from, std::int64_t head, std::int64_t row, std::int64_t to) {
    if (!rows.keys.defined())
      rows = {at::empty({shape_.kvHeads, count, width}, from.keys.options()),
              at::empty({shape_.kvHeads, count, width}, from.keys.options())};
    for (const auto& [source, target] : {std::pair{&from.keys, &rows.keys}, {&from.values, &rows.values}}) {
      const auto bytes = static_cast<std::size_t>(width) * source->element_size();
      const std::int64_t at = head * source->stride(0) + row * width;
      std::memcpy(static_cast<std::byte*>(target->mutable_data_ptr()) +
                      static_cast<std::size_t>(head * count + to) * bytes,
                  static_cast<const std::byte*>(source->const_data_ptr()) +
                      static_cast<std::size_t>(at) * source->element_size(),
                  bytes);
    }
  };
  struct Place {
    int head = 0;
    std::int64_t to = 0;
    int row = 0;
  };
  std::map<int, std::vector<Place>> byChunk;  // so that each is decoded once
  const auto named = tokens.accessor<std::int64_t, 2>();
  for (int head = 0; head < shape_.kvHeads; ++head)
    for (std::int64_t i = 0; i < count; ++i) {
      const int token = static_cast<int>(named[head][i]),
                chunk = isCompact_ ? static_cast<int>(i) / kChunkTokens : chunkOf(token);
      byChunk[chunk].push_back(
          {head, i, isCompact_ ? static_cast<int>(i) % kChunkTokens : token - this->chunk(chunk).begin});
    }
  for (const auto& [chunk, places] : byChunk) {
    const KvTensors from =
        isCompact_ ? codec_->decode(shape_, kChunkTokens, layerBytes(layer, chunk)) : read(layer, chunk);
    for (const Place& place : places) copy(from, place.head, place.row, place.to);
  }
  return rows;
}

at::Tensor KvCache::keptTokens(int layer) const {
  assert(isCompact_);
  at::Tensor tokens = at::empty({shape_.kvHeads, extras_.keptTokens}, at::kLong);
  auto named = tokens.accessor<std::int64_t, 2>();
  const int most = std::min(extras_.keptTokens, chunk(adopted_ - 1).end);
  int count = 0;
  for (; count < most; ++count) {
    const auto* notes = reinterpret_cast<const float*>(layerBytes(layer, count / kChunkTokens) + kvBytes_);
    if (notes[count % kChunkTokens] < 0) break;
    for (int head = 0; head < shape_.kvHeads; ++head) {
      const auto token = static_cast<std::int64_t>(notes[head * kChunkTokens + count % kChunkTokens]);
      named[head][count] = std::clamp<std::int64_t>(token, 0, std::max(0, this->tokens() - 1));
    }
  }
  return tokens.narrow(1, 0, count);
}

void KvCache::writeKept(int layer, const KvTensors& rows, const at::Tensor& tokens) {
  const auto named = tokens.accessor<std::int64_t, 2>();
  const int count = static_cast<int>(tokens.size(1));
  for (int first = 0; first < extras_.keptTokens; first += kChunkTokens) {
    std::byte* slot = layerBytes(layer, first / kChunkTokens);
    auto* notes = reinterpret_cast<float*>(slot + kvBytes_);
    std::fill_n(notes, shape_.kvHeads * kChunkTokens, -1.0f);
    const int here = std::clamp(count - first, 0, kChunkTokens);
    for (int head = 0; head < shape_.kvHeads; ++head)
      for (int i = 0; i < here; ++i)
        notes[head * kChunkTokens + i] = static_cast<float>(named[head][first + i]);
    if (here == 0) continue;
    const auto whole = [&](const at::Tensor& from) {
      at::Tensor filled = at::zeros({from.size(0), kChunkTokens, from.size(2)}, from.options());
      filled.narrow(1, 0, here).copy_(from.narrow(1, first, here));
      return filled;
    };
    codec_->encode({whole(rows.keys), whole(rows.values)}, slot);
  }
}

void KvCache::writeBeacons(int layer, int chunk, const KvTensors& kv) {
  setIndex(layer, chunk, at::stack({kv.keys, kv.values}).to(at::kFloat));
}

KvTensors KvCache::readBeacons(int layer, int chunk) const {
  const at::Tensor both = index(layer)[chunk]
                              .view({2, shape_.kvHeads, -1, shape_.headDimension})
                              .to(read(layer, 0).keys.scalar_type());  // as all else is computed
  return {both[0], both[1]};
}

at::Tensor KvCache::index(int layer) const {
  const auto row = static_cast<std::size_t>(layer);
  if (row >= index_.size()) index_.resize(row + 1);
  if (!index_[row].defined() || index_[row].size(0) < chunks()) {
    // Rows of chunks that have no entry yet are zero. A whole document's index grows only by question and
    // answer.
    constexpr int kRoom = 8;
    const int rows = chunks() + kRoom + (index_[row].defined() ? chunks() / 2 : 0);
    at::Tensor grown = at::zeros({rows, extras_.indexFloats}, at::kFloat);
    if (index_[row].defined()) {
      grown.narrow(0, 0, index_[row].size(0)).copy_(index_[row]);
    } else if (adopted_ > 0) {
      const auto floats = static_cast<std::size_t>(adopted_) * static_cast<std::size_t>(extras_.indexFloats);
      store_.readIndex(layer, adopted_, std::span(grown.data_ptr<float>(), floats));
    }
    index_[row] = grown;
  }
  return index_[row].narrow(0, 0, chunks());
}

void KvCache::setIndex(int layer, int chunk, const at::Tensor& entry) {
  index(layer)[chunk].copy_(entry.flatten());
  if (tailFrom_ >= 0) return;
  const float* row =
      index_[static_cast<std::size_t>(layer)].data_ptr<float>() + std::int64_t{chunk} * extras_.indexFloats;
  store_.writeIndex(layer, chunk, std::span(row, static_cast<std::size_t>(extras_.indexFloats)));
}

std::span<float> KvCache::notes(int layer, int chunk) {
  auto [place, isNew] = notes_.try_emplace({layer, chunk});
  if (!isNew) return place->second;
  const auto length = static_cast<std::size_t>(extras_.noteFloats);
  if (chunk < notedChunks_) {
    const auto* stored = reinterpret_cast<const float*>(layerBytes(layer, chunk) + kvBytes_);
    place->second.assign(stored, stored + length);
  } else {
    place->second.assign(length, 0.0f);
  }
  return place->second;
}

void KvCache::storeNotes() {
  if (tailFrom_ >= 0) return;
  for (const auto& [place, notes] : notes_)
    std::ranges::copy(notes, reinterpret_cast<float*>(layerBytes(place.first, place.second) + kvBytes_));
  notes_.clear();
  notedChunks_ = chunks();
}

std::size_t KvCache::bytesInMemory() const {
  std::size_t sum = 0;
  for (const Tail& tail : tails_)
    for (const KvTensors& kv : tail)
      if (kv.keys.defined()) sum += kv.keys.nbytes() + kv.values.nbytes();
  for (const at::Tensor& index : index_)
    if (index.defined()) sum += index.nbytes();
  for (const auto& [place, notes] : notes_) sum += notes.capacity() * sizeof(float);
  return sum;
}

}  // namespace kvasir
