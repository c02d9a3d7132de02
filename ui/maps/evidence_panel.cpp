#include "ui/maps/evidence_panel.h"

#include <utility>

#include <QAction>
#include <QApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSplitter>
#include <QStackedWidget>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/maps/evidence_model.h"

namespace kvasir {

class EvidencePanel::Parts : public QObject {
 public:
  explicit Parts(EvidencePanel* panel);

  void setRows(std::vector<EvidenceRow> rows);
  void highlight(std::optional<int> chunk);
  void setObstacles(const QString& wishes, const QString& without);
  QByteArray csv() const;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  static QString tr(const char* text) { return EvidencePanel::tr(text); }
  QWidget* buildTop();
  QWidget* buildTable();
  QAction* sortAction();
  QWidget* buildDetail();
  QWidget* buildButtons();
  void buildActions();
  QPushButton* buttonFor(QAction* action);
  void connectTable();
  void fitColumns();
  void showCurrent();
  void showCount();
  void select(std::optional<int> chunk);
  const EvidenceRow* rowAt(const QModelIndex& index) const;
  const EvidenceRow* current() const { return rowAt(table_->currentIndex()); }
  void setHovered(std::optional<int> chunk);

  EvidencePanel* panel_;
  EvidenceModel* model_ = nullptr;
  EvidenceOrder* order_ = nullptr;
  QLineEdit* filter_ = nullptr;
  QLabel* count_ = nullptr;
  QTableView* table_ = nullptr;
  QStackedWidget* stack_ = nullptr;
  QLabel* detailTitle_ = nullptr;
  QPlainTextEdit* detail_ = nullptr;
  QAction* pin_ = nullptr;
  QAction* pinSection_ = nullptr;
  QAction* block_ = nullptr;
  QAction* without_ = nullptr;
  QAction* export_ = nullptr;
  QString wishObstacle_, withoutObstacle_;
  std::optional<int> hovered_;
  bool isScrolling_ = false;  // rows that pass under a resting mouse are not hovered
};

EvidencePanel::Parts::Parts(EvidencePanel* panel) : panel_(panel) {
  model_ = new EvidenceModel(panel);
  order_ = new EvidenceOrder(panel);
  order_->setSourceModel(model_);
  buildActions();
  auto* rows = new QVBoxLayout(panel);
  rows->setContentsMargins(4, 4, 4, 4);
  rows->addWidget(buildTop());
  auto* splitter = new QSplitter(Qt::Vertical, panel);
  splitter->setChildrenCollapsible(false);
  splitter->addWidget(buildTable());
  splitter->addWidget(buildDetail());
  splitter->setStretchFactor(0, 3);
  splitter->setStretchFactor(1, 1);
  rows->addWidget(splitter, 1);
  rows->addWidget(buildButtons());
  connectTable();
  showCurrent();
  showCount();
}

QWidget* EvidencePanel::Parts::buildTop() {
  auto* widget = new QWidget(panel_);
  auto* row = new QHBoxLayout(widget);
  row->setContentsMargins(0, 0, 0, 0);
  filter_ = new QLineEdit(widget);
  filter_->setObjectName(QStringLiteral("evidenceFilter"));
  filter_->setPlaceholderText(tr("Filter by section, page or text"));
  filter_->setAccessibleName(tr("Filter the evidence"));
  filter_->setClearButtonEnabled(true);
  for (QToolButton* clear : filter_->findChildren<QToolButton*>())
    clear->setAccessibleName(tr("Clear the filter"));
  count_ = new QLabel(widget);
  count_->setAccessibleName(tr("Number of chunks shown"));
  row->addWidget(filter_, 1);
  row->addWidget(count_);
  return widget;
}

QWidget* EvidencePanel::Parts::buildTable() {
  stack_ = new QStackedWidget(panel_);
  auto* empty = new QLabel(tr("Ask a question: the chunks the answer rests on are listed here."), stack_);
  empty->setAlignment(Qt::AlignCenter);
  empty->setWordWrap(true);
  table_ = new QTableView(stack_);
  table_->setObjectName(QStringLiteral("evidenceTable"));
  table_->setAccessibleName(tr("Evidence"));
  table_->setModel(order_);
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  table_->setSelectionMode(QAbstractItemView::SingleSelection);
  table_->setSortingEnabled(true);
  table_->sortByColumn(RankColumn, Qt::AscendingOrder);
  table_->setTabKeyNavigation(false);
  table_->setWordWrap(false);
  table_->setShowGrid(false);
  table_->setAlternatingRowColors(true);
  table_->verticalHeader()->hide();
  table_->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
  table_->verticalHeader()->setDefaultSectionSize(table_->fontMetrics().height() + 8);
  table_->horizontalHeader()->setStretchLastSection(true);
  table_->horizontalHeader()->setHighlightSections(false);
  table_->setMouseTracking(true);
  table_->viewport()->installEventFilter(this);
  table_->installEventFilter(this);
  table_->setContextMenuPolicy(Qt::ActionsContextMenu);
  table_->addActions({pin_, pinSection_, block_, without_, export_, sortAction()});
  stack_->addWidget(empty);
  stack_->addWidget(table_);
  return stack_;
}

/// What a click on a heading does, by key; chosen again it turns the order.
QAction* EvidencePanel::Parts::sortAction() {
  auto* menu = new QMenu(tr("S&ort by"), table_);
  for (int column = 0; column < kEvidenceColumns; ++column) {
    const QString heading = model_->headerData(column, Qt::Horizontal, Qt::DisplayRole).toString();
    menu->addAction(heading, this, [this, column] {
      const bool isTurned = order_->sortColumn() == column && order_->sortOrder() == Qt::AscendingOrder;
      table_->sortByColumn(column, isTurned ? Qt::DescendingOrder : Qt::AscendingOrder);
    });
  }
  return menu->menuAction();
}

QWidget* EvidencePanel::Parts::buildDetail() {
  auto* widget = new QWidget(panel_);
  auto* rows = new QVBoxLayout(widget);
  rows->setContentsMargins(0, 0, 0, 0);
  detailTitle_ = new QLabel(widget);
  detailTitle_->setTextFormat(Qt::PlainText);
  detailTitle_->setWordWrap(true);
  detail_ = new QPlainTextEdit(widget);
  detail_->setObjectName(QStringLiteral("evidenceDetail"));
  detail_->setAccessibleName(tr("Text of the chunk"));
  detail_->setReadOnly(true);
  detail_->setTabChangesFocus(true);
  rows->addWidget(detailTitle_);
  rows->addWidget(detail_, 1);
  return widget;
}

void EvidencePanel::Parts::buildActions() {
  const auto add = [this](const QString& text, const QString& hint, bool isCheckable) {
    auto* action = new QAction(text, panel_);
    action->setToolTip(hint);
    action->setWhatsThis(hint);
    action->setCheckable(isCheckable);
    return action;
  };
  pin_ = add(tr("&Pin"), tr("Always attend to this chunk"), true);
  pinSection_ = add(tr("Pin s&ection"),
                    tr("Always attend to the chunks of this section, as far as the budget goes"), false);
  block_ = add(tr("Blo&ck"), tr("Never attend to this chunk"), true);
  without_ =
      add(tr("A&nswer without this chunk"), tr("Ask again as if the document did not hold this chunk"), false);
  export_ = add(tr("E&xport CSV…"), tr("Write the table to a file, filtered and sorted as it is shown"), false);
  connect(pin_, &QAction::triggered, this, [this](bool isOn) {
    if (current()) Q_EMIT panel_->pinWished(current()->chunk, isOn);
  });
  connect(pinSection_, &QAction::triggered, this, [this] {
    if (current()) Q_EMIT panel_->pinSectionWished(current()->chunk);
  });
  connect(block_, &QAction::triggered, this, [this](bool isOn) {
    if (current()) Q_EMIT panel_->blockWished(current()->chunk, isOn);
  });
  connect(without_, &QAction::triggered, this, [this] {
    if (current()) Q_EMIT panel_->withoutWished(current()->chunk);
  });
  connect(export_, &QAction::triggered, panel_, &EvidencePanel::exportWished);
}

QPushButton* EvidencePanel::Parts::buttonFor(QAction* action) {
  auto* button = new QPushButton(action->text(), panel_);
  button->setAccessibleName(action->text().remove(QLatin1Char('&')));
  button->setToolTip(action->toolTip());
  button->setCheckable(action->isCheckable());
  connect(button, &QPushButton::clicked, action, &QAction::trigger);
  connect(action, &QAction::changed, button, [button, action] {
    button->setEnabled(action->isEnabled());
    button->setToolTip(action->toolTip());
    button->setChecked(action->isChecked());
  });
  return button;
}

QWidget* EvidencePanel::Parts::buildButtons() {
  auto* widget = new QWidget(panel_);
  auto* row = new QHBoxLayout(widget);
  row->setContentsMargins(0, 0, 0, 0);
  for (QAction* action : {pin_, pinSection_, block_, without_}) row->addWidget(buttonFor(action));
  row->addStretch();
  row->addWidget(buttonFor(export_));
  return widget;
}

void EvidencePanel::Parts::connectTable() {
  connect(filter_, &QLineEdit::textChanged, this, [this](const QString& text) {
    order_->setFilterFixedString(text);
    showCount();
  });
  connect(table_->selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this] { showCurrent(); });
  connect(table_, &QTableView::entered, this, [this](const QModelIndex& index) {
    if (!isScrolling_) setHovered(index.data(EvidenceModel::ChunkRole).toInt());
  });
  connect(table_, &QTableView::clicked, this, [this](const QModelIndex& index) {
    Q_EMIT panel_->activated(index.data(EvidenceModel::ChunkRole).toInt());
  });
}

bool EvidencePanel::Parts::eventFilter(QObject* watched, QEvent* event) {
  if (watched == table_->viewport()) {
    if (event->type() == QEvent::Leave) setHovered(std::nullopt);
    return false;
  }
  // The header takes the new font after the table.
  if (watched == table_ && (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange))
    QMetaObject::invokeMethod(
        this, [this] { fitColumns(); }, Qt::QueuedConnection);
  if (watched != table_ || event->type() != QEvent::KeyPress) return false;
  const int key = static_cast<QKeyEvent*>(event)->key();
  if ((key != Qt::Key_Return && key != Qt::Key_Enter) || !current()) return false;
  Q_EMIT panel_->activated(current()->chunk);
  return true;
}

void EvidencePanel::Parts::setHovered(std::optional<int> chunk) {
  if (chunk == hovered_) return;
  hovered_ = chunk;
  highlight(chunk);
  Q_EMIT panel_->hovered(chunk);
}

void EvidencePanel::Parts::setRows(std::vector<EvidenceRow> rows) {
  const std::optional<int> chosen = current() ? std::optional<int>(current()->chunk) : std::nullopt;
  model_->setRows(std::move(rows));
  fitColumns();
  stack_->setCurrentIndex(model_->rowCount() > 0 ? 1 : 0);
  select(chosen);
  showCurrent();
  showCount();
}

void EvidencePanel::Parts::fitColumns() {
  // The last column gets what the others leave, but never less than its heading takes.
  QHeaderView* header = table_->horizontalHeader();
  header->setMinimumSectionSize(header->sectionSizeHint(TextColumn));
  for (const int column : {StatesColumn, WordsColumn}) table_->setColumnHidden(column, !model_->hasParts());
  table_->setColumnHidden(UseColumn, !model_->hasMarked());
  table_->setColumnHidden(DocumentColumn, !model_->hasSeveralDocuments());
  table_->verticalHeader()->setDefaultSectionSize(table_->fontMetrics().height() + 8);
  for (int column = RankColumn; column < TextColumn; ++column) table_->resizeColumnToContents(column);
  const int widest = table_->fontMetrics().averageCharWidth() * 20;
  for (const int column : {DocumentColumn, SectionColumn})
    table_->setColumnWidth(column, std::min(table_->columnWidth(column), widest));
}

// The same chunk as before, else the first row, so that the buttons have something to work on.
void EvidencePanel::Parts::select(std::optional<int> chunk) {
  const std::optional<int> row = chunk ? model_->rowOf(*chunk) : std::nullopt;
  const QModelIndex wanted = row ? order_->mapFromSource(model_->index(*row, 0)) : order_->index(0, 0);
  if (wanted.isValid()) table_->setCurrentIndex(wanted);
}

const EvidenceRow* EvidencePanel::Parts::rowAt(const QModelIndex& index) const {
  const QModelIndex source = order_->mapToSource(index);
  if (!source.isValid()) return nullptr;
  return &model_->rows()[static_cast<std::size_t>(source.row())];
}

void EvidencePanel::Parts::highlight(std::optional<int> chunk) {
  QColor color = panel_->palette().color(QPalette::Highlight);
  color.setAlphaF(0.3F);
  order_->highlight(chunk, color);
  table_->viewport()->update();
  const std::optional<int> row = chunk ? model_->rowOf(*chunk) : std::nullopt;
  if (!row || hovered_) return;  // under the mouse nothing moves
  isScrolling_ = true;
  table_->scrollTo(order_->mapFromSource(model_->index(*row, 0)));
  isScrolling_ = false;
}

void EvidencePanel::Parts::setObstacles(const QString& wishes, const QString& without) {
  wishObstacle_ = wishes;
  withoutObstacle_ = without;
  showCurrent();
}

void EvidencePanel::Parts::showCurrent() {
  const EvidenceRow* row = current();
  const auto allow = [](QAction* action, bool isOn, const QString& obstacle) {
    action->setEnabled(isOn && obstacle.isEmpty());
    action->setToolTip(obstacle.isEmpty() ? action->whatsThis() : obstacle);
  };
  for (QAction* action : {pin_, block_}) allow(action, row, wishObstacle_);
  allow(pinSection_, row && !row->section.isEmpty(), wishObstacle_);
  allow(without_, row, withoutObstacle_);
  pin_->setChecked(row && row->isPinned);
  block_->setChecked(row && row->isBlocked);
  detailTitle_->setVisible(row);
  detail_->setPlainText(row ? row->text : QString());
  if (!row) return;
  QStringList parts{tr("Rank %1").arg(row->rank)};
  if (!row->title.isEmpty()) parts.append(row->title);
  if (!row->section.isEmpty()) parts.append(row->section);
  if (!row->pages.isEmpty()) parts.append(tr("page %1").arg(row->pages));
  parts.append(tr("chunk %1").arg(row->chunk));
  detailTitle_->setText(parts.join(QStringLiteral(" · ")));
}

void EvidencePanel::Parts::showCount() {
  const int all = model_->rowCount(), shown = order_->rowCount();
  export_->setEnabled(all > 0);
  filter_->setEnabled(all > 0);
  count_->setText(tr("%1 of %2 chunks").arg(shown).arg(all));
}

QByteArray EvidencePanel::Parts::csv() const {
  std::vector<EvidenceRow> rows;
  for (int row = 0; row < order_->rowCount(); ++row) rows.push_back(*rowAt(order_->index(row, 0)));
  return evidenceCsv(rows);
}

EvidencePanel::EvidencePanel(QWidget* parent) : QWidget(parent), parts_(std::make_unique<Parts>(this)) {}

EvidencePanel::~EvidencePanel() = default;

void EvidencePanel::setRows(std::vector<EvidenceRow> rows) { parts_->setRows(std::move(rows)); }

void EvidencePanel::highlight(std::optional<int> chunk) { parts_->highlight(chunk); }

void EvidencePanel::setObstacles(const QString& wishes, const QString& without) {
  parts_->setObstacles(wishes, without);
}

QByteArray EvidencePanel::csv() const { return parts_->csv(); }

}  // namespace kvasir
