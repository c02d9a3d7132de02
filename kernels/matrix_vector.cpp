#include "kernels/matrix_vector.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/matrix_vector.cpp"
#include <hwy/foreach_target.h>  // first: it includes this file again for each target

#include <hwy/highway.h>

#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// At most 16 lanes, so that a vector never reaches past a block.
using Floats = hn::CappedTag<float, 16>;

template <int kRows>
void multiplySome(const AffineProduct& p, std::int64_t row) {
  const Floats df;
  const int lanes = static_cast<int>(hn::Lanes(df));
  const int blocks = p.columns / p.blockSize;
  const std::int8_t* levels = p.levels + row * p.columns;
  const float* scales = p.scales + row * blocks;
  hn::Vec<Floats> sums[kRows];
  for (int r = 0; r < kRows; ++r) sums[r] = hn::Zero(df);
  for (int block = 0; block < blocks; ++block) {
    const int first = block * p.blockSize;
    hn::Vec<Floats> products[kRows];
    for (int r = 0; r < kRows; ++r) products[r] = hn::Zero(df);
    for (int i = first; i < first + p.blockSize; i += lanes) {
      const auto x = hn::LoadU(df, p.x + i);
      for (int r = 0; r < kRows; ++r)
        products[r] = hn::MulAdd(loadLevels(df, levels + std::int64_t{r} * p.columns + i), x, products[r]);
    }
    for (int r = 0; r < kRows; ++r)
      sums[r] = hn::MulAdd(products[r], hn::Set(df, scales[std::int64_t{r} * blocks + block]), sums[r]);
  }
  for (int r = 0; r < kRows; ++r) {
    float sum = total(df, sums[r]);
    if (p.offsets) sum += dot(df, p.offsets + (row + r) * blocks, p.blockSums, blocks);
    p.y[row + r] = sum;
  }
}

void MultiplyRows(const AffineProduct& p, std::int64_t begin, std::int64_t end) {
  std::int64_t row = begin;
  for (; row + 4 <= end; row += 4) multiplySome<4>(p, row);
  for (; row < end; ++row) multiplySome<1>(p, row);
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
