#include "tests/app/window/workspace_test.h"

#include <algorithm>
#include <vector>

#include <QApplication>
#include <QByteArray>
#include <QComboBox>
#include <QLabel>
#include <QListView>
#include <QLocale>
#include <QMenu>
#include <QMouseEvent>
#include <QPushButton>
#include <QSignalSpy>
#include <QTableView>
#include <QTest>
#include <QTreeView>

#include "tests/app/fake_engine.h"
#include "tests/ui/context_menu.h"
#include "ui/document/document_view.h"
#include "ui/document/light_style.h"
#include "ui/document/page_view.h"
#include "ui/maps/evidence_model.h"
#include "ui/maps/evidence_panel.h"
#include "ui/maps/heat_plot.h"
#include "ui/maps/map_panel.h"
#include "ui/panels/library_panel.h"

using namespace kvasir;

int WorkspaceTest::askBesideALongDocument() {
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

QString WorkspaceTest::textInTable(int chunk) {
  const auto* model = window().findChild<QTableView*>(QStringLiteral("evidenceTable"))->model();
  const QModelIndexList rows =
      model->match(model->index(0, 0), EvidenceModel::ChunkRole, chunk, 1, Qt::MatchExactly);
  return rows.isEmpty() ? QString() : rows.front().siblingAtColumn(TextColumn).data().toString();
}

void WorkspaceTest::showsTheTextOfAPinnedChunkOfAnotherDocument() {
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

void WorkspaceTest::saysWhyAPinnedChunkHasNoText() {
  start();
  const int chunk = askBesideALongDocument();
  QVERIFY(chunk >= 0);
  QSignalSpy removed(&workspace().session(), &Session::removed);
  workspace().session().remove(documentOf(*shown(), static_cast<std::size_t>(chunk)));
  QTRY_COMPARE(removed.size(), 1);
  QVERIFY(chooseOnMap(chunk, QStringLiteral("Always attend")));
  QTRY_COMPARE(textInTable(chunk), QStringLiteral("The library has no such document any more."));
}

void WorkspaceTest::showsWhereSingleTokensLooked() {
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

void WorkspaceTest::pinsASection() {
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
void WorkspaceTest::pinsTheSectionOfAChunkThatWasNotFound() {
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
  int level = 0;  // of the innermost section; those below it belong to it, the next beside or above it does not
  for (const AxisMark& mark : shown()->maps->sections) {
    if (mark.chunk <= chunk)
      level = mark.level;
    else
      QCOMPARE(mark.chunk <= pinned.back(), mark.level > level);
    if (mark.chunk > chunk && mark.level <= level) break;
  }
}

void WorkspaceTest::sendsPinsAndBlocksWithTheNextQuestion() {
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
void WorkspaceTest::takesWishesFromMapPageAndOutline() {
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
  QMouseEvent move(QEvent::MouseMove, QPointF(word), page->viewport()->mapToGlobal(QPointF(word)), Qt::NoButton,
                   Qt::NoButton, {});
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
  QVERIFY(
      chooseFromMenu(outline->viewport(), outline->visualRect(last).center(), QStringLiteral("Always attend")));
  askAndWait(kQuestion);
  QVERIFY(fakeEngine().pinned.back().size() > 2);
}

void WorkspaceTest::offersNoWishesThatAMethodDoesNotHeed() {
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

void WorkspaceTest::showsWhatAChunkChanges() {
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

void WorkspaceTest::showsWhatStatesAndWordsGaveOfAScore() {
  start();
  openSample();
  auto* table = window().findChild<QTableView*>(QStringLiteral("evidenceTable"));
  askAndWait(kQuestion);
  QVERIFY(table->isColumnHidden(StatesColumn) && table->isColumnHidden(WordsColumn));
  panel().setMethod(QStringLiteral("whitened"));
  askAndWait(kQuestion);
  QVERIFY(!table->isColumnHidden(StatesColumn) && !table->isColumnHidden(WordsColumn));
  QVERIFY(!shown()->evidence.empty() && shown()->evidence[0].parts);
  const ScoreParts parts = *shown()->evidence[0].parts;
  QCOMPARE(parts.states + parts.words, shown()->evidence[0].score);
  const QString words = QLocale().toString(parts.words, 'g', 4);
  QCOMPARE(table->model()->index(0, WordsColumn).data().toString(), words);
  restart();
  table = window().findChild<QTableView*>(QStringLiteral("evidenceTable"));
  QTRY_COMPARE(table->model()->index(0, WordsColumn).data().toString(), words);
}

/// Table, map and page light the same chunk, wherever the mouse is.
void WorkspaceTest::lightsTheChunkUnderTheMouseEverywhere() {
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
