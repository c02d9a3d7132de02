#pragma once

#include <optional>
#include <vector>

#include <QAbstractTableModel>
#include <QBrush>
#include <QByteArray>
#include <QSortFilterProxyModel>

#include "ui/maps/evidence_rows.h"

namespace kvasir {

enum EvidenceColumn {
  RankColumn,
  ScoreColumn,
  StatesColumn,  ///< this one and the next: parts of the score
  WordsColumn,
  LayersColumn,
  ShareColumn,
  DocumentColumn,
  SectionColumn,
  PagesColumn,
  UseColumn,  ///< pinned or blocked
  TextColumn,
  kEvidenceColumns
};

/// The retrieved chunks as a table. Sections and pages sort by their place in the document.
class EvidenceModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Role { SortRole = Qt::UserRole, FilterRole, ChunkRole };

  using QAbstractTableModel::QAbstractTableModel;

  void setRows(std::vector<EvidenceRow> rows);
  const std::vector<EvidenceRow>& rows() const { return rows_; }
  std::optional<int> rowOf(int chunk) const;
  bool hasMarked() const;  ///< a row is pinned or blocked
  bool hasParts() const;   ///< the score of a row has
  bool hasSeveralDocuments() const;

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  QVariant shown(const EvidenceRow& row, int column) const;
  QVariant sortKey(const EvidenceRow& row, int column) const;
  QVariant fontOf(const EvidenceRow& row) const;

  std::vector<EvidenceRow> rows_;
};

/// Filters over all columns and the whole text; sorts numbers as numbers, equal ones by rank.
class EvidenceOrder : public QSortFilterProxyModel {
  Q_OBJECT
 public:
  explicit EvidenceOrder(QObject* parent = nullptr);

  /// Tells no view: it comes with the mouse, and a view under the mouse may be in the midst of a change of
  /// rows.
  void highlight(std::optional<int> chunk, const QColor& color);
  QVariant data(const QModelIndex& index, int role) const override;

 protected:
  bool lessThan(const QModelIndex& left, const QModelIndex& right) const override;

 private:
  std::optional<int> highlighted_;
  QBrush highlightBrush_;
};

/// RFC 4180, UTF-8, a header first, whole texts; start and end are bytes of the document's text.
QByteArray evidenceCsv(const std::vector<EvidenceRow>& rows);

}  // namespace kvasir
