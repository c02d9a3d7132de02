#include "tests/app/window/workspace_test.h"

#include <atomic>
#include <stdexcept>
#include <thread>

#include <QComboBox>
#include <QElapsedTimer>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

#include "tests/app/fake_engine.h"
#include "tests/app/window/window_walk.h"
#include "ui/document/document_view.h"
#include "ui/document/page_view.h"
#include "ui/maps/compare_panel.h"
#include "ui/maps/heat_plot.h"
#include "ui/maps/map_panel.h"
#include "ui/panels/notice_bar.h"
#include "ui/panels/status_strip.h"

using namespace kvasir;

void WorkspaceTest::comparesMethods() {
  start();
  openSample();
  askAndWait(kQuestion);
  auto* compare = window().findChild<ComparePanel*>();
  driven_->compare({QStringLiteral("full"), QStringLiteral("infllm")});
  QTRY_COMPARE(fakeEngine().questions.size(), 3U);
  // The maps of one of them, verified as any answer's; the conversation leads back.
  const qint64 own = shown()->number;
  const auto button = [&] {
    for (auto* any : compare->findChildren<QPushButton*>()) {
      if (any->accessibleName() == QLatin1String("Show maps and evidence of infllm") && any->isEnabled())
        return any;
    }
    return static_cast<QPushButton*>(nullptr);
  };
  window().showLowerView(compare);
  QTRY_VERIFY(button());
  QTest::mouseClick(button(), Qt::LeftButton);
  QCOMPARE(shown()->method, QStringLiteral("infllm"));
  auto* maps = window().findChild<MapPanel*>();
  QVERIFY(maps->isVisible());
  QVERIFY(driven_->clickVerify());
  QTRY_VERIFY(window().strip()->values().isCoverageExact);
  const auto& drawn = maps->findChild<HeatPlot*>(QStringLiteral("positionPlot"))->sheet().maps;
  QCOMPARE(drawn.size(), std::size_t{2});
  QVERIFY(drawn[1].title.startsWith(QLatin1String("infllm")));
  QVERIFY(clickLink(QStringLiteral("show:%1").arg(own)));
  QCOMPARE(shown()->number, own);
  askAndWait(kQuestion);
  QCOMPARE(fakeEngine().questions.size(), 4U);
  // KV bytes are shown with every answer, also of an earlier day.
  QVERIFY2(conversation().contains(QLatin1String("KV 100 bytes")), qPrintable(conversation()));
  restart();
  QTRY_VERIFY(shown());
  QCOMPARE(window().strip()->values().kvBytesInMemory, 100);
  QCOMPARE(window().strip()->values().kvBytesOnDisk, 1000);
}

/// By its button, and by Esc wherever the focus is.
void WorkspaceTest::stopsAComparison() {
  start();
  openSample();
  askAndWait(kQuestion);
  answerSlowly();
  window().activateWindow();
  QVERIFY(QTest::qWaitForWindowActive(&window()));
  auto* compare = window().findChild<ComparePanel*>();
  const auto* button = compare->findChild<QPushButton*>(QStringLiteral("compareButton"));
  driven_->compare({QStringLiteral("full"), QStringLiteral("infllm")});
  QTRY_COMPARE(fakeEngine().questions.size(), std::size_t{2});
  const auto* stage = compare->findChild<QLabel*>(QStringLiteral("compareStage"));
  QTRY_COMPARE(stage->text(), QStringLiteral("1 of 2, full: Answering"));
  QVERIFY(stage->isVisible());
  QStringList columns;
  for (const auto* column : compare->findChildren<QPlainTextEdit*>()) columns << column->toPlainText();
  QCOMPARE(columns, (QStringList{QStringLiteral("Answering…"), QStringLiteral("Waiting for its turn…")}));
  QVERIFY(clickButton(*compare, QStringLiteral("Stop comparing")));
  QTRY_COMPARE(button->accessibleName(), QStringLiteral("Compare the chosen methods"));
  QVERIFY(!stage->isVisible());
  QVERIFY(clickButton(*compare, button->accessibleName()));
  QTRY_COMPARE(fakeEngine().questions.size(), std::size_t{3});
  QTest::keyClick(window().findChild<PageView*>(), Qt::Key_Escape);
  QTRY_COMPARE(button->accessibleName(), QStringLiteral("Compare the chosen methods"));
  // The second method's turn never came.
  QCOMPARE(fakeEngine().questions.size(), std::size_t{3});
}

/// The desktop is told then, where the window is not active.
void WorkspaceTest::tellsThatLongWorkHasEnded() {
  start();
  QSignalSpy ended(&workspace(), &Workspace::workEnded);
  openSample();
  QTRY_COMPARE(ended.size(), 1);
  askAndWait(kQuestion);
  QCOMPARE(ended.size(), 2);
  driven_->compare({QStringLiteral("full"), QStringLiteral("infllm")});
  QTRY_COMPARE(ended.size(), 3);
  QCOMPARE(fakeEngine().questions.size(), std::size_t{3});
  fakeEngine().onAnswerWord = [] { throw std::runtime_error("The disk is full."); };
  ask(kQuestion);
  QTRY_COMPARE(ended.size(), 4);
}

/// What was marked, and where the evidence lies, is of a document that is gone.
void WorkspaceTest::endsAComparisonWithItsDocument() {
  start();
  driven_->open(driven_->write(QStringLiteral("one.txt"), "The harpoon hit the whale at noon."));
  askAndWait(QStringLiteral("What did the harpoon hit?"));
  Q_EMIT window().findChild<DocumentView*>()->rangeMarked(shown()->chunks.front());
  auto* compare = window().findChild<ComparePanel*>();
  driven_->compare({QStringLiteral("full"), QStringLiteral("infllm")});
  const auto offers = [&] {
    int count = 0;
    for (const auto* button : compare->findChildren<QPushButton*>())
      count += button->text() == QLatin1String("Show maps") && button->isEnabled() ? 1 : 0;
    return count;
  };
  QTRY_COMPARE(offers(), 2);
  workspace().session().remove(workspace().home());
  QTRY_VERIFY(!workspace().open());
  QVERIFY(!clickButton(*compare, QStringLiteral("Show maps and evidence of infllm")));
  QCOMPARE(offers(), 0);
  QVERIFY(!shown());
}

void WorkspaceTest::endsAComparisonForAnotherDocument() {
  start();
  driven_->open(driven_->write(QStringLiteral("one.txt"), "The harpoon hit the whale at noon."));
  driven_->open(driven_->write(QStringLiteral("two.txt"), "The steersman saw it from the stern."));
  const QString home = workspace().home();
  askAndWait(QStringLiteral("What did the steersman see?"));
  answerSlowly();
  auto* compare = window().findChild<ComparePanel*>();
  driven_->compare({QStringLiteral("full"), QStringLiteral("infllm")});
  QTRY_COMPARE(fakeEngine().questions.size(), std::size_t{2});
  clickInLibrary(QStringLiteral("one"));
  QTRY_VERIFY(workspace().home() != home);
  QVERIFY(compare->findChildren<QPlainTextEdit*>().isEmpty());
  QCOMPARE(compare->findChild<QPushButton*>(QStringLiteral("compareButton"))->accessibleName(),
           QStringLiteral("Compare the chosen methods"));
  // The one that runs ends, and the other is not begun.
  fakeEngine().saying.clear();
  askAndWait(QStringLiteral("What did the harpoon hit?"));
  QCOMPARE(fakeEngine().questions.size(), std::size_t{3});
}

/// A notice goes with the work it is about, however that ends; what was told since stays.
void WorkspaceTest::takesAwayItsOwnNoticesOnly() {
  start();
  openSample();
  askAndWait(kQuestion);
  restart();
  QTRY_VERIFY(shown());
  fakeEngine().onRetrace = [] { throw Cancelled(); };
  QSignalSpy retraced(&workspace().session(), &Session::retraced);
  window().showLowerView(window().findChild<MapPanel*>());
  auto* looks = window().findChild<QComboBox*>(QStringLiteral("mapLooks"));
  looks->setFocus();
  QTest::keyClick(looks, Qt::Key_Down);
  QVERIFY(window().notice()->sentence().contains(QLatin1String("gone over once more")));
  QTRY_COMPARE(retraced.size(), 1);
  QCOMPARE(window().notice()->sentence(), QString());
  QVERIFY(driven_->clickVerify());
  window().tell(QStringLiteral("The disk is full."));
  QTRY_VERIFY(window().strip()->values().isCoverageExact);
  QCOMPARE(window().notice()->sentence(), QStringLiteral("The disk is full."));
}

void WorkspaceTest::verifiesAgainstFullAttention() {
  start();
  openSample();
  askAndWait(kQuestion);
  QVERIFY(!window().strip()->values().isCoverageExact);
  QVERIFY(driven_->clickVerify());
  QTRY_VERIFY(window().strip()->values().isCoverageExact);
  QVERIFY(*window().strip()->values().coverage < 0.5);
  QVERIFY(!window().strip()->values().isCoverageAtMost);
  QCOMPARE(window().strip()->values().passagesReadAnew, static_cast<int>(shown()->evidence.size()));
  panel().setMethod(QStringLiteral("infllm"));
  askAndWait(kQuestion);
  QCOMPARE(window().strip()->values().passagesReadAnew, 0);
  panel().setMethod(QStringLiteral("reread+kivi-4"));
  askAndWait(kQuestion);
  QCOMPARE(window().strip()->values().passagesReadAnew, static_cast<int>(shown()->evidence.size()));
}

/// Also of an answer of an earlier day.
void WorkspaceTest::saysHowMuchItIsAtMostWhereChunksWereSeenInPart() {
  fakeEngine().readShare = 0.5;
  start();
  openSample();
  askAndWait(kQuestion);
  QVERIFY(!window().strip()->values().isCoverageAtMost);
  QVERIFY(driven_->clickVerify());
  QTRY_VERIFY(window().strip()->values().isCoverageExact);
  QVERIFY(window().strip()->values().isCoverageAtMost);
  restart();
  QTRY_VERIFY(shown());
  QVERIFY(driven_->clickVerify());
  QTRY_VERIFY(window().strip()->values().isCoverageExact);
  QVERIFY(window().strip()->values().isCoverageAtMost);
}

/// Esc ends it, and a question does not wait behind it.
void WorkspaceTest::stopsVerifyingForAQuestion() {
  start();
  openSample();
  askAndWait(kQuestion);
  std::atomic<bool> isLooking = false;
  fakeEngine().onLook = [&](Listener& listener) {
    isLooking = true;
    for (int i = 0; i < 500; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      listener.progress({Stage::Retrieving, i, 500, 0});
    }
  };
  QVERIFY(driven_->clickVerify());
  QTRY_VERIFY(isLooking);
  const auto* text = window().findChild<QLabel*>(QStringLiteral("verifyText"));
  QTRY_VERIFY2(text->text().contains(QLatin1String("of 500 tokens")), qPrintable(text->text()));
  QElapsedTimer timer;
  timer.start();
  askAndWait(QStringLiteral("And how many claims were pending?"));
  QVERIFY(timer.elapsed() < 2000);
  QVERIFY(!window().strip()->values().isCoverageExact);
  QVERIFY2(text->text().contains(QLatin1String("has not been computed")), qPrintable(text->text()));
  isLooking = false;
  QVERIFY(driven_->clickVerify());
  QTRY_VERIFY(isLooking);
  QSignalSpy verified(&workspace().session(), &Session::verified);
  QTest::keyClick(&box(), Qt::Key_Escape);
  QTRY_COMPARE(verified.size(), 1);
  fakeEngine().onLook = {};
  QVERIFY(driven_->clickVerify());
  QTRY_VERIFY(window().strip()->values().isCoverageExact);
}
