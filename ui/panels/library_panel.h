#pragma once

#include <vector>

#include <QWidget>

#include "ui/panels/library_rows.h"

class QAction;
class QComboBox;
class QLabel;
class QLineEdit;
class QListView;
class QMenu;
class QPushButton;

namespace kvasir {

class LibraryDelegate;
class LibraryFilter;
class LibraryModel;

/// The documents at the left of the window, by collection and search. Its actions() are its menu.
class LibraryPanel : public QWidget {
  Q_OBJECT
 public:
  explicit LibraryPanel(QWidget* parent = nullptr);

  void setRows(std::vector<LibraryRow> rows);
  /// Whether documents that wait are read without being asked for; else "Read on" is offered for them, from the
  /// next setRows on.
  void setReadsByItself(bool isSo) { readsByItself_ = isSo; }
  void setOpen(const QString& key);  ///< the document in the middle of the window
  QStringList selectedKeys() const;
  void select(const QString& key);

 Q_SIGNALS:
  void openWished(QString key);
  void selectionChanged();
  void removeWished(QStringList keys);
  void forgetWished(QStringList keys);  ///< what was read of them
  void tryAgainWished(QString key);     ///< of a failed document, and to read on one that was stopped or waits
  void stopWished(QString key);
  void folderWished(QString key);
  void collectionWished(QStringList keys, QString name);  ///< empty: in none
  void addWished();

 private:
  QAction* makeAction(const QString& text, const QKeySequence& keys, void (LibraryPanel::*act)());
  void makeActions();
  void layOut();
  void fillCollections();
  void showMenu(const QPoint& place);
  void updateActions();
  const LibraryRow* current() const;
  void openCurrent();
  void removeSelected();
  void forgetSelected();
  void tryCurrentAgain();
  void stopCurrent();
  void showCurrentFolder();
  void askNewCollection();

  LibraryModel* model_;
  LibraryFilter* filter_;
  LibraryDelegate* delegate_;
  QListView* list_;
  QLineEdit* search_;
  QComboBox* collections_;
  QLabel* reason_;
  QPushButton* again_;
  QMenu* collectionMenu_;
  QAction *open_, *tryAgain_, *stop_, *remove_, *forget_, *folder_;
  QStringList collectionNames_;
  bool readsByItself_ = true;
};

}  // namespace kvasir
