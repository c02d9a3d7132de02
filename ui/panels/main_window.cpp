#include "ui/panels/main_window.h"

#include <QCloseEvent>
#include <QDockWidget>
#include <QFileInfo>
#include <QGuiApplication>
#include <QLabel>
#include <QMenu>
#include <QMenuBar>
#include <QMessageBox>
#include <QMimeData>
#include <QStackedWidget>
#include <QStatusBar>
#include <QStyleHints>
#include <QTabWidget>
#include <QVBoxLayout>

#include "ui/menu_text.h"
#include "ui/panels/ask_panel.h"
#include "ui/panels/library_panel.h"
#include "ui/panels/notice_bar.h"
#include "ui/panels/start_page.h"
#include "ui/panels/status_strip.h"

namespace kvasir {
namespace {

QStringList localFilesOf(const QMimeData* data) {
  QStringList files;
  for (const QUrl& url : data->urls()) {
    if (url.isLocalFile()) files << url.toLocalFile();
  }
  return files;
}

}  // namespace

MainWindow::MainWindow(QWidget* parent)
    : QMainWindow(parent),
      library_(new LibraryPanel(this)),
      ask_(new AskPanel(this)),
      strip_(new StatusStrip(this)),
      start_(new StartPage(this)),
      notice_(new NoticeBar(this)),
      middle_(new QStackedWidget(this)),
      lower_(new QTabWidget(this)),
      dropTarget_(new QLabel(tr("Drop to add to the library"), this)) {
  setWindowTitle(tr("Kvasir"));
  setAcceptDrops(true);
  setDockNestingEnabled(true);
  auto* centre = new QWidget(this);
  auto* column = new QVBoxLayout(centre);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  column->addWidget(notice_);
  column->addWidget(middle_, 1);
  middle_->addWidget(start_);
  setCentralWidget(centre);
  lower_->setDocumentMode(true);
  lower_->setAccessibleName(tr("Evidence and maps"));
  libraryDock_ = addDock(QStringLiteral("library"), tr("Library"), library_, Qt::LeftDockWidgetArea);
  askDock_ = addDock(QStringLiteral("ask"), tr("Ask"), ask_, Qt::RightDockWidgetArea);
  lowerDock_ = addDock(QStringLiteral("evidence"), tr("Evidence and maps"), lower_, Qt::BottomDockWidgetArea);
  setCorner(Qt::BottomLeftCorner, Qt::LeftDockWidgetArea);
  setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
  statusBar()->addWidget(strip_, 1);
  statusBar()->setSizeGripEnabled(false);
  dropTarget_->setAlignment(Qt::AlignCenter);
  dropTarget_->setAutoFillBackground(true);
  dropTarget_->setFrameShape(QFrame::Box);
  dropTarget_->setLineWidth(3);
  dropTarget_->hide();
  makeMenus();
  connect(start_, &StartPage::addWished, this, &MainWindow::addWished);
  connect(library_, &LibraryPanel::addWished, this, &MainWindow::addWished);
  setAnswered(false);
}

QDockWidget* MainWindow::addDock(const QString& name, const QString& title, QWidget* content,
                                 Qt::DockWidgetArea area) {
  auto* dock = new QDockWidget(title, this);
  dock->setObjectName(name);
  dock->setAccessibleName(title);
  dock->setWidget(content);
  addDockWidget(area, dock);
  return dock;
}

void MainWindow::setViews(QWidget* document, QWidget* evidence, QWidget* maps) {
  middle_->addWidget(document);
  lower_->addTab(evidence, tr("Evidence"));
  lower_->addTab(maps, tr("Maps"));
  go_->addActions(document->actions());
  go_->menuAction()->setVisible(!go_->actions().isEmpty());
}

void MainWindow::spreadDocks() {
  resizeDocks({libraryDock_, askDock_}, {width() * 19 / 100, width() * 29 / 100}, Qt::Horizontal);
  resizeDocks({lowerDock_}, {height() * 36 / 100}, Qt::Vertical);
}

void MainWindow::addLowerView(QWidget* view, const QString& title) { lower_->addTab(view, title); }

void MainWindow::showLowerView(QWidget* view) {
  lowerDock_->show();
  lower_->setCurrentWidget(view);
}

/// What Tab comes to, in its order. Made anew at each step: views come and go, and Qt's own order follows when
/// they were made.
QWidgetList MainWindow::tabStops() {
  const bool stopsAtAll = QGuiApplication::styleHints()->tabFocusBehavior() == Qt::TabFocusAllControls;
  const Qt::FocusPolicy wanted = stopsAtAll ? Qt::TabFocus : Qt::StrongFocus;
  const auto isStop = [&](const QWidget* widget) {
    return (widget->focusPolicy() & wanted) == wanted && !widget->focusProxy() && widget->isVisible() &&
           widget->isEnabled();
  };
  QWidgetList stops;
  for (const QWidget* part :
       QWidgetList{library_, notice_, middle_} + ask_->tabParts() + QWidgetList{lower_, strip_}) {
    for (QWidget* at = nextInFocusChain(); at != this; at = at->nextInFocusChain()) {
      if ((part == at || part->isAncestorOf(at)) && isStop(at)) stops << at;
    }
  }
  return stops;
}

bool MainWindow::focusNextPrevChild(bool next) {
  const QWidgetList stops = tabStops();
  if (stops.isEmpty()) return false;
  qsizetype place = -1;
  for (QWidget* at = focusWidget(); at && place < 0; at = at->parentWidget()) place = stops.indexOf(at);
  if (place < 0) place = next ? -1 : 0;
  const qsizetype to = (place + (next ? 1 : stops.size() - 1)) % stops.size();
  stops[to]->setFocus(next ? Qt::TabFocusReason : Qt::BacktabFocusReason);
  return true;
}

void MainWindow::makeMenus() {
  makeFileMenu();
  go_ = menuBar()->addMenu(tr("&Document"));
  makeViewMenu();
  QMenu* library = menuBar()->addMenu(tr("&Library"));
  library->addActions(library_->actions());
  makeAskMenu();
  QMenu* help = menuBar()->addMenu(tr("&Help"));
  help->addAction(tr("&Keys"), QKeySequence(Qt::Key_F1), this, &MainWindow::showShortcuts);
  help->addAction(tr("Open &log folder"), this, &MainWindow::logFolderWished);
  help->addAction(tr("&About Kvasir"), this, &MainWindow::aboutWished)->setMenuRole(QAction::AboutRole);
}

void MainWindow::makeFileMenu() {
  QMenu* file = menuBar()->addMenu(tr("&File"));
  file->addAction(tr("&Add documents…"), QKeySequence::Open, this, &MainWindow::addWished);
  file->addAction(tr("Add &folder…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_O), this,
                  &MainWindow::addFolderWished);
  recent_ = file->addMenu(tr("Open &recent"));
  connect(recent_, &QMenu::aboutToShow, this, [this] {
    for (QAction* action : recent_->actions()) {
      if (action->data().isValid()) action->setEnabled(QFileInfo::exists(action->data().toString()));
    }
  });
  file->addSeparator();
  export_ = file->addMenu(tr("&Export"));
  const auto addExport = [this](const QString& text, const char* suffix) {
    export_->addAction(text, this, [this, suffix] { Q_EMIT exportWished(QString::fromLatin1(suffix)); });
  };
  addExport(tr("Conversation as &Markdown…"), "md");
  addExport(tr("Conversation as &HTML…"), "html");
  addExport(tr("Conversation as &PDF…"), "pdf");
  addExport(tr("Evidence as &CSV…"), "csv");
  file->addSeparator();
  file->addAction(tr("&Settings…"), QKeySequence(Qt::CTRL | Qt::Key_Comma), this, &MainWindow::settingsWished)
      ->setMenuRole(QAction::PreferencesRole);
  file->addAction(tr("&Quit"), QKeySequence(Qt::CTRL | Qt::Key_Q), this, &QWidget::close)
      ->setMenuRole(QAction::QuitRole);
  setRecent({});
}

void MainWindow::makeAskMenu() {
  QMenu* ask = menuBar()->addMenu(tr("&Ask"));
  ask->addAction(tr("&Question box"), QKeySequence(Qt::CTRL | Qt::Key_L), ask_, &AskPanel::focusQuestion);
  again_ = ask->addAction(tr("Ask a&gain"), QKeySequence(Qt::CTRL | Qt::Key_R), this, &MainWindow::againWished);
  ask->addAction(tr("&Stop"), QKeySequence(Qt::Key_Escape), this, &MainWindow::stopWished);
  ask->addAction(tr("&Verify against full attention"), this, &MainWindow::verifyWished);
  ask->addSeparator();
  ask->addActions(ask_->conversationActions());
}

void MainWindow::makeViewMenu() {
  view_ = menuBar()->addMenu(tr("&View"));
  for (QDockWidget* dock : {libraryDock_, askDock_, lowerDock_}) view_->addAction(dock->toggleViewAction());
  view_->addSeparator();
  full_ = view_->addAction(tr("&Full screen"));
  full_->setCheckable(true);
  full_->setShortcut(QKeySequence(Qt::Key_F11));
  connect(full_, &QAction::toggled, this,
          [this](bool isFull) { setWindowState(windowState().setFlag(Qt::WindowFullScreen, isFull)); });
}

void MainWindow::showDocument(const QString& title) {
  middle_->setCurrentIndex(title.isEmpty() || middle_->count() < 2 ? 0 : 1);
  setWindowTitle(title.isEmpty() ? tr("Kvasir") : tr("%1 – Kvasir").arg(title));
}

void MainWindow::setRecent(const QStringList& files) {
  recent_->clear();
  for (const QString& file : files) {
    QAction* action = recent_->addAction(asMenuText(QFileInfo(file).fileName()), this,
                                         [this, file] { Q_EMIT recentWished(file); });
    action->setToolTip(file);
    action->setData(file);
    action->setEnabled(QFileInfo::exists(file));
  }
  recent_->setToolTipsVisible(true);
  recent_->setEnabled(!files.isEmpty());
  recent_->addSeparator();
  recent_->addAction(tr("&Clear list"), this, &MainWindow::clearRecentWished);
}

void MainWindow::setAnswered(bool isAnswered) {
  export_->setEnabled(isAnswered);
  again_->setEnabled(isAnswered);
}

void MainWindow::tell(const QString& sentence, const QString& action) { notice_->tell(sentence, action); }

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  if (localFilesOf(event->mimeData()).isEmpty()) return;
  event->acceptProposedAction();
  dropTarget_->setGeometry(rect().adjusted(8, 8, -8, -8));
  dropTarget_->show();
  dropTarget_->raise();
}

void MainWindow::dragLeaveEvent(QDragLeaveEvent*) { hideTarget(); }

void MainWindow::dropEvent(QDropEvent* event) {
  hideTarget();
  const QStringList files = localFilesOf(event->mimeData());
  if (files.isEmpty()) return;
  event->acceptProposedAction();
  Q_EMIT filesDropped(files);
}

void MainWindow::resizeEvent(QResizeEvent* event) {
  QMainWindow::resizeEvent(event);
  dropTarget_->setGeometry(rect().adjusted(8, 8, -8, -8));
}

void MainWindow::changeEvent(QEvent* event) {
  QMainWindow::changeEvent(event);
  // The desktop takes a window in and out of the full screen too.
  if (event->type() == QEvent::WindowStateChange) full_->setChecked(isFullScreen());
}

void MainWindow::closeEvent(QCloseEvent* event) {
  Q_EMIT closing();
  QMainWindow::closeEvent(event);
}

void MainWindow::hideTarget() { dropTarget_->hide(); }

void MainWindow::showShortcuts() {
  QString rows;
  for (const QAction* menu : menuBar()->actions()) {
    for (const QAction* action : menu->menu()->actions()) {
      if (action->shortcut().isEmpty()) continue;
      rows += QStringLiteral("<tr><td>%1&nbsp;&nbsp;</td><td>%2</td></tr>")
                  .arg(action->text().remove(QLatin1Char('&')).toHtmlEscaped(),
                       action->shortcut().toString(QKeySequence::NativeText).toHtmlEscaped());
    }
  }
  rows += tr("<tr><td>Ask</td><td>Enter</td></tr><tr><td>New line</td><td>Shift+Enter</td></tr>");
  auto* box = new QMessageBox(QMessageBox::NoIcon, tr("Keys"), QStringLiteral("<table>%1</table>").arg(rows),
                              QMessageBox::Ok, this);
  box->setAttribute(Qt::WA_DeleteOnClose);
  box->open();
}

}  // namespace kvasir
