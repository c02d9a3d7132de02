#include <atomic>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include <QAbstractButton>
#include <QCheckBox>
#include <QComboBox>
#include <QDesktopServices>
#include <QDialogButtonBox>
#include <QElapsedTimer>
#include <QFileDialog>
#include <QFileInfo>
#include <QInputDialog>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QMenuBar>
#include <QMessageBox>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTabBar>
#include <QTableView>
#include <QTest>
#include <QTextBrowser>
#include <QTreeView>
#include <QUrl>

#include "app/library.h"
#include "tests/app/fake_engine.h"
#include "tests/app/window/driven_window.h"
#include "tests/app/window/window_walk.h"
#include "tests/ui/context_menu.h"
#include "ui/document/document_view.h"
#include "ui/document/find_bar.h"
#include "ui/document/light_style.h"
#include "ui/document/page_view.h"
#include "ui/maps/compare_panel.h"
#include "ui/maps/evidence_model.h"
#include "ui/maps/evidence_panel.h"
#include "ui/maps/heat_plot.h"
#include "ui/maps/map_panel.h"
#include "ui/panels/about_box.h"
#include "ui/panels/ask_panel.h"
#include "ui/panels/library_panel.h"
#include "ui/panels/main_window.h"
#include "ui/panels/notice_bar.h"
#include "ui/panels/question_box.h"
#include "ui/panels/start_page.h"
#include "ui/panels/status_strip.h"

using namespace kvasir;

namespace {

const QString kQuestion = sampleQuestionText();

// The aim is 50 ms on an idle machine, and the figure is what is reported; a busy one takes its share.
constexpr qint64 kMostGap = 250;

}  // namespace

class WorkspaceTest : public QObject {
  Q_OBJECT

 private:
  using Sample = DrivenWindow::Sample;
  using Start = DrivenWindow::Start;

  std::unique_ptr<DrivenWindow> driven_;
  QUrl openedUrl_;
  void start(Sample sample = Sample::None, Start how = Start::Usual) { driven_->start(sample, how); }
  void restart() {
    driven_->close();
    start();
    QTRY_VERIFY(workspace().open());
  }
  Workspace& workspace() { return driven_->workspace(); }
  MainWindow& window() { return driven_->window(); }
  AskPanel& panel() { return driven_->panel(); }
  QuestionBox& box() { return driven_->box(); }
  const Exchange* shown() { return driven_->shown(); }
  QString conversation() { return driven_->conversation(); }
  bool isReady() { return driven_->isReady(); }
  void openSample() { driven_->openSample(); }
  void ask(const QString& question) { driven_->ask(question); }
  void askAndWait(const QString& question) { driven_->askAndWait(question); }
  bool clickLink(const QString& target) { return driven_->clickLink(target); }
  bool isFound(int chunk) {
    const auto& rows = shown()->evidence;
    return std::any_of(rows.begin(), rows.end(), [&](const EvidenceRow& row) { return row.chunk == chunk; });
  }
  /// The map by position, in view and with the chunk in its middle.
  HeatPlot& mapAt(int chunk) {
    auto* maps = window().findChild<MapPanel*>();
    window().showLowerView(maps);
    maps->findChild<QTabBar*>(QStringLiteral("mapKinds"))->setCurrentIndex(1);
    auto* plot = maps->findChild<HeatPlot*>(QStringLiteral("positionPlot"));
    const auto& tokens = shown()->maps->firstTokens;
    const auto token = [&](int of) {
      return tokens[static_cast<std::size_t>(std::clamp(of, 0, static_cast<int>(tokens.size()) - 1))];
    };
    plot->setView(token(chunk - 3), token(chunk + 4));
    QTest::qWait(50);
    return *plot;
  }
  static QPoint placeOf(const HeatPlot& plot, int chunk) {
    return plot.cellRect({0, 0, chunk}).center().toPoint();
  }
  bool chooseOnMap(int chunk, const QString& text) {
    HeatPlot& plot = mapAt(chunk);
    return chooseFromMenu(&plot, placeOf(plot, chunk), text);
  }
  void clickOnMap(int chunk) {
    HeatPlot& plot = mapAt(chunk);
    QTest::mouseClick(&plot, Qt::LeftButton, Qt::NoModifier, placeOf(plot, chunk));
  }
  /// Opens a long document and then a short one, asks both for what stands in the long one's beginning, and
  /// gives a chunk of it that was not found.
  int askBesideALongDocument() {
    QByteArray text = "The harpoon hit the whale at noon.\n\n";
    while (text.size() < 2000) text += "Nothing else of note happened on that long day. ";
    driven_->open(driven_->write(QStringLiteral("one.txt"), text));
    driven_->open(driven_->write(QStringLiteral("two.txt"), "The steersman saw it from the stern."));
    QTest::keyClick(window().library()->findChild<QListView*>(), Qt::Key_A, Qt::ControlModifier);
    auto* scopes = panel().findChild<QComboBox*>(QStringLiteral("scopes"));
    scopes->setFocus();
    QTest::keyClick(scopes, Qt::Key_Down);
    askAndWait(QStringLiteral("harpoon?"));
    for (int chunk = 0; shown() && chunk < static_cast<int>(shown()->chunks.size()); ++chunk) {
      if (!isFound(chunk) && documentOf(*shown(), static_cast<std::size_t>(chunk)) != workspace().home())
        return chunk;
    }
    return -1;
  }
  void clickInLibrary(const QString& title) {
    auto* list = window().library()->findChild<QListView*>();
    const QModelIndexList found =
        list->model()->match(list->model()->index(0, 0), Qt::DisplayRole, title, 1, Qt::MatchExactly);
    QVERIFY(!found.isEmpty());
    QTest::mouseClick(list->viewport(), Qt::LeftButton, Qt::NoModifier, list->visualRect(found[0]).center());
  }
  /// From now on an answer takes six seconds.
  static void answerSlowly() {
    fakeEngine().saying = std::string(400, 'a');
    fakeEngine().onAnswerWord = [] { workFor(60); };
  }
  void typeInto(QInputDialog* dialog, const QString& text) {
    QVERIFY(dialog);
    auto* field = dialog->findChild<QLineEdit*>();
    field->selectAll();
    QTest::keyClicks(field, text);
    QTest::keyClick(field, Qt::Key_Return);
  }
  QString textInTable(int chunk) {
    const auto* model = window().findChild<QTableView*>(QStringLiteral("evidenceTable"))->model();
    const QModelIndexList rows =
        model->match(model->index(0, 0), EvidenceModel::ChunkRole, chunk, 1, Qt::MatchExactly);
    return rows.isEmpty() ? QString() : rows.front().siblingAtColumn(TextColumn).data().toString();
  }
  bool sees(const EvidenceRow& row) {
    return !window().findChild<DocumentView*>()->boxesInView(row.range).empty();
  }

 public Q_SLOTS:
  void onUrl(const QUrl& url) { openedUrl_ = url; }

 private Q_SLOTS:
  void init() {
    fakeEngine() = {};
    driven_ = std::make_unique<DrivenWindow>();
  }
  void cleanup() { driven_.reset(); }

  void startsWithTheSampleAndItsQuestion() {
    start(Sample::There);
    QTRY_VERIFY_WITH_TIMEOUT(workspace().open(), 30000);
    QCOMPARE(panel().question(), kQuestion);
    QTRY_VERIFY_WITH_TIMEOUT(isReady(), 30000);
  }

  void isUsableWithinASecond() {
    QElapsedTimer timer;
    timer.start();
    start();
    QVERIFY(window().isVisible());
    QVERIFY2(timer.elapsed() < 1000, qPrintable(QString::number(timer.elapsed())));
    qInfo("start to usable window: %lld ms", static_cast<long long>(timer.elapsed()));
    QCOMPARE(fakeEngine().loads, 0);
  }

  void opensByDropAndAnswersWithMarks() {
    start();
    openSample();
    askAndWait(kQuestion);
    QCOMPARE(fakeEngine().questions.back(), kQuestion.toStdString());
    QVERIFY(conversation().contains(kQuestion));
    QVERIFY(conversation().contains(shown()->answer.simplified().left(20)));
    QVERIFY(!shown()->evidence.empty());
    QVERIFY(clickLink(QStringLiteral("mark:%1:").arg(shown()->number)));
  }

  void answersFromWhatHasBeenReadSoFar() {
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

  void asksSeveralDocumentsAndGoesToTheRightOne() {
    start();
    driven_->open(driven_->write(QStringLiteral("one.txt"), "The harpoon hit the whale at noon."));
    driven_->open(driven_->write(QStringLiteral("two.txt"), "The steersman saw it from the stern."));
    const QString home = workspace().home();
    auto* list = window().library()->findChild<QListView*>();
    QTest::keyClick(list, Qt::Key_A, Qt::ControlModifier);
    QCOMPARE(window().library()->selectedKeys().size(), 2);
    auto* scopes = panel().findChild<QComboBox*>(QStringLiteral("scopes"));
    QVERIFY(scopes->isVisible());
    scopes->setFocus();
    QTest::keyClick(scopes, Qt::Key_Down);
    QCOMPARE(scopes->currentText(), QStringLiteral("2 selected documents"));
    askAndWait(QStringLiteral("harpoon and steersman?"));
    QCOMPARE(fakeEngine().documentsAsked.back(), 2);
    QCOMPARE(documentsOf(*shown()).size(), 2);
    const auto& rows = shown()->evidence;
    const auto other =
        std::find_if(rows.begin(), rows.end(), [&](const EvidenceRow& row) { return row.document != home; });
    QVERIFY(other != rows.end());
    QVERIFY(driven_->clickRow(other->chunk));
    QTRY_VERIFY(QString::fromStdString(workspace().open()->record.id) == other->document);
    QTRY_VERIFY(!window().findChild<DocumentView*>()->boxesInView(other->range).empty());
    // The conversation stays, and so does what it is about.
    QCOMPARE(workspace().home(), home);
    QVERIFY(conversation().contains(QLatin1String("harpoon and steersman?")));
    // At the next start it is there, with its documents.
    restart();
    clickInLibrary(QStringLiteral("two"));
    QTRY_VERIFY(shown() && documentsOf(*shown()).size() == 2);
  }

  void staysWithTheSelectedDocumentsWhileMoreAreSelected() {
    start();
    for (const char* name : {"one.txt", "two.txt", "three.txt"})
      driven_->open(driven_->write(QString::fromLatin1(name), QByteArray("The harpoon hit ") + name));
    auto* list = window().library()->findChild<QListView*>();
    const auto select = [&](int row, QItemSelectionModel::SelectionFlags how) {
      list->selectionModel()->select(list->model()->index(row, 0), how);
    };
    select(0, QItemSelectionModel::ClearAndSelect);
    select(1, QItemSelectionModel::Select);
    auto* scopes = panel().findChild<QComboBox*>(QStringLiteral("scopes"));
    scopes->setCurrentIndex(scopes->findText(QStringLiteral("2 selected documents")));
    select(2, QItemSelectionModel::Select);
    QCOMPARE(scopes->currentText(), QStringLiteral("3 selected documents"));
    QCOMPARE(panel().scope().size(), 3);
  }

  void showsTheTextOfAPinnedChunkOfAnotherDocument() {
    start();
    const int chunk = askBesideALongDocument();
    QVERIFY(chunk >= 0 && chooseOnMap(chunk, QStringLiteral("Always attend")));
    QTRY_VERIFY(!textInTable(chunk).isEmpty());
    QVERIFY2(
        QLatin1String("Nothing else of note happened on that long day. Nothing else of note happened on that")
            .contains(textInTable(chunk)),
        qPrintable(textInTable(chunk)));
    QCOMPARE(QString::fromStdString(workspace().open()->record.id), workspace().home());
  }

  void saysWhyAPinnedChunkHasNoText() {
    start();
    const int chunk = askBesideALongDocument();
    QVERIFY(chunk >= 0);
    QSignalSpy removed(&workspace().session(), &Session::removed);
    workspace().session().remove(documentOf(*shown(), static_cast<std::size_t>(chunk)));
    QTRY_COMPARE(removed.size(), 1);
    QVERIFY(chooseOnMap(chunk, QStringLiteral("Always attend")));
    QTRY_COMPARE(textInTable(chunk), QStringLiteral("The library has no such document any more."));
  }

  void keepsSeveralConversations() {
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

  void showsWhereSingleTokensLooked() {
    start();
    openSample();
    askAndWait(kQuestion);
    auto* looks = window().findChild<QComboBox*>(QStringLiteral("mapLooks"));
    QCOMPARE(looks->itemText(1), QStringLiteral("Question"));
    QVERIFY(looks->count() > 3);
    // Of an earlier day they are made again.
    restart();
    QTRY_VERIFY(shown());
    QCOMPARE(fakeEngine().retraces, 0);
    auto* maps = window().findChild<MapPanel*>();
    window().showLowerView(maps);
    looks = window().findChild<QComboBox*>(QStringLiteral("mapLooks"));
    QCOMPARE(looks->itemText(1), QStringLiteral("Single tokens…"));
    looks->setFocus();
    QTest::keyClick(looks, Qt::Key_Down);
    QTRY_VERIFY(looks->count() > 3);
    QCOMPARE(fakeEngine().retraces, 1);
    QTest::keyClick(looks, Qt::Key_Down);
    QTest::keyClick(looks, Qt::Key_Down);
    QVERIFY(looks->currentText().startsWith(QLatin1String("1: ")));
    QVERIFY(!shown()->maps->retrieved.headMass.empty());
  }

  void showsWhatAStoppedAnswerRestedOn() {
    start();
    openSample();
    fakeEngine().onAnswerWord = [] { workFor(60); };
    QSignalSpy grew(&workspace().session(), &Session::answerGrew);
    ask(kQuestion);
    QTRY_VERIFY(grew.size() > 1);
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
  void keepsWhatAStoppedAnswerRestedOnWhileAnotherConversationIsShown() {
    start();
    openSample();
    fakeEngine().onAnswerWord = [] { workFor(60); };
    fakeEngine().onRetrace = [] { workFor(400); };
    QSignalSpy grew(&workspace().session(), &Session::answerGrew);
    QSignalSpy retraced(&workspace().session(), &Session::retraced);
    ask(kQuestion);
    QTRY_VERIFY(grew.size() > 1);
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

  void stopsWhatIsReadForAQuestion() {
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

  void readsNoFurtherForAnAnswerThatWasStopped() {
    start();
    driven_->openHalfRead("The harpoon hit the whale at noon.");
    fakeEngine().onAnswerWord = [] { workFor(60); };
    QSignalSpy grew(&workspace().session(), &Session::answerGrew);
    ask(QStringLiteral("What did the harpoon do?"));
    QTRY_VERIFY(grew.size() > 1);
    QTest::keyClick(&box(), Qt::Key_Escape);
    QTRY_VERIFY(!workspace().isAnswering());
    QTRY_VERIFY(shown() && shown()->isStopped && shown()->maps);
    QVERIFY(shareRead(*shown()) < 1);
  }

  void saysThatTheDocumentDoesNotSay() {
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

  void pinsASection() {
    start();
    openSample();
    askAndWait(kQuestion);
    const auto& rows = shown()->evidence;
    const auto row =
        std::find_if(rows.begin(), rows.end(), [](const EvidenceRow& r) { return !r.section.isEmpty(); });
    QVERIFY(row != rows.end());
    const int chunk = row->chunk;
    QVERIFY(driven_->clickOfRow(chunk, QStringLiteral("Pin section")));
    askAndWait(kQuestion);
    const std::vector<int>& pinned = fakeEngine().pinned.back();
    QVERIFY(pinned.size() > 1);
    QVERIFY(std::find(pinned.begin(), pinned.end(), chunk) != pinned.end());
    QVERIFY(pinned.size() < shown()->chunks.size());
  }

  /// Also that of a chunk which stands in the table because it is pinned, not because it was found.
  void pinsTheSectionOfAChunkThatWasNotFound() {
    start();
    openSample();
    askAndWait(kQuestion);
    int chunk = 100;
    while (isFound(chunk)) ++chunk;
    QVERIFY(chooseOnMap(chunk, QStringLiteral("Always attend")));
    QVERIFY(driven_->clickOfRow(chunk, QStringLiteral("Pin section")));
    askAndWait(kQuestion);
    const std::vector<int>& pinned = fakeEngine().pinned.back();
    QVERIFY(pinned.size() > 1);
    QVERIFY(std::find(pinned.begin(), pinned.end(), chunk) != pinned.end());
    int level =
        0;  // of the innermost section; those below it belong to it, the next beside or above it does not
    for (const AxisMark& mark : shown()->maps->sections) {
      if (mark.chunk <= chunk)
        level = mark.level;
      else
        QCOMPARE(mark.chunk <= pinned.back(), mark.level > level);
      if (mark.chunk > chunk && mark.level <= level) break;
    }
  }

  void stopsMidwayAndKeepsTheText() {
    start();
    openSample();
    fakeEngine().onAnswerWord = [] { workFor(60); };
    QSignalSpy grew(&workspace().session(), &Session::answerGrew);
    ask(kQuestion);
    QTRY_VERIFY(grew.size() > 1);
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

  void asksAgainByItsLink() {
    start();
    openSample();
    askAndWait(kQuestion);
    const qint64 first = shown()->number;
    QVERIFY(clickLink(QStringLiteral("again:%1").arg(first)));
    QTRY_VERIFY(!workspace().isAnswering() && shown()->number > first);
    QCOMPARE(fakeEngine().questions.size(), 2U);
  }

  void sendsWhatWasSaidWithAFollowUp() {
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

  void comparesMethods() {
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
  void stopsAComparison() {
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
  void tellsThatLongWorkHasEnded() {
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

  void stopsByEscWhereverTheFocusIs() {
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

  /// What was marked, and where the evidence lies, is of a document that is gone.
  void endsAComparisonWithItsDocument() {
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

  void endsAComparisonForAnotherDocument() {
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

  void asksTheDocumentThatIsOpenWhatCameWithItsFile() {
    start();
    const QString file = driven_->write(QStringLiteral("one.txt"), "The harpoon hit the whale at noon.");
    driven_->open(file);
    workspace().askNextOpened(QStringLiteral("What did the harpoon hit?"));
    workspace().addFiles({file});
    QTRY_VERIFY(shown() && !workspace().isAnswering());
    QCOMPARE(shown()->question, QStringLiteral("What did the harpoon hit?"));
    QVERIFY(!shown()->answer.isEmpty());
  }

  void asksNoOtherDocumentWhatCameWithAFileThatFailed() {
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

  void keepsTheQuestionThatCameWithADocumentThatDoesNotOpen() {
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

  void keepsTheQuestionThatCameWithAFolderOfNoDocuments() {
    start();
    QVERIFY(QDir().mkpath(driven_->path(QStringLiteral("nothing"))));
    workspace().askNextOpened(QStringLiteral("What did the harpoon hit?"));
    workspace().addFiles({driven_->path(QStringLiteral("nothing"))});
    QTRY_COMPARE(panel().question(), QStringLiteral("What did the harpoon hit?"));
    QVERIFY(window().notice()->sentence().contains(QLatin1String("no documents")));
    for (const QLabel* label : window().startPage()->findChildren<QLabel*>())
      QVERIFY2(!label->text().startsWith(QLatin1String("Opening")), qPrintable(label->text()));
  }

  void leavesInTheBoxWhatCameWithAFileWhileAnotherQuestionIsAnswered() {
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

  /// A notice goes with the work it is about, however that ends; what was told since stays.
  void takesAwayItsOwnNoticesOnly() {
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

  void sendsPinsAndBlocksWithTheNextQuestion() {
    start();
    openSample();
    askAndWait(kQuestion);
    const int best = shown()->evidence[0].chunk;
    QVERIFY(driven_->clickOfRow(best, QStringLiteral("Block")));
    const int other = shown()->evidence.back().chunk + 1;
    QVERIFY(chooseOnMap(other, QStringLiteral("Always attend")));
    askAndWait(kQuestion);
    QCOMPARE(fakeEngine().blocked.back(), std::vector<int>{best});
    QCOMPARE(fakeEngine().pinned.back(), std::vector<int>{other});
    const auto& rows = shown()->evidence;
    QVERIFY(std::any_of(rows.begin(), rows.end(),
                        [&](const EvidenceRow& row) { return row.chunk == best && row.isBlocked; }));
    QVERIFY(std::any_of(rows.begin(), rows.end(),
                        [&](const EvidenceRow& row) { return row.chunk == other && row.isPinned; }));
    QVERIFY(driven_->clickOfRow(best, QStringLiteral("Block")));
    askAndWait(kQuestion);
    QVERIFY(fakeEngine().blocked.back().empty());
  }

  /// What was not found can be pinned and blocked too: on the map, on the page, by section.
  void takesWishesFromMapPageAndOutline() {
    start();
    openSample();
    auto* document = window().findChild<DocumentView*>();
    auto* page = document->findChild<PageView*>();
    QMenu* early = openMenu(page->viewport(), page->viewport()->rect().center());
    QVERIFY(early && !actionNamed(early, QStringLiteral("Always attend"))->isEnabled());
    early->close();
    askAndWait(kQuestion);
    // On the map.
    int chunk = 100;
    while (isFound(chunk)) ++chunk;
    QVERIFY(chooseOnMap(chunk, QStringLiteral("Always attend")));
    // It stands in the table, to be taken back.
    auto* table = window().findChild<QTableView*>(QStringLiteral("evidenceTable"));
    QCOMPARE(table->model()->rowCount(), static_cast<int>(shown()->evidence.size()) + 1);
    // On the page: the passage under the pointer.
    int below = 200;
    while (isFound(below)) ++below;
    clickOnMap(below);
    QTRY_VERIFY(!document->boxesInView(shown()->chunks[static_cast<std::size_t>(below)]).empty());
    const QRect box = document->boxesInView(shown()->chunks[static_cast<std::size_t>(below)]).front();
    const QPoint word = page->viewport()->mapFrom(document, box.topLeft() + QPoint(8, box.height() / 2));
    QMouseEvent move(QEvent::MouseMove, QPointF(word), page->viewport()->mapToGlobal(QPointF(word)),
                     Qt::NoButton, Qt::NoButton, {});
    QApplication::sendEvent(page->viewport(), &move);
    QVERIFY(chooseFromMenu(page->viewport(), word, QStringLiteral("Never attend")));
    askAndWait(kQuestion);
    QCOMPARE(fakeEngine().pinned.back(), std::vector<int>{chunk});
    QCOMPARE(fakeEngine().blocked.back(), std::vector<int>{below});
    // A section, in the outline.
    QTest::keyClick(document, Qt::Key_F7);
    auto* outline = document->findChild<QTreeView*>();
    const QModelIndex last = outline->model()->index(outline->model()->rowCount() - 1, 0);
    outline->scrollTo(last);
    QVERIFY(chooseFromMenu(outline->viewport(), outline->visualRect(last).center(),
                           QStringLiteral("Always attend")));
    askAndWait(kQuestion);
    QVERIFY(fakeEngine().pinned.back().size() > 2);
  }

  void offersNoWishesThatAMethodDoesNotHeed() {
    start();
    openSample();
    askAndWait(kQuestion);
    const auto button = [&](const char* name) {
      for (auto* any : window().findChild<EvidencePanel*>()->findChildren<QPushButton*>()) {
        if (any->accessibleName() == QLatin1String(name)) return any;
      }
      return static_cast<QPushButton*>(nullptr);
    };
    QVERIFY(button("Pin")->isEnabled() && button("Block")->isEnabled());
    panel().setMethod(QStringLiteral("streaming"));
    QVERIFY(!button("Pin")->isEnabled() && !button("Block")->isEnabled());
    QVERIFY(button("Pin")->toolTip().contains(QStringLiteral("“streaming” does not heed it")));
    // The answer shown is of a method that does.
    QVERIFY(button("Answer without this chunk")->isEnabled());
    askAndWait(kQuestion);
    QVERIFY(!button("Answer without this chunk")->isEnabled());
    panel().setMethod(QStringLiteral("reread"));
    QVERIFY(button("Pin")->isEnabled());
  }

  void showsWhatAChunkChanges() {
    start();
    openSample();
    askAndWait(kQuestion);
    const int best = shown()->evidence[0].chunk;
    QVERIFY(driven_->clickOfRow(best, QStringLiteral("Answer without this chunk")));
    QTRY_VERIFY(!workspace().isAnswering());
    QCOMPARE(fakeEngine().blocked.back(), std::vector<int>{best});
    QVERIFY(shown()->note.contains(QLatin1String("log-probability")));
    QVERIFY(conversation().contains(QLatin1String("Without passage 1")));
    askAndWait(kQuestion);
    QVERIFY(fakeEngine().blocked.back().empty());
  }

  void verifiesAgainstFullAttention() {
    start();
    openSample();
    askAndWait(kQuestion);
    QVERIFY(!window().strip()->values().isCoverageExact);
    QVERIFY(driven_->clickVerify());
    QTRY_VERIFY(window().strip()->values().isCoverageExact);
    QVERIFY(*window().strip()->values().coverage < 0.5);
    QCOMPARE(window().strip()->values().passagesReadAnew, static_cast<int>(shown()->evidence.size()));
    panel().setMethod(QStringLiteral("infllm"));
    askAndWait(kQuestion);
    QCOMPARE(window().strip()->values().passagesReadAnew, 0);
  }

  void fieldsLeaveDropsToTheWindow() {
    start();
    const auto fields = window().findChildren<QLineEdit*>();
    QVERIFY(fields.size() > 3);
    for (const QLineEdit* field : fields) QVERIFY2(!field->acceptDrops(), qPrintable(field->objectName()));
  }

  /// Esc ends it, and a question does not wait behind it.
  void stopsVerifyingForAQuestion() {
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

  void usesMoreBudget() {
    start();
    openSample();
    askAndWait(kQuestion);
    const int before = shown()->budgetTokens;
    QVERIFY(clickButton(*window().strip(), QStringLiteral("Use more budget and ask again")));
    QTRY_VERIFY(!workspace().isAnswering() && shown()->budgetTokens == 2 * before);
  }

  void exportsTheConversation() {
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

  void exportsByTheButtonAndItsDialog() {
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

  void findsEverythingAgainAtTheNextStart() {
    start();
    openSample();
    askAndWait(kQuestion);
    const QString answer = shown()->answer;
    // Busy with another question when it is closed.
    fakeEngine().onAnswerWord = [] { workFor(60); };
    QSignalSpy grew(&workspace().session(), &Session::answerGrew);
    ask(QStringLiteral("How many claims were pending?"));
    QTRY_VERIFY(grew.size() > 0);
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
  void findsTheQuestionAgainThatACrashCutOff() {
    start();
    openSample();
    fakeEngine().onAnswerWord = [] { workFor(60); };
    QSignalSpy grew(&workspace().session(), &Session::answerGrew);
    ask(kQuestion);
    QTRY_VERIFY(grew.size() > 0);
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

  void showsAQuestionOnceWhileItIsAnswered() {
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

  void keepsAQuestionThatFailed() {
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

  void startsSafeAfterACrash() {
    start();
    openSample();
    driven_->close();
    start(Sample::There, Start::Safe);
    QVERIFY(!workspace().open());
    QVERIFY(window().notice()->sentence().contains(QLatin1String("did not end by itself")));
  }

  void offersTheLogAfterACrash() {
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

  void opensRecentFiles() {
    start();
    openSample();
    QMenu* recent = nullptr;
    for (auto* menu : window().findChildren<QMenu*>()) {
      if (menu->title() == QLatin1String("Open &recent")) recent = menu;
    }
    QVERIFY(recent && recent->isEnabled());
    QCOMPARE(recent->actions().first()->text(), QStringLiteral("opm_report_2014.pdf"));
    const QString other = driven_->write(QStringLiteral("other.txt"), "Something else.");
    driven_->open(other);
    QVERIFY(QFile::remove(other));
    QVERIFY(chooseFromBar(window().menuBar(), QStringLiteral("File"), QStringLiteral("Open recent")));
    QTRY_VERIFY(recent->isVisible());
    QVERIFY(!recent->actions()[0]->isEnabled());
    QVERIFY(recent->actions()[1]->isEnabled());
    QVERIFY(chooseFrom(recent, QStringLiteral("opm_report_2014.pdf")));
    QTRY_VERIFY(workspace().open()->record.file == samplePdf().toStdString());
    // Kept for the next start.
    restart();
    for (auto* menu : window().findChildren<QMenu*>()) {
      if (menu->title() == QLatin1String("Open &recent")) QVERIFY(menu->actions().size() >= 3);
    }
  }

  void findsDocumentsByCollectionAndSearch() {
    start();
    driven_->open(driven_->write(QStringLiteral("whales.txt"), "The harpoon hit the whale at noon."));
    driven_->open(driven_->write(QStringLiteral("ships.txt"), "The steersman saw it from the stern."));
    driven_->open(driven_->write(QStringLiteral("towns.txt"), "The town was asleep at that hour."));
    auto* list = window().library()->findChild<QListView*>();
    auto* search = window().library()->findChild<QLineEdit*>();
    QTest::keyClicks(search, QStringLiteral("ship"));
    QCOMPARE(list->model()->rowCount(), 1);
    QCOMPARE(list->model()->index(0, 0).data().toString(), QStringLiteral("ships"));
    search->clear();
    const QPoint whales = list->visualRect(list->model()->index(0, 0)).center();
    const QPoint ships = list->visualRect(list->model()->index(1, 0)).center();
    QTest::mouseClick(list->viewport(), Qt::LeftButton, Qt::NoModifier, whales);
    QTest::mouseClick(list->viewport(), Qt::LeftButton, Qt::ControlModifier, ships);
    QVERIFY(chooseFromMenu(list->viewport(), ships, QStringLiteral("Collection")));
    auto* menu = window().library()->findChild<QMenu*>(QString(), Qt::FindDirectChildrenOnly);
    QTRY_VERIFY(menu->isVisible());
    QVERIFY(chooseFrom(menu, QStringLiteral("New collection…")));
    typeInto(window().library()->findChild<QInputDialog*>(), QStringLiteral("Sea"));
    auto* collections = window().library()->findChild<QComboBox*>();
    QCOMPARE(collections->count(), 2);
    collections->setFocus();
    QTest::keyClick(collections, Qt::Key_Down);
    QCOMPARE(list->model()->rowCount(), 2);
    // A collection can be asked as a whole.
    auto* scopes = panel().findChild<QComboBox*>(QStringLiteral("scopes"));
    QVERIFY(scopes->findText(QStringLiteral("Collection “Sea” (2 documents)")) > 0);
    restart();
    QTRY_COMPARE(window().library()->findChild<QComboBox*>()->count(), 2);
  }

  void tellsWhyADocumentFailedAndTriesAgain() {
    start();
    const QString file = driven_->write(QStringLiteral("empty.txt"), "");
    dropFiles(window(), {file});
    QTRY_VERIFY(!workspace().session().rows().empty() &&
                workspace().session().rows()[0].state == DocumentState::Failed);
    window().library()->select(workspace().session().rows()[0].key);
    const QString reason = workspace().session().rows()[0].reason;
    bool isSaid = false;
    for (const auto* label : window().library()->findChildren<QLabel*>())
      isSaid |= label->isVisible() && label->text() == reason;
    QVERIFY(isSaid && reason.contains(QLatin1String("empty.txt")));
    driven_->write(QStringLiteral("empty.txt"), "Now there is something.");
    for (auto* button : window().library()->findChildren<QPushButton*>()) {
      if (button->text() == QLatin1String("Try again")) QTest::mouseClick(button, Qt::LeftButton);
    }
    QTRY_VERIFY(isReady());
  }

  void readsOnAndForgetsByTheMenuOfARow() {
    start();
    SettingsValues values;
    values.method = QStringLiteral("infllm");
    values.readsInBackground = false;
    workspace().applySettings(values);
    dropFiles(window(), {driven_->write(QStringLiteral("one.txt"), "The harpoon hit the whale at noon.")});
    QTRY_VERIFY(workspace().open());
    auto* list = window().library()->findChild<QListView*>();
    const QPoint row = list->visualRect(list->model()->index(0, 0)).center();
    QVERIFY(chooseFromMenu(list->viewport(), row, QStringLiteral("Read on")));
    QTRY_VERIFY(isReady());
    QTRY_COMPARE(workspace().session().rows()[0].readingBytes, qint64{1000});
    askAndWait(QStringLiteral("What did the harpoon hit?"));
    QVERIFY(chooseFromMenu(list->viewport(), row, QStringLiteral("Forget what was read…")));
    auto* box = window().findChild<QMessageBox*>();
    QVERIFY(box && clickButton(*box, QStringLiteral("Forget")));
    QTRY_COMPARE(workspace().session().rows()[0].readingBytes, qint64{0});
    QVERIFY(conversation().contains(QLatin1String("harpoon hit the whale")));
  }

  void neverStallsOverALongPdf() {
    start();
    const QString file = driven_->path(QStringLiteral("long.pdf"));
    writeLongPdf(file, 400);
    fakeEngine().onChunk = [](int chunk) { workFor(chunk < 400 ? 10 : 0); };
    LongestGap importing;
    dropFiles(window(), {file});
    QTRY_VERIFY_WITH_TIMEOUT(workspace().open() && workspace().session().rows()[0].share > 0, 120000);
    const qint64 first = importing.milliseconds();
    LongestGap reading;
    QTRY_VERIFY_WITH_TIMEOUT(reading.turns() > 500, 30000);
    const qint64 second = reading.milliseconds();
    fakeEngine().onAnswerWord = [] { workFor(50); };
    LongestGap answering;
    ask(QStringLiteral("What met the harbour?"));
    QTRY_VERIFY_WITH_TIMEOUT(!workspace().isAnswering(), 30000);
    qInfo(
        "400 pages, longest gap between turns: %lld ms importing and opening, %lld ms reading, %lld ms "
        "answering",
        static_cast<long long>(first), static_cast<long long>(second),
        static_cast<long long>(answering.milliseconds()));
    QVERIFY2(std::max({first, second, answering.milliseconds()}) < kMostGap, "the window stalled");
  }

  void neverStallsWhileTheEngineWorks() {
    start();
    fakeEngine().onChunk = [](int chunk) { workFor(chunk < 100 ? 20 : 0); };
    dropFiles(window(), {samplePdf()});
    QTRY_VERIFY_WITH_TIMEOUT(workspace().open(), 30000);
    qint64 reading = 0;
    {
      LongestGap gap;
      QTRY_VERIFY_WITH_TIMEOUT(isReady(), 30000);
      reading = gap.milliseconds();
      QVERIFY(gap.turns() > 20);
    }
    fakeEngine().onAnswerWord = [] { workFor(200); };
    ask(kQuestion);
    qint64 answering = 0;
    {
      LongestGap gap;
      QTRY_VERIFY_WITH_TIMEOUT(!workspace().isAnswering(), 30000);
      answering = gap.milliseconds();
      QVERIFY(gap.turns() > 20);
    }
    qInfo("longest gap between turns: %lld ms while reading, %lld ms while answering",
          static_cast<long long>(reading), static_cast<long long>(answering));
    QVERIFY2(reading < kMostGap && answering < kMostGap, "the window stalled");
  }

  void leavesAndFindsThePlaceInADocument() {
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

  /// Table, map and page light the same chunk, wherever the mouse is.
  void lightsTheChunkUnderTheMouseEverywhere() {
    start();
    openSample();
    askAndWait(kQuestion);
    auto* document = window().findChild<DocumentView*>();
    auto* page = document->findChild<PageView*>();
    auto* maps = window().findChild<MapPanel*>();
    auto* table = window().findChild<QTableView*>(QStringLiteral("evidenceTable"));
    const auto* status = maps->findChild<QLabel*>(QStringLiteral("mapStatus"));
    const auto moveTo = [](QWidget* widget, QPoint to) {
      QMouseEvent event(QEvent::MouseMove, QPointF(to), widget->mapToGlobal(QPointF(to)), Qt::NoButton,
                        Qt::NoButton, {});
      QApplication::sendEvent(widget, &event);
    };
    const auto isLitInTable = [&](int row) {
      return table->model()->index(row, 0).data(Qt::BackgroundRole).isValid();
    };
    const auto isLitOnPage = [&] {
      for (const QLabel* label : document->findChildren<QLabel*>()) {
        if (label->text() == nameOf(Light::Hovered)) return label->parentWidget()->isVisible();
      }
      return false;
    };
    const auto textOf = [&](int row) {
      return QStringLiteral("hunk %1 (").arg(shown()->evidence[static_cast<std::size_t>(row)].chunk);
    };
    // In the table.
    QVERIFY(!isLitOnPage() && !isLitInTable(1));
    moveTo(table->viewport(), table->visualRect(table->model()->index(1, 0)).center());
    QVERIFY(isLitInTable(1) && isLitOnPage());
    QVERIFY2(status->text().contains(textOf(1)), qPrintable(status->text()));
    QEvent leave(QEvent::Leave);
    QApplication::sendEvent(table->viewport(), &leave);
    QVERIFY(!isLitInTable(1) && !isLitOnPage());
    // On the page.
    const EvidenceRow row = shown()->evidence[2];
    QVERIFY(driven_->clickRow(row.chunk));
    const std::vector<QRect> boxes = document->boxesInView(row.range);
    QVERIFY(!boxes.empty());
    moveTo(page->viewport(), page->viewport()->mapFrom(document, boxes.front().center()));
    QVERIFY(isLitInTable(2));
    QVERIFY2(status->text().contains(textOf(2)), qPrintable(status->text()));
    // In the map.
    window().showLowerView(maps);
    auto* plot = maps->findChild<HeatPlot*>(QStringLiteral("positionPlot"));
    const int chunk = shown()->evidence[0].chunk;
    const auto& tokens = shown()->maps->firstTokens;
    plot->setView(tokens[static_cast<std::size_t>(std::max(0, chunk - 3))],
                  tokens[static_cast<std::size_t>(chunk + 4)]);
    QTest::qWait(50);
    moveTo(plot, plot->cellRect({0, 1, chunk}).center().toPoint());
    QVERIFY(isLitInTable(0) && isLitOnPage());
    QApplication::sendEvent(plot, &leave);
    QVERIFY(!isLitInTable(0));
  }

  void saysInTheStatusLineWhatIsKnown() {
    start();
    const auto text = [&](const char* name) {
      for (const QLabel* label : window().strip()->findChildren<QLabel*>()) {
        if (label->accessibleName() == QLatin1String(name)) return label->text();
      }
      return QStringLiteral("?");
    };
    for (const char* name : {"Speed", "First token", "KV", "Budget", "Device"}) QCOMPARE(text(name), QString());
    openSample();
    askAndWait(kQuestion);
    QVERIFY(text("Speed").endsWith(QLatin1String(" tokens/s")));
    QCOMPARE(text("First token"), QStringLiteral("first token 0.01 s"));
    QCOMPARE(text("KV"), QStringLiteral("KV 100 bytes in memory, 1 kB on disk"));
    QVERIFY(text("Budget").endsWith(QLatin1String(" of 2,048 attended")));
    QCOMPARE(text("Device"), QStringLiteral("Fake · processor, 1 thread"));
  }

  void reachesEveryControlByKey() {
    start();
    openSample();
    askAndWait(kQuestion);
    window().activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&window()));
    for (QWidget* view :
         std::initializer_list<QWidget*>{window().findChild<EvidencePanel*>(), window().findChild<MapPanel*>(),
                                         window().findChild<ComparePanel*>()}) {
      window().showLowerView(view);
      box().setFocus();
      const QString outOfReach = controlsOutOfReach(window()).join(QLatin1Char('\n'));
      QVERIFY2(outOfReach.isEmpty(), qPrintable(outOfReach));
    }
  }

  void leadsFromTheLibraryToTheEvidenceByTab() {
    start();
    openSample();
    askAndWait(kQuestion);
    window().showLowerView(window().findChild<EvidencePanel*>());
    window().activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&window()));
    const QWidgetList wanted = {window().library()->findChild<QListView*>(), window().findChild<PageView*>(),
                                &box(), panel().findChild<QTextBrowser*>(),
                                window().findChild<QTableView*>(QStringLiteral("evidenceTable"))};
    const auto met = [&](Qt::Key key, QWidget* from, const QWidget* to) {
      QWidgetList passed;
      from->setFocus();
      for (int step = 0; step < 200; ++step) {
        QWidget* at = QApplication::focusWidget();
        if (wanted.contains(at) && !passed.contains(at)) passed << at;
        if (at == to) break;
        QTest::keyClick(at, key);
      }
      return passed;
    };
    QVERIFY(met(Qt::Key_Tab, wanted.first(), wanted.last()) == wanted);
    QWidgetList back = met(Qt::Key_Backtab, wanted.last(), wanted.first());
    std::reverse(back.begin(), back.end());
    QVERIFY(back == wanted);
  }

  void givesALetterToOneControlOnly() {
    start();
    openSample();
    askAndWait(kQuestion);
    window().findChild<FindBar*>()->open({});
    for (QWidget* view :
         std::initializer_list<QWidget*>{window().findChild<EvidencePanel*>(), window().findChild<MapPanel*>(),
                                         window().findChild<ComparePanel*>()}) {
      window().showLowerView(view);
      const QString clashes = clashingLetters(window()).join(QLatin1Char('\n'));
      QVERIFY2(clashes.isEmpty(), qPrintable(clashes));
    }
  }

  void namesEveryControl() {
    start();
    openSample();
    askAndWait(kQuestion);
    QCOMPARE(controlsWithoutName(window()).join(QLatin1Char('\n')), QString());
  }

  void cutsNoTextAtOneAndAHalfTimesTheFont() {
    start();
    openSample();
    askAndWait(kQuestion);
    const double points = qApp->font().pointSizeF();
    driven_->look().apply(Theme::Light, static_cast<int>(points * 1.5 + 0.5));
    QCoreApplication::processEvents();
    QCoreApplication::processEvents();
    for (QWidget* view :
         std::initializer_list<QWidget*>{window().findChild<EvidencePanel*>(), window().findChild<MapPanel*>(),
                                         window().findChild<ComparePanel*>()}) {
      window().showLowerView(view);
      QCoreApplication::processEvents();
      const QString cut = cutTexts(window()).join(QLatin1Char('\n'));
      QVERIFY2(cut.isEmpty(), qPrintable(cut));
    }
  }

  void tellsOfDevicesAndChecksTheKernels() {
    start();
    const auto open = [this] {
      chooseFromBar(window().menuBar(), QStringLiteral("Help"), QStringLiteral("About Kvasir"));
      return window().findChild<AboutBox*>();
    };
    AboutBox* about = open();
    QVERIFY(about && about->isVisible());
    QCOMPARE(controlsWithoutName(*about).join(QLatin1Char('\n')), QString());
    QTRY_VERIFY(about->devicesText().contains(QStringLiteral("Computes on")));
    QCOMPARE(about->checkText(), QString());
    QVERIFY(clickButton(*about, QStringLiteral("Check the kernels")));
    QTRY_VERIFY_WITH_TIMEOUT(about->checkText().startsWith(QStringLiteral("Checked")), 30'000);
    const QString said = about->checkText();
    about->reject();
    QTRY_VERIFY(!window().findChild<AboutBox*>());
    QCOMPARE(open()->checkText(), said);
    window().findChild<AboutBox*>()->reject();
  }

  void saysThatTheOpenFileHasChanged() {
    start();
    const QString changed = driven_->path(QStringLiteral("report.pdf"));
    QVERIFY(QFile::copy(samplePdf(), changed));
    driven_->open(changed);
    const QString title = workspace().session().rows()[0].title;
    driven_->open(driven_->write(QStringLiteral("other.txt"), "Something else."));
    QVERIFY(QFile::remove(changed));
    writeLongPdf(changed, 2);
    clickInLibrary(title);
    const auto isSaid = [&] {
      const auto labels = window().findChild<DocumentView*>()->findChildren<QLabel*>();
      return std::any_of(labels.begin(), labels.end(), [](const QLabel* label) {
        return label->isVisible() && label->text().startsWith(QLatin1String("report.pdf has changed"));
      });
    };
    QTRY_VERIFY(isSaid());
  }

  void tellsThatSettingsCannotBeWritten() {
    QVERIFY(QDir().mkpath(driven_->path(QStringLiteral("config/kvasir.ini"))));  // a folder in the file's place
    start();
    SettingsValues values;
    values.method = QStringLiteral("infllm");
    values.budgetTokens = 512;
    workspace().applySettings(values);
    QVERIFY2(window().notice()->sentence().contains(QLatin1String("cannot be written")),
             qPrintable(window().notice()->sentence()));
    QCOMPARE(panel().budget(), 512);
  }

  void showsDialogs() {
    start();
    QTest::keyClick(&window(), Qt::Key_Comma, Qt::ControlModifier);
    auto* dialog = window().findChild<SettingsDialog*>();
    QVERIFY(dialog && dialog->isVisible());
    QCOMPARE(controlsWithoutName(*dialog).join(QLatin1Char('\n')), QString());
    SettingsValues values = dialog->values();
    values.budgetTokens = 512;
    workspace().applySettings(values);
    QCOMPARE(panel().budget(), 512);
    dialog->reject();
  }
};

QTEST_MAIN(WorkspaceTest)
#include "workspace_test.moc"
