#include "tests/app/window/workspace_test.h"

#include <algorithm>

#include <QByteArray>
#include <QComboBox>
#include <QFile>
#include <QInputDialog>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QMessageBox>
#include <QPushButton>
#include <QTest>

#include "tests/app/fake_engine.h"
#include "tests/app/window/window_walk.h"
#include "tests/ui/context_menu.h"
#include "ui/document/document_view.h"
#include "ui/panels/library_panel.h"
#include "ui/panels/settings_dialog.h"

using namespace kvasir;

void WorkspaceTest::asksSeveralDocumentsAndGoesToTheRightOne() {
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

void WorkspaceTest::staysWithTheSelectedDocumentsWhileMoreAreSelected() {
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

void WorkspaceTest::selectsTheDocumentThatIsOpened() {
  start();
  const auto selected = [&] { return window().library()->selectedKeys(); };
  const auto opened = [&] { return QString::fromStdString(workspace().open()->record.id); };
  driven_->open(driven_->write(QStringLiteral("one.txt"), "The harpoon hit the whale at noon."));
  const QString one = opened();
  QCOMPARE(selected(), QStringList{one});
  driven_->open(driven_->write(QStringLiteral("two.txt"), "The steersman saw it from the stern."));
  QVERIFY(opened() != one);
  QCOMPARE(selected(), QStringList{opened()});
  // Several are meant for a question, and stay.
  QTest::keyClick(window().library()->findChild<QListView*>(), Qt::Key_A, Qt::ControlModifier);
  driven_->open(driven_->write(QStringLiteral("three.txt"), "The cook saw nothing."));
  QCOMPARE(selected().size(), 2);
}

void WorkspaceTest::opensRecentFiles() {
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

void WorkspaceTest::findsDocumentsByCollectionAndSearch() {
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

void WorkspaceTest::tellsWhyADocumentFailedAndTriesAgain() {
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

void WorkspaceTest::readsOnAndForgetsByTheMenuOfARow() {
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

void WorkspaceTest::readsAnewForAnotherBudgetAndAnotherModel() {
  start();
  driven_->open(driven_->write(QStringLiteral("one.txt"), "The harpoon hit the whale at noon."));
  SettingsValues values;
  values.method = panel().method();
  values.budgetTokens = 512;
  workspace().applySettings(values);
  QTRY_COMPARE(fakeEngine().chunksRead.size(), std::size_t{2});
  QTRY_VERIFY(isReady());
  values.model = driven_->write(QStringLiteral("other.gguf"), "GGUF");
  workspace().applySettings(values);
  QTRY_COMPARE(fakeEngine().chunksRead.size(), std::size_t{3});
  QTRY_VERIFY(isReady());
}

void WorkspaceTest::saysThatTheOpenFileHasChanged() {
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
