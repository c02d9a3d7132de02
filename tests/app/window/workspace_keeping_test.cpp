#include "tests/app/window/workspace_test.h"

#include <cmath>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <QApplication>
#include <QByteArray>
#include <QComboBox>
#include <QDesktopServices>
#include <QDialogButtonBox>
#include <QElapsedTimer>
#include <QFile>
#include <QFileDialog>
#include <QFileInfo>
#include <QInputDialog>
#include <QLineEdit>
#include <QMessageBox>
#include <QPushButton>
#include <QSignalSpy>
#include <QTableView>
#include <QTest>

#include "tests/app/fake_engine.h"
#include "tests/app/window/window_walk.h"
#include "tests/ui/context_menu.h"
#include "ui/document/document_view.h"
#include "ui/maps/evidence_panel.h"
#include "ui/panels/notice_bar.h"

using namespace kvasir;

void WorkspaceTest::keepsSeveralConversations() {
  start();
  openSample();
  askAndWait(kQuestion);
  auto* choice = panel().findChild<QComboBox*>(QStringLiteral("conversations"));
  QCOMPARE(choice->currentText(), kQuestion);
  QTest::keyClick(&window(), Qt::Key_N, Qt::ControlModifier);
  QCOMPARE(choice->currentText(), QStringLiteral("New conversation"));
  QVERIFY(!conversation().contains(kQuestion));
  askAndWait(QStringLiteral("How many claims were pending?"));
  QCOMPARE(choice->count(), 2);
  QVERIFY(chooseFromBar(window().menuBar(), QStringLiteral("Ask"), QStringLiteral("Rename conversation…")));
  typeInto(panel().findChild<QInputDialog*>(), QStringLiteral("Claims"));
  QCOMPARE(choice->currentText(), QStringLiteral("Claims"));
  choice->setFocus();
  QTest::keyClick(choice, Qt::Key_Down);
  QTRY_VERIFY(conversation().contains(kQuestion));
  QVERIFY(!conversation().contains(QLatin1String("How many claims were pending?")));
  QTRY_VERIFY(shown() && shown()->question == kQuestion);
  restart();
  choice = panel().findChild<QComboBox*>(QStringLiteral("conversations"));
  QCOMPARE(choice->count(), 2);
  QCOMPARE(choice->currentText(), QStringLiteral("Claims"));
  QCOMPARE(choice->itemText(1), kQuestion);
  QVERIFY(chooseFromBar(window().menuBar(), QStringLiteral("Ask"), QStringLiteral("Delete conversation…")));
  auto* box = window().findChild<QMessageBox*>();
  QVERIFY(box && clickButton(*box, QStringLiteral("Delete")));
  QTRY_COMPARE(choice->count(), 1);
  QTRY_VERIFY(shown() && shown()->question == kQuestion);
  restart();
  QCOMPARE(panel().findChild<QComboBox*>(QStringLiteral("conversations"))->count(), 1);
}

void WorkspaceTest::exportsTheConversation() {
  start();
  openSample();
  askAndWait(kQuestion);
  for (const char* suffix : {"md", "html", "pdf", "csv"}) {
    const QString file = driven_->path(QStringLiteral("out.") + QLatin1String(suffix));
    QVERIFY(workspace().exportTo(file));
    QVERIFY(QFile(file).size() > 200);
  }
  // The evidence as the table shows it: filtered and sorted.
  const auto& rows = shown()->evidence;
  QVERIFY(rows.size() > 2);
  auto* filter = window().findChild<QLineEdit*>(QStringLiteral("evidenceFilter"));
  filter->setText(rows[1].text.simplified().left(30));
  auto* table = window().findChild<QTableView*>(QStringLiteral("evidenceTable"));
  const int left = table->model()->rowCount();
  QVERIFY(left > 0 && left < static_cast<int>(rows.size()));
  const QString file = driven_->path(QStringLiteral("filtered.csv"));
  QVERIFY(workspace().exportTo(file));
  QFile csv(file);
  QVERIFY(csv.open(QIODevice::ReadOnly));
  const QByteArray written = csv.readAll();
  QVERIFY(written.startsWith("rank,score,"));
  QCOMPARE(written.count("\r\n"), left + 1);
  QVERIFY(written.contains("\r\n2,") && !written.contains("\r\n1,"));
  QVERIFY(!workspace().exportTo(QStringLiteral("/no/such/folder/out.md")));
  QVERIFY(window().notice()->sentence().contains(QLatin1String("/no/such/folder/out.md")));
}

void WorkspaceTest::exportsByTheButtonAndItsDialog() {
  start();
  openSample();
  askAndWait(kQuestion);
  for (auto* button : window().findChild<EvidencePanel*>()->findChildren<QPushButton*>()) {
    if (button->accessibleName() == QStringLiteral("Export CSV…")) QTest::mouseClick(button, Qt::LeftButton);
  }
  auto* dialog = window().findChild<QFileDialog*>();
  QTRY_VERIFY(dialog && dialog->isVisible());
  auto* name = dialog->findChild<QLineEdit*>(QStringLiteral("fileNameEdit"));
  dialog->setDirectory(driven_->path({}));
  name->selectAll();
  const QString file = driven_->path(QStringLiteral("by_click.csv"));
  QTest::keyClicks(name, QFileInfo(file).fileName());
  if (QWidget* offers = QApplication::activePopupWidget()) offers->close();  // names that would fit
  QTRY_COMPARE(dialog->selectedFiles(), QStringList{file});
  QTest::mouseClick(dialog->findChild<QDialogButtonBox*>()->button(QDialogButtonBox::Save), Qt::LeftButton);
  QTRY_VERIFY(QFile(file).size() > 200);
}

void WorkspaceTest::findsEverythingAgainAtTheNextStart() {
  start();
  openSample();
  askAndWait(kQuestion);
  const QString answer = shown()->answer;
  // Busy with another question when it is closed.
  askUntilHeard(QStringLiteral("How many claims were pending?"), 1);
  QElapsedTimer timer;
  timer.start();
  window().close();
  driven_->close();
  QVERIFY2(timer.elapsed() < 1000, qPrintable(QString::number(timer.elapsed())));
  fakeEngine() = {};
  start();
  QTRY_VERIFY(workspace().open());
  QVERIFY(conversation().contains(kQuestion));
  QVERIFY(conversation().contains(QLatin1String("How many claims were pending?")));
  QVERIFY(conversation().contains(QLatin1String("Stopped; this is what had been said.")));
  QVERIFY(clickLink(QStringLiteral("show:")));
  QCOMPARE(shown()->answer, answer);
  QVERIFY(shown()->maps);
  QVERIFY(clickLink(QStringLiteral("mark:%1:").arg(shown()->number)));
  QCOMPARE(fakeEngine().loads, 0);
}

/// What was asked is on disk before its answer is: a copy of the folder is what a crash would leave.
void WorkspaceTest::findsTheQuestionAgainThatACrashCutOff() {
  start();
  openSample();
  askUntilHeard(kQuestion, 1);
  auto crashed = std::make_unique<DrivenWindow>();
  std::filesystem::copy(driven_->path({}).toStdString(), crashed->path({}).toStdString(),
                        std::filesystem::copy_options::recursive);
  driven_ = std::move(crashed);
  fakeEngine() = {};
  start();
  QTRY_VERIFY(workspace().open());
  QVERIFY2(conversation().contains(kQuestion) && conversation().contains(QLatin1String("Not answered.")),
           qPrintable(conversation()));
  const qint64 asked = shown()->number;
  QVERIFY(!clickLink(QStringLiteral("show:")));
  QVERIFY(clickLink(QStringLiteral("again:%1").arg(asked)));
  QTRY_VERIFY(!workspace().isAnswering() && shown() && !shown()->isUnanswered && !shown()->answer.isEmpty());
  QCOMPARE(fakeEngine().questions, std::vector<std::string>{kQuestion.toStdString()});
}

void WorkspaceTest::showsAQuestionOnceWhileItIsAnswered() {
  start();
  openSample();
  fakeEngine().onAnswerWord = [] { workFor(30); };
  QSignalSpy grew(&workspace().session(), &Session::answerGrew);
  ask(kQuestion);
  QTRY_VERIFY(grew.size() > 0);
  QTest::keyClick(&window(), Qt::Key_N, Qt::ControlModifier);
  auto* choice = panel().findChild<QComboBox*>(QStringLiteral("conversations"));
  choice->setFocus();
  QTest::keyClick(choice, Qt::Key_Down);
  QSignalSpy talked(&workspace().session(), &Session::talked);
  QTRY_COMPARE(talked.size(), 1);
  QCOMPARE(conversation().count(kQuestion), 1);
  QTRY_VERIFY_WITH_TIMEOUT(!workspace().isAnswering(), 20000);
  QCOMPARE(conversation().count(kQuestion), 1);
  QVERIFY(!conversation().contains(QLatin1String("Not answered.")));
}

void WorkspaceTest::keepsAQuestionThatFailed() {
  start();
  openSample();
  fakeEngine().onAnswerWord = [] { throw std::runtime_error("The disk is full."); };
  ask(kQuestion);
  QTRY_VERIFY(!workspace().isAnswering());
  QVERIFY(conversation().contains(QLatin1String("The disk is full.")));
  fakeEngine().onAnswerWord = {};
  restart();
  QVERIFY(conversation().contains(kQuestion) && conversation().contains(QLatin1String("Not answered.")));
}

void WorkspaceTest::startsSafeAfterACrash() {
  start();
  openSample();
  driven_->close();
  start(Sample::There, Start::Safe);
  QVERIFY(!workspace().open());
  QVERIFY(window().notice()->sentence().contains(QLatin1String("did not end by itself")));
}

void WorkspaceTest::offersTheLogAfterACrash() {
  start();
  openSample();
  driven_->close();
  start(Sample::There, Start::Safe);
  QDesktopServices::setUrlHandler(QStringLiteral("file"), this, "onUrl");
  for (auto* button : window().notice()->findChildren<QPushButton*>()) {
    if (button->text() == QLatin1String("Open log folder")) QTest::mouseClick(button, Qt::LeftButton);
  }
  QDesktopServices::unsetUrlHandler(QStringLiteral("file"));
  QVERIFY(QFile::exists(openedUrl_.toLocalFile() + QStringLiteral("/kvasir.log")));
  // Nothing is read by itself, but what is asked for is done.
  QCOMPARE(fakeEngine().loads, 1);
  clickInLibrary(workspace().session().rows()[0].title);
  QTRY_VERIFY(workspace().open());
}

void WorkspaceTest::leavesAndFindsThePlaceInADocument() {
  start();
  openSample();
  auto* document = window().findChild<DocumentView*>();
  document->goTo({7, 0.25, 1.5, Fit::None});
  window().close();
  restart();
  const DocumentPlace place = window().findChild<DocumentView*>()->place();
  QCOMPARE(place.page, 7);
  QVERIFY(std::abs(place.top - 0.25) < 0.02);
  QVERIFY(std::abs(place.zoom - 1.5) < 0.01);
}
