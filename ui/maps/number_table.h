#pragma once

#include <functional>

#include <QAbstractTableModel>
#include <QIODevice>
#include <QStringList>
#include <QVariant>

namespace kvasir {

/// A table that is computed as it is looked at: the numbers of a map, for reading and for CSV. A cell is an
/// int, a double (not a number: blank) or a text.
struct NumberTable {
  QStringList headers;
  int rows = 0;
  std::function<QVariant(int row, int column)> cell;
};

/// False when the device did not take it all.
bool writeCsv(const NumberTable& table, QIODevice& device);

class NumberTableModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  using QAbstractTableModel::QAbstractTableModel;

  void setTable(NumberTable table);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  NumberTable table_;
};

}  // namespace kvasir
