#pragma once

#include <vector>

#include <QAbstractListModel>
#include <QSortFilterProxyModel>

#include "ui/panels/library_rows.h"

namespace kvasir {

/// The library's rows as a Qt model.
class LibraryModel : public QAbstractListModel {
  Q_OBJECT
 public:
  using QAbstractListModel::QAbstractListModel;

  /// Rows of the same keys in the same order are changed in place, so that selection and scrolling stay.
  void setRows(std::vector<LibraryRow> rows);
  const std::vector<LibraryRow>& rows() const { return rows_; }
  const LibraryRow& rowAt(int row) const { return rows_[static_cast<std::size_t>(row)]; }
  int rowOf(const QString& key) const;  ///< -1: none

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;

 private:
  std::vector<LibraryRow> rows_;
};

/// Keeps rows whose title, file or state has every word searched for, and that are in the collection.
class LibraryFilter : public QSortFilterProxyModel {
  Q_OBJECT
 public:
  using QSortFilterProxyModel::QSortFilterProxyModel;
  void setSearch(const QString& words);
  void setCollection(const QString& name);  ///< empty: all documents

 protected:
  bool filterAcceptsRow(int row, const QModelIndex& parent) const override;

 private:
  QStringList words_;
  QString collection_;
};

}  // namespace kvasir
