#pragma once

#include <QRectF>
#include <QSizeF>
#include <vector>

#include "importers/document.h"

namespace kvasir {

/// Pages one below the other, as arithmetic: 3,000 pages cost what 3 do. `scale` is in pixels a point; the gap
/// around pages is the same at every scale.
class PageStack {
 public:
  static constexpr double kGap = 12;             ///< pixels
  static constexpr double kLargestSide = 14400;  ///< points; larger pages, as damaged files have, are cut

  struct Span {
    int first = 0, last = -1;  ///< indexes; empty when last < first
  };

  PageStack() = default;
  explicit PageStack(const std::vector<Page>& pages);

  int count() const { return static_cast<int>(sizes_.size()); }
  QSizeF points(int page) const { return sizes_[static_cast<std::size_t>(page)]; }

  /// Of all pages and the gaps around them.
  QSizeF size(double scale) const;
  /// Pages are centred on the widest.
  QRectF rect(int page, double scale) const;
  /// The page at this height; in a gap the page below it; the last below all.
  int pageAt(double y, double scale) const;
  Span between(double top, double bottom, double scale) const;

  /// The height of a place: `share` of the page lies above it. A page's start includes the gap above it.
  double heightOf(int page, double share, double scale) const;
  double shareAbove(int page, double y, double scale) const;

  /// Scroll bars count in int, so a long document cannot be enlarged without end.
  double largestScale() const;

 private:
  std::vector<QSizeF> sizes_;
  std::vector<double> tops_{0};  // points above each page, and all of them
  double widest_ = 0;
};

}  // namespace kvasir
