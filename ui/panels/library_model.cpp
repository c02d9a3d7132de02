#include "ui/panels/library_model.h"

#include <algorithm>

#include "ui/size_text.h"

namespace kvasir {

void LibraryModel::setRows(std::vector<LibraryRow> rows) {
  const bool isSameList = rows.size() == rows_.size() &&
                          std::equal(rows.begin(), rows.end(), rows_.begin(),
                                     [](const LibraryRow& a, const LibraryRow& b) { return a.key == b.key; });
  if (!isSameList) {
    beginResetModel();
    rows_ = std::move(rows);
    endResetModel();
    return;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] == rows_[i]) continue;
    rows_[i] = std::move(rows[i]);
    const QModelIndex changed = index(static_cast<int>(i));
    Q_EMIT dataChanged(changed, changed);
  }
}

int LibraryModel::rowOf(const QString& key) const {
  const auto found =
      std::find_if(rows_.begin(), rows_.end(), [&](const LibraryRow& row) { return row.key == key; });
  return found == rows_.end() ? -1 : static_cast<int>(found - rows_.begin());
}

int LibraryModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(rows_.size());
}

QVariant LibraryModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= rowCount()) return {};
  const LibraryRow& row = rowAt(index.row());
  if (role == Qt::DisplayRole) return row.title;
  if (role == Qt::ToolTipRole) {
    QStringList lines = {row.title, describeRow(row), row.file};
    if (row.readingBytes > 0) lines << tr("What was read takes %1 on disk").arg(asSize(row.readingBytes));
    return lines.join(QLatin1Char('\n'));
  }
  if (role == Qt::AccessibleTextRole) return row.title + QStringLiteral(", ") + describeRow(row);
  return {};
}

void LibraryFilter::setSearch(const QString& words) {
  words_ = words.split(QLatin1Char(' '), Qt::SkipEmptyParts);
  invalidateFilter();
}

void LibraryFilter::setCollection(const QString& name) {
  collection_ = name;
  invalidateFilter();
}

bool LibraryFilter::filterAcceptsRow(int row, const QModelIndex&) const {
  const LibraryRow& shown = static_cast<const LibraryModel*>(sourceModel())->rowAt(row);
  if (!collection_.isEmpty() && shown.collection != collection_) return false;
  const QString all = shown.title + QLatin1Char(' ') + shown.file + QLatin1Char(' ') + describeState(shown);
  return std::all_of(words_.begin(), words_.end(),
                     [&](const QString& word) { return all.contains(word, Qt::CaseInsensitive); });
}

}  // namespace kvasir
