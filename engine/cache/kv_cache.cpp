#include "engine/cache/kv_cache.h"

#include <cassert>

namespace kvasir {
namespace {

std::size_t noteBytes(int floats) { return (static_cast<std::size_t>(floats) * sizeof(float) + 63) / 64 * 64; }

}  // namespace

KvCache::KvCache(const KvShape& shape, const KvCodec& codec, ChunkStore& store, Extras extras)
    : shape_(shape), codec_(codec), store_(store), extras_(extras), kvBytes_(codec.bytes(shape, kChunkTokens)) {}

std::size_t KvCache::slotBytes(const KvShape& shape, const KvCodec& codec, Extras extras) {
  const std::size_t layer = codec.bytes(shape, kChunkTokens) + noteBytes(extras.noteFloats);
  return (layer * static_cast<std::size_t>(shape.layers) + 4095) / 4096 * 4096;
}

int KvCache::chunkOf(int token) const {
  const auto after = std::upper_bound(chunks_.begin(), chunks_.end(), token, [](int t, const Run& run) { return t < run.end; });
  return static_cast<int>(after - chunks_.begin());
}

void KvCache::adopt(const std::vector<Run>& chunks) {
  assert(chunks_.empty());
  chunks_ = chunks;
  adopted_ = this->chunks();
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
  if (isTail(chunk))
    tail(chunk)[static_cast<std::size_t>(layer)] = {kv.keys.contiguous(), kv.values.contiguous()};
  else
    codec_.encode(kv, layerBytes(layer, chunk));
}

void KvCache::extend(int layer, int chunk, const KvTensors& kv) {
  KvTensors& held = tail(chunk)[static_cast<std::size_t>(layer)];
  if (!held.keys.defined()) {
    const std::vector<std::int64_t> sizes = {shape_.kvHeads, kChunkTokens, shape_.headDimension};
    held = {at::empty(sizes, kv.keys.options()), at::empty(sizes, kv.keys.options())};
  }
  const Run run = this->chunk(chunk);
  held.keys.narrow(1, run.end - run.begin - 1, 1).copy_(kv.keys);
  held.values.narrow(1, run.end - run.begin - 1, 1).copy_(kv.values);
}

void KvCache::grow(int chunk) { ++chunks_[static_cast<std::size_t>(chunk)].end; }

KvTensors KvCache::read(int layer, int chunk) const {
  const Run run = this->chunk(chunk);
  if (!isTail(chunk)) return codec_.decode(shape_, run.end - run.begin, layerBytes(layer, chunk));
  return tail(chunk)[static_cast<std::size_t>(layer)];
}

std::byte* KvCache::layerBytes(int layer, int chunk) const {
  return store_.slot(chunk) + static_cast<std::size_t>(layer) * (kvBytes_ + noteBytes(extras_.noteFloats));
}

at::Tensor KvCache::index(int layer) const {
  const auto row = static_cast<std::size_t>(layer);
  if (row >= index_.size()) index_.resize(row + 1);
  if (!index_[row].defined() || index_[row].size(0) < chunks()) {
    // Rows of chunks that have no entry yet are zero.
    at::Tensor grown = at::zeros({chunks() * 2 + 64, extras_.indexFloats}, at::kFloat);
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
  const float* row = index_[static_cast<std::size_t>(layer)].data_ptr<float>() + std::int64_t{chunk} * extras_.indexFloats;
  store_.writeIndex(layer, chunk, std::span(row, static_cast<std::size_t>(extras_.indexFloats)));
}

std::span<float> KvCache::notes(int layer, int chunk) {
  const auto length = static_cast<std::size_t>(extras_.noteFloats);
  const bool isStored = !isTail(chunk);
  float* stored = isStored ? reinterpret_cast<float*>(layerBytes(layer, chunk) + kvBytes_) : nullptr;
  if (tailFrom_ < 0) return {stored, length};
  auto [place, isNew] = notes_.try_emplace({layer, chunk});
  if (isNew && isStored) place->second.assign(stored, stored + length);
  if (isNew && !isStored) place->second.assign(length, 0.0f);
  return place->second;
}

std::size_t KvCache::bytesInMemory() const {
  std::size_t sum = 0;
  for (const Tail& tail : tails_)
    for (const KvTensors& kv : tail)
      if (kv.keys.defined()) sum += kv.keys.nbytes() + kv.values.nbytes();
  for (const at::Tensor& index : index_)
    if (index.defined()) sum += index.nbytes();
  return sum;
}

}  // namespace kvasir
