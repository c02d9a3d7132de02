#include <algorithm>

#include <QAction>
#include <QComboBox>
#include <QInputDialog>
#include <QLabel>
#include <QListView>
#include <QMenu>
#include <QProgressBar>
#include <QPushButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTest>
#include <QTextBrowser>

#include "ui/panels/about_box.h"
#include "ui/panels/answer_notice.h"
#include "ui/panels/ask_panel.h"
#include "ui/panels/conversation_html.h"
#include "ui/panels/library_panel.h"
#include "ui/panels/main_window.h"
#include "ui/panels/question_box.h"
#include "ui/panels/settings_dialog.h"
#include "ui/panels/status_strip.h"
#include "ui/size_text.h"

using namespace kvasir;

namespace {

ExchangePointer exchange(qint64 number, const QString& answer) {
  auto made = std::make_shared<Exchange>();
  made->number = number;
  made->question = QStringLiteral("How many whales?");
  made->answer = answer;
  EvidenceRow row;
  row.rank = 1;
  row.text = QStringLiteral("Twelve whales were counted in the bay.");
  row.range = {0, 38};
  made->evidence = {row};
  return made;
}

}  // namespace

class PanelsTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void asksByEnterAndBreaksTheLineByShiftEnter() {
    AskPanel panel;
    QSignalSpy asked(&panel, &AskPanel::askWished);
    auto* box = panel.findChild<QuestionBox*>();
    QTest::keyClicks(box, QStringLiteral("How"));
    QTest::keyClick(box, Qt::Key_Return, Qt::ShiftModifier);
    QTest::keyClicks(box, QStringLiteral("many?"));
    QCOMPARE(asked.size(), 0);
    QTest::keyClick(box, Qt::Key_Return);
    QCOMPARE(asked.size(), 1);
    QCOMPARE(asked[0][0].toString(), QStringLiteral("How\nmany?"));
  }

  void asksNothingWithoutAQuestionOrBehindAnObstacle() {
    AskPanel panel;
    QSignalSpy asked(&panel, &AskPanel::askWished);
    auto* box = panel.findChild<QuestionBox*>();
    QTest::keyClick(box, Qt::Key_Return);
    panel.setQuestion(QStringLiteral("How?"));
    panel.setObstacle(QStringLiteral("No document."));
    QTest::keyClick(box, Qt::Key_Return);
    QCOMPARE(asked.size(), 0);
    panel.setObstacle({});
    QTest::keyClick(box, Qt::Key_Return);
    QCOMPARE(asked.size(), 1);
  }

  void stopsByEscape() {
    AskPanel panel;
    QSignalSpy stopped(&panel, &AskPanel::stopWished);
    panel.beginAnswer(QStringLiteral("How?"), {}, {});
    QTest::keyClick(panel.findChild<QuestionBox*>(), Qt::Key_Escape);
    QCOMPARE(stopped.size(), 1);
  }

  void streamsTheAnswer() {
    AskPanel panel;
    panel.beginAnswer(QStringLiteral("How?"), {}, {});
    panel.appendAnswer(QStringLiteral("Twelve "));
    panel.appendAnswer(QStringLiteral("<whales>"));
    auto* conversation = panel.findChild<QTextBrowser*>();
    QVERIFY(conversation->toPlainText().contains(QLatin1String("Twelve <whales>")));
    panel.setConversation({exchange(3, QStringLiteral("Earlier."))});
    QVERIFY(conversation->toPlainText().contains(QLatin1String("Twelve <whales>")));
    panel.endAnswer();
    QVERIFY(!conversation->toPlainText().contains(QLatin1String("Twelve")));
  }

  void followsMarksAndLinks() {
    AskPanel panel;
    panel.setConversation({exchange(3, QStringLiteral("Twelve whales were counted."))});
    QSignalSpy marks(&panel, &AskPanel::markActivated), again(&panel, &AskPanel::againWished);
    auto* conversation = panel.findChild<QTextBrowser*>();
    QVERIFY(conversation->toHtml().contains(QLatin1String("mark:3:1:0")));
    Q_EMIT conversation->anchorClicked(QUrl(QStringLiteral("mark:3:1:0")));
    QCOMPARE(marks.size(), 1);
    QCOMPARE(marks[0][1].toInt(), 1);
    QCOMPARE(marks[0][2].toString(), QStringLiteral("Twelve whales were counted."));
    Q_EMIT conversation->anchorClicked(QUrl(QStringLiteral("again:3")));
    QCOMPARE(again.size(), 1);
    Q_EMIT conversation->anchorClicked(QUrl(QStringLiteral("mark:4:1:0")));
    Q_EMIT conversation->anchorClicked(QUrl(QStringLiteral("mark:3:1:9")));
    QCOMPARE(marks.size(), 1);
    Q_EMIT conversation->anchorClicked(QUrl(QStringLiteral("edit:3")));
    QCOMPARE(panel.question(), QStringLiteral("How many whales?"));
  }

  void offersConversations() {
    AskPanel panel;
    auto* choice = panel.findChild<QComboBox*>(QStringLiteral("conversations"));
    QSignalSpy wished(&panel, &AskPanel::conversationWished);
    panel.setConversations({}, 0);
    QCOMPARE(choice->currentText(), QStringLiteral("New conversation"));
    QVERIFY(!panel.conversationActions()[1]->isEnabled());
    panel.setConversations({{7, QStringLiteral("Whales")}, {9, QStringLiteral("Seals")}}, 9);
    QCOMPARE(choice->currentText(), QStringLiteral("Seals"));
    QVERIFY(panel.conversationActions()[1]->isEnabled() && panel.conversationActions()[2]->isEnabled());
    QTest::keyClick(choice, Qt::Key_Up);
    QCOMPARE(wished.size(), 1);
    QCOMPARE(wished[0][0].toLongLong(), 7);
    QSignalSpy renamed(&panel, &AskPanel::renameConversationWished);
    panel.conversationActions()[1]->trigger();
    auto* dialog = panel.findChild<QInputDialog*>();
    QVERIFY(dialog);
    dialog->setTextValue(QStringLiteral(" Pinnipeds "));
    dialog->accept();
    QCOMPARE(renamed.size(), 1);
    QCOMPARE(renamed[0][0].toLongLong(), 7);
    QCOMPARE(renamed[0][1].toString(), QStringLiteral("Pinnipeds"));
  }

  void offersDocumentsToAsk() {
    AskPanel panel;
    panel.show();
    auto* scopes = panel.findChild<QComboBox*>(QStringLiteral("scopes"));
    const ScopeChoice one{QStringLiteral("This one"), {QStringLiteral("a")}};
    const ScopeChoice both{QStringLiteral("2 selected documents"), {QStringLiteral("a"), QStringLiteral("b")}};
    panel.setScopes({one});
    QVERIFY(!scopes->isVisible());
    QCOMPARE(panel.scope(), one.documents);
    panel.setScopes({one, both});
    QVERIFY(scopes->isVisible());
    QCOMPARE(panel.scope(), one.documents);
    scopes->setCurrentIndex(1);
    panel.setScopes({one, both});
    QCOMPARE(panel.scope(), both.documents);
    QSignalSpy changed(&panel, &AskPanel::scopeChanged);
    panel.setScopes({one});
    QCOMPARE(panel.scope(), one.documents);
    QCOMPARE(changed.size(), 1);
  }

  void saysWhatAnAnswerLacks() {
    Exchange whole = *exchange(3, QStringLiteral("Twelve whales were counted."));
    QCOMPARE(answerNotice(whole), QString());
    Exchange denied = whole;
    denied.answer = QString::fromLatin1(kNotInDocument);
    denied.evidence[0].layers = 3;
    QVERIFY(isNotInDocument(denied));
    QVERIFY(answerNotice(denied).startsWith(QLatin1String("Not in the document, says the model")));
    QVERIFY(htmlOf(denied, true, QPalette()).contains(QLatin1String("mark:3:1:-1")));
    Exchange other = whole;
    other.answer = QStringLiteral("Napoleon sold the lighthouse to Portugal.");
    QVERIFY(answerNotice(other).startsWith(
        QLatin1String("Not in the document, as far as the passages found show.")));
    Exchange half = denied;
    half.documentTokens = 200;
    half.readTokens = 87;
    QVERIFY(answerNotice(half).contains(QLatin1String("Not in what has been read of it so far")));
    QVERIFY(answerNotice(half).contains(QLatin1String("first 43 %")));
    Exchange stopped = other;
    stopped.isStopped = true;
    QVERIFY(!isNotInDocument(stopped));
    QVERIFY(!htmlOf(whole, true, QPalette()).contains(QLatin1String(":-1\"")));
  }

  void followsAPassageNamedWithoutASentence() {
    AskPanel panel;
    Exchange denied = *exchange(3, QString::fromLatin1(kNotInDocument));
    panel.setConversation({std::make_shared<const Exchange>(denied)});
    QSignalSpy marks(&panel, &AskPanel::markActivated);
    Q_EMIT panel.findChild<QTextBrowser*>()->anchorClicked(QUrl(QStringLiteral("mark:3:1:-1")));
    QCOMPARE(marks.size(), 1);
    QCOMPARE(marks[0][2].toString(), denied.question);
  }

  void offersToTryFailedDocumentsAgain() {
    LibraryPanel panel;
    LibraryRow row;
    row.key = QStringLiteral("/tmp/a.pdf");
    row.title = QStringLiteral("a.pdf");
    row.state = DocumentState::Failed;
    row.reason = QStringLiteral("a.pdf is a scan without text.");
    panel.setRows({row});
    panel.select(row.key);
    panel.show();
    QSignalSpy again(&panel, &LibraryPanel::tryAgainWished);
    for (auto* button : panel.findChildren<QPushButton*>()) {
      if (button->text() == QLatin1String("Try again")) QTest::mouseClick(button, Qt::LeftButton);
    }
    QCOMPARE(again.size(), 1);
    row.state = DocumentState::Waiting;
    panel.setRows({row});
    for (auto* button : panel.findChildren<QPushButton*>())
      QVERIFY(button->text() != QLatin1String("Try again") || !button->isVisible());
  }

  void offersToReadOnWhatIsNotReadByItself() {
    LibraryPanel panel;
    LibraryRow row;
    row.key = QStringLiteral("a");
    row.isImported = true;
    const auto offer = [&] {
      const QList<QAction*> actions = panel.actions();
      const auto found = std::find_if(actions.begin(), actions.end(), [](const QAction* action) {
        return action->text().remove(QLatin1Char('&')) == QLatin1String("Read on");
      });
      return found != actions.end() && (*found)->isEnabled() ? *found : nullptr;
    };
    panel.setRows({row});
    panel.select(row.key);
    QVERIFY(!offer());
    panel.setReadsByItself(false);
    panel.setRows({row});
    QSignalSpy wished(&panel, &LibraryPanel::tryAgainWished);
    QVERIFY(offer());
    offer()->trigger();
    QCOMPARE(wished.size(), 1);
  }

  void tellsWhatAReadingTakesOnDiskAndOffersToForgetIt() {
    LibraryPanel panel;
    LibraryRow row;
    row.key = QStringLiteral("a");
    row.isImported = true;
    row.state = DocumentState::Ready;
    const QAction* forget = nullptr;
    for (const QAction* action : panel.actions())
      if (action->text().remove(QLatin1Char('&')) == QStringLiteral("Forget what was read…")) forget = action;
    QVERIFY(forget);
    const auto tip = [&] {
      return panel.findChild<QListView*>()->model()->index(0, 0).data(Qt::ToolTipRole).toString();
    };
    panel.setRows({row});
    panel.select(row.key);
    QVERIFY(!forget->isEnabled());
    QVERIFY2(!tip().contains(QLatin1String("on disk")), qPrintable(tip()));
    row.readingBytes = 1'500'000'000;
    panel.setRows({row});
    QVERIFY(forget->isEnabled());
    QVERIFY2(tip().contains(asSize(row.readingBytes) + QLatin1String(" on disk")), qPrintable(tip()));
  }

  void keepsTheSelectionWhenRowsCome() {
    LibraryPanel panel;
    LibraryRow a, b;
    a.key = QStringLiteral("a");
    b.key = QStringLiteral("b");
    panel.setRows({a});
    panel.select(QStringLiteral("a"));
    panel.setRows({b, a});
    QCOMPARE(panel.selectedKeys(), QStringList{QStringLiteral("a")});
  }

  void offersMoreBudgetOnlyWhereItHelps() {
    StatusStrip strip;
    StatusValues values;
    values.coverage = 0.83;
    strip.setValues(values);
    auto* more = strip.findChild<QPushButton*>();
    QVERIFY(!more->isVisibleTo(&strip));
    values.canUseMore = true;
    strip.setValues(values);
    QVERIFY(more->isVisibleTo(&strip));
    QSignalSpy wished(&strip, &StatusStrip::moreBudgetWished);
    more->click();
    QCOMPARE(wished.size(), 1);
  }

  void tellsWhatIsComputedOnAndHowTheKernelsDid() {
    AboutBox about(QStringLiteral("1.0"));
    Devices devices;
    devices.processor = {"Fast Processor", {"AVX3", "AVX2"}, 8, 16'000'000'000};
    devices.cudaReason = "There is no CUDA driver.";
    about.setDevices(devices);
    QVERIFY(about.devicesText().contains(QStringLiteral("Fast Processor, AVX3, 8 threads")));
    QVERIFY(about.devicesText().contains(QStringLiteral("CUDA: none. There is no CUDA driver.")));
    QCOMPARE(about.checkText(), QString());
    QSignalSpy wished(&about, &AboutBox::checkWished);
    QPushButton* button = nullptr;
    for (QPushButton* one : about.findChildren<QPushButton*>())
      if (one->text().contains(QStringLiteral("kernels"))) button = one;
    QVERIFY(button);
    button->click();
    button->click();
    QCOMPARE(wished.size(), 1);
    about.setChecks({{"AVX3", false, {{"gateRows, bf16", 0, 0, true}}}, {"AVX2", false, {}}}, {});
    QCOMPARE(about.checkText(), QStringLiteral("Checked: every kernel is right on AVX3, AVX2."));
    QVERIFY(button->isEnabled());
    about.setChecks({{"AVX3", false, {{"gateRows, bf16", 1, 0.1, false}}}}, "This kernel differs.");
    QCOMPARE(about.checkText(), QStringLiteral("This kernel differs."));
  }

  void namesACudaDeviceAndSaysThatItIsNotUsed() {
    AboutBox about(QStringLiteral("1.0"));
    Devices devices;
    devices.cuda = {{"Fake device", 8'000'000'000, "9.0", ""}, {"Old device", 1, "6.1", "It is too old."}};
    about.setDevices(devices);
    QVERIFY(about.devicesText().contains(QStringLiteral("Fake device")));
    QVERIFY(about.devicesText().contains(QStringLiteral("the first that is right")));
    QVERIFY(about.devicesText().contains(QStringLiteral("Old device, not used. It is too old.")));
  }

  void saysWhatCoverageMeansOfPassagesReadAnew() {
    StatusStrip strip;
    strip.resize(1200, 40);
    StatusValues values;
    values.coverage = 0.04;
    values.isCoverageExact = true;
    strip.setValues(values);
    auto* meter = strip.findChild<QProgressBar*>();
    QCOMPARE(meter->text(), QStringLiteral("Coverage 4 %, verified"));
    values.passagesReadAnew = 20;
    strip.setValues(values);
    QCOMPARE(meter->text(), QStringLiteral("Full attention: 4 % on 20 passages"));
    QVERIFY(meter->toolTip().contains(QLatin1String("read anew from 20 passages")));
    values.isCoverageAtMost = true;
    strip.setValues(values);
    QCOMPARE(meter->text(), QStringLiteral("Full attention: at most 4 % on 20 passages"));
    values.passagesReadAnew = 0;
    strip.setValues(values);
    QCOMPARE(meter->text(), QStringLiteral("Coverage at most 4 %, verified"));
    values.isCoverageExact = false;
    strip.setValues(values);
    QCOMPARE(meter->text(), QStringLiteral("Coverage about 4 %"));
  }

  void offersEveryDevice() {
    const std::vector<MethodChoice> methods = {{QStringLiteral("infllm"), {}}, {QStringLiteral("full"), {}}};
    const SettingsDialog dialog(SettingsValues{}, methods);
    const QComboBox* devices = nullptr;
    for (const auto* box : dialog.findChildren<QComboBox*>()) {
      if (box->accessibleName() == QLatin1String("Device")) devices = box;
    }
    QVERIFY(devices);
    const auto rowOf = [&](const QString& text) { return devices->model()->index(devices->findText(text), 0); };
    const QModelIndex cuda = rowOf(QStringLiteral("Graphics card (CUDA)"));
    QVERIFY(cuda.flags() & Qt::ItemIsEnabled);
    QVERIFY(rowOf(QStringLiteral("Processor")).flags() & Qt::ItemIsEnabled);
    QVERIFY(
        rowOf(QStringLiteral("Automatic")).data(Qt::ToolTipRole).toString().contains(QLatin1String("kernels")));
  }

  void saysWhatTheBudgetBounds() {
    const SettingsDialog dialog(SettingsValues{}, {});
    const AskPanel panel;
    for (const QWidget* widget : {static_cast<const QWidget*>(&dialog), static_cast<const QWidget*>(&panel)}) {
      const QSpinBox* budget = nullptr;
      for (const auto* number : widget->findChildren<QSpinBox*>())
        if (number->accessibleName().startsWith(QLatin1String("Budget"))) budget = number;
      QVERIFY(budget);
      QVERIFY(budget->toolTip().contains(QLatin1String("keys and values (KV)")));
    }
  }

  void staysWithTheSelectedDocumentsWhileMoreAreSelected() {
    AskPanel panel;
    const QString key = QStringLiteral("selected");
    const ScopeChoice one{QStringLiteral("This one"), {QStringLiteral("a")}};
    panel.setScopes({one, {QStringLiteral("2 selected"), {QStringLiteral("a"), QStringLiteral("b")}, key}});
    panel.findChild<QComboBox*>(QStringLiteral("scopes"))->setCurrentIndex(1);
    const QStringList three = {QStringLiteral("a"), QStringLiteral("b"), QStringLiteral("c")};
    panel.setScopes({one, {QStringLiteral("3 selected"), three, key}});
    QCOMPARE(panel.scope(), three);
    panel.setScopes({one});
    QCOMPARE(panel.scope(), one.documents);
  }

  void keepsSeveralDocumentsSelectedWhenTheListChanges() {
    LibraryPanel panel;
    std::vector<LibraryRow> rows(3);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows[i].key = QString::number(i);
      rows[i].title = QStringLiteral("Book %1").arg(i);
    }
    panel.setRows(rows);
    panel.findChild<QListView*>()->selectAll();
    QCOMPARE(panel.selectedKeys().size(), 3);
    rows.insert(rows.begin(), LibraryRow());
    rows.front().key = QStringLiteral("new");
    rows.front().title = QStringLiteral("A new one");
    panel.setRows(rows);
    QStringList kept = panel.selectedKeys();
    kept.sort();
    QCOMPARE(kept, (QStringList{QStringLiteral("0"), QStringLiteral("1"), QStringLiteral("2")}));
  }

  void comesBackFromTheFullScreenAsItWas() {
    MainWindow window;
    QAction* full = nullptr;
    for (QAction* action : window.findChildren<QAction*>())
      if (action->shortcut() == QKeySequence(Qt::Key_F11)) full = action;
    QVERIFY(full);
    window.setWindowState(Qt::WindowMaximized);
    full->trigger();
    QVERIFY(window.isFullScreen());
    full->trigger();
    QVERIFY(window.isMaximized() && !window.isFullScreen());
    // The tick follows where the desktop does it.
    window.setWindowState(Qt::WindowMaximized | Qt::WindowFullScreen);
    QVERIFY(full->isChecked());
    window.setWindowState(Qt::WindowMaximized);
    QVERIFY(!full->isChecked() && window.isMaximized());
  }

  void showsAnAndSignOfANameInItsMenus() {
    MainWindow window;
    window.setRecent({QStringLiteral("/tmp/Questions & answers.pdf")});
    QStringList texts;
    for (const QAction* action : window.findChildren<QAction*>()) texts << action->text();
    QVERIFY(texts.contains(QStringLiteral("Questions && answers.pdf")));
    LibraryRow row;
    row.key = QStringLiteral("a");
    row.collection = QStringLiteral("Law & order");
    window.library()->setRows({row});
    QSignalSpy wished(window.library(), &LibraryPanel::collectionWished);
    for (QAction* action : window.library()->findChildren<QAction*>())
      if (action->text() == QStringLiteral("Law && order")) action->trigger();
    QCOMPARE(wished.size(), 1);
    QCOMPARE(wished[0][1].toString(), row.collection);
  }

  void givesBackTheSettingsItWasGiven() {
    SettingsValues values;
    values.model = QStringLiteral("/models/a.gguf");
    values.threads = 3;
    values.device = Device::Cpu;
    values.method = QStringLiteral("full");
    values.budgetTokens = 4096;
    values.theme = Theme::Dark;
    values.fontPoints = 14;
    values.readsInBackground = false;
    const std::vector<MethodChoice> methods = {{QStringLiteral("infllm"), {}}, {QStringLiteral("full"), {}}};
    QVERIFY(SettingsDialog(values, methods).values() == values);
    values.fontPoints = 0;
    QVERIFY(SettingsDialog(values, methods).values() == values);
  }
};

QTEST_MAIN(PanelsTest)
#include "panels_test.moc"
