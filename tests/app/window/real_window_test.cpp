#include <QApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QTextBrowser>

#include "app/places.h"
#include "app/window/workspace.h"
#include "tests/app/window/window_walk.h"
#include "ui/document/document_view.h"
#include "ui/maps/evidence_panel.h"
#include "ui/maps/map_panel.h"
#include "ui/panels/ask_panel.h"
#include "ui/panels/main_window.h"
#include "ui/panels/question_box.h"
#include "ui/panels/status_strip.h"

using namespace kvasir;

namespace {

const QString kSample = QStringLiteral(KVASIR_SOURCE "/resources/sample/opm_report_2014.pdf");
const QString kQuestion =
    QStringLiteral("What percent of pending retirement claims did OPM process within 60 days?");
constexpr int kPatience = 240'000;

}  // namespace

/// The window over the true engine and the default model, from the drop of a file to the next start.
class RealWindowTest : public QObject {
  Q_OBJECT

 private:
  QTemporaryDir folder_;
  std::unique_ptr<Workspace> workspace_;

  void start() {
    WorkspaceOptions options;
    options.folders = windowFolders(folder_.path());
    workspace_ = std::make_unique<Workspace>(options, nullptr);
    QSignalSpy listed(&workspace_->session(), &Session::listed);
    workspace_->start();
    workspace_->window().resize(1440, 900);
    workspace_->window().spreadDocks();
    QVERIFY(listed.wait());
  }
  AskPanel& panel() { return *workspace_->window().ask(); }
  void ask() {
    panel().setQuestion(kQuestion);
    QTest::keyClick(panel().findChild<QuestionBox*>(), Qt::Key_Return);
  }
  bool isReady() const {
    const auto& rows = workspace_->session().rows();
    return !rows.empty() && rows[0].state == DocumentState::Ready;
  }
  void shoot(const char* name) {
    QVERIFY(QDir().mkpath(QStringLiteral(KVASIR_SCREENSHOTS)));
    QVERIFY(workspace_->window().grab().save(QStringLiteral(KVASIR_SCREENSHOTS "/") + QLatin1String(name)));
  }

 private Q_SLOTS:
  void initTestCase() {
    try {
      findModel({}, modelFolders());
    } catch (const std::exception& error) {
      QSKIP(error.what());
    }
    start();
  }

  void readsWhatIsDropped() {
    dropFiles(window(), {kSample});
    QTRY_VERIFY_WITH_TIMEOUT(workspace_->open(), kPatience);
    LongestGap gap;
    QTRY_VERIFY_WITH_TIMEOUT(isReady(), kPatience);
    qInfo("longest gap while reading: %lld ms", static_cast<long long>(gap.milliseconds()));
    QVERIFY(gap.milliseconds() < 500);
  }

  void stopsAtOnceAndKeepsTheText() {
    QSignalSpy grew(&workspace_->session(), &Session::answerGrew);
    ask();
    QTRY_VERIFY_WITH_TIMEOUT(grew.size() > 1, kPatience);
    QElapsedTimer timer;
    timer.start();
    QTest::keyClick(panel().findChild<QuestionBox*>(), Qt::Key_Escape);
    QTRY_VERIFY(!workspace_->isAnswering());
    qInfo("stopped after %lld ms", static_cast<long long>(timer.elapsed()));
    QVERIFY(timer.elapsed() < 500);
    QVERIFY(panel().findChild<QTextBrowser*>()->toPlainText().contains(QLatin1String("Stopped")));
  }

  void answersWithEvidenceOnThePages() {
    LongestGap gap;
    ask();
    QTRY_VERIFY_WITH_TIMEOUT(!workspace_->isAnswering(), kPatience);
    qInfo("longest gap while answering: %lld ms", static_cast<long long>(gap.milliseconds()));
    QVERIFY(gap.milliseconds() < 500);
    const Exchange* shown = workspace_->shown();
    QVERIFY(shown && !shown->answer.isEmpty() && !shown->evidence.empty() && shown->maps);
    QVERIFY(window().strip()->values().tokensPerSecond > 0);
    const EvidenceRow& best = shown->evidence[0];
    Q_EMIT window().findChild<EvidencePanel*>()->activated(best.chunk);
    QVERIFY(!window().findChild<DocumentView*>()->boxesInView(best.range).empty());
    shoot("real-answered.png");
    window().showLowerView(window().findChild<MapPanel*>());
    QCoreApplication::processEvents();
    shoot("real-maps.png");
  }

  void verifiesAgainstFullAttention() {
    Q_EMIT window().verifyWished();
    QTRY_VERIFY_WITH_TIMEOUT(window().strip()->values().isCoverageExact, kPatience);
    const double coverage = *window().strip()->values().coverage;
    QVERIFY(coverage > 0 && coverage <= 1);
    shoot("real-verified.png");
  }

  void answersWithoutTheBestChunk() {
    const int best = workspace_->shown()->evidence[0].chunk;
    Q_EMIT window().findChild<EvidencePanel*>()->withoutWished(best);
    QTRY_VERIFY_WITH_TIMEOUT(!workspace_->isAnswering(), kPatience);
    QVERIFY(workspace_->shown()->note.contains(QLatin1String("log-probability")));
    for (const EvidenceRow& row : workspace_->shown()->evidence) QVERIFY(row.chunk != best || row.isBlocked);
    shoot("real-without.png");
  }

  void findsEverythingAtTheNextStart() {
    const QString answer = workspace_->shown()->answer;
    ask();
    QElapsedTimer timer;
    timer.start();
    window().close();
    workspace_.reset();
    qInfo("closed while busy after %lld ms", static_cast<long long>(timer.elapsed()));
    timer.restart();
    start();
    qInfo("start to usable window: %lld ms", static_cast<long long>(timer.elapsed()));
    QTRY_VERIFY(workspace_->open());
    QVERIFY(panel().findChild<QTextBrowser*>()->toPlainText().contains(answer.simplified().left(20)));
    QVERIFY(isReady());
  }

  void cleanupTestCase() { workspace_.reset(); }

 private:
  MainWindow& window() { return workspace_->window(); }
};

QTEST_MAIN(RealWindowTest)
#include "real_window_test.moc"
