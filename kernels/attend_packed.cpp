#include "kernels/attend_packed.h"

#include <algorithm>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attend_packed.cpp"
#include <hwy/foreach_target.h>  // first: it includes this file again for each target

#include <hwy/highway.h>

#include "kernels/token_heads-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Of a vector of bytes the numbers whose levels lie at one place in them.
template <int kBits, int kPlace, class D>
HWY_INLINE hn::Vec<D> unpackPlace(D df, const std::uint8_t* bytes, hn::Vec<D> scale, hn::Vec<D> least) {
  const hn::Rebind<std::int32_t, D> di;
  const hn::Rebind<std::uint8_t, D> d8;
  auto levels = hn::PromoteTo(di, hn::LoadU(d8, bytes));
  if constexpr (kPlace > 0) levels = hn::ShiftRight<kBits * kPlace>(levels);
  if constexpr (kBits * (kPlace + 1) < 8) levels = hn::And(levels, hn::Set(di, (1 << kBits) - 1));
  return hn::MulAdd(hn::ConvertTo(df, levels), scale, least);
}

/// Calls what(std::integral_constant of the place) for each number that shares a byte.
template <int kBits, int kPlace = 0, class What>
HWY_INLINE void eachPlace(const What& what) {
  what(std::integral_constant<int, kPlace>());
  if constexpr (kBits * (kPlace + 1) < 8) eachPlace<kBits, kPlace + 1>(what);
}

/// The scores of one key for `heads` query heads from `query` on. band: its levels' band, row: of the bytes
/// that hold them.
template <int kBits, int kPlace, int heads>
HWY_INLINE void scoreKey(const PackedAttention& p, int query, int key, const std::uint8_t* band, int row) {
  const Floats df;
  const int lanes = static_cast<int>(hn::Lanes(df)), half = p.half();
  const auto* scales = reinterpret_cast<const float*>(band);
  const float* least = scales + p.dimension;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(least + p.dimension) + row * p.dimension;
  const float *cosines = p.cosines + p.angleAt(key), *sines = p.sines + p.angleAt(key);
  const float* queries = p.queries + query * p.dimension;
  auto sums = HeadVectors<heads>::zero();
  int i = 0;
  for (; i + lanes <= half; i += lanes) {
    const auto numbersFrom = [&](int at) HWY_ATTR {
      return unpackPlace<kBits, kPlace>(df, bytes + at, hn::LoadU(df, scales + at), hn::LoadU(df, least + at));
    };
    const auto first = numbersFrom(i), second = numbersFrom(i + half);
    const auto c = hn::LoadU(df, cosines + i), s = hn::LoadU(df, sines + i);
    const auto rotatedFirst = hn::NegMulAdd(second, s, hn::Mul(first, c));
    const auto rotatedSecond = hn::MulAdd(first, s, hn::Mul(second, c));
    sums.each([&](int h, hn::Vec<Floats>& sum) HWY_ATTR {
      const float* q = queries + h * p.dimension + i;
      sum = hn::MulAdd(rotatedFirst, hn::LoadU(df, q), sum);
      sum = hn::MulAdd(rotatedSecond, hn::LoadU(df, q + half), sum);
    });
  }
  sums.each([&](int h, const hn::Vec<Floats>& sum) HWY_ATTR {
    float product = total(df, sum);
    for (int rest = i; rest < half; ++rest) product += p.pairProduct(query + h, key, rest);
    const float score = product * p.scale;
    p.weights[(query + h) * p.weightStride + key] = score;
    p.largest[query + h] = std::max(p.largest[query + h], score);
  });
}

template <int kBits, int heads>
void scoreKeys(const PackedAttention& p, int query) {
  const LevelGroups levels = p.keyLevels();
  std::fill_n(p.largest + query, heads, -std::numeric_limits<float>::infinity());
  for (int band = 0; band < levels.bands(); ++band) {
    const std::uint8_t* from = p.keys + levels.firstByte(0, band);
    eachPlace<kBits>([&](auto place) HWY_ATTR {
      constexpr int kPlace = decltype(place)::value;
      const int first = kPlace * levels.rows(), count = std::min(levels.rows(), levels.count(band) - first);
      for (int row = 0; row < count; ++row)
        scoreKey<kBits, kPlace, heads>(p, query, band * LevelGroups::kNumbers + first + row, from, row);
    });
  }
}

/// A vector of the outputs of `heads` query heads: of one place of the bytes from `row` on. firstByte: of the
/// first key's band.
template <int kBits, int kPlace, int heads, class D>
HWY_INLINE void sumPlace(D df, const PackedAttention& p, int query, std::int64_t firstByte, int row,
                         float* out) {
  const LevelGroups levels = p.valueLevels();
  const std::int64_t keyBytes = levels.bands() * levels.bandBytes();
  const float* weights = p.weights + query * p.weightStride;
  const std::uint8_t* band = p.values + firstByte;
  auto sums = HeadVectors<heads, D>::zero();
  for (int k = 0; k < p.count; ++k, band += keyBytes) {
    const auto* ranges = reinterpret_cast<const float*>(band);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(ranges + 2) + row;
    const auto numbers = unpackPlace<kBits, kPlace>(df, bytes, hn::Set(df, ranges[0]), hn::Set(df, ranges[1]));
    sums.each([&](int h, hn::Vec<D>& sum)
                  HWY_ATTR { sum = hn::MulAdd(numbers, hn::Set(df, weights[h * p.weightStride + k]), sum); });
  }
  sums.each([&](int h, const hn::Vec<D>& sum) HWY_ATTR { hn::StoreU(sum, df, out + h * p.dimension); });
}

template <int kBits, int heads>
void sumValues(const PackedAttention& p, int query) {
  constexpr int kRows = LevelGroups::kNumbers * kBits / 8;
  const hn::CappedTag<float, kRows> df;
  const LevelGroups levels = p.valueLevels();
  float* output = p.output + query * p.dimension;
  for (int band = 0; band < levels.bands(); ++band) {
    const int begin = band * LevelGroups::kNumbers;
    if (levels.count(band) < LevelGroups::kNumbers) {
      for (int i = begin; i < p.dimension; ++i)
        for (int h = 0; h < heads; ++h) output[h * p.dimension + i] = p.sumValue(query + h, i);
      continue;
    }
    for (int row = 0; row < kRows; row += static_cast<int>(hn::Lanes(df)))
      eachPlace<kBits>([&](auto place) HWY_ATTR {
        constexpr int kPlace = decltype(place)::value;
        sumPlace<kBits, kPlace, heads>(df, p, query, levels.firstByte(0, band), row,
                                       output + begin + kPlace * kRows + row);
      });
  }
}

template <int kBits>
void attend(const PackedAttention& p) {
  byHeads(p.group, [&](int query, auto count) HWY_ATTR {
    constexpr int heads = decltype(count)::value;
    scoreKeys<kBits, heads>(p, query);
    for (int h = 0; h < heads; ++h) weighKeys(p, query + h);
    sumValues<kBits, heads>(p, query);
  });
}

void AttendPacked(const PackedAttention& p) { p.bits == 4 ? attend<4>(p) : attend<2>(p); }

}  // namespace HWY_NAMESPACE
}  // namespace kvasir
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kvasir {

HWY_EXPORT(AttendPacked);

void attendPacked(const PackedAttention& attention) { HWY_DYNAMIC_DISPATCH(AttendPacked)(attention); }

}  // namespace kvasir
#endif
