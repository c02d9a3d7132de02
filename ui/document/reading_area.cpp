#include "ui/document/reading_area.h"

namespace kvasir {

ReadingArea::ReadingArea(PageImages* images, const Highlights* highlights, QWidget* parent)
    : QStackedWidget(parent),
      pages_(new PageView(images, highlights, this)),
      flow_(new FlowView(highlights, this)) {
  addWidget(pages_);
  addWidget(flow_);
  connectView(pages_);
  connectView(flow_);
}

template <typename View>
void ReadingArea::connectView(View* view) {
  connect(view, &View::hovered, this, &ReadingArea::hovered);
  connect(view, &View::placeChanged, this, &ReadingArea::placeChanged);
  connect(view, &View::zoomChanged, this, &ReadingArea::zoomChanged);
  connect(view, &View::selectionChanged, this, &ReadingArea::selectionChanged);
  connect(view, &QWidget::customContextMenuRequested, this,
          [this, view](QPoint at) { Q_EMIT menuWished(view->viewport()->mapToGlobal(at)); });
}

void ReadingArea::showDocument(std::shared_ptr<const Document> document) {
  document_ = std::move(document);
  const bool isFlow = document_ != nullptr && document_->pages.empty();
  pages_->showDocument(isFlow ? nullptr : document_);
  flow_->showBook(isFlow ? document_ : nullptr);
  setCurrentWidget(isFlow ? static_cast<QWidget*>(flow_) : pages_);
  setFocusProxy(currentWidget());
  Q_EMIT selectionChanged();
  Q_EMIT zoomChanged();
  Q_EMIT placeChanged();
}

void ReadingArea::setPaper(Paper paper) {
  paper_ = paper;
  pages_->setPaper(paper);
  flow_->setPaper(paper);
}

void ReadingArea::refresh() {
  if (!isPaged()) return flow_->refresh();
  pages_->viewport()->update();
}

void ReadingArea::reveal(const TextRange& range) { isPaged() ? pages_->reveal(range) : flow_->reveal(range); }

bool ReadingArea::isInView(const TextRange& range) const {
  return isPaged() ? pages_->isInView(range) : flow_->isInView(range);
}

std::vector<QRect> ReadingArea::boxesInView(const TextRange& range) const {
  const QWidget* viewport = isPaged() ? pages_->viewport() : flow_->viewport();
  std::vector<QRect> boxes = isPaged() ? pages_->boxesInView(range) : flow_->boxesInView(range);
  for (QRect& box : boxes) box.translate(viewport->mapTo(this, QPoint()));
  return boxes;
}

DocumentPlace ReadingArea::place() const { return isPaged() ? pages_->place() : flow_->place(); }

void ReadingArea::goTo(const DocumentPlace& place) { isPaged() ? pages_->goTo(place) : flow_->goTo(place); }

int ReadingArea::currentPage() const { return isPaged() ? pages_->currentPage() : flow_->part(); }

int ReadingArea::pageCount() const {
  if (document_ == nullptr) return 0;
  return isPaged() ? static_cast<int>(document_->pages.size()) : flow_->partCount();
}

std::size_t ReadingArea::topByte() const { return isPaged() ? pages_->topByte() : flow_->topByte(); }

double ReadingArea::zoom() const { return isPaged() ? pages_->zoom() : flow_->zoom(); }

void ReadingArea::setZoom(double zoom) { isPaged() ? pages_->setZoom(zoom) : flow_->setZoom(zoom); }

Fit ReadingArea::fit() const { return isPaged() ? pages_->fit() : Fit::None; }

void ReadingArea::setFit(Fit fit) { isPaged() ? pages_->setFit(fit) : flow_->setZoom(1); }

std::optional<TextRange> ReadingArea::selection() const {
  return isPaged() ? pages_->selection() : flow_->selectedRange();
}

}  // namespace kvasir
