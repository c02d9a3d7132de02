#pragma once

#include <string>
#include <utility>
#include <vector>

#include "app/window/session_jobs.h"
#include "ui/panels/library_rows.h"

namespace kvasir {

/// The library's list as the window shows it: what the library holds, what waits to be imported, and what is
/// being done with each. Plain values, no thread.
class Shelf {
 public:
  const std::vector<LibraryRow>& rows() const { return rows_; }
  const LibraryRow* find(const QString& key) const;

  /// What the library holds; rows of files that wait stay. Documents without a whole reading wait to be read.
  void setListed(const Listed& listed);
  /// How far documents that have rows are read. Those that were stopped or failed stay so until they are read.
  void setRead(const Listed& listed);
  void setCollections(const Collections& collections);
  void setCollection(const QString& key, const QString& name);

  void addFile(const QString& path);  ///< waits to be imported; a row that failed is renewed
  /// The file's row becomes the document's; false where the document had a row.
  bool imported(const QString& path, const DocumentRecord& record);
  void setProgress(const QString& key, DocumentState state, double share, double secondsLeft);
  void setState(const QString& key, DocumentState state);
  void fail(const QString& key, const QString& reason);
  void remove(const QString& key);

 private:
  LibraryRow* at(const QString& key);

  std::vector<LibraryRow> rows_;
};

}  // namespace kvasir
