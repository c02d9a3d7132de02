#include "app/window/shelf.h"

#include <algorithm>

#include <QFileInfo>

namespace kvasir {
namespace {

LibraryRow rowOf(const DocumentRecord& record) {
  LibraryRow row;
  row.key = QString::fromStdString(record.id);
  row.title = QString::fromStdString(record.title);
  row.file = QString::fromStdString(record.file);
  if (row.title.trimmed().isEmpty()) row.title = QFileInfo(row.file).completeBaseName();
  row.pages = static_cast<int>(record.pages);
  row.isImported = true;
  return row;
}

}  // namespace

LibraryRow* Shelf::at(const QString& key) {
  const auto found =
      std::find_if(rows_.begin(), rows_.end(), [&](const LibraryRow& row) { return row.key == key; });
  return found == rows_.end() ? nullptr : &*found;
}

const LibraryRow* Shelf::find(const QString& key) const { return const_cast<Shelf*>(this)->at(key); }

void Shelf::setListed(const Listed& listed) {
  std::vector<LibraryRow> rows;
  for (const ListedDocument& document : listed.documents) {
    LibraryRow row = rowOf(document.record);
    row.state = document.isRead ? DocumentState::Ready : DocumentState::Waiting;
    row.share = document.isRead ? 1 : document.shareRead;
    row.readingBytes = document.readingBytes;
    if (const LibraryRow* before = find(row.key)) row.collection = before->collection;
    rows.push_back(std::move(row));
  }
  for (LibraryRow& row : rows_) {
    if (!row.isImported) rows.push_back(std::move(row));
  }
  rows_ = std::move(rows);
}

void Shelf::setRead(const Listed& listed) {
  for (const ListedDocument& document : listed.documents) {
    const QString key = QString::fromStdString(document.record.id);
    LibraryRow* row = at(key);
    if (!row) continue;
    row->readingBytes = document.readingBytes;
    const bool isHalted = row->state == DocumentState::Stopped || row->state == DocumentState::Failed;
    if (isHalted && !document.isRead) continue;
    // The library notes a reading's share when it ends: what is known of one that goes on is the row's. One
    // that had ended is for other settings now.
    const double known = row->state == DocumentState::Ready ? 0 : row->share;
    const double share = document.isRead ? 1 : std::max(known, document.shareRead);
    setState(key, document.isRead ? DocumentState::Ready : DocumentState::Waiting);
    row->share = share;
  }
}

void Shelf::setCollections(const Collections& collections) {
  for (const auto& [id, name] : collections.byDocument)
    setCollection(QString::fromStdString(id), QString::fromStdString(name));
}

void Shelf::setCollection(const QString& key, const QString& name) {
  if (LibraryRow* row = at(key)) row->collection = name;
}

void Shelf::addFile(const QString& path) {
  LibraryRow row;
  row.key = path;
  row.file = path;
  row.title = QFileInfo(path).fileName();
  if (LibraryRow* before = at(path)) {
    *before = std::move(row);
    return;
  }
  rows_.push_back(std::move(row));
}

bool Shelf::imported(const QString& path, const DocumentRecord& record) {
  LibraryRow row = rowOf(record);
  if (LibraryRow* there = at(row.key)) {
    there->file = row.file;
    remove(path);
    return false;
  }
  if (LibraryRow* file = at(path)) {
    *file = std::move(row);
    return true;
  }
  rows_.push_back(std::move(row));
  return true;
}

void Shelf::setProgress(const QString& key, DocumentState state, double share, double secondsLeft) {
  LibraryRow* row = at(key);
  if (!row) return;
  row->state = state;
  row->share = share;
  row->secondsLeft = secondsLeft;
}

void Shelf::setState(const QString& key, DocumentState state) {
  LibraryRow* row = at(key);
  if (!row) return;
  row->state = state;
  row->secondsLeft = -1;
  row->reason.clear();
}

void Shelf::fail(const QString& key, const QString& reason) {
  setState(key, DocumentState::Failed);
  if (LibraryRow* row = at(key)) row->reason = reason;
}

void Shelf::remove(const QString& key) {
  std::erase_if(rows_, [&](const LibraryRow& row) { return row.key == key; });
}

}  // namespace kvasir
