#pragma once

#include <QMainWindow>
#include <QStringList>

class QDockWidget;
class QLabel;
class QMenu;
class QStackedWidget;
class QTabWidget;

namespace kvasir {

class AskPanel;
class LibraryPanel;
class NoticeBar;
class StartPage;
class StatusStrip;

/// The window's frame: library at the left, document in the middle, question at the right, evidence and maps
/// below; menus, drag and drop. What it shows of documents is given to it.
class MainWindow : public QMainWindow {
  Q_OBJECT
 public:
  explicit MainWindow(QWidget* parent = nullptr);

  /// The three views that other folders make; the window takes them.
  void setViews(QWidget* document, QWidget* evidence, QWidget* maps);
  /// Gives the panels their usual shares of the window, once it is shown.
  void spreadDocks();
  /// A further view beside evidence and maps.
  void addLowerView(QWidget* view, const QString& title);
  void showLowerView(QWidget* view);

  LibraryPanel* library() const { return library_; }
  AskPanel* ask() const { return ask_; }
  StatusStrip* strip() const { return strip_; }
  StartPage* startPage() const { return start_; }

  void showDocument(const QString& title);  ///< empty: the start page
  void setRecent(const QStringList& files);
  void setAnswered(bool isAnswered);  ///< whether there is something to export or to ask again
  void tell(const QString& sentence, const QString& action = {});
  NoticeBar* notice() const { return notice_; }

 Q_SIGNALS:
  void addWished();
  void addFolderWished();
  void filesDropped(QStringList files);
  void recentWished(QString file);
  void clearRecentWished();
  void exportWished(QString suffix);  ///< "md", "html", "pdf" or "csv"
  void settingsWished();
  void againWished();
  void stopWished();
  void verifyWished();
  void logFolderWished();
  void aboutWished();
  void closing();

 protected:
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dragLeaveEvent(QDragLeaveEvent* event) override;
  void dropEvent(QDropEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void changeEvent(QEvent* event) override;
  void closeEvent(QCloseEvent* event) override;
  /// Tab goes from the library to the document, the question, the answer and the evidence.
  bool focusNextPrevChild(bool next) override;

 private:
  QDockWidget* addDock(const QString& name, const QString& title, QWidget* content, Qt::DockWidgetArea area);
  QWidgetList tabStops();
  void makeMenus();
  void makeFileMenu();
  void makeAskMenu();
  void makeViewMenu();
  void showShortcuts();
  void hideTarget();

  LibraryPanel* library_;
  AskPanel* ask_;
  StatusStrip* strip_;
  StartPage* start_;
  NoticeBar* notice_;
  QStackedWidget* middle_;
  QTabWidget* lower_;
  QDockWidget *libraryDock_, *askDock_, *lowerDock_;
  QMenu *recent_, *view_, *go_, *export_;
  QAction *again_, *full_;
  QLabel* dropTarget_;
};

}  // namespace kvasir
