#include <QPaintEvent>
#include <QPainter>
#include <QScrollBar>
#include <algorithm>
#include <cmath>

#include "ui/document/page_view.h"
#include "ui/document/page_words.h"

namespace kvasir {
namespace {

QRect scaled(const QRectF& rect, double ratio) {
  const QPoint topLeft(static_cast<int>(std::lround(rect.x() * ratio)),
                       static_cast<int>(std::lround(rect.y() * ratio)));
  return {topLeft, QSize(std::max(1, static_cast<int>(std::lround(rect.width() * ratio))),
                         std::max(1, static_cast<int>(std::lround(rect.height() * ratio))))};
}

TextRange common(const TextRange& a, const TextRange& b) {
  return {std::max(a.start, b.start), std::min(a.end, b.end)};
}

struct WantedTile {
  double distance = 0;
  TileKey key;
};

}  // namespace

void PageView::paintEvent(QPaintEvent* event) {
  QPainter painter(viewport());
  painter.fillRect(event->rect(), palette().color(QPalette::Window).darker(paper_ == Paper::White ? 115 : 130));
  const auto span = pagesInView();
  for (int page = span.first; page <= span.last; ++page) paintPage(painter, page);
  wantTiles();
}

void PageView::paintPage(QPainter& painter, int page) {
  const double ratio = devicePixelRatioF();
  const QRect area = scaled(rectOf(page), ratio);
  painter.save();
  // Images are drawn pixel for pixel, so the painter counts in the device's.
  painter.scale(1 / ratio, 1 / ratio);
  painter.fillRect(area, Qt::white);
  painter.setClipRect(area);
  paintTiles(painter, page, area);
  if (paper_ == Paper::Inverted) {
    painter.setCompositionMode(QPainter::CompositionMode_Difference);
    painter.fillRect(area, Qt::white);
  }
  painter.restore();
  paintHighlights(painter, page);
}

void PageView::paintTiles(QPainter& painter, int page, const QRect& area) {
  const double scale = scale_ * devicePixelRatioF();
  const TileGrid grid(stack_.points(page), scale);
  const QRect view(QPoint(), viewport()->size() * devicePixelRatioF());
  std::vector<std::pair<QPoint, const QImage*>> images;
  bool isWhole = true;
  for (int row = 0; row < grid.rows; ++row) {
    for (int column = 0; column < grid.columns; ++column) {
      const QRect tile = grid.rect(column, row).translated(area.topLeft());
      if (!tile.intersects(view)) continue;
      const QImage* image = images_->find(ImageUse::Pages, {page, scale, column, row});
      isWhole = isWhole && image != nullptr;
      if (image != nullptr) images.emplace_back(tile.topLeft(), image);
    }
  }
  if (!isWhole) paintStandIns(painter, page, area);
  for (const auto& [at, image] : images) painter.drawImage(at, *image);
}

void PageView::paintStandIns(QPainter& painter, int page, const QRect& area) {
  const double scale = scale_ * devicePixelRatioF();
  for (const ImageUse use : {ImageUse::Pages, ImageUse::Thumbnails}) {
    const std::vector<TileKey> keys = images_->standIns(use, page, scale);
    if (keys.empty()) continue;
    painter.save();
    painter.setRenderHint(QPainter::SmoothPixmapTransform);
    for (const TileKey& key : keys) {
      const TileGrid grid(stack_.points(page), key.scale);
      const double across = static_cast<double>(area.width()) / grid.width;
      const double down = static_cast<double>(area.height()) / grid.height;
      const QRect at = grid.rect(key.column, key.row);
      const QRectF target(area.x() + at.x() * across, area.y() + at.y() * down, at.width() * across,
                          at.height() * down);
      if (const QImage* image = images_->find(use, key)) painter.drawImage(target, *image);
    }
    painter.restore();
    return;
  }
}

void PageView::paintHighlights(QPainter& painter, int page) {
  const TextRange text = textOf(page);
  const auto boxes = [&](const TextRange& range, const auto& paint) {
    const TextRange part = common(range, text);
    if (part.start >= part.end) return;
    for (const QRectF& box : boxesOn(*document_, page, part)) paint(inViewport(page, box));
  };
  for (const Light light : kLights) {
    for (const TextRange& range : highlights_->of(light)) {
      boxes(range, [&](const QRectF& box) { paintLight(painter, light, paper_, box); });
    }
  }
  if (highlights_->matches != nullptr) {
    const auto& matches = *highlights_->matches;
    auto match = std::partition_point(matches.begin(), matches.end(),
                                      [&](const TextRange& range) { return range.end <= text.start; });
    for (; match != matches.end() && match->start < text.end; ++match) {
      const bool isCurrent = static_cast<std::size_t>(match - matches.begin()) == highlights_->currentMatch;
      boxes(*match, [&](const QRectF& box) { paintMatch(painter, paper_, isCurrent, box); });
    }
  }
  boxes(selection_,
        [&](const QRectF& box) { paintSelection(painter, palette().color(QPalette::Highlight), box); });
}

// What is in view first, then half a view above and below.
void PageView::wantTiles() {
  const double ratio = devicePixelRatioF(), scale = scale_ * ratio;
  const double height = viewport()->height();
  const QRectF around = QRectF(viewport()->rect()).adjusted(0, -height / 2, 0, height / 2);
  const QPointF middle = QRectF(viewport()->rect()).center();
  const double top = verticalScrollBar()->value();
  const auto span = stack_.between(top - height / 2, top + height * 1.5, scale_);
  std::vector<WantedTile> wanted;
  for (int page = span.first; page <= span.last; ++page) {
    const TileGrid grid(stack_.points(page), scale);
    const QPointF corner = rectOf(page).topLeft();
    for (int row = 0; row < grid.rows; ++row) {
      for (int column = 0; column < grid.columns; ++column) {
        const QRect tile = grid.rect(column, row);
        const QRectF at(corner + QPointF(tile.topLeft()) / ratio, QSizeF(tile.size()) / ratio);
        if (!at.intersects(around)) continue;
        const double offView = at.intersects(QRectF(viewport()->rect())) ? 0 : height;
        wanted.push_back({offView + (at.center() - middle).manhattanLength(), {page, scale, column, row}});
      }
    }
  }
  std::sort(wanted.begin(), wanted.end(),
            [](const WantedTile& a, const WantedTile& b) { return a.distance < b.distance; });
  std::vector<TileKey> tiles;
  for (const WantedTile& tile : wanted) tiles.push_back(tile.key);
  images_->want(ImageUse::Pages, std::move(tiles));
}

}  // namespace kvasir
