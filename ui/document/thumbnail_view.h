#pragma once

#include <QAbstractListModel>
#include <QListView>

#include "ui/document/page_images.h"

namespace kvasir {

/// One row a page, with its label.
class ThumbnailModel : public QAbstractListModel {
  Q_OBJECT
 public:
  using QAbstractListModel::QAbstractListModel;

  void setDocument(std::shared_ptr<const Document> document);
  int rowCount(const QModelIndex& parent) const override;
  QVariant data(const QModelIndex& index, int role) const override;

 private:
  std::shared_ptr<const Document> document_;
};

/// Small pages to choose from; only those in view are drawn.
class ThumbnailView : public QListView {
  Q_OBJECT
 public:
  explicit ThumbnailView(PageImages* images, QWidget* parent = nullptr);

  void showDocument(std::shared_ptr<const Document> document);
  void setCurrentPage(int page);

 Q_SIGNALS:
  void pageChosen(int page);

 protected:
  void paintEvent(QPaintEvent* event) override;
  void hideEvent(QHideEvent* event) override;

 private:
  PageImages* images_;
  PageStack stack_;
  ThumbnailModel model_;
};

}  // namespace kvasir
