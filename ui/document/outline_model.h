#pragma once

#include <QAbstractItemModel>
#include <memory>
#include <vector>

#include "importers/document.h"
#include "ui/text_range.h"

namespace kvasir {

/// A document's sections as a tree: titles, and the pages they begin on.
class OutlineModel : public QAbstractItemModel {
  Q_OBJECT
 public:
  using QAbstractItemModel::QAbstractItemModel;

  void setDocument(std::shared_ptr<const Document> document);
  QModelIndex indexOfSection(int section) const;
  /// The last section that begins at or before the byte; invalid before the first.
  QModelIndex sectionAt(std::size_t byte) const;
  std::size_t byteOf(const QModelIndex& index) const;
  /// The text of a section and of those below it.
  TextRange rangeOf(const QModelIndex& index) const;

  QModelIndex index(int row, int column, const QModelIndex& parent) const override;
  QModelIndex parent(const QModelIndex& child) const override;
  int rowCount(const QModelIndex& parent) const override;
  int columnCount(const QModelIndex& parent) const override;
  QVariant data(const QModelIndex& index, int role) const override;

 private:
  struct Node {
    int parent = -1, row = 0;
    std::vector<int> children;
  };
  const std::vector<int>& childrenOf(const QModelIndex& parent) const;

  std::shared_ptr<const Document> document_;
  std::vector<Node> nodes_;  // one a section
  std::vector<int> roots_;
};

}  // namespace kvasir
