#include "ui/document/page_view.h"

#include <QResizeEvent>
#include <QScopedValueRollback>
#include <QScrollBar>
#include <algorithm>
#include <cmath>

#include "ui/document/page_words.h"

namespace kvasir {
namespace {

constexpr double kRevealAt = 0.25;  // of the view's height: where a revealed line comes to stand
constexpr int kLinePixels = 40;
constexpr std::size_t kLongestDescription = 8000;

/// Upwards, so that a page's start does not fall on the page before; what rounding errors add does not count.
int pixelsUp(double length) { return static_cast<int>(std::ceil(length - 0.01)); }

}  // namespace

PageView::PageView(PageImages* images, const Highlights* highlights, QWidget* parent)
    : QAbstractScrollArea(parent), images_(images), highlights_(highlights) {
  setFrameShape(QFrame::NoFrame);
  setFocusPolicy(Qt::StrongFocus);
  setAccessibleName(tr("Pages"));
  setContextMenuPolicy(Qt::CustomContextMenu);
  viewport()->setMouseTracking(true);
  viewport()->setAttribute(Qt::WA_OpaquePaintEvent);
  // The bars stay, so that fitting the width cannot make one of them come and go.
  setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOn);
  verticalScrollBar()->setAccessibleName(tr("Place in the document"));
  horizontalScrollBar()->setAccessibleName(tr("Place across the page"));
  connect(this, &PageView::placeChanged, this, &PageView::describePage);
  connect(images_, &PageImages::drawn, this, [this](ImageUse use, int page) {
    const auto span = pagesInView();
    if (use == ImageUse::Pages && page >= span.first && page <= span.last) viewport()->update();
  });
}

void PageView::showDocument(std::shared_ptr<const Document> document) {
  document_ = std::move(document);
  stack_ = document_ == nullptr ? PageStack() : PageStack(document_->pages);
  anchor_.reset();
  hovered_.reset();
  selection_ = {};
  described_ = -1;
  goTo({0, 0, zoom(), Fit::Width});
}

void PageView::setPaper(Paper paper) {
  paper_ = paper;
  viewport()->update();
}

// Where things stand.

QPointF PageView::origin() const {
  const double spare = viewport()->width() - stack_.size(scale_).width();
  const double x = spare > 0 ? std::floor(spare / 2) : -horizontalScrollBar()->value();
  return {x, static_cast<double>(-verticalScrollBar()->value())};
}

QRectF PageView::rectOf(int page) const { return stack_.rect(page, scale_).translated(origin()); }

QRectF PageView::inViewport(int page, const QRectF& box) const {
  return {rectOf(page).topLeft() + box.topLeft() * scale_, box.size() * scale_};
}

PageStack::Span PageView::pagesInView() const {
  const double top = verticalScrollBar()->value();
  return stack_.between(top, top + viewport()->height(), scale_);
}

PageView::PagePoint PageView::pagePointAt(QPointF position) const {
  const int page = stack_.pageAt(position.y() - origin().y(), scale_);
  return {page, (position - rectOf(page).topLeft()) / scale_};
}

TextRange PageView::textOf(int page) const {
  const Page& at = document_->pages[static_cast<std::size_t>(page)];
  return {at.start, at.end};
}

std::vector<QRect> PageView::boxesInView(const TextRange& range) const {
  std::vector<QRect> boxes;
  const auto span = pagesInView();
  for (int page = span.first; page <= span.last; ++page) {
    for (const QRectF& box : boxesOn(*document_, page, range)) {
      const QRect rect = inViewport(page, box).toAlignedRect();
      if (rect.intersects(viewport()->rect())) boxes.push_back(rect);
    }
  }
  return boxes;
}

bool PageView::isInView(const TextRange& range) const {
  if (stack_.count() == 0) return false;
  const auto boxes = boxesOf(*document_, range);
  return !boxes.empty() && boxes.front().page < stack_.count() &&
         QRectF(viewport()->rect()).contains(inViewport(boxes.front().page, boxes.front().box));
}

// Moving.

void PageView::reveal(const TextRange& range) {
  if (stack_.count() == 0 || isInView(range)) return;
  const auto boxes = boxesOf(*document_, {range.start, std::max(range.end, range.start + 1)});
  if (boxes.empty() || boxes.front().page >= stack_.count()) {
    const auto pages = pagesOf(*document_, range.start, range.end);
    return goTo({pages->first, 0, zoom(), fit_});
  }
  const QRectF box = inViewport(boxes.front().page, boxes.front().box).translated(-origin());
  verticalScrollBar()->setValue(static_cast<int>(box.top() - kRevealAt * viewport()->height()));
  QScrollBar* across = horizontalScrollBar();
  const bool isBeside = box.left() < across->value() || box.right() > across->value() + viewport()->width();
  if (isBeside) across->setValue(static_cast<int>(box.left() - PageStack::kGap));
}

DocumentPlace PageView::place() const {
  if (stack_.count() == 0) return {};
  const double top = verticalScrollBar()->value();
  const int page = stack_.pageAt(top, scale_);
  return {page, stack_.shareAbove(page, top, scale_), zoom(), fit_};
}

void PageView::goTo(const DocumentPlace& place) {
  if (stack_.count() > 0) {
    kept_ = place;
    kept_.page = std::clamp(place.page, 0, stack_.count() - 1);
    kept_.top = std::isfinite(place.top) ? std::clamp(place.top, 0.0, 1.0) : 0;
    fit_ = place.fit;
    if (fit_ == Fit::None && place.zoom > 0) {
      const double most = std::min(kLargestZoom * kPixelsPerPoint, stack_.largestScale());
      scale_ = std::min(std::max(place.zoom, kSmallestZoom) * kPixelsPerPoint, most);
    }
  }
  keepPlace();
  Q_EMIT zoomChanged();
  Q_EMIT placeChanged();
}

int PageView::currentPage() const {
  return stack_.count() == 0 ? 0
                             : stack_.pageAt(verticalScrollBar()->value() + viewport()->height() / 3.0, scale_);
}

std::size_t PageView::topByte() const {
  if (stack_.count() == 0) return 0;
  const PagePoint at = pagePointAt({viewport()->width() / 2.0, 0});
  for (const Word& word : wordsOn(*document_, at.page)) {
    if (word.box.top >= at.point.y()) return word.start;
  }
  return textOf(at.page).start;
}

/// A screen reader reads the page where it would find a picture.
void PageView::describePage() {
  const int page = stack_.count() == 0 ? -1 : currentPage();
  if (page == described_) return;
  described_ = page;
  if (page < 0) return setAccessibleDescription({});
  const TextRange text = textOf(page);
  const std::size_t start = std::min(text.start, document_->text.size());
  const std::size_t length = std::min(text.end - std::min(text.end, start), kLongestDescription);
  setAccessibleDescription(QString::fromStdString(document_->text.substr(start, length)));
}

void PageView::keepPlace() {
  if (fit_ != Fit::None && stack_.count() > 0) scale_ = fittedScale();
  const QScopedValueRollback placing(isPlacing_, true);
  updateBars();
  if (stack_.count() > 0) {
    verticalScrollBar()->setValue(pixelsUp(stack_.heightOf(kept_.page, kept_.top, scale_)));
  }
  viewport()->update();
}

void PageView::updateBars() {
  const QSizeF size = stack_.count() == 0 ? QSizeF() : stack_.size(scale_);
  const auto most = [](double content, int view) { return std::max(0, pixelsUp(content) - view); };
  QScrollBar* across = horizontalScrollBar();
  const double middle = across->maximum() > 0 ? (across->value() + 0.5) / (across->maximum() + 1.0) : 0.5;
  across->setRange(0, most(size.width(), viewport()->width()));
  across->setValue(static_cast<int>(middle * across->maximum()));
  across->setPageStep(viewport()->width());
  across->setSingleStep(kLinePixels);
  verticalScrollBar()->setRange(0, most(size.height(), viewport()->height()));
  verticalScrollBar()->setPageStep(std::max(kLinePixels, viewport()->height() - kLinePixels));
  verticalScrollBar()->setSingleStep(kLinePixels);
}

void PageView::resizeEvent(QResizeEvent*) {
  const double before = scale_;
  keepPlace();
  if (scale_ != before) Q_EMIT zoomChanged();
}

void PageView::scrollContentsBy(int, int) {
  viewport()->update();
  if (isPlacing_) return;
  kept_ = place();
  Q_EMIT placeChanged();
}

// Zoom.

double PageView::fittedScale() const {
  const QSizeF page = stack_.points(std::clamp(kept_.page, 0, stack_.count() - 1));
  const double across = (viewport()->width() - 2 * PageStack::kGap) / page.width();
  const double down = (viewport()->height() - 2 * PageStack::kGap) / page.height();
  const double wished = fit_ == Fit::Page ? std::min(across, down) : across;
  const double most = std::min(kLargestZoom * kPixelsPerPoint, stack_.largestScale());
  return std::min(std::max(wished, kSmallestZoom * kPixelsPerPoint), most);
}

void PageView::setZoom(double zoom) {
  setScale(zoom * kPixelsPerPoint, QPointF(viewport()->width() / 2.0, viewport()->height() / 3.0));
}

void PageView::setFit(Fit fit) {
  fit_ = fit;
  kept_ = place();
  kept_.page = currentPage();
  if (kept_.page != place().page) kept_.top = 0;
  keepPlace();
  Q_EMIT zoomChanged();
  Q_EMIT placeChanged();
}

void PageView::setScale(double scale, QPointF fixed) {
  if (stack_.count() == 0 || !std::isfinite(scale)) return;
  const double most = std::min(kLargestZoom * kPixelsPerPoint, stack_.largestScale());
  const PagePoint at = pagePointAt(fixed);
  fit_ = Fit::None;
  scale_ = std::min(std::max(scale, kSmallestZoom * kPixelsPerPoint), most);
  {
    const QScopedValueRollback placing(isPlacing_, true);
    updateBars();
    const QPointF now = stack_.rect(at.page, scale_).topLeft() + at.point * scale_ - fixed;
    horizontalScrollBar()->setValue(static_cast<int>(std::lround(now.x())));
    verticalScrollBar()->setValue(static_cast<int>(std::lround(now.y())));
  }
  kept_ = place();
  viewport()->update();
  Q_EMIT zoomChanged();
  Q_EMIT placeChanged();
}

}  // namespace kvasir
