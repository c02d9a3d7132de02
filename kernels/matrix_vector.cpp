#include "kernels/matrix_vector.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/matrix_vector.cpp"
#include <hwy/foreach_target.h>  // first: it includes this file again for each target

#include <hwy/highway.h>

#include <hwy/cache_control.h>

#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// At most 16 lanes, so that a vector never reaches past a block.
using Floats = hn::CappedTag<float, 16>;

/// Sum of level · x over one block.
template <int kBlockSize, class D>
HWY_INLINE hn::Vec<D> multiplyBlock(D df, const std::int8_t* levels, const float* x) {
  const int lanes = static_cast<int>(hn::Lanes(df));
  auto products = hn::Mul(loadLevels(df, levels), hn::LoadU(df, x));
  for (int i = lanes; i < kBlockSize; i += lanes)
    products = hn::MulAdd(loadLevels(df, levels + i), hn::LoadU(df, x + i), products);
  return products;
}

HWY_INLINE void finishRow(const AffineProduct& p, std::int64_t row, int blocks, hn::Vec<Floats> sum) {
  const Floats df;
  p.y[row] = total(df, sum);
  if (p.offsets) p.y[row] += dot(df, p.offsets + row * blocks, p.blockSums, blocks);
}

// Rows are taken four at a time so that they share the loads of x. Their sums are variables of their own, not
// an array: compilers keep them in registers only so.
template <int kBlockSize>
void multiplyFour(const AffineProduct& p, std::int64_t row) {
  const Floats df;
  const std::int64_t columns = p.columns, blocks = columns / kBlockSize;
  const std::int8_t* levels = p.levels + row * columns;
  const float* scales = p.scales + row * blocks;
  const std::int8_t* stretch = levels;
  auto sum0 = hn::Zero(df), sum1 = hn::Zero(df), sum2 = hn::Zero(df), sum3 = hn::Zero(df);
  for (std::int64_t block = 0; block < blocks; ++block, levels += kBlockSize, ++scales) {
    const float* x = p.x + block * kBlockSize;
    // The four rows are read as one stretch of memory, so many bytes before they are needed.
    constexpr std::int64_t kAhead = 8192;
    hwy::Prefetch(stretch + kAhead);
    if constexpr (kBlockSize > 16) hwy::Prefetch(stretch + kAhead + 64);
    stretch += 4 * kBlockSize;
    sum0 = hn::MulAdd(multiplyBlock<kBlockSize>(df, levels, x), hn::Set(df, scales[0]), sum0);
    sum1 = hn::MulAdd(multiplyBlock<kBlockSize>(df, levels + columns, x), hn::Set(df, scales[blocks]), sum1);
    sum2 = hn::MulAdd(multiplyBlock<kBlockSize>(df, levels + 2 * columns, x), hn::Set(df, scales[2 * blocks]),
                      sum2);
    sum3 = hn::MulAdd(multiplyBlock<kBlockSize>(df, levels + 3 * columns, x), hn::Set(df, scales[3 * blocks]),
                      sum3);
  }
  finishRow(p, row, static_cast<int>(blocks), sum0);
  finishRow(p, row + 1, static_cast<int>(blocks), sum1);
  finishRow(p, row + 2, static_cast<int>(blocks), sum2);
  finishRow(p, row + 3, static_cast<int>(blocks), sum3);
}

template <int kBlockSize>
void multiplyOne(const AffineProduct& p, std::int64_t row) {
  const Floats df;
  const int blocks = p.columns / kBlockSize;
  auto sum = hn::Zero(df);
  for (int block = 0; block < blocks; ++block)
    sum = hn::MulAdd(multiplyBlock<kBlockSize>(df, p.levels + row * p.columns + block * kBlockSize,
                                               p.x + block * kBlockSize),
                     hn::Set(df, p.scales[row * blocks + block]), sum);
  finishRow(p, row, blocks, sum);
}

template <int kBlockSize>
void multiplyBlocks(const AffineProduct& p, std::int64_t begin, std::int64_t end) {
  std::int64_t row = begin;
  for (; row + 4 <= end; row += 4) multiplyFour<kBlockSize>(p, row);
  for (; row < end; ++row) multiplyOne<kBlockSize>(p, row);
}

void MultiplyRows(const AffineProduct& p, std::int64_t begin, std::int64_t end) {
  if (p.blockSize == 16) return multiplyBlocks<16>(p, begin, end);
  multiplyBlocks<32>(p, begin, end);
}

template <class Out>
void expand(const AffineProduct& p, std::int64_t begin, std::int64_t end, Out* out) {
  const Floats df;
  const int lanes = static_cast<int>(hn::Lanes(df));
  const std::int64_t blocks = p.columns / p.blockSize;
  for (std::int64_t block = begin * blocks; block < end * blocks; ++block) {
    const auto scale = hn::Set(df, p.scales[block]);
    const auto offset = hn::Set(df, p.offsets ? p.offsets[block] : 0.0f);
    const std::int64_t first = block * p.blockSize;
    for (std::int64_t i = first; i < first + p.blockSize; i += lanes)
      store(df, hn::MulAdd(loadLevels(df, p.levels + i), scale, offset), out + (i - begin * p.columns));
  }
}

void ExpandFloats(const AffineProduct& p, std::int64_t begin, std::int64_t end, float* out) {
  expand(p, begin, end, out);
}
void ExpandBfloats(const AffineProduct& p, std::int64_t begin, std::int64_t end, std::uint16_t* out) {
  expand(p, begin, end, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace kvasir
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kvasir {

HWY_EXPORT(MultiplyRows);
HWY_EXPORT(ExpandFloats);
HWY_EXPORT(ExpandBfloats);

void multiplyRows(const AffineProduct& product, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(MultiplyRows)(product, begin, end);
}

void sumBlocks(const float* x, int columns, int blockSize, float* sums) {
  for (int block = 0; block < columns / blockSize; ++block) sums[block] = sumBlock(x, blockSize, block);
}

void expandRows(const AffineProduct& product, std::int64_t begin, std::int64_t end, float* out) {
  HWY_DYNAMIC_DISPATCH(ExpandFloats)(product, begin, end, out);
}
void expandRows(const AffineProduct& product, std::int64_t begin, std::int64_t end, std::uint16_t* out) {
  HWY_DYNAMIC_DISPATCH(ExpandBfloats)(product, begin, end, out);
}

}  // namespace kvasir
#endif
