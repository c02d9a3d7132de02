#include "app/library_schema.h"

#include <array>
#include <stdexcept>
#include <string>

namespace kvasir {
namespace {

// Offsets (start, end) are bytes of the text. A document's text stands alone in its table, so that lists need
// not pass over it; it is a blob, because a text value would end at a zero byte for some readers. A row of
// words is a run of them on one page, from the word numbered `first`.
constexpr const char* kFirstTables = R"sql(
CREATE TABLE documents (
  id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, title TEXT NOT NULL, language TEXT NOT NULL, format TEXT NOT NULL,
  imported_at TEXT NOT NULL, import_seconds REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE texts (
  document_id TEXT PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE, text BLOB NOT NULL
);
CREATE TABLE files (
  path TEXT PRIMARY KEY, document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
  hash TEXT NOT NULL, bytes INTEGER NOT NULL, modified INTEGER NOT NULL, seen_at TEXT NOT NULL
);
CREATE INDEX files_by_hash ON files (hash);
CREATE INDEX files_by_document ON files (document_id);
CREATE TABLE pages (
  document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE, number INTEGER NOT NULL,
  label TEXT NOT NULL, width REAL NOT NULL, height REAL NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
  PRIMARY KEY (document_id, number)
) WITHOUT ROWID;
CREATE TABLE words (
  document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE, first INTEGER NOT NULL,
  page INTEGER NOT NULL, packed BLOB NOT NULL,
  PRIMARY KEY (document_id, first)
);
CREATE INDEX words_by_page ON words (document_id, page);
CREATE TABLE sections (
  document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE, number INTEGER NOT NULL,
  title TEXT NOT NULL, level INTEGER NOT NULL, start INTEGER NOT NULL,
  PRIMARY KEY (document_id, number)
) WITHOUT ROWID;
CREATE TABLE anchors (
  document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE, number INTEGER NOT NULL,
  start INTEGER NOT NULL, location TEXT NOT NULL,
  PRIMARY KEY (document_id, number)
) WITHOUT ROWID;
CREATE TABLE readings (
  document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE, key TEXT NOT NULL, file TEXT NOT NULL,
  model TEXT NOT NULL, method TEXT NOT NULL, tokens INTEGER NOT NULL, tokens_read INTEGER NOT NULL,
  chunks INTEGER NOT NULL, bytes INTEGER NOT NULL, seconds REAL NOT NULL, complete INTEGER NOT NULL,
  PRIMARY KEY (document_id, key)
) WITHOUT ROWID;
)sql";

/// Step n takes a library from version n to n + 1. Steps are only ever added.
constexpr std::array kSteps = {kFirstTables};

std::int64_t versionOf(Database& database) {
  Statement statement = database.prepare("PRAGMA user_version");
  return statement.step() ? statement.integer(0) : 0;
}

}  // namespace

void migrateLibrary(Database& database) {
  constexpr auto newest = static_cast<std::int64_t>(kSteps.size());
  if (versionOf(database) == newest) return;
  Transaction transaction(database);
  std::int64_t version = versionOf(database);  // again: another process may have been first
  if (version > newest || version < 0) {
    throw std::runtime_error(
        "The library was made by a later version of Kvasir; use that version, or choose another "
        "folder with --library.");
  }
  for (; version < newest; ++version) database.run(kSteps[static_cast<std::size_t>(version)]);
  database.run("PRAGMA user_version = " + std::to_string(newest));
  transaction.commit();
}

}  // namespace kvasir
