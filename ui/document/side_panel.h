#pragma once

#include <QTabWidget>
#include <QTreeView>

#include "ui/document/outline_model.h"
#include "ui/document/thumbnail_view.h"

namespace kvasir {

/// Outline and thumbnails beside the pages.
class SidePanel : public QTabWidget {
  Q_OBJECT
 public:
  explicit SidePanel(PageImages* images, QWidget* parent = nullptr);

  void showDocument(std::shared_ptr<const Document> document);
  /// Follows the reader.
  void setPlace(int page, std::size_t byte);

 Q_SIGNALS:
  void byteChosen(std::size_t byte);
  void pageChosen(int page);
  void sectionMenuWished(kvasir::TextRange section, QPoint globalPosition);

 private:
  QTreeView* outline_;
  ThumbnailView* thumbnails_;
  OutlineModel model_;
};

}  // namespace kvasir
