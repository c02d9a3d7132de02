#include "kernels/chunk_scores.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/chunk_scores.cpp"
#include <hwy/foreach_target.h>  // first: it includes this file again for each target

#include <hwy/highway.h>

#include "kernels/lanes-inl.h"
#include "kernels/row_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

void Score(const ChunkScores& s, std::int64_t begin, std::int64_t end) {
  for (std::int64_t chunk = begin; chunk < end; ++chunk) s.scores[chunk] = s.withHeld(chunk, s.product(chunk));
}

#else

constexpr int kMostLanes = 16;
using Floats = hn::CappedTag<float, kMostLanes>;

/// `count` numbers, and zeros up to a whole vector.
HWY_INLINE hn::Vec<Floats> loadFirst(Floats df, const float* from, int count) {
  float values[kMostLanes] = {};
  std::copy_n(from, count, values);
  return hn::LoadU(df, values);
}

/// Chunks [first, first + kCount), which share each load of what is asked.
template <int kCount>
void scoreTogether(const ChunkScores& s, std::int64_t first) {
  using Sum = hn::Vec<Floats>;
  const Floats df;
  const int lanes = static_cast<int>(hn::Lanes(df));
  const float* entries = s.entries + first * s.stride;
  auto sums = noRowSums<kCount>(hn::Zero(df));
  int i = 0;
  for (; i + 2 * lanes <= s.width; i += 2 * lanes) {
    const auto askedA = hn::LoadU(df, s.asked + i), askedB = hn::LoadU(df, s.asked + i + lanes);
    sums.each([&](int row, Sum& sumA, Sum& sumB) HWY_ATTR {
      const float* entry = entries + row * s.stride + i;
      sumA = hn::MulAdd(hn::LoadU(df, entry), askedA, sumA);
      sumB = hn::MulAdd(hn::LoadU(df, entry + lanes), askedB, sumB);
    });
  }
  for (; i < s.width; i += lanes) {
    const int left = std::min(lanes, s.width - i);
    const auto asked = loadFirst(df, s.asked + i, left);
    sums.each([&](int row, Sum& sum, Sum&) HWY_ATTR {
      sum = hn::MulAdd(loadFirst(df, entries + row * s.stride + i, left), asked, sum);
    });
  }
  sums.each([&](int row, Sum sumA, Sum sumB)
                HWY_ATTR { s.scores[first + row] = s.withHeld(first + row, total(df, hn::Add(sumA, sumB))); });
}

void Score(const ChunkScores& s, std::int64_t begin, std::int64_t end) {
  std::int64_t chunk = begin;
  for (; chunk + kRowsAtOnce <= end; chunk += kRowsAtOnce) scoreTogether<kRowsAtOnce>(s, chunk);
  for (; chunk < end; ++chunk) scoreTogether<1>(s, chunk);
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace kvasir
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kvasir {

HWY_EXPORT(Score);

void scoreChunks(const ChunkScores& scores, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(Score)(scores, begin, end);
}

}  // namespace kvasir
#endif
