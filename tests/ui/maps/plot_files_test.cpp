#include <QFile>
#include <QImage>
#include <QTemporaryDir>
#include <QTest>

#include "tests/ui/full_disk.h"
#include "ui/maps/curve_plot.h"
#include "ui/maps/grid_plot.h"
#include "ui/maps/plot_file.h"

namespace kvasir {

class PlotFilesTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void gridsAreWrittenByTheEnding();
  void everyMeasuredCellSaysItsShare();
  void aGridMayHaveOneRowAndColumn();
  void curvesAreWrittenByTheEnding();
  void otherEndingsAreRefused();
  void filesThatCannotBeWrittenAreTold();
#ifndef _WIN32
  void aFullDiskIsToldAndLeavesTheOldFile();
#endif

 private:
  QString inFolder(const char* name) const { return folder_.filePath(QString::fromLatin1(name)); }
  static QByteArray startOf(const QString& file) {
    QFile device(file);
    return device.open(QIODevice::ReadOnly) ? device.readAll() : QByteArray();
  }

  QTemporaryDir folder_;
};

namespace {

ShareGrid sampleGrid() {
  return {QStringLiteral("full: the answer holds it"),
          QStringLiteral("text, tokens"),
          QStringLiteral("depth"),
          {QStringLiteral("4,096"), QStringLiteral("16,384")},
          {QStringLiteral("0 %"), QStringLiteral("50 %"), QStringLiteral("100 %")},
          {0.0, 1.0, 0.25, std::nullopt, 0.75, 0.5}};
}

CurvePanel samplePanel() {
  return {QStringLiteral("Answers"),
          QStringLiteral("tokens"),
          QStringLiteral("f1"),
          true,
          false,
          {{QStringLiteral("full"), {{1000, 0.5}, {2000, 0.25}}}}};
}

}  // namespace

void PlotFilesTest::gridsAreWrittenByTheEnding() {
  for (const char* name : {"grid.png", "grid.svg", "grid.PDF"})
    QCOMPARE(writeShareGrids({sampleGrid(), sampleGrid(), sampleGrid()}, inFolder(name)), QString());
  QVERIFY(QImage(inFolder("grid.png")).width() > 900);
  QVERIFY(startOf(inFolder("grid.svg")).contains("<svg"));
  QVERIFY(startOf(inFolder("grid.PDF")).startsWith("%PDF"));
}

void PlotFilesTest::everyMeasuredCellSaysItsShare() {
  QCOMPARE(writeShareGrids({sampleGrid()}, inFolder("cells.svg")), QString());
  const QByteArray drawn = startOf(inFolder("cells.svg"));
  for (const char* text : {"4,096", "16,384", "50 %", "depth", "full: the answer holds it", ">0.25<", ">0.75<"})
    QVERIFY2(drawn.contains(text), text);
  QCOMPARE(drawn.count(">0.25<"), 1);
}

void PlotFilesTest::aGridMayHaveOneRowAndColumn() {
  ShareGrid grid = sampleGrid();
  grid.columns.resize(1);
  grid.rows.resize(1);
  grid.shares = {0.125};
  QCOMPARE(writeShareGrids({grid}, inFolder("one.svg")), QString());
  QVERIFY(startOf(inFolder("one.svg")).contains(">0.13<") || startOf(inFolder("one.svg")).contains(">0.12<"));
}

void PlotFilesTest::curvesAreWrittenByTheEnding() {
  static int messages;
  messages = 0;
  const QtMessageHandler before = qInstallMessageHandler(
      [](QtMsgType, const QMessageLogContext&, const QString& text) { messages += text.contains(u"QCP"); });
  for (const char* name : {"curves.png", "curves.svg", "curves.pdf"})
    QCOMPARE(writeCurves({samplePanel()}, inFolder(name)), QString());
  QVERIFY(startOf(inFolder("curves.svg")).contains("Answers"));
  qInstallMessageHandler(before);
  QCOMPARE(messages, 0);
}

void PlotFilesTest::otherEndingsAreRefused() {
  for (const char* name : {"plot.gif", "plot", "plot.csv"}) {
    const QString problem = writeShareGrids({sampleGrid()}, inFolder(name));
    QVERIFY2(problem.contains(QStringLiteral(".png, .svg or .pdf")), name);
    QCOMPARE(plotNameProblem(inFolder(name)), problem);
    QVERIFY(!QFile::exists(inFolder(name)));
  }
  QVERIFY(plotNameProblem(QStringLiteral("a.png")).isEmpty());
}

void PlotFilesTest::filesThatCannotBeWrittenAreTold() {
  QVERIFY(
      writeShareGrids({sampleGrid()}, inFolder("no/such/folder.png")).contains(QStringLiteral("could not be")));
}

#ifndef _WIN32
void PlotFilesTest::aFullDiskIsToldAndLeavesTheOldFile() {
  for (const char* name : {"full.png", "full.svg", "full.pdf"}) {
    QFile old(inFolder(name));
    QVERIFY(old.open(QIODevice::WriteOnly) && old.write("old") == 3);
    old.close();
    QString problem;
    {
      const FullDisk full;
      problem = writeShareGrids({sampleGrid()}, inFolder(name));
    }
    QVERIFY2(problem.contains(QStringLiteral("could not be written")), name);
    QCOMPARE(startOf(inFolder(name)), QByteArray("old"));
  }
}
#endif

}  // namespace kvasir

QTEST_MAIN(kvasir::PlotFilesTest)
#include "plot_files_test.moc"
