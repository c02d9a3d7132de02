#include <QLabel>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTableWidget>
#include <QTest>

#include "tests/ui/maps/screenshots.h"
#include "tests/ui/maps/widget_names.h"
#include "ui/maps/compare_panel.h"

namespace kvasir {
namespace {

std::vector<MethodInfo> sampleMethods() {
  std::vector<MethodInfo> methods;
  for (const char* name : {"full", "infllm", "retrolm", "snapkv", "streaming", "rag"}) {
    methods.push_back({name, std::string("What ") + name + " does <in> short", "", "", "", "", ""});
  }
  return methods;
}

std::vector<CompareEntry> sampleEntries() {
  CompareEntry full{QStringLiteral("full"),
                    false,
                    {},
                    QStringLiteral("Net sales grew 8 % to 41.2 billion, led by services."),
                    41.2,
                    38.9,
                    910'000'000,
                    {},
                    600'000};
  CompareEntry infllm{QStringLiteral("infllm"),
                      false,
                      {},
                      QStringLiteral("Net sales grew 8 % to 41.2 billion."),
                      2.31,
                      0.62,
                      12'400'000,
                      {},
                      600'000};
  for (std::size_t chunk = 0; chunk < 40; ++chunk) {
    full.evidence.push_back({{chunk * 14000, chunk * 14000 + 600}, 0.2 / static_cast<double>(chunk + 1)});
    if (chunk % 3 == 0) infllm.evidence.push_back({{chunk * 14000 + 100, chunk * 14000 + 700}, 0.3});
  }
  CompareEntry failed{QStringLiteral("rag"),
                      false,
                      QStringLiteral("No passage holds a word of the question: ask in other words."),
                      {},
                      0,
                      0,
                      0,
                      {},
                      600'000};
  CompareEntry running{QStringLiteral("retrolm"), true, {}, {}, 0, 0, 0, {}, 600'000};
  return {full, infllm, failed, running};
}

}  // namespace

class ComparePanelTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    QApplication::setPalette(lightPalette());
    panel_ = std::make_unique<ComparePanel>();
    panel_->resize(1100, 620);
    panel_->setMethods(sampleMethods());
    panel_->show();
    QVERIFY(QTest::qWaitForWindowExposed(panel_.get()));
    methods_ = panel_->findChild<QListWidget*>(QStringLiteral("compareMethods"));
    compare_ = panel_->findChild<QPushButton*>(QStringLiteral("compareButton"));
  }
  void cleanup() { panel_.reset(); }

  void wishesTheCheckedMethods();
  void chosenMethodsStayChosen();
  void methodsWithOtherNumbersCanBeCompared();
  void stopsInsteadOfComparingWhileBusy();
  void showsAColumnForEachEntry();
  void showsHowMuchEvidenceIsShared();
  void everyControlHasANameAndTakesFocus();
  void screenshots();

 private:
  void checkByKey(int row) {
    methods_->setFocus();
    methods_->setCurrentRow(row);
    QTest::keyClick(methods_, Qt::Key_Space);
  }

  std::unique_ptr<ComparePanel> panel_;
  QListWidget* methods_ = nullptr;
  QPushButton* compare_ = nullptr;
};

void ComparePanelTest::wishesTheCheckedMethods() {
  QSignalSpy wished(panel_.get(), &ComparePanel::compareWished);
  QVERIFY(!compare_->isEnabled());
  checkByKey(1);
  checkByKey(3);
  QTest::mouseClick(compare_, Qt::LeftButton);
  QCOMPARE(wished.count(), 1);
  QCOMPARE(wished.last()[0].toStringList(), (QStringList{QStringLiteral("infllm"), QStringLiteral("snapkv")}));
}

void ComparePanelTest::chosenMethodsStayChosen() {
  checkByKey(3);
  std::vector<MethodInfo> methods = sampleMethods();
  methods.insert(methods.begin(), {"beacon", "", "", "", "", "", ""});
  panel_->setMethods(methods);
  QCOMPARE(panel_->chosenMethods(), QStringList{QStringLiteral("snapkv")});
}

void ComparePanelTest::methodsWithOtherNumbersCanBeCompared() {
  checkByKey(3);
  for (const char* name : {"infllm:representatives=1", "infllm:representatives=1", "snapkv", "none:sinks=1",
                           "streaming+kivi-4:sinks=1"})
    panel_->addMethod(QString::fromLatin1(name));
  const auto* list = panel_->findChild<QListWidget*>();
  QCOMPARE(list->count(), static_cast<int>(sampleMethods().size()) + 2);
  QCOMPARE(list->item(2)->text(), QStringLiteral("infllm:representatives=1"));
  QCOMPARE(list->item(6)->text(), QStringLiteral("streaming+kivi-4:sinks=1"));
  checkByKey(2);
  QCOMPARE(panel_->chosenMethods(),
           (QStringList{QStringLiteral("infllm:representatives=1"), QStringLiteral("snapkv")}));
}

void ComparePanelTest::stopsInsteadOfComparingWhileBusy() {
  QSignalSpy wished(panel_.get(), &ComparePanel::compareWished);
  QSignalSpy stopped(panel_.get(), &ComparePanel::stopWished);
  panel_->setBusy(true);
  QVERIFY(compare_->isEnabled());  // whatever is chosen meanwhile
  checkByKey(0);
  QCOMPARE(compare_->accessibleName(), QStringLiteral("Stop comparing"));
  QTest::mouseClick(compare_, Qt::LeftButton);
  QCOMPARE(stopped.count(), 1);
  QCOMPARE(wished.count(), 0);
  panel_->setBusy(false);
  QCOMPARE(compare_->accessibleName(), QStringLiteral("Compare the chosen methods"));
  QTest::mouseClick(compare_, Qt::LeftButton);
  QCOMPARE(stopped.count(), 1);
  QCOMPARE(wished.count(), 1);
}

void ComparePanelTest::showsAColumnForEachEntry() {
  panel_->setEntries(sampleEntries());
  const QList<QPlainTextEdit*> answers = panel_->findChildren<QPlainTextEdit*>();
  QCOMPARE(answers.size(), 4);
  QVERIFY(answers[0]->toPlainText().startsWith(QStringLiteral("Net sales")));
  QVERIFY(answers[2]->toPlainText().startsWith(QStringLiteral("No passage")));
  QCOMPARE(answers[3]->toPlainText(), QStringLiteral("Answering…"));
  // Bytes as everywhere else.
  QStringList sizes;
  for (const QLabel* label : panel_->findChildren<QLabel*>()) {
    if (label->accessibleName().startsWith(QLatin1String("KV memory of "))) sizes.append(label->text());
  }
  QCOMPARE(sizes, (QStringList{QStringLiteral("910.0 MB"), QStringLiteral("12.4 MB"), QStringLiteral("–"),
                               QStringLiteral("–")}));
  // Of what has maps they can be shown.
  std::vector<CompareEntry> entries = sampleEntries();
  entries[1].hasMaps = true;
  panel_->setEntries(entries);
  QSignalSpy wished(panel_.get(), &ComparePanel::mapsWished);
  QVERIFY(!buttonNamed(*panel_, QStringLiteral("Show maps and evidence of full"))->isEnabled());
  QTest::mouseClick(buttonNamed(*panel_, QStringLiteral("Show maps and evidence of infllm")), Qt::LeftButton);
  QCOMPARE(wished.last()[0].toInt(), 1);
}

void ComparePanelTest::showsHowMuchEvidenceIsShared() {
  panel_->setEntries(sampleEntries());
  auto* table = panel_->findChild<QTableWidget*>(QStringLiteral("overlapTable"));
  QVERIFY(table->isVisible());
  QCOMPARE(table->item(0, 0)->text(), QStringLiteral("100 %"));
  QCOMPARE(table->item(1, 0)->text(), QStringLiteral("83 %"));  // 500 of each 600 bytes
  QCOMPARE(table->item(0, 1)->text(), QStringLiteral("29 %"));  // 14 of 40 chunks
  QCOMPARE(table->item(2, 0)->text(), QStringLiteral("–"));
  panel_->setEntries({});
  QVERIFY(!table->isVisible());
}

void ComparePanelTest::everyControlHasANameAndTakesFocus() {
  panel_->setEntries(sampleEntries());
  QCOMPARE(controlsWithoutName(*panel_).join(QLatin1Char(' ')), QString());
}

void ComparePanelTest::screenshots() {
  for (int row : {0, 1, 2, 5}) checkByKey(row);
  saveScreenshots(*panel_, QStringLiteral("compare_empty"));
  panel_->setEntries(sampleEntries());
  saveScreenshots(*panel_, QStringLiteral("compare"));
}

}  // namespace kvasir

QTEST_MAIN(kvasir::ComparePanelTest)
#include "compare_panel_test.moc"
