#include "ui/panels/library_panel.h"

#include <QAction>
#include <QApplication>
#include <QComboBox>
#include <QInputDialog>
#include <QItemSelection>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QPushButton>
#include <QSet>
#include <QVBoxLayout>

#include "ui/menu_text.h"
#include "ui/panels/library_delegate.h"
#include "ui/panels/library_model.h"

namespace kvasir {

LibraryPanel::LibraryPanel(QWidget* parent)
    : QWidget(parent),
      model_(new LibraryModel(this)),
      filter_(new LibraryFilter(this)),
      delegate_(new LibraryDelegate(model_, filter_, this)),
      list_(new QListView(this)),
      search_(new QLineEdit(this)),
      collections_(new QComboBox(this)),
      reason_(new QLabel(this)),
      again_(new QPushButton(this)),
      collectionMenu_(new QMenu(tr("&Collection"), this)) {
  filter_->setSourceModel(model_);
  list_->setModel(filter_);
  list_->setItemDelegate(delegate_);
  list_->setSelectionMode(QAbstractItemView::ExtendedSelection);
  list_->setContextMenuPolicy(Qt::CustomContextMenu);
  list_->setUniformItemSizes(true);
  list_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  list_->setAccessibleName(tr("Documents"));
  search_->setPlaceholderText(tr("Search the library"));
  search_->setClearButtonEnabled(true);
  search_->setAccessibleName(tr("Search the library"));
  collections_->setAccessibleName(tr("Collection shown"));
  reason_->setWordWrap(true);
  reason_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  makeActions();
  layOut();
  fillCollections();
  connect(list_, &QListView::activated, this, &LibraryPanel::openCurrent);
  // A click that adds to a selection is meant for the question, not for the page.
  connect(list_, &QListView::clicked, this, [this] {
    if (selectedKeys().size() == 1) openCurrent();
  });
  connect(list_, &QListView::customContextMenuRequested, this, &LibraryPanel::showMenu);
  connect(list_->selectionModel(), &QItemSelectionModel::currentChanged, this, &LibraryPanel::updateActions);
  connect(list_->selectionModel(), &QItemSelectionModel::selectionChanged, this,
          &LibraryPanel::selectionChanged);
  connect(search_, &QLineEdit::textChanged, filter_, &LibraryFilter::setSearch);
  connect(collections_, &QComboBox::currentIndexChanged, this, [this](int index) {
    filter_->setCollection(index <= 0 ? QString() : collections_->itemText(index));
  });
  connect(again_, &QPushButton::clicked, this, &LibraryPanel::tryCurrentAgain);
  updateActions();
}

QAction* LibraryPanel::makeAction(const QString& text, const QKeySequence& keys, void (LibraryPanel::*act)()) {
  auto* action = new QAction(text, this);
  action->setShortcut(keys);
  action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
  connect(action, &QAction::triggered, this, act);
  addAction(action);
  return action;
}

void LibraryPanel::makeActions() {
  open_ = makeAction(tr("&Show document"), {}, &LibraryPanel::openCurrent);
  tryAgain_ = makeAction(tr("&Try again"), {}, &LibraryPanel::tryCurrentAgain);
  stop_ = makeAction(tr("Sto&p reading"), {}, &LibraryPanel::stopCurrent);
  folder_ = makeAction(tr("Show in &folder"), {}, &LibraryPanel::showCurrentFolder);
  addAction(collectionMenu_->menuAction());
  forget_ = makeAction(tr("For&get what was read…"), {}, &LibraryPanel::forgetSelected);
  remove_ = makeAction(tr("&Remove from library…"), QKeySequence::Delete, &LibraryPanel::removeSelected);
}

void LibraryPanel::layOut() {
  auto* add = new QPushButton(tr("Add documents…"), this);
  add->setAccessibleName(tr("Add documents"));
  connect(add, &QPushButton::clicked, this, &LibraryPanel::addWished);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(6, 6, 6, 6);
  column->addWidget(search_);
  column->addWidget(collections_);
  column->addWidget(list_, 1);
  column->addWidget(reason_);
  column->addWidget(again_);
  column->addWidget(add);
}

void LibraryPanel::setRows(std::vector<LibraryRow> rows) {
  const QStringList kept = selectedKeys();
  model_->setRows(std::move(rows));
  if (selectedKeys() != kept) {
    QItemSelection selection;
    for (const QString& key : kept) {
      const QModelIndex shown = filter_->mapFromSource(model_->index(std::max(0, model_->rowOf(key))));
      if (model_->rowOf(key) >= 0 && shown.isValid()) selection.select(shown, shown);
    }
    if (!selection.isEmpty())
      list_->selectionModel()->setCurrentIndex(selection.indexes().front(), QItemSelectionModel::NoUpdate);
    list_->selectionModel()->select(selection, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
  }
  fillCollections();
  updateActions();
}

void LibraryPanel::setOpen(const QString& key) {
  const QStringList selected = selectedKeys();
  const bool isOpenOnes = selected.isEmpty() || selected == QStringList{delegate_->openKey()};
  delegate_->setOpenKey(key);
  // Others are selected for a purpose; and what a menu or dialog is about stays selected.
  if (isOpenOnes && !QApplication::activePopupWidget() && !QApplication::activeModalWidget()) select(key);
  list_->viewport()->update();
}

QStringList LibraryPanel::selectedKeys() const {
  QStringList keys;
  for (const QModelIndex& index : list_->selectionModel()->selectedIndexes())
    keys << model_->rowAt(filter_->mapToSource(index).row()).key;
  return keys;
}

void LibraryPanel::select(const QString& key) {
  const int row = model_->rowOf(key);
  if (row < 0) return;
  const QModelIndex shown = filter_->mapFromSource(model_->index(row));
  if (shown.isValid()) list_->setCurrentIndex(shown);
}

void LibraryPanel::fillCollections() {
  QSet<QString> names;
  for (const LibraryRow& row : model_->rows()) {
    if (!row.collection.isEmpty()) names.insert(row.collection);
  }
  QStringList sorted(names.begin(), names.end());
  sorted.sort(Qt::CaseInsensitive);
  if (sorted == collectionNames_ && collections_->count() > 0) return;
  collectionNames_ = sorted;
  const QString shown = collections_->currentIndex() > 0 ? collections_->currentText() : QString();
  collections_->clear();
  collections_->addItem(tr("All documents"));
  collections_->addItems(sorted);
  collections_->setCurrentIndex(shown.isEmpty() ? 0 : std::max(0, collections_->findText(shown)));
  collectionMenu_->clear();
  for (const QString& name : sorted) {
    collectionMenu_->addAction(asMenuText(name), this,
                               [this, name] { Q_EMIT collectionWished(selectedKeys(), name); });
  }
  collectionMenu_->addAction(tr("&New collection…"), this, &LibraryPanel::askNewCollection);
  collectionMenu_->addAction(tr("&In none"), this, [this] { Q_EMIT collectionWished(selectedKeys(), {}); });
}

void LibraryPanel::showMenu(const QPoint& place) {
  if (!current()) return;
  auto* menu = new QMenu(this);
  menu->setAttribute(Qt::WA_DeleteOnClose);
  menu->addActions(actions());
  menu->popup(list_->viewport()->mapToGlobal(place));
}

void LibraryPanel::updateActions() {
  const LibraryRow* row = current();
  const bool isFailed = row && row->state == DocumentState::Failed;
  const bool isStopped = row && row->state == DocumentState::Stopped;
  const bool isLeft = row && row->isImported && row->state == DocumentState::Waiting && !readsByItself_;
  tryAgain_->setText(isStopped || isLeft ? tr("Read &on") : tr("&Try again"));
  again_->setText(isStopped ? tr("Read on") : tr("Try again"));
  again_->setAccessibleName(again_->text());
  tryAgain_->setEnabled(isFailed || isStopped || isLeft);
  again_->setVisible(isFailed || isStopped);
  reason_->setVisible(isFailed);
  reason_->setText(isFailed ? row->reason : QString());
  stop_->setEnabled(row && (row->state == DocumentState::Reading || row->state == DocumentState::Importing ||
                            row->state == DocumentState::Waiting));
  open_->setEnabled(row && row->isImported);
  forget_->setEnabled(row && row->readingBytes > 0);
  remove_->setEnabled(row != nullptr);
  folder_->setEnabled(row && !row->file.isEmpty());
  collectionMenu_->setEnabled(row && row->isImported);
}

const LibraryRow* LibraryPanel::current() const {
  const QModelIndex index = list_->currentIndex();
  if (!index.isValid()) return nullptr;
  return &model_->rowAt(filter_->mapToSource(index).row());
}

void LibraryPanel::openCurrent() {
  const LibraryRow* row = current();
  if (row && row->isImported) Q_EMIT openWished(row->key);
}

void LibraryPanel::removeSelected() {
  if (const QStringList keys = selectedKeys(); !keys.isEmpty()) Q_EMIT removeWished(keys);
}

void LibraryPanel::forgetSelected() {
  if (const QStringList keys = selectedKeys(); !keys.isEmpty()) Q_EMIT forgetWished(keys);
}

void LibraryPanel::tryCurrentAgain() {
  if (const LibraryRow* row = current()) Q_EMIT tryAgainWished(row->key);
}

void LibraryPanel::stopCurrent() {
  if (const LibraryRow* row = current()) Q_EMIT stopWished(row->key);
}

void LibraryPanel::showCurrentFolder() {
  if (const LibraryRow* row = current()) Q_EMIT folderWished(row->key);
}

void LibraryPanel::askNewCollection() {
  auto* dialog = new QInputDialog(this);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setWindowTitle(tr("New collection"));
  dialog->setLabelText(tr("Name of the collection:"));
  connect(dialog, &QInputDialog::textValueSelected, this, [this, keys = selectedKeys()](const QString& name) {
    if (!name.trimmed().isEmpty()) Q_EMIT collectionWished(keys, name.trimmed());
  });
  dialog->open();
}

}  // namespace kvasir
