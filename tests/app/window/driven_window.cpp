#include "tests/app/window/driven_window.h"

#include <algorithm>

#include <QApplication>
#include <QElapsedTimer>
#include <QFile>
#include <QFileInfo>
#include <QListWidget>
#include <QPushButton>
#include <QSignalSpy>
#include <QTableView>
#include <QTest>
#include <QTextBrowser>

#include "tests/app/fake_engine.h"
#include "tests/app/window/window_walk.h"
#include "ui/maps/compare_panel.h"
#include "ui/maps/evidence_model.h"
#include "ui/maps/evidence_panel.h"
#include "ui/maps/map_panel.h"

namespace kvasir {

QString samplePdf() { return QStringLiteral(KVASIR_SOURCE "/resources/sample/opm_report_2014.pdf"); }

QString sampleQuestionText() {
  return QStringLiteral("What percent of pending retirement claims did OPM process within 60 days?");
}

void workFor(int milliseconds) {
  QElapsedTimer timer;
  timer.start();
  while (timer.elapsed() < milliseconds) {
  }
}

DrivenWindow::DrivenWindow() : look_(*qApp) { look_.apply(Theme::Light, 0); }

void DrivenWindow::start(Sample sample, Start how) {
  WorkspaceOptions options;
  options.folders = windowFolders(folder_.path());
  options.startsSafe = how == Start::Safe;
  if (sample == Sample::There) {
    options.sample = samplePdf();
    options.sampleQuestion = sampleQuestionText();
  }
  workspace_ = std::make_unique<Workspace>(options, &look_);
  QSignalSpy listed(&workspace_->session(), &Session::listed);
  workspace_->start();
  window().resize(1440, 900);
  window().spreadDocks();
  QVERIFY(listed.wait());
}

QString DrivenWindow::conversation() { return panel().findChild<QTextBrowser*>()->toPlainText(); }

bool DrivenWindow::isReady() {
  const auto& rows = workspace_->session().rows();
  return !rows.empty() && std::all_of(rows.begin(), rows.end(),
                                      [](const LibraryRow& row) { return row.state == DocumentState::Ready; });
}

QString DrivenWindow::write(const QString& name, const QByteArray& text) const {
  QFile file(folder_.filePath(name));
  if (file.open(QIODevice::WriteOnly)) file.write(text);
  return file.fileName();
}

void DrivenWindow::open(const QString& file) {
  dropFiles(window(), {file});
  const auto isOpen = [&] {
    return workspace_->open() &&
           QFileInfo(QString::fromStdString(workspace_->open()->record.file)) == QFileInfo(file);
  };
  QTRY_VERIFY_WITH_TIMEOUT(isOpen() && isReady(), 30000);
}

void DrivenWindow::openHalfRead(const QByteArray& beginning) {
  QByteArray text = beginning + "\n\n";
  while (text.size() < 12000) text += "Nothing else of note happened on that long day. ";
  fakeEngine().onChunk = [](int chunk) { workFor(chunk < 200 ? 15 : 0); };
  dropFiles(window(), {write(QStringLiteral("long.txt"), text)});
  QTRY_VERIFY_WITH_TIMEOUT(workspace_->open() && workspace_->session().rows()[0].share > 0.05, 30000);
}

void DrivenWindow::ask(const QString& question) {
  box().setPlainText(question);
  QTest::keyClick(&box(), Qt::Key_Return);
}

void DrivenWindow::askAndWait(const QString& question) {
  ask(question);
  QVERIFY(workspace_->isAnswering());
  QTRY_VERIFY_WITH_TIMEOUT(!workspace_->isAnswering(), 20000);
  QTRY_VERIFY(shown() && shown()->number > 0);
}

bool DrivenWindow::clickRow(int chunk) {
  window().showLowerView(window().findChild<EvidencePanel*>());
  auto* table = window().findChild<QTableView*>(QStringLiteral("evidenceTable"));
  const QModelIndexList rows =
      table->model()->match(table->model()->index(0, 0), EvidenceModel::ChunkRole, chunk, 1, Qt::MatchExactly);
  if (rows.isEmpty()) return false;
  table->scrollTo(rows.front());
  QTest::mouseClick(table->viewport(), Qt::LeftButton, Qt::NoModifier,
                    table->visualRect(rows.front()).center());
  return true;
}

bool DrivenWindow::clickOfRow(int chunk, const QString& button) {
  return clickRow(chunk) && clickButton(*window().findChild<EvidencePanel*>(), button);
}

void DrivenWindow::compare(const QStringList& methods) {
  auto* panel = window().findChild<ComparePanel*>();
  window().showLowerView(panel);
  auto* list = panel->findChild<QListWidget*>(QStringLiteral("compareMethods"));
  list->setFocus();
  for (const QString& method : methods) {
    const QList<QListWidgetItem*> found = list->findItems(method, Qt::MatchExactly);
    QCOMPARE(found.size(), 1);
    list->setCurrentItem(found.front());
    QTest::keyClick(list, Qt::Key_Space);
  }
  QTest::mouseClick(panel->findChild<QPushButton*>(QStringLiteral("compareButton")), Qt::LeftButton);
}

bool DrivenWindow::clickVerify() {
  auto* maps = window().findChild<MapPanel*>();
  window().showLowerView(maps);
  return clickButton(*maps, QStringLiteral("Verify against full attention"));
}

bool DrivenWindow::clickLink(const QString& target) {
  return ::clickLink(*panel().findChild<QTextBrowser*>(), target);
}

}  // namespace kvasir
