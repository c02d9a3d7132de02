// The main states of the window as pictures in the build folder, light and dark, at the screen's density. What
// they show is looked at by people; what must hold of them is tested elsewhere.
#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QListView>
#include <QMenuBar>
#include <QSignalSpy>
#include <QTabBar>
#include <QTabWidget>
#include <QTest>
#include <stdexcept>

#include "tests/app/fake_engine.h"
#include "tests/app/window/driven_window.h"
#include "tests/app/window/window_walk.h"
#include "ui/maps/map_panel.h"
#include "ui/panels/library_panel.h"
#include "ui/panels/notice_bar.h"
#include "ui/panels/settings_dialog.h"

using namespace kvasir;

class WindowScreensTest : public QObject {
  Q_OBJECT

 private:
  std::unique_ptr<DrivenWindow> driven_;
  MainWindow& window() { return driven_->window(); }

  void shoot(QWidget& widget, const QString& state) {
    QVERIFY(QDir().mkpath(QStringLiteral(KVASIR_SCREENSHOTS)));
    for (const Theme theme : {Theme::Dark, Theme::Light}) {
      driven_->look().apply(theme, 0);
      QTest::qWait(150);  // pages are drawn on another thread
      const QString file = QStringLiteral("%1/window_%2_%3_%4x.png")
                               .arg(QStringLiteral(KVASIR_SCREENSHOTS), state,
                                    theme == Theme::Dark ? QStringLiteral("dark") : QStringLiteral("light"))
                               .arg(widget.devicePixelRatioF());
      QVERIFY(widget.grab().save(file));
    }
  }
  void shoot(const QString& state) { shoot(window(), state); }
  void answerSample() {
    driven_->start();
    driven_->openSample();
    driven_->askAndWait(sampleQuestionText());
  }
  void showMaps(int kind) {
    auto* maps = window().findChild<MapPanel*>();
    window().showLowerView(maps);
    maps->findChild<QTabBar*>(QStringLiteral("mapKinds"))->setCurrentIndex(kind);
  }

 private Q_SLOTS:
  void init() {
    fakeEngine() = {};
    driven_ = std::make_unique<DrivenWindow>();
  }
  void cleanup() { driven_.reset(); }

  void firstStart() {
    driven_->start(DrivenWindow::Sample::There);
    QTRY_VERIFY_WITH_TIMEOUT(driven_->workspace().open() && driven_->isReady(), 30000);
    shoot(QStringLiteral("first_start"));
  }

  void empty() {
    driven_->start();
    shoot(QStringLiteral("empty"));
  }

  void answering() {
    driven_->start();
    driven_->openSample();
    fakeEngine().onAnswerWord = [] { workFor(120); };
    QSignalSpy grew(&driven_->workspace().session(), &Session::answerGrew);
    driven_->ask(sampleQuestionText());
    QTRY_VERIFY(grew.size() > 1);
    shoot(QStringLiteral("answering"));
  }

  void answered() {
    answerSample();
    QVERIFY(driven_->clickLink(QStringLiteral("mark:")));
    shoot(QStringLiteral("answered"));
    showMaps(0);
    QVERIFY(driven_->clickVerify());
    QTRY_VERIFY(driven_->shown()->maps->full);
    shoot(QStringLiteral("maps"));
    auto* values = window().findChild<QComboBox*>(QStringLiteral("mapValues"));
    values->setCurrentIndex(1);
    shoot(QStringLiteral("score_map"));
    values->setCurrentIndex(0);
    auto* looks = window().findChild<QComboBox*>(QStringLiteral("mapLooks"));
    looks->setCurrentIndex(2);
    shoot(QStringLiteral("token_map"));
    looks->setCurrentIndex(0);
    showMaps(1);
    shoot(QStringLiteral("chunk_map"));
    showMaps(2);
    shoot(QStringLiteral("heads"));
  }

  void compared() {
    answerSample();
    driven_->compare({QStringLiteral("full"), QStringLiteral("infllm")});
    QTRY_COMPARE(fakeEngine().questions.size(), 3U);
    QTest::qWait(200);
    shoot(QStringLiteral("compared"));
  }

  void pinnedAndBlocked() {
    answerSample();
    const auto chunk = [&](std::size_t row) { return driven_->shown()->evidence[row].chunk; };
    QVERIFY(driven_->clickOfRow(chunk(1), QStringLiteral("Block")));
    QVERIFY(driven_->clickOfRow(chunk(2), QStringLiteral("Pin")));
    QVERIFY(driven_->clickOfRow(chunk(0), QStringLiteral("Answer without this chunk")));
    QTRY_VERIFY(!driven_->workspace().isAnswering());
    shoot(QStringLiteral("without_a_chunk"));
  }

  void notAnsweredAndFollowedUp() {
    answerSample();
    driven_->panel().findChild<QCheckBox*>(QStringLiteral("followUp"))->setChecked(true);
    driven_->askAndWait(QStringLiteral("And how many claims were pending?"));
    fakeEngine().onAnswerWord = [] { throw std::runtime_error("The disk is full."); };
    driven_->ask(QStringLiteral("And in the year before?"));
    QTRY_VERIFY(!driven_->workspace().isAnswering());
    window().notice()->hide();
    driven_->panel().setMethod(QStringLiteral("streaming"));
    shoot(QStringLiteral("not_answered"));
  }

  void halfRead() {
    driven_->start();
    driven_->openHalfRead("The harpoon hit the whale at noon.");
    driven_->askAndWait(QStringLiteral("What did the harpoon do?"));
    shoot(QStringLiteral("half_read"));
  }

  void severalDocuments() {
    driven_->start();
    driven_->openSample();
    driven_->open(driven_->write(QStringLiteral("ships.txt"),
                                 "The steersman saw the claims from the stern of the ship."));
    QTest::keyClick(window().library()->findChild<QListView*>(), Qt::Key_A, Qt::ControlModifier);
    auto* scopes = driven_->panel().findChild<QComboBox*>(QStringLiteral("scopes"));
    scopes->setCurrentIndex(1);
    driven_->askAndWait(QStringLiteral("What did the steersman say of retirement claims?"));
    shoot(QStringLiteral("several_documents"));
  }

  void notInTheDocument() {
    driven_->start();
    driven_->openSample();
    fakeEngine().saying = kNotInDocument;
    driven_->askAndWait(QStringLiteral("What did the retirement of Napoleon cost?"));
    shoot(QStringLiteral("not_in_document"));
  }

  void failed() {
    driven_->start();
    dropFiles(window(), {driven_->write(QStringLiteral("empty.txt"), "")});
    const auto& rows = driven_->workspace().session().rows();
    QTRY_VERIFY(!rows.empty() && rows[0].state == DocumentState::Failed);
    window().library()->select(rows[0].key);
    shoot(QStringLiteral("failed"));
  }

  void afterACrash() {
    driven_->start();
    driven_->openSample();
    driven_->close();
    driven_->start(DrivenWindow::Sample::There, DrivenWindow::Start::Safe);
    shoot(QStringLiteral("after_a_crash"));
  }

  void largeFont() {
    answerSample();
    for (const Theme theme : {Theme::Dark, Theme::Light}) {
      driven_->look().apply(theme, static_cast<int>(qApp->font().pointSizeF() * 1.5 + 0.5));
      QTest::qWait(150);
      QVERIFY(
          window().grab().save(QStringLiteral("%1/window_large_font_%2_%3x.png")
                                   .arg(QStringLiteral(KVASIR_SCREENSHOTS),
                                        theme == Theme::Dark ? QStringLiteral("dark") : QStringLiteral("light"))
                                   .arg(window().devicePixelRatioF())));
      driven_->look().apply(theme, 0);
    }
  }

  void settings() {
    driven_->start();
    QTest::keyClick(&window(), Qt::Key_Comma, Qt::ControlModifier);
    auto* dialog = window().findChild<SettingsDialog*>();
    QVERIFY(dialog);
    auto* pages = dialog->findChild<QTabWidget*>();
    for (int page = 0; page < pages->count(); ++page) {
      pages->setCurrentIndex(page);
      shoot(*dialog, QStringLiteral("settings_%1").arg(page + 1));
    }
    dialog->reject();
  }
};

QTEST_MAIN(WindowScreensTest)
#include "window_screens_test.moc"
