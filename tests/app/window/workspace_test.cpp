#include "tests/app/window/workspace_test.h"

#include <algorithm>
#include <memory>
#include <string>

#include <QInputDialog>
#include <QLineEdit>
#include <QListView>
#include <QSignalSpy>
#include <QTabBar>
#include <QTest>

#include "tests/app/fake_engine.h"
#include "tests/ui/context_menu.h"
#include "ui/maps/compare_panel.h"
#include "ui/maps/evidence_panel.h"
#include "ui/maps/heat_plot.h"
#include "ui/maps/map_panel.h"
#include "ui/panels/library_panel.h"

using namespace kvasir;

void WorkspaceTest::init() {
  fakeEngine() = {};
  driven_ = std::make_unique<DrivenWindow>();
}

void WorkspaceTest::restart() {
  driven_->close();
  start();
  QTRY_VERIFY(workspace().open());
}

bool WorkspaceTest::isFound(int chunk) {
  const auto& rows = shown()->evidence;
  return std::any_of(rows.begin(), rows.end(), [&](const EvidenceRow& row) { return row.chunk == chunk; });
}

HeatPlot& WorkspaceTest::mapAt(int chunk) {
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

QPoint WorkspaceTest::placeOf(const HeatPlot& plot, int chunk) {
  return plot.cellRect({0, 0, chunk}).center().toPoint();
}

bool WorkspaceTest::chooseOnMap(int chunk, const QString& text) {
  HeatPlot& plot = mapAt(chunk);
  return chooseFromMenu(&plot, placeOf(plot, chunk), text);
}

void WorkspaceTest::clickOnMap(int chunk) {
  HeatPlot& plot = mapAt(chunk);
  QTest::mouseClick(&plot, Qt::LeftButton, Qt::NoModifier, placeOf(plot, chunk));
}

void WorkspaceTest::clickInLibrary(const QString& title) {
  auto* list = window().library()->findChild<QListView*>();
  const QModelIndexList found =
      list->model()->match(list->model()->index(0, 0), Qt::DisplayRole, title, 1, Qt::MatchExactly);
  QVERIFY(!found.isEmpty());
  QTest::mouseClick(list->viewport(), Qt::LeftButton, Qt::NoModifier, list->visualRect(found[0]).center());
}

void WorkspaceTest::askUntilHeard(const QString& question, int words) {
  fakeEngine().onAnswerWord = [] { workFor(60); };
  QSignalSpy grew(&workspace().session(), &Session::answerGrew);
  ask(question);
  QTRY_VERIFY(grew.size() >= words);
}

QWidgetList WorkspaceTest::lowerViews() {
  return {window().findChild<EvidencePanel*>(), window().findChild<MapPanel*>(),
          window().findChild<ComparePanel*>()};
}

void WorkspaceTest::answerSlowly() {
  fakeEngine().saying = std::string(400, 'a');
  fakeEngine().onAnswerWord = [] { workFor(60); };
}

void WorkspaceTest::typeInto(QInputDialog* dialog, const QString& text) {
  QVERIFY(dialog);
  auto* field = dialog->findChild<QLineEdit*>();
  field->selectAll();
  QTest::keyClicks(field, text);
  QTest::keyClick(field, Qt::Key_Return);
}

QTEST_MAIN(WorkspaceTest)
