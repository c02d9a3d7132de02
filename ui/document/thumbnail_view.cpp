#include "ui/document/thumbnail_view.h"

#include <QPaintEvent>
#include <QPainter>
#include <QStyledItemDelegate>
#include <algorithm>
#include <cmath>

namespace kvasir {
namespace {

constexpr QSizeF kPicture(116, 150);
constexpr int kMargin = 6;

double scaleOf(QSizeF points, double ratio) {
  return ratio * std::min(kPicture.width() / points.width(), kPicture.height() / points.height());
}

class ThumbnailDelegate : public QStyledItemDelegate {
 public:
  ThumbnailDelegate(PageImages* images, const PageStack* stack, QObject* parent)
      : QStyledItemDelegate(parent), images_(images), stack_(stack) {}

  QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const override {
    return {static_cast<int>(kPicture.width()) + 4 * kMargin,
            static_cast<int>(kPicture.height()) + option.fontMetrics.height() + 3 * kMargin};
  }

  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    const bool isSelected = option.state.testFlag(QStyle::State_Selected);
    if (isSelected) painter->fillRect(option.rect, option.palette.highlight());
    if (option.state.testFlag(QStyle::State_HasFocus)) {
      painter->setPen(QPen(option.palette.color(QPalette::Text), 1, Qt::DotLine));
      painter->drawRect(option.rect.adjusted(1, 1, -2, -2));
    }
    const double ratio = painter->device()->devicePixelRatioF();
    const QSizeF points = stack_->points(index.row());
    const double scale = scaleOf(points, ratio);
    const QSizeF size = points * (scale / ratio);
    const QRectF area(std::floor(option.rect.center().x() - size.width() / 2),
                      option.rect.top() + kMargin + std::floor((kPicture.height() - size.height()) / 2),
                      size.width(), size.height());
    painter->fillRect(area, Qt::white);
    const QImage* image = images_->find(ImageUse::Thumbnails, {index.row(), scale, 0, 0});
    if (image != nullptr) painter->drawImage(QRectF(area.topLeft(), QSizeF(image->size()) / ratio), *image);
    painter->setPen(option.palette.color(QPalette::Mid));
    painter->drawRect(area);
    const QRect below = option.rect.adjusted(0, static_cast<int>(kPicture.height()) + 2 * kMargin, 0, -kMargin);
    painter->setPen(option.palette.color(isSelected ? QPalette::HighlightedText : QPalette::Text));
    painter->drawText(below, Qt::AlignCenter, index.data(Qt::DisplayRole).toString());
  }

 private:
  PageImages* images_;
  const PageStack* stack_;
};

}  // namespace

void ThumbnailModel::setDocument(std::shared_ptr<const Document> document) {
  beginResetModel();
  document_ = std::move(document);
  endResetModel();
}

int ThumbnailModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() || document_ == nullptr ? 0 : static_cast<int>(document_->pages.size());
}

QVariant ThumbnailModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const QString label = QString::fromStdString(document_->pages[static_cast<std::size_t>(index.row())].label);
  if (role == Qt::DisplayRole) return label;
  if (role == Qt::AccessibleTextRole) return tr("Page %1").arg(label);
  return {};
}

ThumbnailView::ThumbnailView(PageImages* images, QWidget* parent) : QListView(parent), images_(images) {
  setAccessibleName(tr("Thumbnails"));
  setFrameShape(QFrame::NoFrame);
  setUniformItemSizes(true);
  setVerticalScrollMode(ScrollPerPixel);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setModel(&model_);
  setItemDelegate(new ThumbnailDelegate(images_, &stack_, this));
  connect(this, &QListView::clicked, this,
          [this](const QModelIndex& index) { Q_EMIT pageChosen(index.row()); });
  connect(this, &QListView::activated, this,
          [this](const QModelIndex& index) { Q_EMIT pageChosen(index.row()); });
  connect(images_, &PageImages::drawn, this, [this](ImageUse use, int page) {
    if (use == ImageUse::Thumbnails) update(model_.index(page));
  });
}

void ThumbnailView::showDocument(std::shared_ptr<const Document> document) {
  stack_ = document == nullptr ? PageStack() : PageStack(document->pages);
  model_.setDocument(std::move(document));
}

void ThumbnailView::setCurrentPage(int page) {
  const QModelIndex index = model_.index(page);
  if (index.isValid() && index != currentIndex()) setCurrentIndex(index);
}

void ThumbnailView::paintEvent(QPaintEvent* event) {
  QListView::paintEvent(event);
  const QModelIndex first = indexAt({kMargin, 1});
  if (!first.isValid()) return images_->want(ImageUse::Thumbnails, {});
  const int rowHeight = std::max(1, visualRect(first).height());
  const int last = std::min(stack_.count() - 1, first.row() + viewport()->height() / rowHeight + 1);
  std::vector<TileKey> tiles;
  for (int row = first.row(); row <= last; ++row) {
    tiles.push_back({row, scaleOf(stack_.points(row), devicePixelRatioF()), 0, 0});
  }
  images_->want(ImageUse::Thumbnails, std::move(tiles));
}

void ThumbnailView::hideEvent(QHideEvent* event) {
  images_->want(ImageUse::Thumbnails, {});
  QListView::hideEvent(event);
}

}  // namespace kvasir
