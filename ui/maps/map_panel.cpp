#include "ui/maps/map_panel.h"

#include <algorithm>
#include <utility>

#include <QAccessible>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QStackedWidget>
#include <QTableView>
#include <QVBoxLayout>

#include "ui/maps/map_controls.h"
#include "ui/maps/map_file.h"
#include "ui/maps/map_sheets.h"

namespace kvasir {

class MapPanel::Parts {
 public:
  explicit Parts(MapPanel* panel);

  void setMaps(std::shared_ptr<const AnswerMaps> maps);
  void setHeads(HeadMap heads);
  void highlight(std::optional<int> chunk);
  void setVerifying(const QString& sentence);
  void setWishObstacle(const QString& sentence) { wishObstacle_ = sentence; }
  QString write(const QString& file) { return writeMapFile(plot(), table(), file); }

 private:
  void build();
  QWidget* buildVerify();
  HeatPlot* buildPlot(const QString& name, const QString& description);
  void buildTable();
  void connectControls();
  void connectPositions();
  void connectHeads();
  void showSheet();
  void showContents();
  void showKind();
  void showStatus(const std::optional<HeatCell>& cell);
  void wishHeads(int chunk);
  void chooseLook();
  void chooseFile(const QString& ending);
  void showMenu(int chunk, QPoint at);
  bool isHeads() const { return controls_->kind() == MapKind::Heads; }
  HeatPlot& plot() { return isHeads() ? *headPlot_ : *positionPlot_; }
  NumberTable table() const;
  QString emptyText() const;

  MapPanel* panel_;
  std::shared_ptr<const AnswerMaps> maps_;
  MapGrids grids_;  // of the look that is chosen
  HeadMap heads_;
  QString wishObstacle_;
  std::optional<int> lastChunk_;  // under the cursor last
  MapControls* controls_ = nullptr;
  QWidget* verify_ = nullptr;
  QLabel* verifyText_ = nullptr;
  QStackedWidget* stack_ = nullptr;
  QLabel* empty_ = nullptr;
  HeatPlot* positionPlot_ = nullptr;
  HeatPlot* headPlot_ = nullptr;
  QTableView* tableView_ = nullptr;
  NumberTableModel* tableModel_ = nullptr;
  QLabel* status_ = nullptr;
  QObject context_;  // what is connected to it ends before the parts do
};

MapPanel::Parts::Parts(MapPanel* panel) : panel_(panel) {
  build();
  connectControls();
  connectPositions();
  connectHeads();
  showKind();
}

void MapPanel::Parts::build() {
  auto* rows = new QVBoxLayout(panel_);
  rows->setContentsMargins(4, 4, 4, 4);
  controls_ = new MapControls(panel_);
  rows->addWidget(controls_);
  rows->addWidget(buildVerify());
  stack_ = new QStackedWidget(panel_);
  empty_ = new QLabel(stack_);
  empty_->setAlignment(Qt::AlignCenter);
  empty_->setWordWrap(true);
  stack_->addWidget(empty_);
  const QString keys =
      tr("Arrow keys move the cursor, Shift in longer steps; Ctrl+Left and Ctrl+Right, Page Up and Page Down "
         "move the view; + and − zoom, Home shows all, Enter shows the chunk on its page, the "
         "Menu key pins or blocks it.");
  positionPlot_ = buildPlot(tr("Map of the document"), keys);
  positionPlot_->setObjectName(QStringLiteral("positionPlot"));
  headPlot_ = buildPlot(tr("Map of the heads"), keys);
  headPlot_->setObjectName(QStringLiteral("headPlot"));
  buildTable();
  rows->addWidget(stack_, 1);
  status_ = new QLabel(panel_);
  status_->setObjectName(QStringLiteral("mapStatus"));
  status_->setAccessibleName(tr("Values under the cursor"));
  status_->setTextFormat(Qt::PlainText);
  status_->setWordWrap(true);
  status_->setAlignment(Qt::AlignLeft | Qt::AlignTop);
  status_->setMinimumHeight(2 * status_->fontMetrics().lineSpacing() + 2);
  rows->addWidget(status_);
}

QWidget* MapPanel::Parts::buildVerify() {
  verify_ = new QWidget(panel_);
  auto* row = new QHBoxLayout(verify_);
  row->setContentsMargins(4, 0, 4, 0);
  verifyText_ = new QLabel(verify_);
  verifyText_->setObjectName(QStringLiteral("verifyText"));
  verifyText_->setWordWrap(true);
  setVerifying({});
  auto* button = new QPushButton(tr("Verif&y against full attention"), verify_);
  button->setObjectName(QStringLiteral("verifyButton"));
  button->setAccessibleName(tr("Verify against full attention"));
  connect(button, &QPushButton::clicked, panel_, &MapPanel::verifyWished);
  row->addWidget(verifyText_, 1);
  row->addWidget(button);
  return verify_;
}

void MapPanel::Parts::setVerifying(const QString& sentence) {
  verifyText_->setText(
      sentence.isEmpty()
          ? tr("Full attention has not been computed for this answer: it reads the whole document once more.")
          : sentence);
}

HeatPlot* MapPanel::Parts::buildPlot(const QString& name, const QString& description) {
  auto* plot = new HeatPlot(stack_);
  plot->setAccessibleName(name);
  plot->setAccessibleDescription(description);
  plot->setWhatsThis(description);
  stack_->addWidget(plot);
  return plot;
}

void MapPanel::Parts::buildTable() {
  tableModel_ = new NumberTableModel(panel_);
  tableView_ = new QTableView(stack_);
  tableView_->setObjectName(QStringLiteral("mapTable"));
  tableView_->setAccessibleName(tr("Numbers of the map"));
  tableView_->setModel(tableModel_);
  tableView_->setTabKeyNavigation(false);
  tableView_->setSelectionBehavior(QAbstractItemView::SelectRows);
  tableView_->horizontalHeader()->setResizeContentsPrecision(0);  // the rows that are seen
  tableView_->verticalHeader()->hide();
  tableView_->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
  tableView_->verticalHeader()->setDefaultSectionSize(tableView_->fontMetrics().height() + 8);
  stack_->addWidget(tableView_);
}

void MapPanel::Parts::connectControls() {
  connect(controls_, &MapControls::kindChanged, &context_, [this] { showKind(); });
  connect(controls_, &MapControls::choiceChanged, &context_, [this] { showSheet(); });
  connect(controls_, &MapControls::lookChanged, &context_, [this] {
    positionPlot_->setLook(controls_->look());
    HeatLook headLook = controls_->look();
    headLook.hidesFirst = false;
    headPlot_->setLook(headLook);
  });
  connect(controls_, &MapControls::tableToggled, &context_, [this] { showContents(); });
  connect(controls_, &MapControls::lookChosen, &context_, [this] {
    chooseLook();
    showSheet();
  });
  connect(controls_, &MapControls::looksWished, panel_, &MapPanel::looksWished);
  connect(controls_, &MapControls::chunkChosen, &context_, [this](int chunk) { wishHeads(chunk); });
  connect(controls_, &MapControls::zoomWished, &context_,
          [this](double factor) { plot().zoomAtCursor(factor); });
  connect(controls_, &MapControls::showAllWished, &context_, [this] { plot().showAll(); });
  connect(controls_, &MapControls::exportWished, &context_,
          [this](const QString& ending) { chooseFile(ending); });
}

void MapPanel::Parts::connectPositions() {
  connect(positionPlot_, &HeatPlot::pointed, &context_, [this](const std::optional<HeatCell>& cell) {
    if (cell) lastChunk_ = cell->column;
    showStatus(cell);
    Q_EMIT panel_->hovered(cell ? std::optional<int>(cell->column) : std::nullopt);
  });
  connect(positionPlot_, &HeatPlot::activated, &context_,
          [this](const HeatCell& cell) { Q_EMIT panel_->activated(cell.column); });
  connect(positionPlot_, &HeatPlot::menuWished, &context_,
          [this](const HeatCell& cell, QPoint at) { showMenu(cell.column, at); });
  connect(tableView_, &QTableView::activated, &context_, [this](const QModelIndex& index) {
    if (!isHeads()) Q_EMIT panel_->activated(index.row());
  });
}

void MapPanel::Parts::connectHeads() {
  connect(headPlot_, &HeatPlot::pointed, &context_,
          [this](const std::optional<HeatCell>& cell) { showStatus(cell); });
  connect(headPlot_, &HeatPlot::activated, &context_, [this] { Q_EMIT panel_->activated(heads_.chunk); });
}

void MapPanel::Parts::setMaps(std::shared_ptr<const AnswerMaps> maps) {
  maps_ = std::move(maps);
  controls_->setLooks(maps_ ? maps_->lookTexts : QStringList());
  controls_->setEnabled(maps_ != nullptr);
  chooseLook();
  heads_ = {};
  if (lastChunk_ && *lastChunk_ >= grids_.chunks()) lastChunk_.reset();
  controls_->setChunks(grids_.chunks(), grids_.score != nullptr);
  showKind();
}

void MapPanel::Parts::chooseLook() {
  const std::optional<std::size_t> look = controls_->lookShown();
  grids_ = gridsOf(maps_ && look ? mapsOfLook(*maps_, *look) : maps_);
}

void MapPanel::Parts::setHeads(HeadMap heads) {
  if (isHeads() && heads.chunk != controls_->chunk()) return;  // of a chunk that was asked for before
  heads_ = std::move(heads);
  if (isHeads()) showSheet();
}

void MapPanel::Parts::highlight(std::optional<int> chunk) {
  positionPlot_->highlight(chunk);
  if (!chunk || *chunk < 0 || *chunk >= grids_.chunks()) return showStatus(plot().cursor());
  if (!isHeads()) status_->setText(chunkText(grids_, *chunk));
}

void MapPanel::Parts::wishHeads(int chunk) {
  if (chunk < 0 || chunk >= grids_.chunks()) return;
  lastChunk_ = chunk;
  heads_ = headsOf(maps_->retrieved, chunk).value_or(HeadMap{chunk, 0, 0, {}});
  showSheet();
  Q_EMIT panel_->headsWished(chunk);
}

void MapPanel::Parts::showKind() {
  if (isHeads() && grids_.share) {
    const int chunk = lastChunk_.value_or(strongestChunk(grids_));
    controls_->setChunk(chunk);
    wishHeads(chunk);
    return;
  }
  showSheet();
}

void MapPanel::Parts::showSheet() {
  const SheetChoice choice = controls_->choice();
  if (isHeads()) {
    headPlot_->setSheet(headSheet(heads_, choice.scale));
  } else if (grids_.share) {
    const bool isStrip = controls_->kind() == MapKind::Chunks;
    positionPlot_->setSheet(isStrip ? chunkSheet(grids_, choice) : attentionSheet(grids_, choice));
  } else {
    positionPlot_->setSheet({});
  }
  showContents();
}

QString MapPanel::Parts::emptyText() const {
  if (!grids_.share) return tr("Ask a question: the map then shows where each layer of the model looked.");
  return tr("There are no heads to show for this chunk yet.");
}

void MapPanel::Parts::showContents() {
  const bool isEmpty = !grids_.share || (isHeads() && !isWhole(heads_));
  verify_->setVisible(grids_.share && !maps_->full && controls_->kind() == MapKind::Attention);
  empty_->setText(emptyText());
  const bool showsTable = !isEmpty && controls_->showsTable();
  tableModel_->setTable(showsTable ? table() : NumberTable{});
  if (isEmpty)
    stack_->setCurrentWidget(empty_);
  else if (showsTable)
    stack_->setCurrentWidget(tableView_);
  else
    stack_->setCurrentWidget(&plot());
  if (showsTable) tableView_->resizeColumnsToContents();
  showStatus(plot().cursor());
}

NumberTable MapPanel::Parts::table() const {
  if (isHeads()) return headTable(heads_);
  if (!grids_.share) return {};
  if (controls_->kind() == MapKind::Chunks) return chunkTable(grids_);
  return attentionTable(grids_, controls_->choice().value);
}

void MapPanel::Parts::showStatus(const std::optional<HeatCell>& cell) {
  QString text;
  if (cell && isHeads() && isWhole(heads_))
    text = headText(heads_, cell->row, cell->column);
  else if (cell && grids_.share && !isHeads()) {
    const bool isStrip = controls_->kind() == MapKind::Chunks;
    text = isStrip ? chunkText(grids_, cell->column) : attentionText(grids_, cell->row, cell->column);
  }
  status_->setText(text);
  if (text.isEmpty()) return;
  plot().setAccessibleDescription(text);
  QAccessibleEvent changed(&plot(), QAccessible::DescriptionChanged);
  QAccessible::updateAccessibility(&changed);
}

void MapPanel::Parts::chooseFile(const QString& ending) {
  if (!grids_.share) return;
  auto* dialog = new QFileDialog(panel_, tr("Export the map"));
  dialog->setObjectName(QStringLiteral("mapExportDialog"));
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setAcceptMode(QFileDialog::AcceptSave);
  dialog->setDefaultSuffix(ending);
  dialog->setNameFilter(tr("%1 files (*.%2)").arg(ending.toUpper(), ending));
  dialog->selectFile(QStringLiteral("kvasir-map.") + ending);
  connect(dialog, &QFileDialog::fileSelected, &context_, [this](const QString& file) {
    const QString wrong = write(file);
    status_->setText(wrong.isEmpty() ? tr("Written to %1").arg(file) : wrong);
  });
  dialog->open();
}

void MapPanel::Parts::showMenu(int chunk, QPoint at) {
  auto* menu = new QMenu(panel_);
  menu->setAttribute(Qt::WA_DeleteOnClose);
  menu->addAction(tr("&Show chunk %1 on its page").arg(chunk), panel_,
                  [this, chunk] { Q_EMIT panel_->activated(chunk); });
  menu->addSeparator();
  addWishes(menu, wishObstacle_, [this, chunk](Wish wish) { Q_EMIT panel_->wished(chunk, wish); });
  menu->popup(at);
}

MapPanel::MapPanel(QWidget* parent) : QWidget(parent), parts_(std::make_unique<Parts>(this)) {}

MapPanel::~MapPanel() = default;

void MapPanel::setMaps(std::shared_ptr<const AnswerMaps> maps) { parts_->setMaps(std::move(maps)); }

void MapPanel::setHeads(HeadMap heads) { parts_->setHeads(std::move(heads)); }

void MapPanel::highlight(std::optional<int> chunk) { parts_->highlight(chunk); }

void MapPanel::setVerifying(const QString& sentence) { parts_->setVerifying(sentence); }

void MapPanel::setWishObstacle(const QString& sentence) { parts_->setWishObstacle(sentence); }

QString MapPanel::writeTo(const QString& file) { return parts_->write(file); }

}  // namespace kvasir
