#pragma once

#include <QStyledItemDelegate>

namespace kvasir {

class LibraryFilter;
class LibraryModel;

/// Draws a document: its title, under it pages and state, and a bar while it is imported or read.
class LibraryDelegate : public QStyledItemDelegate {
  Q_OBJECT
 public:
  LibraryDelegate(const LibraryModel* model, const LibraryFilter* filter, QObject* parent);
  void setOpenKey(const QString& key) { openKey_ = key; }
  const QString& openKey() const { return openKey_; }

  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
  QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;

 private:
  const LibraryModel* model_;
  const LibraryFilter* filter_;
  QString openKey_;
};

}  // namespace kvasir
