#include "kernels/received.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/received.cpp"
#include <hwy/foreach_target.h>  // first: it includes this file again for each target

#include <hwy/highway.h>

#include "kernels/key_tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

template <class Value>
void receive(const ReceivedAttention<Value>& a, std::int64_t begin, std::int64_t end) {
  for (std::int64_t head = 0; head < a.heads(); ++head)
    for (std::int64_t key = begin; key < end; ++key) a.received[head * a.count + key] = a.sumOf(head, key);
}

#else

/// Adds the weights of a tile's keys that a row sees.
HWY_INLINE void addWeights(const float* scores, float logSum, Sight sight, float* sums) {
  const Floats df;
  const int lanes = static_cast<int>(hn::Lanes(df));
  const auto from = hn::Set(df, static_cast<float>(sight.from)), to = hn::Set(df, static_cast<float>(sight.to));
  for (int key = 0; key < kKeys; key += lanes) {
    const auto place = hn::Iota(df, static_cast<float>(key));
    const auto weights = expBelowZero(df, hn::Sub(hn::Load(df, scores + key), hn::Set(df, logSum)));
    const auto seen = hn::And(hn::Ge(place, from), hn::Lt(place, to));
    hn::Store(hn::Add(hn::Load(df, sums + key), hn::IfThenElseZero(seen, weights)), df, sums + key);
  }
}

/// The tile of keys from `first` on and all rows; sums: [heads, kKeys].
template <class Value, class Tile>
void receiveTile(const ReceivedAttention<Value>& a, int first, const Tile& tile, LineVector<float>& sums) {
  HWY_ALIGN float scores[kRows][kKeys];
  std::fill(sums.begin(), sums.end(), 0.0f);
  for (int row = 0; row < a.rows; row += kRows) {
    Sight sights[kRows];
    bool seesAny = false;
    for (int r = 0; r < std::min(kRows, a.rows - row); ++r) {
      sights[r] = sightOf(a.begins[row + r], a.ends[row + r], first);
      seesAny = seesAny || sights[r].seesAny();
    }
    if (!seesAny) continue;
    tile.score(row, scores[0]);
    for (int r = 0; r < kRows; ++r)
      if (sights[r].seesAny())
        addWeights(scores[r], a.logSums[row + r], sights[r], sums.data() + (row + r) / a.rowsOfHead * kKeys);
  }
}

template <class Value>
void receive(const ReceivedAttention<Value>& a, std::int64_t begin, std::int64_t end) {
  if (begin >= end) return;
  typename KeysOf<Value>::Tile tile((a.rows + kRows - 1) / kRows * kRows, filledUp(a.dimension));
  for (int row = 0; row < a.rows; ++row)
    tile.setQuery(row, a.queries + std::int64_t{row} * a.dimension, a.dimension, a.scale);
  LineVector<float> sums(static_cast<std::size_t>(a.heads()) * kKeys);
  for (std::int64_t first = begin; first < end; first += kKeys) {
    const int count = static_cast<int>(std::min<std::int64_t>(kKeys, end - first));
    tile.setKeys(a.keys + first * a.dimension, count, a.dimension);
    receiveTile(a, static_cast<int>(first), tile, sums);
    for (std::int64_t head = 0; head < a.heads(); ++head)
      std::copy_n(sums.data() + head * kKeys, count, a.received + head * a.count + first);
  }
}

#endif

void ReceiveFloats(const ReceivedAttention<float>& a, std::int64_t begin, std::int64_t end) {
  receive(a, begin, end);
}
void ReceiveBfloats(const ReceivedAttention<std::uint16_t>& a, std::int64_t begin, std::int64_t end) {
  receive(a, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace kvasir
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kvasir {

HWY_EXPORT(ReceiveFloats);
HWY_EXPORT(ReceiveBfloats);

void receiveAttention(const ReceivedAttention<float>& attention, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(ReceiveFloats)(attention, begin, end);
}
void receiveAttention(const ReceivedAttention<std::uint16_t>& attention, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(ReceiveBfloats)(attention, begin, end);
}

}  // namespace kvasir
#endif
