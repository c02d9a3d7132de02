#pragma once

#include <QObject>
#include <QThread>
#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "ui/document/page_drawer.h"
#include "ui/document/page_stack.h"
#include "ui/document/tile_cache.h"

namespace kvasir {

/// What an image is for; pages come before thumbnails.
enum class ImageUse { Pages, Thumbnails };

/// The images of a document's pages: kept within bounds, drawn one after the other on a thread of its own. Only
/// what is wanted at the time is drawn, so nothing queues up while a reader scrolls.
class PageImages : public QObject {
  Q_OBJECT
 public:
  static constexpr std::int64_t kPageBytes = std::int64_t{224} << 20, kThumbnailBytes = std::int64_t{32} << 20;

  explicit PageImages(QObject* parent = nullptr);
  ~PageImages() override;

  /// Null closes the document and forgets its images.
  void open(std::shared_ptr<const Document> document, const QString& file);

  /// The tiles wanted now, the most wanted first; replaces those wanted before. What would not fit in the cache
  /// together is left out.
  void want(ImageUse use, std::vector<TileKey> tiles);
  const QImage* find(ImageUse use, const TileKey& key) { return cacheOf(use).find(key); }
  /// What there is of a page at another scale.
  std::vector<TileKey> standIns(ImageUse use, int page, double scale) {
    return cacheOf(use).standIns(page, scale);
  }

  bool isIdle() const { return !inFlight_; }
  std::int64_t bytes() const { return caches_[0].bytes() + caches_[1].bytes(); }

 Q_SIGNALS:
  void drawn(ImageUse use, int page);
  /// See PageDrawer::opened.
  void opened(QString complaint);

 private:
  struct InFlight {
    TileKey key;
    ImageUse use;
    StaleFlag isStale;
  };

  TileCache& cacheOf(ImageUse use) { return caches_[static_cast<std::size_t>(use)]; }
  std::vector<TileKey>& wantedFor(ImageUse use) { return wanted_[static_cast<std::size_t>(use)]; }
  void send(ImageUse use, const TileKey& key);
  void sendNext();
  void take(const DrawnTile& tile);

  std::array<TileCache, 2> caches_{TileCache(kPageBytes), TileCache(kThumbnailBytes)};
  std::array<std::vector<TileKey>, 2> wanted_;
  std::optional<InFlight> inFlight_;
  PageStack stack_;
  int generation_ = 0;
  std::unique_ptr<QThread> thread_;
  PageDrawer* drawer_ = nullptr;  // lives on the thread and ends with it
};

}  // namespace kvasir
