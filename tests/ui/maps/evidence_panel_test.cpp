#include <QAction>
#include <QHeaderView>
#include <QLineEdit>
#include <QLocale>
#include <QMenu>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTableView>
#include <QTest>

#include "tests/ui/maps/samples.h"
#include "tests/ui/maps/screenshots.h"
#include "tests/ui/maps/widget_names.h"
#include "ui/maps/evidence_model.h"
#include "ui/maps/evidence_panel.h"

namespace kvasir {
namespace {

std::vector<EvidenceRow> sampleRows() {
  const QStringList texts{
      QStringLiteral(
          "Net sales grew 8 % to 41.2 billion,\nled by services, while the gross margin fell by 1.3 points."),
      QStringLiteral("The Company is subject to <b>currency</b> risk; a 10 % change of the dollar moves "
                     "results by 0.4 billion."),
      QStringLiteral("Legal proceedings: the court set the hearing for May. No provision was made, as no loss "
                     "is probable.")};
  std::vector<EvidenceRow> rows;
  for (int rank = 1; rank <= 24; ++rank) {
    EvidenceRow row;
    row.rank = rank;
    row.chunk = (rank * 331) % 1200;
    row.score = 9.4 / rank - 0.2;
    row.layers = 30 - rank;
    row.share = 0.21 / rank;
    row.section =
        rank % 3 ? QStringLiteral("2 Risk factors") : QStringLiteral("4 Management's discussion of results");
    row.pages = rank % 5 ? QString::number(rank * 3) : QStringLiteral("%1–%2").arg(rank * 3).arg(rank * 3 + 1);
    row.text = texts[rank % 3] + QLatin1Char(' ') + texts[(rank + 1) % 3];
    row.range = {static_cast<std::size_t>(row.chunk) * 500, static_cast<std::size_t>(row.chunk) * 500 + 500};
    row.isPinned = rank == 2;
    row.isBlocked = rank == 5;
    rows.push_back(row);
  }
  return rows;
}

}  // namespace

class EvidencePanelTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    QApplication::setPalette(lightPalette());
    panel_ = std::make_unique<EvidencePanel>();
    panel_->resize(620, 460);
    panel_->setRows(sampleRows());
    panel_->show();
    QVERIFY(QTest::qWaitForWindowExposed(panel_.get()));
    table_ = panel_->findChild<QTableView*>(QStringLiteral("evidenceTable"));
  }
  void cleanup() { panel_.reset(); }

  void showsTheBestChunkFirst();
  void showsThePartsOfAScoreWhereThereAreSome();
  void sortsByAColumnThatIsClicked();
  void sortsByKeyThroughTheMenu();
  void filterHidesOtherRows();
  void hoveringARowIsTold();
  void highlightsARowHoveredElsewhere();
  void clickAndEnterActivateAChunk();
  void pinBlockAndWithoutConcernTheChosenRow();
  void keepsTheChosenChunkWhenRowsChange();
  void csvHoldsTheRowsAsShown();
  void everyControlHasANameAndTakesFocus();
  void screenshots();

 private:
  QModelIndex cell(int row, int column) const { return table_->model()->index(row, column); }
  int chunkAt(int row) const { return cell(row, 0).data(EvidenceModel::ChunkRole).toInt(); }
  QPoint middleOf(int row) const { return table_->visualRect(cell(row, ScoreColumn)).center(); }
  void press(const QString& name) { QTest::mouseClick(buttonNamed(*panel_, name), Qt::LeftButton); }

  std::unique_ptr<EvidencePanel> panel_;
  QTableView* table_ = nullptr;
};

void EvidencePanelTest::showsTheBestChunkFirst() {
  QCOMPARE(table_->model()->rowCount(), 24);
  QCOMPARE(cell(0, RankColumn).data().toInt(), 1);
  QCOMPARE(cell(0, ShareColumn).data().toString(), QStringLiteral("21 %"));
  QVERIFY(!cell(0, TextColumn).data().toString().contains(QLatin1Char('\n')));
  QVERIFY(panel_->findChild<QPlainTextEdit*>()->toPlainText().startsWith(QStringLiteral("The Company")));
}

void EvidencePanelTest::showsThePartsOfAScoreWhereThereAreSome() {
  QVERIFY(table_->isColumnHidden(StatesColumn) && table_->isColumnHidden(WordsColumn));
  std::vector<EvidenceRow> rows = sampleRows();
  rows[0].parts = ScoreParts{8.45, 0.75};
  panel_->setRows(rows);
  QVERIFY(!table_->isColumnHidden(StatesColumn) && !table_->isColumnHidden(WordsColumn));
  QCOMPARE(cell(0, StatesColumn).data().toString(), QLocale().toString(8.45));
  QCOMPARE(cell(0, WordsColumn).data().toString(), QLocale().toString(0.75));
  QCOMPARE(cell(1, StatesColumn).data().toString(), QString());
  for (const int column : {StatesColumn, WordsColumn})
    QVERIFY(table_->columnWidth(column) >= table_->horizontalHeader()->sectionSizeHint(column));
  saveScreenshots(*panel_, QStringLiteral("evidence_parts"));
  panel_->setRows(sampleRows());
  QVERIFY(table_->isColumnHidden(StatesColumn) && table_->isColumnHidden(WordsColumn));
}

void EvidencePanelTest::sortsByAColumnThatIsClicked() {
  QHeaderView* header = table_->horizontalHeader();
  const QPoint layers(header->sectionViewportPosition(LayersColumn) + 8, header->height() / 2);
  QTest::mouseClick(header->viewport(), Qt::LeftButton, {}, layers);
  QCOMPARE(cell(0, LayersColumn).data().toInt(), 6);
  QTest::mouseClick(header->viewport(), Qt::LeftButton, {}, layers);
  QCOMPARE(cell(0, LayersColumn).data().toInt(), 29);
}

void EvidencePanelTest::sortsByKeyThroughTheMenu() {
  const int first = chunkAt(0);
  QMenu* columns = table_->actions().last()->menu();
  QCOMPARE(columns->actions().size(), qsizetype{kEvidenceColumns});
  columns->actions()[ShareColumn]->trigger();
  QVERIFY(chunkAt(0) != first);  // the smallest share
  columns->actions()[ShareColumn]->trigger();
  QCOMPARE(chunkAt(0), first);
}

void EvidencePanelTest::filterHidesOtherRows() {
  auto* filter = panel_->findChild<QLineEdit*>(QStringLiteral("evidenceFilter"));
  QTest::keyClicks(filter, QStringLiteral("DISCUSSION"));
  QCOMPARE(table_->model()->rowCount(), 8);
  QTest::keyClicks(filter, QStringLiteral(" nowhere"));
  QCOMPARE(table_->model()->rowCount(), 0);
  filter->clear();
  QCOMPARE(table_->model()->rowCount(), 24);
}

void EvidencePanelTest::hoveringARowIsTold() {
  QSignalSpy hovered(panel_.get(), &EvidencePanel::hovered);
  QTest::mouseMove(table_->viewport(), middleOf(1));
  QTest::mouseMove(table_->viewport(), middleOf(2));
  QTRY_VERIFY(hovered.count() >= 1);
  QCOMPARE(hovered.last()[0].value<std::optional<int>>(), std::optional<int>(chunkAt(2)));
  QEvent leave(QEvent::Leave);
  QApplication::sendEvent(table_->viewport(), &leave);
  QCOMPARE(hovered.last()[0].value<std::optional<int>>(), std::nullopt);
}

void EvidencePanelTest::highlightsARowHoveredElsewhere() {
  const int chunk = chunkAt(20);
  panel_->highlight(chunk);
  QVERIFY(cell(20, 0).data(Qt::BackgroundRole).isValid());
  QVERIFY(!cell(19, 0).data(Qt::BackgroundRole).isValid());
  QVERIFY(table_->viewport()->rect().contains(middleOf(20)));
  panel_->highlight(std::nullopt);
  QVERIFY(!cell(20, 0).data(Qt::BackgroundRole).isValid());
  panel_->highlight(99999);
}

void EvidencePanelTest::clickAndEnterActivateAChunk() {
  QSignalSpy activated(panel_.get(), &EvidencePanel::activated);
  QTest::mouseClick(table_->viewport(), Qt::LeftButton, {}, middleOf(3));
  QCOMPARE(activated.count(), 1);
  QCOMPARE(activated.last()[0].toInt(), chunkAt(3));
  QTest::keyClick(table_, Qt::Key_Down);
  QTest::keyClick(table_, Qt::Key_Return);
  QCOMPARE(activated.count(), 2);
  QCOMPARE(activated.last()[0].toInt(), chunkAt(4));
}

void EvidencePanelTest::pinBlockAndWithoutConcernTheChosenRow() {
  QSignalSpy pin(panel_.get(), &EvidencePanel::pinWished), block(panel_.get(), &EvidencePanel::blockWished),
      without(panel_.get(), &EvidencePanel::withoutWished),
      section(panel_.get(), &EvidencePanel::pinSectionWished),
      exported(panel_.get(), &EvidencePanel::exportWished);
  table_->setCurrentIndex(cell(0, 0));
  press(QStringLiteral("Pin"));
  QCOMPARE(pin.last(), (QList<QVariant>{chunkAt(0), true}));
  table_->setCurrentIndex(cell(1, 0));
  press(QStringLiteral("Pin"));
  QCOMPARE(pin.last(), (QList<QVariant>{chunkAt(1), false}));
  press(QStringLiteral("Block"));
  QCOMPARE(block.last(), (QList<QVariant>{chunkAt(1), true}));
  press(QStringLiteral("Answer without this chunk"));
  QCOMPARE(without.last()[0].toInt(), chunkAt(1));
  press(QStringLiteral("Pin section"));
  QCOMPARE(section.last()[0].toInt(), chunkAt(1));
  press(QStringLiteral("Export CSV…"));
  QCOMPARE(exported.count(), 1);
  QCOMPARE(table_->actions().size(), 6);
  panel_->setObstacles(QStringLiteral("Not with this method."), {});
  for (const char* name : {"Pin", "Pin section", "Block"}) {
    QVERIFY(!buttonNamed(*panel_, QLatin1String(name))->isEnabled());
    QCOMPARE(buttonNamed(*panel_, QLatin1String(name))->toolTip(), QStringLiteral("Not with this method."));
  }
  QVERIFY(buttonNamed(*panel_, QStringLiteral("Answer without this chunk"))->isEnabled());
  panel_->setObstacles({}, {});
  QVERIFY(buttonNamed(*panel_, QStringLiteral("Pin"))->toolTip().startsWith(QLatin1String("Always attend")));
  panel_->setRows({});
  QVERIFY(!buttonNamed(*panel_, QStringLiteral("Pin"))->isEnabled());
}

void EvidencePanelTest::keepsTheChosenChunkWhenRowsChange() {
  table_->setCurrentIndex(cell(6, 0));
  const int chunk = chunkAt(6);
  std::vector<EvidenceRow> rows = sampleRows();
  rows.erase(rows.begin());
  panel_->setRows(rows);
  QCOMPARE(table_->currentIndex().data(EvidenceModel::ChunkRole).toInt(), chunk);
}

void EvidencePanelTest::csvHoldsTheRowsAsShown() {
  table_->sortByColumn(RankColumn, Qt::DescendingOrder);
  panel_->findChild<QLineEdit*>(QStringLiteral("evidenceFilter"))->setText(QStringLiteral("discussion"));
  const QByteArrayList lines = panel_->csv().split('\r');
  QVERIFY(lines[1].startsWith("\n24,"));
  QCOMPARE(panel_->csv().count("discussion of results"), 8);
}

void EvidencePanelTest::everyControlHasANameAndTakesFocus() {
  QCOMPARE(controlsWithoutName(*panel_).join(QLatin1Char(' ')), QString());
}

void EvidencePanelTest::screenshots() {
  panel_->highlight(chunkAt(3));
  saveScreenshots(*panel_, QStringLiteral("evidence"));
  panel_->setRows({});
  saveScreenshots(*panel_, QStringLiteral("evidence_empty"));
}

}  // namespace kvasir

QTEST_MAIN(kvasir::EvidencePanelTest)
#include "evidence_panel_test.moc"
