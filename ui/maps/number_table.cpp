#include "ui/maps/number_table.h"

#include <cmath>
#include <utility>

#include <QLocale>

#include "ui/maps/csv.h"

namespace kvasir {
namespace {

bool isReal(const QVariant& value) {
  return value.typeId() == QMetaType::Double || value.typeId() == QMetaType::Float;
}

bool isNumber(const QVariant& value) { return isReal(value) || value.typeId() == QMetaType::Int; }

QString shownText(const QVariant& value) {
  if (!isReal(value)) return value.toString();
  const double number = value.toDouble();
  return std::isfinite(number) ? QLocale().toString(number, 'g', 4) : QString();
}

}  // namespace

bool writeCsv(const NumberTable& table, QIODevice& device) {
  const auto write = [&device](const QStringList& fields) {
    const QByteArray record = csvRecord(fields);
    return device.write(record) == record.size();
  };
  if (!write(table.headers)) return false;
  for (int row = 0; row < table.rows; ++row) {
    QStringList fields;
    for (int column = 0; column < table.headers.size(); ++column) {
      const QVariant value = table.cell(row, column);
      fields.append(isReal(value) ? csvNumber(value.toDouble()) : value.toString());
    }
    if (!write(fields)) return false;
  }
  return true;
}

void NumberTableModel::setTable(NumberTable table) {
  beginResetModel();
  table_ = std::move(table);
  endResetModel();
}

int NumberTableModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : table_.rows; }

int NumberTableModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(table_.headers.size());
}

QVariant NumberTableModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || !table_.cell) return {};
  if (role != Qt::DisplayRole && role != Qt::TextAlignmentRole) return {};
  const QVariant value = table_.cell(index.row(), index.column());
  if (role == Qt::DisplayRole) return shownText(value);
  return QVariant::fromValue(Qt::AlignVCenter | (isNumber(value) ? Qt::AlignRight : Qt::AlignLeft));
}

QVariant NumberTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (role != Qt::DisplayRole) return {};
  if (orientation == Qt::Vertical) return section;
  return section < table_.headers.size() ? QVariant(table_.headers[section]) : QVariant();
}

}  // namespace kvasir
