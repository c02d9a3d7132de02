#include "ui/document/tile_cache.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kvasir {
namespace {

int pixels(double length) {
  return static_cast<int>(std::clamp(std::round(length), 1.0, double{std::numeric_limits<int>::max() / 2}));
}

}  // namespace

TileGrid::TileGrid(QSizeF points, double scale)
    : width(pixels(points.width() * scale)),
      height(pixels(points.height() * scale)),
      columns((width + kLargestSide - 1) / kLargestSide),
      rows((height + kLargestSide - 1) / kLargestSide) {}

QRect TileGrid::rect(int column, int row) const {
  const int tileWidth = (width + columns - 1) / columns, tileHeight = (height + rows - 1) / rows;
  const int left = column * tileWidth, top = row * tileHeight;
  return {left, top, std::min(tileWidth, width - left), std::min(tileHeight, height - top)};
}

const QImage* TileCache::find(const TileKey& key) {
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return nullptr;
  byUse_.erase(entry->second.use);
  entry->second.use = ++uses_;
  byUse_.emplace(uses_, key);
  return &entry->second.image;
}

void TileCache::insert(const TileKey& key, const QImage& image) {
  if (const auto old = entries_.find(key); old != entries_.end()) drop(old);
  const std::int64_t size = image.sizeInBytes();
  if (size > boundBytes_) return;
  while (bytes_ + size > boundBytes_) drop(entries_.find(byUse_.begin()->second));
  bytes_ += size;
  entries_.emplace(key, Entry{image, ++uses_});
  byUse_.emplace(uses_, key);
}

void TileCache::clear() {
  entries_.clear();
  byUse_.clear();
  bytes_ = 0;
}

std::vector<TileKey> TileCache::standIns(int page, double scale) const {
  const auto ratio = [&](double other) { return std::abs(std::log(other / scale)); };
  double nearest = 0;
  const auto first = entries_.lower_bound(TileKey{page, 0, 0, 0});
  for (auto it = first; it != entries_.end() && it->first.page == page; ++it) {
    if (nearest == 0 || ratio(it->first.scale) < ratio(nearest)) nearest = it->first.scale;
  }
  std::vector<TileKey> keys;
  for (auto it = first; it != entries_.end() && it->first.page == page; ++it) {
    if (it->first.scale == nearest) keys.push_back(it->first);
  }
  return keys;
}

void TileCache::drop(std::map<TileKey, Entry>::iterator entry) {
  bytes_ -= entry->second.image.sizeInBytes();
  byUse_.erase(entry->second.use);
  entries_.erase(entry);
}

}  // namespace kvasir
