#include "ui/document/page_stack.h"

#include <algorithm>
#include <cmath>

namespace kvasir {
namespace {

// Sizes come from files: not a number, nothing and endless are all possible.
double side(float points) {
  return std::isfinite(points) ? std::clamp<double>(points, 1, PageStack::kLargestSide) : 1;
}

}  // namespace

PageStack::PageStack(const std::vector<Page>& pages) {
  sizes_.reserve(pages.size());
  tops_.reserve(pages.size() + 1);
  for (const Page& page : pages) {
    sizes_.emplace_back(side(page.width), side(page.height));
    tops_.push_back(tops_.back() + sizes_.back().height());
    widest_ = std::max(widest_, sizes_.back().width());
  }
}

QSizeF PageStack::size(double scale) const {
  return {widest_ * scale + 2 * kGap, tops_.back() * scale + kGap * (count() + 1)};
}

QRectF PageStack::rect(int page, double scale) const {
  const QSizeF size = points(page) * scale;
  const double left = kGap + (widest_ * scale - size.width()) / 2;
  return {{left, tops_[static_cast<std::size_t>(page)] * scale + kGap * (page + 1)}, size};
}

int PageStack::pageAt(double y, double scale) const {
  int first = 0, last = count() - 1;
  while (first < last) {
    const int middle = first + (last - first) / 2;
    if (rect(middle, scale).bottom() <= y) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first;
}

PageStack::Span PageStack::between(double top, double bottom, double scale) const {
  if (count() == 0) return {};
  Span span{pageAt(top, scale), pageAt(bottom, scale)};
  if (rect(span.last, scale).top() >= bottom) --span.last;
  if (rect(span.first, scale).bottom() <= top) ++span.first;
  return span;
}

double PageStack::heightOf(int page, double share, double scale) const {
  const QRectF at = rect(page, scale);
  return share <= 0 ? at.top() - kGap : at.top() + share * at.height();
}

double PageStack::shareAbove(int page, double y, double scale) const {
  const QRectF at = rect(page, scale);
  return std::clamp((y - at.top()) / at.height(), 0.0, 1.0);
}

double PageStack::largestScale() const {
  constexpr double mostPixels = 1e9;
  return mostPixels / std::max({tops_.back(), widest_, 1.0});
}

}  // namespace kvasir
