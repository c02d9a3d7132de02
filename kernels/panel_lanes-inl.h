// Lanes of a panel's rows, once for each SIMD target. Included after <hwy/highway.h>.
#if defined(KVASIR_KERNELS_PANEL_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KVASIR_KERNELS_PANEL_LANES_INL_H_
#undef KVASIR_KERNELS_PANEL_LANES_INL_H_
#else
#define KVASIR_KERNELS_PANEL_LANES_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>

#include "kernels/lanes-inl.h"
#include "kernels/panels.h"

HWY_BEFORE_NAMESPACE();
namespace kvasir {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR
/// Pair `kPair` of columns of words of rows, as 16-bit levels: rows side by side, the columns of each as
/// neighbours.
template <int kBits, int kPair, class D32>
HWY_INLINE hn::Vec<hn::Repartition<std::int16_t, D32>> unpackPair(D32 d32, hn::Vec<D32> words) {
  const hn::Repartition<std::int16_t, D32> d16;
  if constexpr (kBits == 4) {
    return hn::BitCast(d16, hn::And(hn::ShiftRight<4 * kPair>(words), hn::Set(d32, 0x000f000fu)));
  } else {
    const auto both = hn::BitCast(d16, words);
    if constexpr (kPair == 1) return hn::ShiftRight<8>(both);
    return hn::ShiftRight<8>(hn::ShiftLeft<8>(both));
  }
}
#endif

/// Scales or offsets of as many rows as df has lanes, at a place of a matrix's scales.
template <class D>
HWY_INLINE hn::Vec<D> loadScales(D df, const float* from) {
  return hn::LoadU(df, from);
}
template <class D>
HWY_INLINE hn::Vec<D> loadScales(D df, const hwy::float16_t* from) {
  return hn::PromoteTo(df, hn::LoadU(hn::Rebind<hwy::float16_t, D>(), from));
}

/// Scales and offsets of one panel, of the type they are kept in.
template <class Scale>
struct PanelScales {
  const Scale* scales;   ///< [blocks, 16]
  const Scale* offsets;  ///< null: none
};

/// Calls what(PanelScales, std::integral_constant of the bits) for a panel of a matrix.
template <class What>
HWY_INLINE void withPanel(const PanelMatrix& matrix, std::int64_t panel, const What& what) {
  const std::int64_t at = panel * matrix.blocks() * PanelMatrix::kRows;
  const auto call = [&](const auto& scales) HWY_ATTR {
    if (matrix.bits == 4) return what(scales, std::integral_constant<int, 4>());
    what(scales, std::integral_constant<int, 8>());
  };
  if (matrix.scales)
    return call(PanelScales<float>{matrix.scales + at, matrix.offsets ? matrix.offsets + at : nullptr});
  const auto* scales = reinterpret_cast<const hwy::float16_t*>(matrix.halfScales);
  const auto* offsets = reinterpret_cast<const hwy::float16_t*>(matrix.halfOffsets);
  call(PanelScales<hwy::float16_t>{scales + at, offsets ? offsets + at : nullptr});
}

/// The words of one panel.
inline const std::uint32_t* wordsOf(const PanelMatrix& matrix, std::int64_t panel) {
  return matrix.words + panel * (matrix.columns * matrix.bits / 32) * PanelMatrix::kRows;
}

}  // namespace HWY_NAMESPACE
}  // namespace kvasir
HWY_AFTER_NAMESPACE();

#endif
