#include "kernels/panels.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/panels.cpp"
#include <hwy/foreach_target.h>  // first: it includes this file again for each target

#include <hwy/highway.h>

#include "kernels/panel_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

// One lane, and no pairs: the definitions.
template <class Out>
void expand(const PanelMatrix& m, std::int64_t begin, std::int64_t end, Out* out) {
  for (std::int64_t row = begin; row < end; ++row)
    for (int i = 0; i < m.columns; ++i) writeValue(m.weight(row, i), out++);
}

void MultiplyExactly(const ExactProduct& p, std::int64_t begin, std::int64_t end) {
  const std::int64_t last = std::min<std::int64_t>(p.matrix.rows, end * PanelMatrix::kRows);
  for (std::int64_t row = begin * PanelMatrix::kRows; row < last; ++row) p.y[row] = p.entry(row);
}

#else

using Floats = hn::CappedTag<float, PanelMatrix::kRows>;

/// Weights of one pair of columns of a panel's rows: first [16], then second [16] floats.
template <int kBits, int kPair, class Scale>
HWY_INLINE void expandPair(const std::uint32_t* words, int zero, const PanelScales<Scale>& scales,
                           std::int64_t block, float* out) {
  const Floats df;
  const hn::Rebind<std::uint32_t, Floats> du;
  const hn::Rebind<std::int32_t, Floats> di;
  for (int row = 0; row < PanelMatrix::kRows; row += static_cast<int>(hn::Lanes(df))) {
    const auto pair = hn::BitCast(di, unpackPair<kBits, kPair>(du, hn::LoadU(du, words + row)));
    const std::int64_t at = block * PanelMatrix::kRows + row;
    const auto scale = loadScales(df, scales.scales + at);
    const auto offset = scales.offsets ? loadScales(df, scales.offsets + at) : hn::Zero(df);
    const auto weigh = [&](auto levels) HWY_ATTR {
      return hn::MulAdd(hn::ConvertTo(df, hn::Sub(levels, hn::Set(di, zero))), scale, offset);
    };
    hn::StoreU(weigh(hn::ShiftRight<16>(hn::ShiftLeft<16>(pair))), df, out + row);
    hn::StoreU(weigh(hn::ShiftRight<16>(pair)), df, out + PanelMatrix::kRows + row);
  }
}

/// Rows [begin, end) of one panel, block by block through a small tile that is turned on its side.
template <int kBits, class Scale, class Out>
void expandPanel(const PanelMatrix& m, std::int64_t panel, const PanelScales<Scale>& scales, int begin, int end,
                 Out* out) {
  constexpr int kRows = PanelMatrix::kRows, kInWord = 32 / kBits;
  const std::uint32_t* words = wordsOf(m, panel);
  float tile[kInWord * kRows];
  for (int first = 0; first < m.columns; first += kInWord, words += kRows) {
    const std::int64_t block = first / m.blockSize;
    expandPair<kBits, 0>(words, m.zero, scales, block, tile);
    expandPair<kBits, 1>(words, m.zero, scales, block, tile + 2 * kRows);
    if constexpr (kBits == 4) {
      expandPair<kBits, 2>(words, m.zero, scales, block, tile + 4 * kRows);
      expandPair<kBits, 3>(words, m.zero, scales, block, tile + 6 * kRows);
    }
    for (int row = begin; row < end; ++row)
      for (int i = 0; i < kInWord; ++i)
        writeValue(tile[i * kRows + row], out + std::int64_t{row - begin} * m.columns + first + i);
  }
}

template <class Out>
void expand(const PanelMatrix& m, std::int64_t begin, std::int64_t end, Out* out) {
  constexpr int kRows = PanelMatrix::kRows;
  for (std::int64_t row = begin; row < end;) {
    const std::int64_t panel = row / kRows, first = panel * kRows;
    const std::int64_t last = std::min(end, first + kRows);
    withPanel(m, panel, [&](const auto& scales, auto bits) HWY_ATTR {
      expandPanel<decltype(bits)::value>(m, panel, scales, static_cast<int>(row - first),
                                         static_cast<int>(last - first), out + (row - begin) * m.columns);
    });
    row = last;
  }
}

template <int kBits, int kPair, class D>
HWY_INLINE hn::Vec<D> addExactly(D df, hn::Vec<hn::Rebind<std::uint32_t, D> > words, hn::Vec<D> zero,
                                 const float* x, hn::Vec<D> sum) {
  const hn::Rebind<std::int32_t, D> di;
  const auto pair = hn::BitCast(di, unpackPair<kBits, kPair>(hn::Rebind<std::uint32_t, D>(), words));
  const auto first = hn::ConvertTo(df, hn::ShiftRight<16>(hn::ShiftLeft<16>(pair)));
  const auto second = hn::ConvertTo(df, hn::ShiftRight<16>(pair));
  sum = hn::MulAdd(hn::Sub(first, zero), hn::Set(df, x[2 * kPair]), sum);
  sum = hn::MulAdd(hn::Sub(second, zero), hn::Set(df, x[2 * kPair + 1]), sum);
  if constexpr (kPair + 1 < 16 / kBits) return addExactly<kBits, kPair + 1>(df, words, zero, x, sum);
  return sum;
}

template <int kBits, class Scale>
void multiplyPanelExactly(const ExactProduct& p, std::int64_t panel, const PanelScales<Scale>& scales,
                          float* sums) {
  const Floats df;
  const hn::Rebind<std::uint32_t, Floats> d32;
  const PanelMatrix& m = p.matrix;
  const auto zero = hn::Set(df, static_cast<float>(m.zero));
  for (int row = 0; row < PanelMatrix::kRows; row += static_cast<int>(hn::Lanes(df))) {
    const std::uint32_t* words = wordsOf(m, panel) + row;
    auto sum = hn::Zero(df);
    for (int block = 0; block < m.blocks(); ++block) {
      const float* x = p.x + std::int64_t{block} * m.blockSize;
      auto products = hn::Zero(df);
      float blockSum = 0;
      for (int i = 0; i < m.blockSize; i += 32 / kBits, words += PanelMatrix::kRows)
        products = addExactly<kBits, 0>(df, hn::LoadU(d32, words), zero, x + i, products);
      const std::int64_t at = std::int64_t{block} * PanelMatrix::kRows + row;
      sum = hn::MulAdd(products, loadScales(df, scales.scales + at), sum);
      if (!scales.offsets) continue;
      for (int i = 0; i < m.blockSize; ++i) blockSum += x[i];
      sum = hn::MulAdd(loadScales(df, scales.offsets + at), hn::Set(df, blockSum), sum);
    }
    hn::StoreU(sum, df, sums + row);
  }
}

void MultiplyExactly(const ExactProduct& p, std::int64_t begin, std::int64_t end) {
  for (std::int64_t panel = begin; panel < end; ++panel) {
    float sums[PanelMatrix::kRows];
    withPanel(p.matrix, panel, [&](const auto& scales, auto bits) HWY_ATTR {
      multiplyPanelExactly<decltype(bits)::value>(p, panel, scales, sums);
    });
    const std::int64_t first = panel * PanelMatrix::kRows;
    std::copy_n(sums, std::min<std::int64_t>(PanelMatrix::kRows, p.matrix.rows - first), p.y + first);
  }
}

#endif

void ExpandFloats(const PanelMatrix& m, std::int64_t begin, std::int64_t end, float* out) {
  expand(m, begin, end, out);
}
void ExpandBfloats(const PanelMatrix& m, std::int64_t begin, std::int64_t end, std::uint16_t* out) {
  expand(m, begin, end, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace kvasir
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kvasir {

HWY_EXPORT(ExpandFloats);
HWY_EXPORT(ExpandBfloats);
HWY_EXPORT(MultiplyExactly);

void expandRows(const PanelMatrix& matrix, std::int64_t begin, std::int64_t end, float* out) {
  HWY_DYNAMIC_DISPATCH(ExpandFloats)(matrix, begin, end, out);
}
void expandRows(const PanelMatrix& matrix, std::int64_t begin, std::int64_t end, std::uint16_t* out) {
  HWY_DYNAMIC_DISPATCH(ExpandBfloats)(matrix, begin, end, out);
}

void multiplyExactly(const ExactProduct& product, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(MultiplyExactly)(product, begin, end);
}

PanelMatrix PackedPanels::matrix() const {
  PanelMatrix matrix = shape;
  const auto orNull = [](const auto& values) { return values.empty() ? nullptr : values.data(); };
  matrix.words = orNull(words);
  matrix.scales = orNull(scales);
  matrix.halfScales = orNull(halfScales);
  matrix.offsets = orNull(offsets);
  matrix.halfOffsets = orNull(halfOffsets);
  return matrix;
}

std::size_t PackedPanels::bytes() const {
  return 4 * (words.size() + scales.size() + offsets.size()) + 2 * (halfScales.size() + halfOffsets.size());
}

namespace {

/// The half that reads back as `value`, or nothing.
bool toHalf(float value, std::uint16_t* half) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
  float magnitude;
  bits &= 0x7fffffffu;
  std::memcpy(&magnitude, &bits, sizeof magnitude);
  if (!(magnitude <= 65504.0f)) return false;
  magnitude *= 1.925929944387236e-34f;  // 2⁻¹¹², as in readHalf
  std::memcpy(&bits, &magnitude, sizeof bits);
  *half = static_cast<std::uint16_t>(sign | bits >> 13);
  const float back = readHalf(*half);
  return std::memcmp(&back, &value, sizeof back) == 0;
}

/// Scales or offsets in the order of panels; rows that are only there to fill a panel get 0.
template <class Value, class Convert>
LineVector<Value> inPanels(const AffineRows& rows, const float* from, const Convert& convert) {
  const PanelMatrix shape{.rows = rows.rows, .columns = rows.columns, .blockSize = rows.blockSize};
  const int blocks = shape.blocks();
  LineVector<Value> to(static_cast<std::size_t>(shape.panels()) * blocks * PanelMatrix::kRows);
  for (std::int64_t row = 0; row < rows.rows; ++row)
    for (int block = 0; block < blocks; ++block)
      to[static_cast<std::size_t>(shape.blockAt(row, block))] = convert(from[row * blocks + block]);
  return to;
}

bool areHalves(const float* values, std::int64_t count) {
  std::uint16_t half;
  return std::all_of(values, values + count, [&](float value) { return toHalf(value, &half); });
}

/// Eight levels as one number of eight bytes, the first lowest.
std::uint64_t eightLevels(const std::int8_t* levels) {
  std::uint64_t bytes = 0;
  for (int i = 0; i < 8; ++i) bytes |= std::uint64_t{static_cast<std::uint8_t>(levels[i])} << (8 * i);
  return bytes;
}

/// `zero`, which is 0 or 8, added to each of eight bytes.
std::uint64_t addToEach(std::uint64_t bytes, int zero) {
  constexpr std::uint64_t kTops = 0x8080808080808080, kOnes = 0x0101010101010101;
  return ((bytes & ~kTops) + kOnes * static_cast<std::uint64_t>(zero)) ^ (bytes & kTops);
}

bool areNibbles(const std::int8_t* levels, std::int64_t count, int zero) {
  constexpr std::uint64_t kHighNibbles = 0xf0f0f0f0f0f0f0f0;
  for (std::int64_t i = 0; i < count; i += 8)
    if (addToEach(eightLevels(levels + i), zero) & kHighNibbles) return false;
  return true;
}

/// The word of eight levels of 4 bits.
std::uint32_t nibbleWord(std::uint64_t bytes) {
  const auto gather = [](std::uint64_t every) {  // one level in 16 bits becomes one in 4
    return static_cast<std::uint32_t>((every | every >> 12 | every >> 24 | every >> 36) & 0xffff);
  };
  constexpr std::uint64_t kEven = 0x000f000f000f000f;
  return gather(bytes & kEven) | gather(bytes >> 8 & kEven) << 16;
}

/// The word of four levels of 8 bits.
std::uint32_t byteWord(std::uint32_t bytes) {
  return (bytes & 0xff0000ffu) | (bytes & 0xff00u) << 8 | (bytes >> 8 & 0xff00u);
}

void packWords(const AffineRows& rows, PackedPanels& packed) {
  const PanelMatrix& shape = packed.shape;
  const std::int64_t words = rows.columns * shape.bits / 32;  // of a row
  packed.words.assign(static_cast<std::size_t>(shape.panels() * words * PanelMatrix::kRows), 0);
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    const std::int8_t* levels = rows.levels + row * rows.columns;
    std::uint32_t* out =
        packed.words.data() + row / PanelMatrix::kRows * words * PanelMatrix::kRows + row % PanelMatrix::kRows;
    for (int i = 0; i < rows.columns; i += 8) {
      const std::uint64_t bytes = eightLevels(levels + i);
      if (shape.bits == 4) {
        *out = nibbleWord(addToEach(bytes, shape.zero));
      } else {
        *out = byteWord(static_cast<std::uint32_t>(bytes));
        out += PanelMatrix::kRows;
        *out = byteWord(static_cast<std::uint32_t>(bytes >> 32));
      }
      out += PanelMatrix::kRows;
    }
  }
}

}  // namespace

PackedPanels packPanels(const AffineRows& rows) {
  const std::int64_t count = std::int64_t{rows.rows} * rows.columns, blocks = count / rows.blockSize;
  PackedPanels packed;
  packed.shape.rows = rows.rows;
  packed.shape.columns = rows.columns;
  packed.shape.blockSize = rows.blockSize;
  for (const int zero : {8, 0})
    if (areNibbles(rows.levels, count, zero)) {
      packed.shape.bits = 4;
      packed.shape.zero = zero;
    }
  packWords(rows, packed);
  const auto half = [](float value) {
    std::uint16_t bits = 0;
    toHalf(value, &bits);
    return bits;
  };
  const auto same = [](float value) { return value; };
  if (areHalves(rows.scales, blocks) && (!rows.offsets || areHalves(rows.offsets, blocks))) {
    packed.halfScales = inPanels<std::uint16_t>(rows, rows.scales, half);
    if (rows.offsets) packed.halfOffsets = inPanels<std::uint16_t>(rows, rows.offsets, half);
    return packed;
  }
  packed.scales = inPanels<float>(rows, rows.scales, same);
  if (rows.offsets) packed.offsets = inPanels<float>(rows, rows.offsets, same);
  return packed;
}

}  // namespace kvasir
#endif
