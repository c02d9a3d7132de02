#include "ui/maps/evidence_model.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <QFont>
#include <QLocale>

#include "ui/maps/csv.h"
#include "ui/maps/value_scale.h"

namespace kvasir {
namespace {

constexpr qsizetype kExcerpt = 240;
constexpr qsizetype kToolTip = 1200;
// Below every score, so that rows without one come last where the highest come first.
constexpr double kNoScore = -std::numeric_limits<double>::infinity();

bool isNumber(int column) { return column <= ShareColumn; }

QString useOf(const EvidenceRow& row) {
  if (row.isPinned) return EvidenceModel::tr("Pinned");
  return row.isBlocked ? EvidenceModel::tr("Blocked") : QString();
}

QString scoreText(double score) { return QLocale().toString(score, 'g', 4); }

// Marked up by us, so that markup in a document stays text.
QString toolTip(const QString& whole) {
  const QString text = whole.size() > kToolTip ? whole.left(kToolTip) + QStringLiteral("…") : whole;
  return QStringLiteral("<p style=\"white-space:pre-wrap\">%1</p>").arg(text.toHtmlEscaped());
}

QString headerText(int column) {
  switch (column) {
    case RankColumn:
      return EvidenceModel::tr("Rank");
    case ScoreColumn:
      return EvidenceModel::tr("Score");
    case StatesColumn:
      return EvidenceModel::tr("States");
    case WordsColumn:
      return EvidenceModel::tr("Words");
    case LayersColumn:
      return EvidenceModel::tr("Layers");
    case ShareColumn:
      return EvidenceModel::tr("Share");
    case DocumentColumn:
      return EvidenceModel::tr("Document");
    case SectionColumn:
      return EvidenceModel::tr("Section");
    case PagesColumn:
      return EvidenceModel::tr("Pages");
    case UseColumn:
      return EvidenceModel::tr("Use");
    default:
      return EvidenceModel::tr("Text");
  }
}

QString headerHint(int column) {
  switch (column) {
    case RankColumn:
      return EvidenceModel::tr("Place by the evidence score, 1 is the best");
    case ScoreColumn:
      return EvidenceModel::tr("Evidence score of the method, higher is better");
    case StatesColumn:
      return EvidenceModel::tr(
          "What of the score is of the model's states: how near the chunk's are to the question's");
    case WordsColumn:
      return EvidenceModel::tr(
          "What of the score is of words: those that the chunk's paragraph shares with the question, rare ones "
          "most (BM25)");
    case LayersColumn:
      return EvidenceModel::tr("How many layers of the model attended to the chunk");
    case ShareColumn:
      return EvidenceModel::tr("Share of the attention that the chunk got, mean of the layers");
    case UseColumn:
      return EvidenceModel::tr("Pinned chunks are always attended, blocked ones never");
    default:
      return {};
  }
}

}  // namespace

void EvidenceModel::setRows(std::vector<EvidenceRow> rows) {
  beginResetModel();
  rows_ = std::move(rows);
  endResetModel();
}

std::optional<int> EvidenceModel::rowOf(int chunk) const {
  const auto found =
      std::find_if(rows_.begin(), rows_.end(), [chunk](const EvidenceRow& row) { return row.chunk == chunk; });
  if (found == rows_.end()) return std::nullopt;
  return static_cast<int>(found - rows_.begin());
}

bool EvidenceModel::hasMarked() const {
  return std::any_of(rows_.begin(), rows_.end(),
                     [](const EvidenceRow& row) { return row.isPinned || row.isBlocked; });
}

bool EvidenceModel::hasParts() const {
  return std::any_of(rows_.begin(), rows_.end(), [](const EvidenceRow& row) { return row.parts.has_value(); });
}

bool EvidenceModel::hasSeveralDocuments() const {
  return std::any_of(rows_.begin(), rows_.end(), [](const EvidenceRow& row) { return !row.title.isEmpty(); });
}

int EvidenceModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(rows_.size());
}

int EvidenceModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : kEvidenceColumns;
}

QVariant EvidenceModel::shown(const EvidenceRow& row, int column) const {
  switch (column) {
    case RankColumn:
      return row.rank;
    case ScoreColumn:
      return scoreText(row.score);
    case StatesColumn:
      return row.parts ? scoreText(row.parts->states) : QString();
    case WordsColumn:
      return row.parts ? scoreText(row.parts->words) : QString();
    case LayersColumn:
      return row.layers;
    case ShareColumn:
      return valueText(ValueUnit::Share, row.share);
    case DocumentColumn:
      return row.title;
    case SectionColumn:
      return row.section;
    case PagesColumn:
      return row.pages;
    case UseColumn:
      return useOf(row);
    default:
      return row.text.left(kExcerpt).simplified();
  }
}

QVariant EvidenceModel::sortKey(const EvidenceRow& row, int column) const {
  switch (column) {
    case RankColumn:
      return row.rank;
    case ScoreColumn:
      return row.score;
    case StatesColumn:
      return row.parts ? row.parts->states : kNoScore;
    case WordsColumn:
      return row.parts ? row.parts->words : kNoScore;
    case LayersColumn:
      return row.layers;
    case ShareColumn:
      return row.share;
    case DocumentColumn:
      return row.title;
    case SectionColumn:
    case PagesColumn:
      return QVariant::fromValue(static_cast<qulonglong>(row.range.start));
    case UseColumn:
      return useOf(row);
    default:
      return row.text.left(kExcerpt).simplified();
  }
}

QVariant EvidenceModel::fontOf(const EvidenceRow& row) const {
  if (!row.isPinned && !row.isBlocked) return {};
  QFont font;
  font.setBold(row.isPinned);
  font.setStrikeOut(row.isBlocked);
  return font;
}

QVariant EvidenceModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= rowCount()) return {};
  const EvidenceRow& row = rows_[static_cast<std::size_t>(index.row())];
  const int column = index.column();
  switch (role) {
    case Qt::DisplayRole:
      return shown(row, column);
    case FilterRole:
      return column == TextColumn ? QVariant(row.text.simplified()) : shown(row, column);
    case SortRole:
      return sortKey(row, column);
    case ChunkRole:
      return row.chunk;
    case Qt::ToolTipRole:
      return toolTip(column == TextColumn ? row.text : shown(row, column).toString());
    case Qt::TextAlignmentRole:
      return QVariant::fromValue(Qt::AlignVCenter | (isNumber(column) ? Qt::AlignRight : Qt::AlignLeft));
    case Qt::FontRole:
      return column == UseColumn ? QVariant() : fontOf(row);
    default:
      return {};
  }
}

QVariant EvidenceModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation == Qt::Vertical) return {};
  if (role == Qt::DisplayRole) return headerText(section);
  if (role == Qt::ToolTipRole) return headerHint(section);
  if (role == Qt::TextAlignmentRole) {
    return QVariant::fromValue(Qt::AlignVCenter | (isNumber(section) ? Qt::AlignRight : Qt::AlignLeft));
  }
  return {};
}

EvidenceOrder::EvidenceOrder(QObject* parent) : QSortFilterProxyModel(parent) {
  setSortRole(EvidenceModel::SortRole);
  setFilterRole(EvidenceModel::FilterRole);
  setFilterKeyColumn(-1);
  setFilterCaseSensitivity(Qt::CaseInsensitive);
  setSortCaseSensitivity(Qt::CaseInsensitive);
  setSortLocaleAware(true);
}

void EvidenceOrder::highlight(std::optional<int> chunk, const QColor& color) {
  highlighted_ = chunk;
  highlightBrush_ = color;
}

QVariant EvidenceOrder::data(const QModelIndex& index, int role) const {
  if (role != Qt::BackgroundRole) return QSortFilterProxyModel::data(index, role);
  const bool isHighlighted =
      highlighted_ && index.isValid() && index.data(EvidenceModel::ChunkRole).toInt() == *highlighted_;
  return isHighlighted ? QVariant(highlightBrush_) : QVariant();
}

bool EvidenceOrder::lessThan(const QModelIndex& left, const QModelIndex& right) const {
  if (QSortFilterProxyModel::lessThan(left, right)) return true;
  if (QSortFilterProxyModel::lessThan(right, left)) return false;
  const auto rank = [this](const QModelIndex& index) {
    return sourceModel()->data(index.siblingAtColumn(RankColumn), EvidenceModel::SortRole).toInt();
  };
  return sortOrder() == Qt::AscendingOrder ? rank(left) < rank(right) : rank(left) > rank(right);
}

QByteArray evidenceCsv(const std::vector<EvidenceRow>& rows) {
  QByteArray csv = csvRecord({QStringLiteral("rank"), QStringLiteral("score"), QStringLiteral("score_states"),
                              QStringLiteral("score_words"), QStringLiteral("layers"), QStringLiteral("share"),
                              QStringLiteral("document"), QStringLiteral("section"), QStringLiteral("pages"),
                              QStringLiteral("chunk"), QStringLiteral("start"), QStringLiteral("end"),
                              QStringLiteral("use"), QStringLiteral("text")});
  for (const EvidenceRow& row : rows) {
    const QString use = row.isPinned    ? QStringLiteral("pinned")
                        : row.isBlocked ? QStringLiteral("blocked")
                                        : QString();
    const QString states = row.parts ? csvNumber(row.parts->states) : QString(),
                  words = row.parts ? csvNumber(row.parts->words) : QString();
    csv +=
        csvRecord({QString::number(row.rank), csvNumber(row.score), states, words, QString::number(row.layers),
                   csvNumber(row.share), row.title, row.section, row.pages, QString::number(row.chunk),
                   QString::number(row.range.start), QString::number(row.range.end), use, row.text});
  }
  return csv;
}

}  // namespace kvasir
