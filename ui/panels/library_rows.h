#pragma once

#include <functional>

#include <QString>

namespace kvasir {

enum class DocumentState { Waiting, Importing, Reading, Stopped, Ready, Failed };

/// One line of the library's list.
struct LibraryRow {
  QString key;  ///< the document's id; of a file that is not imported yet, its path
  QString title, file, collection;
  int pages = 0;  ///< 0: not known, or a book without pages
  DocumentState state = DocumentState::Waiting;
  double share = 0;         ///< of importing or reading that is done, 0 to 1
  double secondsLeft = -1;  ///< below 0: not known
  QString reason;           ///< of a failure, a sentence
  bool isImported = false;
  qint64 readingBytes = 0;  ///< on disk, of all that was read of it
  friend bool operator==(const LibraryRow&, const LibraryRow&) = default;
};

/// "Reading 43 %, 0:41 left"
QString describeState(const LibraryRow& row);
/// "24 pages · Ready"
QString describeRow(const LibraryRow& row);
/// The fullest description that `fits`: where there is little room the pages go first, then the time left. The
/// shortest where none does.
QString describeRowWithin(const LibraryRow& row, const std::function<bool(const QString&)>& fits);

/// 0:41, 12:05, 1:02:03
QString asClock(double seconds);

}  // namespace kvasir
