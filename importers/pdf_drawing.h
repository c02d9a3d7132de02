#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

class QPDF;

namespace kvasir {

/// A page that draws more is not given to poppler. It is as much as the largest file that is read has bytes, so
/// that hardly a page comes to more without repeating itself.
constexpr std::uint64_t kMostDrawnBytes = std::uint64_t{1} << 30;

/// What each drawing of a page or a form counts beside its content: poppler sets out for an empty one as well.
constexpr std::uint64_t kFormBytes = 100;

/// What the names that a page draws by may take while it is counted: about a million of them.
constexpr std::size_t kMostNameBytes = std::size_t{1} << 27;

/// How many bytes of content poppler runs through to draw the page with this index: the page's own, and those
/// of every form (form XObject, soft mask, tiling pattern, appearance of an annotation) as often as it is
/// drawn, forms in forms included. More than kMostDrawnBytes is counted no further; what draws by more names
/// than are kept counts as more. 0 for a page without forms, which is run through once, and where the file is
/// too damaged to tell.
using DrawnBytes = std::function<std::uint64_t(std::size_t page)>;

/// pdf must outlive what is returned. A few kilobytes of forms that draw each other can keep poppler busy for
/// months, and poppler-cpp offers nothing to stop it. Pages are drawn as pictures only of files that were
/// imported and have not changed since, so they have passed this too. Pictures alone have tiling patterns,
/// counted here as often as one is chosen, not as often as something is filled with it, and glyphs of Type 3
/// fonts, not counted.
DrawnBytes drawnBytesOf(QPDF& pdf, std::size_t mostNameBytes = kMostNameBytes);

}  // namespace kvasir
