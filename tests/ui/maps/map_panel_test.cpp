#include <QAction>
#include <QCheckBox>
#include <QComboBox>
#include <QElapsedTimer>
#include <QFile>
#include <QFileDialog>
#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTabBar>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>
#include <QWheelEvent>

#include "tests/ui/context_menu.h"
#include "tests/ui/full_disk.h"
#include "tests/ui/maps/samples.h"
#include "tests/ui/maps/screenshots.h"
#include "tests/ui/maps/widget_names.h"
#include "ui/maps/heat_plot.h"
#include "ui/maps/map_panel.h"
#include "ui/maps/map_sheets.h"

namespace kvasir {

class MapPanelTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init();
  void cleanup() { panel_.reset(); }

  void showsFullAttentionAboveTheMethodOnOneScale();
  void mapsMayStandSideBySide();
  void rowNumbersKeepApart();
  void scoreStandsBesideFullAttentionOnOneScale();
  void hidingTheFirstChunkRescalesTheColours();
  void wantsFullAttentionWhenThereIsNone();
  void wheelZoomsAroundTheMouse();
  void dragPansWithinTheDocument();
  void keysZoomPanAndShowAll();
  void arrowsMoveTheCursorOverBothMaps();
  void hoveringAndClickingAreTold();
  void aChunksMenuTellsWhatIsWished();
  void statusHoldsPlaceAndValues();
  void chunkStripKeepsTheView();
  void headsAreWishedForTheChunkUnderTheCursor();
  void lateHeadsOfAnotherChunkAreLeft();
  void singleTokensAreChosenFromAList();
  void singleTokensShowWhereFullAttentionLooked();
  void singleTokensAreWishedForWhereTheyAreNotKnown();
  void tableHoldsTheNumbersOfTheMap();
  void writesEveryFormat();
#ifndef _WIN32
  void aFullDiskIsToldAndLeavesTheOldFile();
#endif
  void exportOpensAFileDialog();
  void mapsWhoseSizesDisagreeAreNotShown();
  void everyControlHasANameAndTakesFocus();
  void pansALargeMapAtThirtyFramesASecond();
  void screenshots();

 private:
  HeatPlot& plot() { return *panel_->findChild<HeatPlot*>(QStringLiteral("positionPlot")); }
  HeatPlot& headPlot() { return *panel_->findChild<HeatPlot*>(QStringLiteral("headPlot")); }
  QString status() const { return panel_->findChild<QLabel*>(QStringLiteral("mapStatus"))->text(); }
  void setKind(int kind) { panel_->findChild<QTabBar*>(QStringLiteral("mapKinds"))->setCurrentIndex(kind); }
  void choose(const QString& value) {
    auto* values = panel_->findChild<QComboBox*>(QStringLiteral("mapValues"));
    values->setCurrentIndex(values->findText(value));
    QCOMPARE(values->currentText(), value);
  }
  void check(const QString& name) { panel_->findChild<QCheckBox*>(name)->click(); }
  QPoint middleOf(int map, int row, int column) {
    return plot().cellRect({map, row, column}).center().toPoint();
  }
  void settle() {
    QCoreApplication::processEvents();
    plot().replot(QCustomPlot::rpImmediateRefresh);
  }

  std::unique_ptr<MapPanel> panel_;
  std::unique_ptr<SampleAnswer> sample_;
};

void MapPanelTest::init() {
  QApplication::setPalette(lightPalette());
  sample_ = std::make_unique<SampleAnswer>(30, 1200);
  panel_ = std::make_unique<MapPanel>();
  panel_->resize(820, 560);
  panel_->setMaps(sample_->shared());
  panel_->show();
  QVERIFY(QTest::qWaitForWindowExposed(panel_.get()));
  settle();
}

void MapPanelTest::showsFullAttentionAboveTheMethodOnOneScale() {
  const std::vector<HeatMap>& maps = plot().sheet().maps;
  QCOMPARE(maps.size(), std::size_t{2});
  QCOMPARE(maps[0].title, QStringLiteral("Full attention"));
  QVERIFY(maps[1].title.startsWith(QStringLiteral("infllm")));
  QCOMPARE(maps[0].scale.high(), maps[1].scale.high());
  QCOMPARE(maps[0].scale.low(), maps[1].scale.low());
  QCOMPARE(plot().cellRect({0, 3, 600}).left(), plot().cellRect({1, 3, 600}).left());
}

void MapPanelTest::mapsMayStandSideBySide() {
  HeatSheet sheet = plot().sheet();
  sheet.isBeside = true;
  plot().setSheet(std::move(sheet));
  settle();
  const QRectF left = plot().cellRect({0, 3, 600}), right = plot().cellRect({1, 3, 600});
  QCOMPARE(left.top(), right.top());
  QCOMPARE(left.bottom(), right.bottom());
  QVERIFY(plot().cellRect({1, 3, 0}).left() > plot().cellRect({0, 3, 1199}).right());
  for (const int map : {0, 1}) {
    QTest::mouseMove(panel_->windowHandle(), plot().mapTo(panel_.get(), middleOf(map, 3, 600)));
    QTRY_VERIFY(plot().cursor() && plot().cursor()->map == map && plot().cursor()->row == 3);
  }
  QTemporaryDir folder;
  QVERIFY(plot().writeSvg(folder.filePath(QStringLiteral("beside.svg"))));
  QFile file(folder.filePath(QStringLiteral("beside.svg")));
  QVERIFY(file.open(QIODevice::ReadOnly));
  const QByteArray drawn = file.readAll();
  QCOMPARE(drawn.count("position (token)"), 2);
  QCOMPARE(drawn.count(">280<"), 2);  // a page
  QCOMPARE(drawn.count(">2 Ri"), 2);  // a section
}

void MapPanelTest::rowNumbersKeepApart() {
  for (const int height : {330, 420, 1000}) {
    panel_->resize(900, height);
    settle();
    int rows = 0;
    for (QCPAxisRect* rect : plot().axisRects()) {
      const QCPAxis* axis = rect->axis(QCPAxis::atLeft);
      if (axis->label() != QLatin1String("layer")) continue;
      ++rows;
      const QVector<double> marks = axis->tickVector();
      QVERIFY(!marks.isEmpty());
      for (qsizetype i = 1; i < marks.size(); ++i)
        QVERIFY(axis->coordToPixel(marks[i - 1]) - axis->coordToPixel(marks[i]) >=
                QFontMetrics(axis->tickLabelFont()).height());
      if (height == 1000) QVERIFY(marks.size() > 4);
    }
    QCOMPARE(rows, 2);
  }
}

void MapPanelTest::scoreStandsBesideFullAttentionOnOneScale() {
  choose(QStringLiteral("Retrieval score"));
  const std::vector<HeatMap>& maps = plot().sheet().maps;
  QCOMPARE(maps.size(), std::size_t{2});
  QVERIFY(maps[0].scale == maps[1].scale);
  QCOMPARE(maps[0].scale.low(), 0.0);
  QCOMPARE(maps[0].scale.high(), 1.0);
  QVERIFY(maps[1].title.contains(QLatin1String("for the whole question")));
  // In each layer of each map the colours run from the lowest to the highest value.
  for (const HeatMap& map : maps) {
    for (int layer = 0; layer < map.grid->rows(); ++layer) {
      float low = 1, high = 0;
      for (int chunk = 0; chunk < map.grid->columns(); ++chunk) {
        low = std::min(low, map.grid->value(layer, chunk));
        high = std::max(high, map.grid->value(layer, chunk));
      }
      if (low > high) continue;  // a layer without scores
      QCOMPARE(low, 0.0F);
      QCOMPARE(high, 1.0F);
    }
  }
  // The values under the cursor stay what they are.
  plot().setFocus();
  QTest::keyClick(&plot(), Qt::Key_Up);
  const HeatCell cell = *plot().cursor();
  const float score = sample_->maps().retrieved.scores[static_cast<std::size_t>(cell.row * 1200 + cell.column)];
  QVERIFY2(
      status().contains(QStringLiteral("score ") + valueText(ValueUnit::Score, static_cast<double>(score))),
      qPrintable(status()));
  sample_->maps().full.reset();
  panel_->setMaps(sample_->shared());
  QCOMPARE(plot().sheet().maps.at(0).scale.unit(), ValueUnit::Score);
  sample_->maps().retrieved.scores.assign(sample_->maps().retrieved.mass.size(),
                                          std::numeric_limits<float>::quiet_NaN());
  panel_->setMaps(sample_->shared());
  QCOMPARE(plot().sheet().maps.at(0).scale.unit(), ValueUnit::Share);
}

void MapPanelTest::hidingTheFirstChunkRescalesTheColours() {
  const double before = plot().sheet().maps[0].scale.high();
  check(QStringLiteral("hideFirstChunk"));
  QVERIFY(plot().sheet().maps[0].scale.high() < before);
  QVERIFY(plot().look().hidesFirst);
  check(QStringLiteral("logScale"));
  QCOMPARE(plot().sheet().maps[0].scale.kind(), ScaleKind::Logarithmic);
}

void MapPanelTest::wantsFullAttentionWhenThereIsNone() {
  auto* verify = panel_->findChild<QPushButton*>(QStringLiteral("verifyButton"));
  QVERIFY(!verify->isVisible());
  sample_->maps().full.reset();
  panel_->setMaps(sample_->shared());
  QVERIFY(verify->isVisible());
  QSignalSpy wished(panel_.get(), &MapPanel::verifyWished);
  QTest::mouseClick(verify, Qt::LeftButton);
  QCOMPARE(wished.count(), 1);
}

void MapPanelTest::wheelZoomsAroundTheMouse() {
  const QPoint mouse = middleOf(0, 10, 300);
  QWheelEvent turn(mouse, plot().mapToGlobal(mouse), {}, {0, 240}, Qt::NoButton, Qt::NoModifier,
                   Qt::NoScrollPhase, false);
  QApplication::sendEvent(&plot(), &turn);
  settle();
  const auto [from, to] = plot().view();
  QVERIFY(to - from < 1200 * 128 / 1.5);
  QVERIFY(std::abs(plot().cellRect({0, 10, 300}).center().x() - mouse.x()) < 2);
}

void MapPanelTest::dragPansWithinTheDocument() {
  plot().setView(64000, 76800);
  settle();
  const QPoint start(400, 200);
  QTest::mousePress(&plot(), Qt::LeftButton, {}, start);
  QMouseEvent move(QEvent::MouseMove, start - QPoint(100, 0), plot().mapToGlobal(start - QPoint(100, 0)),
                   Qt::NoButton, Qt::LeftButton, {});
  QApplication::sendEvent(&plot(), &move);
  QVERIFY(plot().view().first > 64000);
  QCOMPARE(plot().view().second - plot().view().first, 12800.0);
  QSignalSpy activated(panel_.get(), &MapPanel::activated);
  QTest::mouseRelease(&plot(), Qt::LeftButton, {}, start - QPoint(100, 0));
  QCOMPARE(activated.count(), 0);
  plot().pan(1000);
  QCOMPARE(plot().view().second, 1200.0 * 128);
}

void MapPanelTest::keysZoomPanAndShowAll() {
  plot().setFocus();
  QTest::keyClick(&plot(), Qt::Key_Plus);
  QCOMPARE(plot().view(), (std::pair<double, double>(38400, 115200)));
  QTest::keyClick(&plot(), Qt::Key_Right, Qt::ControlModifier);
  QCOMPARE(plot().view().first, 38400 + 7680.0);
  QTest::keyClick(&plot(), Qt::Key_PageUp);
  QCOMPARE(plot().view().first, 0.0);
  QTest::keyClick(&plot(), Qt::Key_Minus);
  QCOMPARE(plot().view(), (std::pair<double, double>(0, 153600)));
  for (int press = 0; press < 30; ++press) QTest::keyClick(&plot(), Qt::Key_Plus);
  QCOMPARE(plot().view().second - plot().view().first, 3.0 * 128);
  QTest::keyClick(&plot(), Qt::Key_Home);
  QCOMPARE(plot().view().second, 153600.0);
}

void MapPanelTest::arrowsMoveTheCursorOverBothMaps() {
  QSignalSpy hovered(panel_.get(), &MapPanel::hovered);
  plot().setFocus();
  plot().setCursorCell(HeatCell{0, 1, 500});
  QTest::keyClick(&plot(), Qt::Key_Down);
  QCOMPARE(*plot().cursor(), (HeatCell{0, 0, 500}));
  QTest::keyClick(&plot(), Qt::Key_Down);
  QCOMPARE(*plot().cursor(), (HeatCell{1, 29, 500}));
  QTest::keyClick(&plot(), Qt::Key_Up);
  QCOMPARE(*plot().cursor(), (HeatCell{0, 0, 500}));
  plot().setView(500 * 128, 520 * 128);
  QTest::keyClick(&plot(), Qt::Key_Left);
  QCOMPARE(plot().cursor()->column, 499);
  QCOMPARE(plot().view().first, 499.0 * 128);
  QTest::keyClick(&plot(), Qt::Key_Right, Qt::ShiftModifier);
  QCOMPARE(plot().cursor()->column, 509);
  QCOMPARE(hovered.last()[0].value<std::optional<int>>(), std::optional<int>(509));
  QSignalSpy activated(panel_.get(), &MapPanel::activated);
  QTest::keyClick(&plot(), Qt::Key_Return);
  QCOMPARE(activated.last()[0].toInt(), 509);
}

void MapPanelTest::hoveringAndClickingAreTold() {
  QSignalSpy hovered(panel_.get(), &MapPanel::hovered), activated(panel_.get(), &MapPanel::activated);
  plot().setView(500 * 128, 560 * 128);
  settle();
  QTest::mouseMove(panel_->windowHandle(), plot().mapTo(panel_.get(), middleOf(1, 12, 530)));
  QTRY_COMPARE(plot().cursor(), (std::optional<HeatCell>(HeatCell{1, 12, 530})));
  QCOMPARE(hovered.last()[0].value<std::optional<int>>(), std::optional<int>(530));
  QTest::mouseClick(&plot(), Qt::LeftButton, {}, middleOf(0, 3, 540));
  QCOMPARE(activated.count(), 1);
  QCOMPARE(activated.last()[0].toInt(), 540);
  QEvent leave(QEvent::Leave);
  QApplication::sendEvent(&plot(), &leave);
  QCOMPARE(hovered.last()[0].value<std::optional<int>>(), std::nullopt);
}

void MapPanelTest::aChunksMenuTellsWhatIsWished() {
  QSignalSpy wished(panel_.get(), &MapPanel::wished);
  setKind(1);
  plot().setView(500 * 128, 560 * 128);
  settle();
  QVERIFY(chooseFromMenu(&plot(), middleOf(0, 0, 530), QStringLiteral("Always attend")));
  QCOMPARE(wished.last()[0].toInt(), 530);
  QVERIFY(wished.last()[1].value<Wish>() == Wish::Always);
  // By key, of the chunk under the cursor.
  plot().setFocus();
  QTest::keyClick(&plot(), Qt::Key_Right);
  QContextMenuEvent key(QContextMenuEvent::Keyboard, {}, plot().mapToGlobal(QPoint()));
  QApplication::sendEvent(&plot(), &key);
  auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget());
  QVERIFY(menu);
  QTest::keyClick(menu, Qt::Key_V);
  QCOMPARE(wished.last()[0].toInt(), plot().cursor()->column);
  QVERIFY(wished.last()[1].value<Wish>() == Wish::Never);
  panel_->setWishObstacle(QStringLiteral("Not now."));
  QVERIFY(!chooseFromMenu(&plot(), middleOf(0, 0, 530), QStringLiteral("Never attend")));
  QCOMPARE(QApplication::activePopupWidget()->actions().last()->toolTip(), QStringLiteral("Not now."));
  QApplication::activePopupWidget()->close();
  QCOMPARE(wished.size(), 2);
}

void MapPanelTest::statusHoldsPlaceAndValues() {
  plot().setFocus();
  plot().setCursorCell(HeatCell{1, 7, 600});
  QTest::keyClick(&plot(), Qt::Key_Up);
  for (const char* part :
       {"Layer 8", "chunk 600", "76,800–76,927", "4 Management's", "page 151", "share ", "full "}) {
    QVERIFY2(status().contains(QString::fromUtf8(part)), qPrintable(status()));
  }
  QCOMPARE(plot().accessibleDescription(), status());
  panel_->highlight(3);
  QVERIFY2(status().startsWith(QStringLiteral("Chunk 3 ")), qPrintable(status()));
  panel_->highlight(std::nullopt);
  QVERIFY(status().contains(QStringLiteral("chunk 600")));
}

void MapPanelTest::chunkStripKeepsTheView() {
  plot().setView(12800, 25600);
  setKind(1);
  QCOMPARE(plot().view(), (std::pair<double, double>(12800, 25600)));
  QCOMPARE(plot().sheet().maps[0].grid->rows(), 1);
  choose(QStringLiteral("Number of layers"));
  QCOMPARE(plot().sheet().maps[0].grid->value(0, 0), 30.0F);
  QCOMPARE(plot().sheet().maps[0].scale.high(), 30.0);
}

void MapPanelTest::headsAreWishedForTheChunkUnderTheCursor() {
  QSignalSpy wished(panel_.get(), &MapPanel::headsWished);
  plot().setFocus();
  plot().setCursorCell(HeatCell{0, 7, 600});
  QTest::keyClick(&plot(), Qt::Key_Up);
  setKind(2);
  QCOMPARE(wished.last()[0].toInt(), 600);
  QCOMPARE(headPlot().sheet().maps[0].grid->columns(), 9);  // the map has heads of its own
  panel_->findChild<QSpinBox*>()->setValue(601);
  QCOMPARE(wished.last()[0].toInt(), 601);
}

void MapPanelTest::lateHeadsOfAnotherChunkAreLeft() {
  sample_->maps().retrieved.headMass.clear();
  panel_->setMaps(sample_->shared());
  setKind(2);
  QVERIFY(!headPlot().isVisible());
  panel_->findChild<QSpinBox*>()->setValue(12);
  panel_->setHeads({11, 2, 3, std::vector<float>(6, 0.5F)});
  QVERIFY(!headPlot().isVisible());
  panel_->setHeads({12, 2, 3, std::vector<float>(6, 0.5F)});
  QVERIFY(headPlot().isVisible());
  panel_->setHeads({12, 2, 3, std::vector<float>(5, 0.5F)});
  QVERIFY(!headPlot().isVisible());
}

void MapPanelTest::singleTokensAreChosenFromAList() {
  AnswerMaps& maps = sample_->maps();
  maps.looks = {{0, 0, {{3, 40, 0.5F}}}, {0, 4, {{7, 600, 0.25F}, {7, 601, 0.125F}, {99, 2, 1}, {2, -1, 1}}}};
  maps.lookTexts = {QString(), QStringLiteral(" 78")};
  panel_->setMaps(sample_->shared());
  auto* looks = panel_->findChild<QComboBox*>(QStringLiteral("mapLooks"));
  QCOMPARE(looks->count(), 3);
  QCOMPARE(looks->itemText(2), QStringLiteral("1: 78"));
  QCOMPARE(plot().sheet().maps.size(), std::size_t{2});
  looks->setFocus();
  QTest::keyClick(looks, Qt::Key_End);
  // One map: full attention's look of this token is not known.
  QCOMPARE(plot().sheet().maps.size(), std::size_t{1});
  plot().setFocus();
  plot().setCursorCell(HeatCell{0, 7, 600});
  QTest::keyClick(&plot(), Qt::Key_Up);
  QTest::keyClick(&plot(), Qt::Key_Down);
  QVERIFY2(status().contains(QStringLiteral("share 25 %")), qPrintable(status()));
  // The choice stays when the same answer is shown again, as it is when a passage is marked.
  maps.goldChunks = {5};
  panel_->setMaps(sample_->shared());
  QCOMPARE(looks->currentIndex(), 2);
  setKind(2);
  QVERIFY(!looks->isVisible());
  QVERIFY(!headPlot().sheet().maps.empty());
  setKind(0);
  looks->setCurrentIndex(0);
  QCOMPARE(plot().sheet().maps.size(), std::size_t{2});
}

void MapPanelTest::singleTokensShowWhereFullAttentionLooked() {
  AnswerMaps& maps = sample_->maps();
  maps.looks = {{0, 0, {{3, 40, 0.5F}}}, {0, 4, {{7, 600, 0.25F}}}, {4, 9, {{7, 600, 0.125F}}}};
  maps.lookTexts = {QString(), QStringLiteral(" 78"), QStringLiteral(" bees")};
  maps.full->looks = {{0, 0, {{3, 41, 0.0625F}}}, {0, 4, {{7, 600, 0.375F}, {99, 2, 1}, {2, -1, 1}}}};
  panel_->setMaps(sample_->shared());
  auto* looks = panel_->findChild<QComboBox*>(QStringLiteral("mapLooks"));
  const auto value = [&](int map, int row, int column) {
    return plot().sheet().maps[static_cast<std::size_t>(map)].grid->value(row, column);
  };
  looks->setCurrentIndex(1);  // the question
  QCOMPARE(plot().sheet().maps.size(), std::size_t{2});
  QCOMPARE(value(0, 3, 41), 0.0625F);
  QCOMPARE(value(0, 3, 40), 0.0F);
  looks->setCurrentIndex(2);
  QCOMPARE(plot().sheet().maps.size(), std::size_t{2});
  QCOMPARE(value(0, 7, 600), 0.375F);
  QCOMPARE(value(1, 7, 600), 0.25F);
  QCOMPARE(plot().sheet().maps[0].scale.high(), plot().sheet().maps[1].scale.high());
  looks->setCurrentIndex(3);  // of which full attention has none
  QCOMPARE(plot().sheet().maps.size(), std::size_t{1});
}

void MapPanelTest::singleTokensAreWishedForWhereTheyAreNotKnown() {
  QSignalSpy wished(panel_.get(), &MapPanel::looksWished);
  auto* looks = panel_->findChild<QComboBox*>(QStringLiteral("mapLooks"));
  QCOMPARE(looks->itemText(1), QStringLiteral("Single tokens…"));
  looks->setFocus();
  QTest::keyClick(looks, Qt::Key_Down);
  QCOMPARE(wished.size(), 1);
  QCOMPARE(looks->currentIndex(), 0);
}

void MapPanelTest::tableHoldsTheNumbersOfTheMap() {
  panel_->findChild<QToolButton*>(QStringLiteral("mapTableButton"))->click();
  auto* table = panel_->findChild<QTableView*>(QStringLiteral("mapTable"));
  QVERIFY(table->isVisible());
  QCOMPARE(table->model()->rowCount(), 1200);
  QCOMPARE(table->model()->columnCount(), 5 + 2 * 30);
  const float share = sample_->maps().retrieved.mass[1200 * 2];
  QCOMPARE(table->model()->index(0, 5 + 2).data().toString(),
           QLocale().toString(static_cast<double>(share), 'g', 4));
  setKind(1);
  QCOMPARE(table->model()->columnCount(), 8);
}

void MapPanelTest::writesEveryFormat() {
  QTemporaryDir folder;
  const auto written = [&](const char* name) {
    const QString file = folder.filePath(QString::fromLatin1(name));
    const QString wrong = panel_->writeTo(file);
    QFile device(file);
    return wrong.isEmpty() && device.open(QIODevice::ReadOnly) ? device.readAll() : QByteArray();
  };
  QVERIFY(written("map.png").startsWith("\x89PNG"));
  const QByteArray svg = written("map.svg");
  QVERIFY(svg.contains("<svg") && svg.contains("Full attention"));
  QVERIFY(written("map.pdf").startsWith("%PDF"));
  const QByteArray csv = written("map.csv");
  QVERIFY(csv.startsWith("Chunk,First token,Tokens,Section,Page,Layer 0 share,"));
  QCOMPARE(csv.count("\r\n"), 1201);
  QVERIFY(panel_->writeTo(folder.filePath(QStringLiteral("map.doc"))).contains(QStringLiteral("map.doc")));
  for (const char* name : {"none/map.png", "none/map.svg", "none/map.pdf", "none/map.csv"}) {
    QVERIFY(!panel_->writeTo(folder.filePath(QString::fromLatin1(name))).isEmpty());
  }
}

#ifndef _WIN32
void MapPanelTest::aFullDiskIsToldAndLeavesTheOldFile() {
  QTemporaryDir folder;
  for (const char* name : {"full.png", "full.svg", "full.pdf", "full.csv"}) {
    const QString file = folder.filePath(QString::fromLatin1(name));
    QFile old(file);
    QVERIFY(old.open(QIODevice::WriteOnly) && old.write("old") == 3);
    old.close();
    QString problem;
    {
      const FullDisk full;
      problem = panel_->writeTo(file);
    }
    QVERIFY2(problem.contains(QStringLiteral("could not be written")), name);
    QVERIFY(old.open(QIODevice::ReadOnly));
    QCOMPARE(old.readAll(), QByteArray("old"));
  }
}
#endif

void MapPanelTest::exportOpensAFileDialog() {
  QAction* csv = panel_->findChild<QToolButton*>(QStringLiteral("mapExportButton"))->menu()->actions().last();
  QCOMPARE(csv->text(), QStringLiteral("As CSV…"));
  csv->trigger();
  auto* dialog = panel_->findChild<QFileDialog*>(QStringLiteral("mapExportDialog"));
  QVERIFY(dialog && dialog->isVisible());
  QTemporaryDir folder;
  Q_EMIT dialog->fileSelected(folder.filePath(QStringLiteral("a.csv")));
  QVERIFY(QFile::exists(folder.filePath(QStringLiteral("a.csv"))));
  QVERIFY(status().contains(QStringLiteral("a.csv")));
  dialog->close();
}

void MapPanelTest::mapsWhoseSizesDisagreeAreNotShown() {
  AnswerMaps broken = sample_->maps();
  broken.retrieved.mass.pop_back();
  panel_->setMaps(std::make_shared<const AnswerMaps>(broken));
  QVERIFY(!plot().isVisible());
  for (int kind : {1, 2, 0}) setKind(kind);
  broken = sample_->maps();
  broken.full->map.chunks = 7;
  broken.firstTokens = {5, 4};
  broken.retrieved.scores.pop_back();
  broken.retrieved.attended.clear();
  broken.goldChunks = {-4, 99999};
  broken.sections = {{-5, QStringLiteral("x"), 1}, {99999, QStringLiteral("y"), 1}};
  panel_->setMaps(std::make_shared<const AnswerMaps>(broken));
  QVERIFY(plot().isVisible());
  QCOMPARE(plot().sheet().maps.size(), std::size_t{1});
  QCOMPARE(plot().view(), (std::pair<double, double>(0, 1200)));
  for (int kind : {1, 2, 0}) setKind(kind);
  panel_->setMaps(nullptr);
  QVERIFY(!plot().isVisible());
  panel_->highlight(4);
}

void MapPanelTest::everyControlHasANameAndTakesFocus() {
  QCOMPARE(controlsWithoutName(*panel_).join(QLatin1Char(' ')), QString());
}

void MapPanelTest::pansALargeMapAtThirtyFramesASecond() {
  SampleAnswer large(60, 130000, 0);
  panel_->setMaps(large.shared());
  panel_->resize(QSize(1400, 800) / panel_->devicePixelRatioF());
  check(QStringLiteral("hideFirstChunk"));
  check(QStringLiteral("logScale"));
  settle();
  plot().zoomAtCursor(1.5);
  settle();
  QSignalSpy frames(&plot(), &QCustomPlot::afterReplot);
  QElapsedTimer timer;
  constexpr int kFrames = 60;
  timer.start();
  for (int frame = 0; frame < kFrames; ++frame) {
    plot().pan(frame % 40 < 20 ? 0.02 : -0.02);
    const qsizetype before = frames.count();
    while (frames.count() == before) QCoreApplication::processEvents();
    plot().repaint();
  }
  const double perSecond = kFrames * 1000.0 / static_cast<double>(std::max<qint64>(1, timer.elapsed()));
  qInfo("60 x 130,000: %.0f frames a second", perSecond);
  QVERIFY2(perSecond >= 30, qPrintable(QString::number(perSecond)));
}

void MapPanelTest::screenshots() {
  saveScreenshots(*panel_, QStringLiteral("map_attention"));
  check(QStringLiteral("hideFirstChunk"));
  check(QStringLiteral("logScale"));
  plot().setFocus();
  plot().setCursorCell(HeatCell{1, 7, 600});
  QTest::keyClick(&plot(), Qt::Key_Up);
  saveScreenshots(*panel_, QStringLiteral("map_attention_log"));
  plot().setView(590 * 128, 640 * 128);
  panel_->highlight(612);
  choose(QStringLiteral("Retrieval score"));
  saveScreenshots(*panel_, QStringLiteral("map_attention_zoom"));
  plot().showAll();
  setKind(1);
  choose(QStringLiteral("Number of layers"));
  saveScreenshots(*panel_, QStringLiteral("map_chunks"));
  setKind(2);
  panel_->findChild<QSpinBox*>()->setValue(sample_->maps().goldChunks.front());
  saveScreenshots(*panel_, QStringLiteral("map_heads"));
  setKind(0);
  panel_->findChild<QToolButton*>(QStringLiteral("mapTableButton"))->click();
  saveScreenshots(*panel_, QStringLiteral("map_table"));
  panel_->findChild<QToolButton*>(QStringLiteral("mapTableButton"))->click();
  sample_->maps().full.reset();
  panel_->setMaps(sample_->shared());
  panel_->resize(560, 420);
  saveScreenshots(*panel_, QStringLiteral("map_unverified"));
  panel_->setMaps(nullptr);
  saveScreenshots(*panel_, QStringLiteral("map_empty"));
}

}  // namespace kvasir

QTEST_MAIN(kvasir::MapPanelTest)
#include "map_panel_test.moc"
