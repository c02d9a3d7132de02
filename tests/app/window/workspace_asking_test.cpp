#include "tests/app/window/workspace_test.h"

#include <string>

#include <QByteArray>
#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QElapsedTimer>
#include <QLabel>
#include <QLineEdit>
#include <QSignalSpy>
#include <QTest>

#include "app/library.h"
#include "tests/app/fake_engine.h"
#include "tests/app/window/window_walk.h"
#include "ui/document/document_view.h"
#include "ui/document/find_bar.h"
#include "ui/document/page_view.h"
#include "ui/panels/notice_bar.h"
#include "ui/panels/start_page.h"
#include "ui/panels/status_strip.h"

using namespace kvasir;

void WorkspaceTest::startsWithTheSampleAndItsQuestion() {
  start(Sample::There);
  QTRY_VERIFY_WITH_TIMEOUT(workspace().open(), 30000);
  QCOMPARE(panel().question(), kQuestion);
  QTRY_VERIFY_WITH_TIMEOUT(isReady(), 30000);
}

void WorkspaceTest::opensByDropAndAnswersWithMarks() {
  start();
  openSample();
  askAndWait(kQuestion);
  QCOMPARE(fakeEngine().questions.back(), kQuestion.toStdString());
  QVERIFY(conversation().contains(kQuestion));
  QVERIFY(conversation().contains(shown()->answer.simplified().left(20)));
  QVERIFY(!shown()->evidence.empty());
  QVERIFY(clickLink(QStringLiteral("mark:%1:").arg(shown()->number)));
}

void WorkspaceTest::answersFromWhatHasBeenReadSoFar() {
  start();
  driven_->openHalfRead("The harpoon hit the whale at noon.");
  auto* waits = panel().findChild<QCheckBox*>(QStringLiteral("waitUntilRead"));
  QTRY_VERIFY(waits->isVisible());
  askAndWait(QStringLiteral("What did the harpoon do?"));
  QVERIFY(!isReady());
  QVERIFY(shareRead(*shown()) < 1);
  QVERIFY2(conversation().contains(QLatin1String("% of the document, which was still being read")),
           qPrintable(conversation()));
  QVERIFY(shown()->maps && !shown()->evidence.empty());
  // Whoever would rather wait gets an answer from the whole.
  waits->click();
  fakeEngine().onChunk = {};
  askAndWait(QStringLiteral("What did the harpoon do?"));
  QCOMPARE(shareRead(*shown()), 1.0);
  QTRY_VERIFY(isReady());
  QVERIFY(!waits->isVisible());
}

void WorkspaceTest::showsWhatAStoppedAnswerRestedOn() {
  start();
  openSample();
  askUntilHeard(kQuestion, 2);
  QTest::keyClick(&box(), Qt::Key_Escape);
  QTRY_VERIFY(!workspace().isAnswering());
  QTRY_VERIFY(shown() && shown()->isStopped && shown()->maps);
  QVERIFY(!shown()->evidence.empty());
  QCOMPARE(fakeEngine().retraces, 1);
  const std::size_t evidence = shown()->evidence.size();
  restart();
  QTRY_VERIFY(shown());
  QCOMPARE(shown()->evidence.size(), evidence);
}

/// What a stopped answer rested on is kept although another conversation is shown when it is found out.
void WorkspaceTest::keepsWhatAStoppedAnswerRestedOnWhileAnotherConversationIsShown() {
  start();
  openSample();
  fakeEngine().onRetrace = [] { workFor(400); };
  QSignalSpy retraced(&workspace().session(), &Session::retraced);
  askUntilHeard(kQuestion, 2);
  QTest::keyClick(&box(), Qt::Key_Escape);
  QTRY_VERIFY(!workspace().isAnswering());
  QTest::keyClick(&window(), Qt::Key_N, Qt::ControlModifier);
  QCOMPARE(retraced.size(), 0);
  QTRY_COMPARE(retraced.size(), 1);
  auto* choice = panel().findChild<QComboBox*>(QStringLiteral("conversations"));
  choice->setFocus();
  QTest::keyClick(choice, Qt::Key_Down);
  QTRY_VERIFY(shown() && shown()->isStopped && shown()->maps && !shown()->evidence.empty());
  QCOMPARE(fakeEngine().retraces, 1);
}

void WorkspaceTest::stopsWhatIsReadForAQuestion() {
  start(Sample::None, Start::Safe);  // nothing but the question has it read
  fakeEngine().onChunk = [](int chunk) { workFor(chunk < 200 ? 15 : 0); };
  const QByteArray text = QByteArray("Nothing else of note happened on that long day. ").repeated(250);
  dropFiles(window(), {driven_->write(QStringLiteral("long.txt"), text)});
  QTRY_VERIFY(workspace().open());
  ask(QStringLiteral("What happened on that day?"));
  QTRY_VERIFY(workspace().session().rows()[0].share > 0.02);
  QSignalSpy idle(&workspace().session(), &Session::idle);
  QTest::keyClick(&box(), Qt::Key_Escape);
  QTRY_VERIFY(!workspace().isAnswering());
  QTRY_VERIFY(!idle.isEmpty());
  QVERIFY(shown() && shown()->isStopped);
  // Nothing was said, so there is nothing to look at again.
  QCOMPARE(fakeEngine().retraces, 0);
  QCOMPARE(fakeEngine().chunksRead.size(), std::size_t{1});
}

void WorkspaceTest::readsNoFurtherForAnAnswerThatWasStopped() {
  start();
  driven_->openHalfRead("The harpoon hit the whale at noon.");
  askUntilHeard(QStringLiteral("What did the harpoon do?"), 2);
  QTest::keyClick(&box(), Qt::Key_Escape);
  QTRY_VERIFY(!workspace().isAnswering());
  QTRY_VERIFY(shown() && shown()->isStopped && shown()->maps);
  QVERIFY(shareRead(*shown()) < 1);
}

void WorkspaceTest::saysThatTheDocumentDoesNotSay() {
  start();
  openSample();
  fakeEngine().saying = kNotInDocument;
  askAndWait(QStringLiteral("What did the retirement of Napoleon cost?"));
  QVERIFY(conversation().contains(QLatin1String("Not in the document, says the model")));
  QVERIFY(!shown()->evidence.empty());
  const QString link = QStringLiteral("mark:%1:1:-1").arg(shown()->number);
  QVERIFY(clickLink(link));
  QVERIFY(!window().findChild<DocumentView*>()->boxesInView(shown()->evidence[0].range).empty());
}

void WorkspaceTest::stopsMidwayAndKeepsTheText() {
  start();
  openSample();
  askUntilHeard(kQuestion, 2);
  QElapsedTimer timer;
  timer.start();
  QTest::keyClick(&box(), Qt::Key_Escape);
  QTRY_VERIFY(!workspace().isAnswering());
  QVERIFY2(timer.elapsed() < 200, qPrintable(QString::number(timer.elapsed())));
  QVERIFY(conversation().contains(QLatin1String("Stopped; this is what had been said.")));
  fakeEngine().onAnswerWord = {};
  askAndWait(kQuestion);
  QVERIFY(!shown()->isStopped);
}

void WorkspaceTest::asksAgainByItsLink() {
  start();
  openSample();
  askAndWait(kQuestion);
  const qint64 first = shown()->number;
  QVERIFY(clickLink(QStringLiteral("again:%1").arg(first)));
  QTRY_VERIFY(!workspace().isAnswering() && shown()->number > first);
  QCOMPARE(fakeEngine().questions.size(), 2U);
}

void WorkspaceTest::sendsWhatWasSaidWithAFollowUp() {
  start();
  openSample();
  askAndWait(kQuestion);
  panel().findChild<QCheckBox*>(QStringLiteral("followUp"))->setChecked(true);
  askAndWait(QStringLiteral("And how many claims were pending?"));
  QVERIFY(fakeEngine().questions.back().find(kQuestion.toStdString()) != std::string::npos);
  QCOMPARE(shown()->question, QStringLiteral("And how many claims were pending?"));
  QVERIFY(conversation().contains(QLatin1String("Asked: ")));
  // The one before the last too; and what the model gets is told while it answers.
  fakeEngine().onAnswerWord = [] { workFor(30); };
  QSignalSpy grew(&workspace().session(), &Session::answerGrew);
  ask(QStringLiteral("And in the year before?"));
  QTRY_VERIFY(grew.size() > 0);
  QCOMPARE(conversation().count(QLatin1String("Asked: ")), 2);
  const QString asked = QString::fromStdString(fakeEngine().questions.back());
  QVERIFY(asked.contains(kQuestion) && asked.contains(QLatin1String("Earlier I asked: And how many claims")));
  QVERIFY(asked.endsWith(QLatin1String("Now I ask: And in the year before?")));
  QTRY_VERIFY_WITH_TIMEOUT(!workspace().isAnswering(), 20000);
}

void WorkspaceTest::stopsByEscWhereverTheFocusIs() {
  start();
  openSample();
  answerSlowly();
  window().activateWindow();
  QVERIFY(QTest::qWaitForWindowActive(&window()));
  QSignalSpy grew(&workspace().session(), &Session::answerGrew);
  ask(kQuestion);
  QTRY_VERIFY(grew.size() > 0);
  // The find bar's own Esc goes before.
  QSignalSpy stopped(&window(), &MainWindow::stopWished);
  auto* page = window().findChild<PageView*>();
  page->setFocus();
  QTest::keyClick(page, Qt::Key_F, Qt::ControlModifier);
  auto* find = window().findChild<FindBar*>();
  QVERIFY(find->isVisible());
  QTest::keyClick(find->findChild<QLineEdit*>(), Qt::Key_Escape);
  QVERIFY(!find->isVisible());
  QCOMPARE(stopped.size(), 0);
  QVERIFY(workspace().isAnswering());
  QTest::keyClick(page, Qt::Key_Escape);
  QCOMPARE(stopped.size(), 1);
  QTRY_VERIFY_WITH_TIMEOUT(!workspace().isAnswering(), 1000);
  QVERIFY(shown() && shown()->isStopped);
}

void WorkspaceTest::asksTheDocumentThatIsOpenWhatCameWithItsFile() {
  start();
  const QString file = driven_->write(QStringLiteral("one.txt"), "The harpoon hit the whale at noon.");
  driven_->open(file);
  workspace().askNextOpened(QStringLiteral("What did the harpoon hit?"));
  workspace().addFiles({file});
  QTRY_VERIFY(shown() && !workspace().isAnswering());
  QCOMPARE(shown()->question, QStringLiteral("What did the harpoon hit?"));
  QVERIFY(!shown()->answer.isEmpty());
}

void WorkspaceTest::asksTheDocumentItCameWithWhateverIsClickedMeanwhile() {
  start();
  driven_->open(driven_->write(QStringLiteral("one.txt"), "The harpoon hit the whale at noon."));
  const QString one = workspace().home();
  workspace().askNextOpened(QStringLiteral("What did the steersman see?"));
  workspace().addFiles({driven_->write(QStringLiteral("two.txt"), "The steersman saw it from the stern.")});
  clickInLibrary(QStringLiteral("one"));
  QTRY_VERIFY(shown() && !workspace().isAnswering());
  QCOMPARE(shown()->question, QStringLiteral("What did the steersman see?"));
  QVERIFY(shown()->document != one);
  // Without a file it is asked of the document that is open.
  clickInLibrary(QStringLiteral("one"));
  QTRY_COMPARE(workspace().home(), one);
  QVERIFY(!shown());
  workspace().askNextOpened(QStringLiteral("What did the harpoon hit?"));
  workspace().askShown();
  QTRY_VERIFY(shown() && !workspace().isAnswering());
  QCOMPARE(shown()->document, one);
}

void WorkspaceTest::asksNoOtherDocumentWhatCameWithAFileThatFailed() {
  start();
  QSignalSpy failed(&workspace().session(), &Session::documentFailed);
  workspace().askNextOpened(QStringLiteral("What did the harpoon hit?"));
  workspace().addFiles({driven_->path(QStringLiteral("missing.txt"))});
  QTRY_COMPARE(failed.size(), 1);
  QCOMPARE(panel().question(), QStringLiteral("What did the harpoon hit?"));
  QVERIFY(window().notice()->sentence().contains(QLatin1String("missing.txt")));
  dropFiles(window(), {driven_->write(QStringLiteral("two.txt"), "The steersman saw it from the stern.")});
  QTRY_VERIFY(workspace().open());
  QVERIFY(!workspace().isAnswering());
  QVERIFY(!conversation().contains(QLatin1String("harpoon")));
}

void WorkspaceTest::keepsTheQuestionThatCameWithADocumentThatDoesNotOpen() {
  start();
  driven_->open(driven_->write(QStringLiteral("one.txt"), "The harpoon hit the whale at noon."));
  const std::string id = workspace().home().toStdString();
  driven_->open(driven_->write(QStringLiteral("two.txt"), "The steersman saw it from the stern."));
  Library(windowFolders(driven_->path({})).library).remove(id);  // by another program
  workspace().askNextOpened(QStringLiteral("What did the harpoon hit?"));
  clickInLibrary(QStringLiteral("one"));
  QTRY_COMPARE(panel().question(), QStringLiteral("What did the harpoon hit?"));
  QVERIFY(window().notice()->sentence().contains(QLatin1String("no such document any more")));
  clickInLibrary(QStringLiteral("two"));
  QVERIFY(!workspace().isAnswering());
}

void WorkspaceTest::keepsTheQuestionThatCameWithAFolderOfNoDocuments() {
  start();
  QVERIFY(QDir().mkpath(driven_->path(QStringLiteral("nothing"))));
  workspace().askNextOpened(QStringLiteral("What did the harpoon hit?"));
  workspace().addFiles({driven_->path(QStringLiteral("nothing"))});
  QTRY_COMPARE(panel().question(), QStringLiteral("What did the harpoon hit?"));
  QVERIFY(window().notice()->sentence().contains(QLatin1String("no documents")));
  for (const QLabel* label : window().startPage()->findChildren<QLabel*>())
    QVERIFY2(!label->text().startsWith(QLatin1String("Opening")), qPrintable(label->text()));
}

void WorkspaceTest::leavesInTheBoxWhatCameWithAFileWhileAnotherQuestionIsAnswered() {
  start();
  driven_->open(driven_->write(QStringLiteral("one.txt"), "The harpoon hit the whale at noon."));
  driven_->open(driven_->write(QStringLiteral("two.txt"), "The steersman saw it from the stern."));
  answerSlowly();
  ask(QStringLiteral("What did the steersman see?"));
  QVERIFY(workspace().isAnswering());
  workspace().askNextOpened(QStringLiteral("What did the harpoon hit?"));
  clickInLibrary(QStringLiteral("one"));
  QTRY_COMPARE(panel().question(), QStringLiteral("What did the harpoon hit?"));
  QVERIFY(workspace().isAnswering());
}

void WorkspaceTest::usesMoreBudget() {
  start();
  openSample();
  askAndWait(kQuestion);
  const int before = shown()->budgetTokens;
  QVERIFY(clickButton(*window().strip(), QStringLiteral("Use more budget and ask again")));
  QTRY_VERIFY(!workspace().isAnswering() && shown()->budgetTokens == 2 * before);
}
