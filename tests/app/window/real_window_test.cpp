#include <QApplication>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QFileDialog>
#include <QFileInfo>
#include <QListView>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>
#include <QTextBrowser>
#include <QWheelEvent>

#include "app/places.h"
#include "app/window/workspace.h"
#include "tests/app/window/window_walk.h"
#include "tests/ui/maps/widget_names.h"
#include "ui/document/document_view.h"
#include "ui/document/side_panel.h"
#include "ui/maps/compare_panel.h"
#include "ui/maps/evidence_panel.h"
#include "ui/maps/heat_plot.h"
#include "ui/maps/map_panel.h"
#include "ui/panels/ask_panel.h"
#include "ui/panels/library_panel.h"
#include "ui/panels/main_window.h"
#include "ui/panels/notice_bar.h"
#include "ui/panels/question_box.h"
#include "ui/panels/status_strip.h"

using namespace kvasir;

namespace {

const QString kSample = QStringLiteral(KVASIR_SOURCE "/resources/sample/opm_report_2014.pdf");
const QString kQuestion = QStringLiteral("How many performance measures does the strategic plan have?");
const QString kLong = QStringLiteral("Describe the whole document in ten sentences.");
constexpr int kPatience = 600'000;  // of one wait, on a busy machine; each ends as soon as it can
// The aim is 50 ms on an idle machine; a busy one takes its share.
constexpr qint64 kMostGap = 250;

}  // namespace

/// The window over the true engine and the default model, from the drop of a file to the next start.
class RealWindowTest : public QObject {
  Q_OBJECT

 private:
  QTemporaryDir folder_;
  std::unique_ptr<Workspace> workspace_;
  qint64 whole_ = 0;  ///< an answer that was not stopped

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
  void ask(const QString& question = kQuestion) {
    panel().setQuestion(question);
    QTest::keyClick(panel().findChild<QuestionBox*>(), Qt::Key_Return);
  }
  QTextBrowser& browser() { return *panel().findChild<QTextBrowser*>(); }
  QTableView& table() { return *window().findChild<QTableView*>(QStringLiteral("evidenceTable")); }
  HeatPlot& plot() { return *window().findChild<HeatPlot*>(QStringLiteral("positionPlot")); }
  void clickRow(int row) {
    window().showLowerView(window().findChild<EvidencePanel*>());
    const QModelIndex index = table().model()->index(row, 0);
    table().scrollTo(index);
    QTest::mouseClick(table().viewport(), Qt::LeftButton, {}, table().visualRect(index).center());
  }
  void press(const char* name) {
    QAbstractButton* button = buttonNamed(window(), QString::fromUtf8(name));
    QVERIFY2(button && button->isVisible() && button->isEnabled(), name);
    QTest::mouseClick(button, Qt::LeftButton);
  }
  void moveMouse(QWidget& widget, QPoint to, Qt::MouseButtons buttons = Qt::NoButton) {
    QMouseEvent event(QEvent::MouseMove, QPointF(to), widget.mapToGlobal(QPointF(to)), Qt::NoButton, buttons,
                      {});
    QApplication::sendEvent(&widget, &event);
  }
  bool isReady() const {
    const auto& rows = workspace_->session().rows();
    return !rows.empty() && rows[0].state == DocumentState::Ready;
  }
  void shoot(const char* name) {
    constexpr int kDrawn = 300;  // milliseconds in which pages are drawn
    QTest::qWait(kDrawn);
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
    ask(kLong);
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
    QVERIFY(shown && !shown->evidence.empty() && shown->maps);
    QVERIFY2(shown->answer.contains(QLatin1String("38")), qPrintable(shown->answer));
    const auto* document = window().findChild<DocumentView*>();
    QVERIFY(clickLink(browser(), QStringLiteral("mark:%1:").arg(shown->number)));
    QVERIFY(std::any_of(shown->evidence.begin(), shown->evidence.end(),
                        [&](const EvidenceRow& row) { return !document->boxesInView(row.range).empty(); }));
    clickRow(0);
    QVERIFY(!document->boxesInView(shown->evidence[0].range).empty());
    shoot("real-answered.png");
    window().showLowerView(window().findChild<MapPanel*>());
    shoot("real-maps.png");
  }

  void verifiesAgainstFullAttention() {
    window().showLowerView(window().findChild<MapPanel*>());
    press("Verify against full attention");
    QTRY_VERIFY_WITH_TIMEOUT(window().strip()->values().isCoverageExact, kPatience);
    const double coverage = *window().strip()->values().coverage;
    QVERIFY(coverage > 0 && coverage <= 1);
    shoot("real-verified.png");
    // The answer's first token, under full attention above and the method below.
    auto* panel = window().findChild<MapPanel*>();
    auto* looks = panel->findChild<QComboBox*>(QStringLiteral("mapLooks"));
    QVERIFY(looks->count() > 2);
    looks->setCurrentIndex(2);
    QCOMPARE(panel->findChild<HeatPlot*>(QStringLiteral("positionPlot"))->sheet().maps.size(), std::size_t{2});
    shoot("real-token.png");
    looks->setCurrentIndex(0);
  }

  void movesInTheMapByKeysAndMouse() {
    const auto whole = plot().view();
    plot().setFocus();
    QTest::keyClick(&plot(), Qt::Key_Right);
    QVERIFY(plot().cursor());
    const HeatCell before = *plot().cursor();
    QTest::keyClick(&plot(), Qt::Key_Right, Qt::ShiftModifier);
    QTest::keyClick(&plot(), Qt::Key_Up);
    QVERIFY(plot().cursor()->column > before.column && !(*plot().cursor() == before));
    QTest::keyClick(&plot(), Qt::Key_Plus);
    QTest::keyClick(&plot(), Qt::Key_Plus);
    const auto near = plot().view();
    QVERIFY(near.second - near.first < (whole.second - whole.first) / 3);
    QTest::keyClick(&plot(), Qt::Key_Left, Qt::ControlModifier);
    QVERIFY(plot().view().first < near.first);
    // By mouse: drag, wheel, point, click.
    const QPoint middle = plot().cellRect(*plot().cursor()).center().toPoint();
    const double from = plot().view().first;
    QTest::mousePress(&plot(), Qt::LeftButton, {}, middle);
    moveMouse(plot(), middle - QPoint(80, 0), Qt::LeftButton);
    QTest::mouseRelease(&plot(), Qt::LeftButton, {}, middle - QPoint(80, 0));
    QVERIFY(plot().view().first > from);
    const double span = plot().view().second - plot().view().first;
    QWheelEvent wheel(QPointF(middle), plot().mapToGlobal(QPointF(middle)), {}, {0, 120}, Qt::NoButton, {},
                      Qt::NoScrollPhase, false);
    QApplication::sendEvent(&plot(), &wheel);
    QVERIFY(plot().view().second - plot().view().first < span);
    moveMouse(plot(), middle);
    const int chunk = plot().cursor()->column;
    QTest::mouseClick(&plot(), Qt::LeftButton, {}, middle);
    const TextRange place = workspace_->shown()->chunks[static_cast<std::size_t>(chunk)];
    QVERIFY(!window().findChild<DocumentView*>()->boxesInView(place).empty());
    QTest::keyClick(&plot(), Qt::Key_Home);
    QCOMPARE(plot().view(), whole);
  }

  void goesToPagesByThumbnails() {
    auto* document = window().findChild<DocumentView*>();
    press("Outline and thumbnails");
    auto* side = document->findChild<SidePanel*>();
    QTest::mouseClick(side->tabBar(), Qt::LeftButton, {}, side->tabBar()->tabRect(1).center());
    auto* thumbnails = side->findChild<ThumbnailView*>();
    const QModelIndex page = thumbnails->model()->index(9, 0);
    thumbnails->scrollTo(page);
    QTest::mouseClick(thumbnails->viewport(), Qt::LeftButton, {}, thumbnails->visualRect(page).center());
    QCOMPARE(document->place().page, 9);
    shoot("real-thumbnails.png");
    press("Outline and thumbnails");
  }

  void pinsBlocksAndAsksAgainByClicks() {
    const int blocked = workspace_->shown()->evidence[0].chunk, pinned = workspace_->shown()->evidence[2].chunk;
    clickRow(0);
    press("Block");
    clickRow(2);
    press("Pin");
    QVERIFY(clickLink(browser(), QStringLiteral("again:%1").arg(workspace_->shown()->number)));
    QVERIFY(workspace_->isAnswering());
    QTRY_VERIFY_WITH_TIMEOUT(!workspace_->isAnswering(), kPatience);
    const Exchange* shown = workspace_->shown();
    QCOMPARE(shown->blocked, std::vector<int>{blocked});
    QCOMPARE(shown->pinned, std::vector<int>{pinned});
    for (const EvidenceRow& row : shown->evidence) {
      if (row.chunk == blocked) QVERIFY(row.isBlocked && row.layers == 0);
      if (row.chunk == pinned) QVERIFY(row.isPinned && row.layers > 0);
    }
    shoot("real-pinned.png");
  }

  void exportsTheEvidenceByClicks() {
    clickRow(0);
    press("Export CSV…");
    auto* dialog = window().findChild<QFileDialog*>();
    QTRY_VERIFY(dialog && dialog->isVisible());
    auto* name = dialog->findChild<QLineEdit*>(QStringLiteral("fileNameEdit"));
    QVERIFY(name);
    const QString file = folder_.filePath(QStringLiteral("evidence.csv"));
    dialog->setDirectory(folder_.path());
    name->selectAll();
    QTest::keyClicks(name, QFileInfo(file).fileName());
    if (QWidget* offers = QApplication::activePopupWidget()) offers->close();  // names that would fit
    QTRY_COMPARE(dialog->selectedFiles(), QStringList{file});
    QTest::mouseClick(dialog->findChild<QDialogButtonBox*>()->button(QDialogButtonBox::Save), Qt::LeftButton);
    QTRY_VERIFY2(QFile(file).size() > 200, qPrintable(window().notice()->sentence()));
  }

  void answersWithoutTheBestChunk() {
    const int best = workspace_->shown()->evidence[0].chunk;
    clickRow(0);
    press("Answer without this chunk");
    QTRY_VERIFY_WITH_TIMEOUT(!workspace_->isAnswering(), kPatience);
    QVERIFY(workspace_->shown()->note.contains(QLatin1String("log-probability")));
    for (const EvidenceRow& row : workspace_->shown()->evidence) QVERIFY(row.chunk != best || row.isBlocked);
    shoot("real-without.png");
  }

  void comparesMethodsSideBySide() {
    const qint64 last = workspace_->shown()->number;
    QSignalSpy answered(&workspace_->session(), &Session::answered);
    auto* compare = window().findChild<ComparePanel*>();
    window().showLowerView(compare);
    auto* methods = compare->findChild<QListWidget*>(QStringLiteral("compareMethods"));
    for (const char* name : {"reread", "whitened", "streaming"}) {
      QListWidgetItem* item = methods->findItems(QLatin1String(name), Qt::MatchExactly).value(0);
      QVERIFY(item);
      methods->scrollToItem(item);
      QTest::mouseClick(methods->viewport(), Qt::LeftButton, {}, methods->visualItemRect(item).center());
      QTest::keyClick(methods, Qt::Key_Space);
    }
    press("Compare the chosen methods");
    QTRY_COMPARE_WITH_TIMEOUT(answered.size(), 3, kPatience);
    const auto answers = compare->findChildren<QPlainTextEdit*>();
    QCOMPARE(answers.size(), 3);
    for (const QPlainTextEdit* answer : answers) QVERIFY(!answer->toPlainText().isEmpty());
    shoot("real-compare.png");
    press("Show maps and evidence of whitened");
    QCOMPARE(workspace_->shown()->method, QStringLiteral("whitened"));
    QVERIFY(plot().isVisible() && plot().sheet().maps.front().title.startsWith(QLatin1String("whitened")));
    shoot("real-compared-map.png");
    QVERIFY(clickLink(browser(), QStringLiteral("show:%1").arg(last)));
    QCOMPARE(workspace_->shown()->number, last);
  }

  void findsEverythingAtTheNextStart() {
    const QString answer = workspace_->shown()->answer;
    QTRY_VERIFY(workspace_->shown()->number > 0);
    whole_ = workspace_->shown()->number;
    ask(kLong);
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

  void retracesWhatAnEarlierAnswerLookedAt() {
    QVERIFY(clickLink(browser(), QStringLiteral("show:%1").arg(whole_)));
    const Exchange* shown = workspace_->shown();
    QVERIFY(shown && shown->number == whole_ && shown->maps);
    QVERIFY(shown->maps->looks.empty());
    const std::vector<EvidenceRow> before = shown->evidence;
    const std::vector<float> mass = shown->maps->retrieved.mass;
    auto* maps = window().findChild<MapPanel*>();
    window().showLowerView(maps);
    auto* looks = maps->findChild<QComboBox*>(QStringLiteral("mapLooks"));
    looks->setFocus();
    QTest::keyClick(looks, Qt::Key_Down);
    QTRY_VERIFY_WITH_TIMEOUT(!workspace_->shown()->maps->looks.empty(), kPatience);
    shown = workspace_->shown();
    QVERIFY(!shown->maps->retrieved.headMass.empty());
    QCOMPARE(shown->evidence.size(), before.size());
    // Said again it looks where it looked, but for its end, which is not a part of the text.
    double difference = 0;
    for (std::size_t i = 0; i < mass.size(); ++i)
      difference += std::abs(static_cast<double>(mass[i] - shown->maps->retrieved.mass[i]));
    difference /= shown->maps->retrieved.layers;
    qInfo("retraced mass differs by %.4f a layer", difference);
    QVERIFY(difference < 0.05);
    QCOMPARE(shown->maps->lookTexts.size(), static_cast<qsizetype>(shown->maps->looks.size()));
  }

  void neverStallsOver400PagesAndAnswersFromTheirBeginning() {
    const QString file = folder_.filePath(QStringLiteral("long.pdf"));
    writeLongPdf(file, 400);
    LongestGap importing;
    dropFiles(window(), {file});
    const auto row = [this]() -> const LibraryRow* {
      for (const LibraryRow& any : workspace_->session().rows()) {
        if (any.title.contains(QLatin1String("long"))) return &any;
      }
      return nullptr;
    };
    const auto isRead = [&](double share) {
      return row() && row()->state == DocumentState::Reading && row()->share > share;
    };
    QTRY_VERIFY_WITH_TIMEOUT(workspace_->open() && workspace_->open()->record.pages == 400 && isRead(0),
                             kPatience);
    const qint64 first = importing.milliseconds();
    LongestGap reading;
    const double from = row()->share;
    QTRY_VERIFY_WITH_TIMEOUT(isRead(from + 0.03), kPatience);
    const qint64 second = reading.milliseconds();
    LongestGap answering;
    panel().setQuestion(QStringLiteral("What met the harbour on page 2?"));
    QTest::keyClick(panel().findChild<QuestionBox*>(), Qt::Key_Return);
    QTRY_VERIFY_WITH_TIMEOUT(!workspace_->isAnswering(), kPatience);
    const qint64 third = answering.milliseconds();
    qInfo(
        "400 pages, longest gap between turns: %lld ms importing and opening, %lld ms reading, %lld ms "
        "answering",
        static_cast<long long>(first), static_cast<long long>(second), static_cast<long long>(third));
    const Exchange* shown = workspace_->shown();
    QVERIFY(shown && shareRead(*shown) > 0 && shareRead(*shown) < 0.9);
    qInfo("answered from the first %.1f %% of it", 100 * shareRead(*shown));
    shoot("real-half-read.png");
    // Reading goes on, and stops at once.
    QTRY_VERIFY_WITH_TIMEOUT(isRead(0), kPatience);
    QElapsedTimer timer;
    timer.start();
    workspace_->session().stopWork(row()->key);
    QTRY_VERIFY_WITH_TIMEOUT(row()->state == DocumentState::Stopped, 5000);
    qInfo("reading stopped after %lld ms", static_cast<long long>(timer.elapsed()));
    QVERIFY(timer.elapsed() < 500);
    QVERIFY2(std::max({first, second, third}) < kMostGap, "the window stalled");
  }

  void asksTwoDocumentsTogether() {
    const QString file = folder_.filePath(QStringLiteral("memo.txt"));
    QFile memo(file);
    QVERIFY(memo.open(QIODevice::WriteOnly));
    memo.write(
        "The memo of the harbour master. The lantern of pier seven was repaired by Ottilie Brandt in March "
        "1931.\n");
    memo.close();
    dropFiles(window(), {file});
    QTRY_VERIFY_WITH_TIMEOUT(
        workspace_->open() && QString::fromStdString(workspace_->open()->record.file) == file, kPatience);
    const QString memoId = workspace_->home();
    QString sampleId;
    for (const LibraryRow& row : workspace_->session().rows()) {
      if (row.file == kSample) sampleId = row.key;
    }
    window().library()->select(sampleId);
    auto* list = window().library()->findChild<QListView*>();
    for (int row = 0; row < list->model()->rowCount(); ++row) {
      if (list->model()->index(row, 0).data().toString() == QLatin1String("memo"))
        list->selectionModel()->select(list->model()->index(row, 0), QItemSelectionModel::Select);
    }
    auto* scopes = panel().findChild<QComboBox*>(QStringLiteral("scopes"));
    QTRY_VERIFY(scopes->findText(QStringLiteral("2 selected documents")) > 0);
    scopes->setCurrentIndex(scopes->findText(QStringLiteral("2 selected documents")));
    const auto bestOf = [&](const QString& question) {
      panel().setQuestion(question);
      QTest::keyClick(panel().findChild<QuestionBox*>(), Qt::Key_Return);
      [&] { QTRY_VERIFY_WITH_TIMEOUT(!workspace_->isAnswering(), kPatience); }();
      return workspace_->shown()->evidence.empty() ? QString() : workspace_->shown()->evidence[0].document;
    };
    QCOMPARE(bestOf(QStringLiteral("Who repaired the lantern of pier seven?")), memoId);
    QCOMPARE(bestOf(kQuestion), sampleId);
    shoot("real-two-documents.png");
  }

  void cleanupTestCase() { workspace_.reset(); }

 private:
  MainWindow& window() { return workspace_->window(); }
};

QTEST_MAIN(RealWindowTest)
#include "real_window_test.moc"
