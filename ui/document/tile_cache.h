#pragma once

#include <QImage>
#include <QRect>
#include <compare>
#include <cstdint>
#include <map>
#include <vector>

namespace kvasir {

/// A page at a scale is one image, or several side by side where one would be too large.
struct TileKey {
  int page = 0;
  double scale = 1;  ///< device pixels a point
  int column = 0, row = 0;
  friend auto operator<=>(const TileKey&, const TileKey&) = default;
};

/// How a page is cut into tiles, in device pixels from its top left corner.
struct TileGrid {
  static constexpr int kLargestSide = 2048;
  TileGrid(QSizeF points, double scale);
  int width = 1, height = 1, columns = 1, rows = 1;
  QRect rect(int column, int row) const;
};

/// Images by key within a bound of bytes; those not used for longest go first.
class TileCache {
 public:
  explicit TileCache(std::int64_t boundBytes) : boundBytes_(boundBytes) {}

  /// Null when it is not here. Counts as use; stays valid until the next insert or clear.
  const QImage* find(const TileKey& key);
  bool contains(const TileKey& key) const { return entries_.contains(key); }
  /// An image larger than the bound is not kept.
  void insert(const TileKey& key, const QImage& image);
  void clear();

  /// Tiles of a page at the scale nearest to the wished one, to show until the right ones are drawn.
  std::vector<TileKey> standIns(int page, double scale) const;

  std::int64_t bytes() const { return bytes_; }
  std::int64_t boundBytes() const { return boundBytes_; }

 private:
  struct Entry {
    QImage image;
    std::uint64_t use = 0;
  };
  void drop(std::map<TileKey, Entry>::iterator entry);

  std::map<TileKey, Entry> entries_;
  std::map<std::uint64_t, TileKey> byUse_;
  std::int64_t boundBytes_ = 0, bytes_ = 0;
  std::uint64_t uses_ = 0;
};

}  // namespace kvasir
