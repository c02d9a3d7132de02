#include "engine/model/utf8.h"

#include <unicode/utf8.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <stdexcept>

namespace kvasir {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

/// ICU counts in 32 bits.
std::int32_t checkedSize(std::string_view text) {
  if (text.size() >= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw std::runtime_error("The text is longer than 2 GB: divide it first");
  }
  return static_cast<std::int32_t>(text.size());
}

}  // namespace

CleanText::CleanText(std::string_view given) : text_(given) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(given.data());
  const std::int32_t size = checkedSize(given);
  std::int32_t position = 0;
  std::size_t copied = 0;
  while (position < size) {
    const std::int32_t start = position;
    UChar32 character;
    U8_NEXT(bytes, position, size, character);
    if (character >= 0) continue;
    const auto from = static_cast<std::size_t>(start), to = static_cast<std::size_t>(position);
    mended_.append(given.substr(copied, from - copied));
    mends_.push_back({mended_.size(), from, to - from});
    mended_.append(kReplacement);
    copied = to;
  }
  if (mends_.empty()) return;
  mended_.append(given.substr(copied));
  text_ = mended_;
}

std::size_t CleanText::given(std::size_t offset) const {
  const auto after =
      std::upper_bound(mends_.begin(), mends_.end(), offset,
                       [](std::size_t wanted, const Mend& mend) { return wanted < mend.offset; });
  if (after == mends_.begin()) return offset;
  const Mend& mend = *std::prev(after);
  const std::size_t past = offset - mend.offset;
  if (past < kReplacement.size()) return mend.given + std::min(past, mend.length);
  return mend.given + mend.length + (past - kReplacement.size());
}

std::size_t incompleteTail(std::string_view text) {
  const std::size_t most = std::min<std::size_t>(text.size(), 3);
  for (std::size_t back = 1; back <= most; ++back) {
    const auto byte = static_cast<std::uint8_t>(text[text.size() - back]);
    if (U8_IS_TRAIL(byte)) continue;
    return U8_IS_LEAD(byte) && static_cast<std::size_t>(U8_COUNT_TRAIL_BYTES(byte)) >= back ? back : 0;
  }
  return 0;
}

}  // namespace kvasir
