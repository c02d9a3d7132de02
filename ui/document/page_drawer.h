#pragma once

#include <QImage>
#include <QObject>
#include <QRect>
#include <atomic>
#include <memory>

#include "importers/document.h"
#include "ui/document/tile_cache.h"

namespace Poppler {
class Document;
}

namespace kvasir {

/// Set by the window's thread once a drawing is no longer wanted.
using StaleFlag = std::shared_ptr<std::atomic<bool>>;

struct DrawOrder {
  TileKey key;
  QRect rect;          ///< device pixels of the page at key.scale
  int generation = 0;  ///< of the document it is meant for
  StaleFlag isStale;
};

struct DrawnTile {
  DrawOrder order;
  QImage image;  ///< null when the order became stale
};

/// Draws pages, on a thread of its own; it alone touches the Poppler document. A page that cannot be drawn from
/// the file shows its words where they stand.
class PageDrawer : public QObject {
  Q_OBJECT
 public:
  PageDrawer();
  ~PageDrawer() override;

  void open(std::shared_ptr<const Document> document, const QString& file, int generation);
  void draw(const DrawOrder& order);

 Q_SIGNALS:
  /// What is wrong with the file, in a sentence; empty when it opened.
  void opened(int generation, QString complaint);
  void drawn(DrawnTile tile);

 private:
  QString openFile(const QString& file);
  QImage drawFromFile(const DrawOrder& order) const;

  std::shared_ptr<const Document> document_;
  std::unique_ptr<Poppler::Document> pdf_;
  int generation_ = 0;
};

/// The page's words as text in their boxes on white paper.
QImage drawWords(const Document& document, const DrawOrder& order);

}  // namespace kvasir
