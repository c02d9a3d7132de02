#include "app/sqlite.h"

#include <sqlite3.h>

#include <stdexcept>
#include <utility>

#include "app/text.h"

namespace kvasir {
namespace {

constexpr int kWaitMilliseconds = 10'000;
constexpr int kLogTries = 100;
constexpr int kLogPauseMilliseconds = 20;

std::string sentenceFor(int code, const std::string& file, const std::string& detail) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "The library file " + file + " is damaged (" + detail +
             "); nothing was changed. Put back a copy of it, or move it away and read the documents again.";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "The library " + file + " is in use by another program; try again in a moment.";
    case SQLITE_FULL:
      return "The disk that holds the library " + file + " is full; make room and try again.";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return "The library " + file + " cannot be opened for writing (" + detail +
             "); check its permissions or choose another folder with --library.";
    default:
      return "The library " + file + " could not be used: " + detail + ".";
  }
}

}  // namespace

Database::Database(std::filesystem::path file) : file_(std::move(file)) {
  sqlite3* connection = nullptr;
  const int result = sqlite3_open_v2(utf8Of(file_).c_str(), &connection,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  connection_.reset(connection);
  if (result != SQLITE_OK) throw std::runtime_error(sentenceFor(result, utf8Of(file_), sqlite3_errstr(result)));
  sqlite3_busy_timeout(connection_.get(), kWaitMilliseconds);
  useWriteAheadLog();
  // With a write-ahead log NORMAL loses at most the last transactions at a power cut, and never the file.
  run("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON");
}

void Database::Closer::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }

/// SQLite does not wait when two processes change a new file's journal at once, so the waiting is done here.
void Database::useWriteAheadLog() {
  for (int attempt = 1;; ++attempt) {
    const int result = sqlite3_exec(connection_.get(), "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr);
    if (result == SQLITE_OK) return;
    if ((result & 0xff) != SQLITE_BUSY || attempt == kLogTries) fail();
    sqlite3_sleep(kLogPauseMilliseconds);
  }
}

Statement Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(connection_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr) !=
      SQLITE_OK) {
    fail();
  }
  return Statement(*this, statement);
}

void Database::run(const std::string& sql) {
  if (sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

void Database::fail() const {
  throw std::runtime_error(
      sentenceFor(sqlite3_errcode(connection_.get()), utf8Of(file_), sqlite3_errmsg(connection_.get())));
}

void Database::failAsDamaged(const std::string& detail) const {
  throw std::runtime_error(sentenceFor(SQLITE_CORRUPT, utf8Of(file_), detail));
}

void Statement::Finalizer::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Statement::check(int result) const {
  if (result != SQLITE_OK) database_.fail();
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

void Statement::bindOne(int index, std::int64_t value) {
  check(sqlite3_bind_int64(statement_.get(), index, value));
}

void Statement::bindOne(int index, double value) { check(sqlite3_bind_double(statement_.get(), index, value)); }

void Statement::bindOne(int index, std::string_view value) {
  const char* text = value.data() ? value.data() : "";
  check(sqlite3_bind_text64(statement_.get(), index, text, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Statement::bindOne(int index, Blob value) {
  const char* bytes = value.bytes.data() ? value.bytes.data() : "";
  check(sqlite3_bind_blob64(statement_.get(), index, bytes, value.bytes.size(), SQLITE_TRANSIENT));
}

bool Statement::step() {
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result != SQLITE_DONE) database_.fail();
  return false;
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }

std::string Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes ? std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size)) : std::string();
}

bool Statement::isNull(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

Transaction::~Transaction() {
  if (!isOpen_) return;
  try {
    database_.run("ROLLBACK");
  } catch (const std::exception&) {
    // SQLite has undone it already, as it does after some errors; a destructor could not report it either.
  }
}

void Transaction::commit() {
  database_.run("COMMIT");
  isOpen_ = false;
}

}  // namespace kvasir
