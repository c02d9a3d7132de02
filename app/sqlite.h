#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace kvasir {

/// Bytes to be stored as they are; a std::string is stored as text.
struct Blob {
  std::string_view bytes;
};

class Statement;

/// One connection to the library's SQLite file: WAL, foreign keys, waits up to ten seconds for another process.
/// Made and used on one thread. Every failure is a std::runtime_error with a sentence that names the file.
class Database {
 public:
  explicit Database(std::filesystem::path file);

  Statement prepare(std::string_view sql);
  /// Statements without values or rows.
  void run(const std::string& sql);

  [[noreturn]] void fail() const;
  [[noreturn]] void failAsDamaged(const std::string& detail) const;

 private:
  struct Closer {
    void operator()(sqlite3* connection) const;
  };
  void useWriteAheadLog();

  std::filesystem::path file_;
  std::unique_ptr<sqlite3, Closer> connection_;
};

/// A prepared statement: bind all values, then step through its rows.
class Statement {
 public:
  Statement(const Database& database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}

  /// Values for ?1, ?2, … in order; starts the statement again.
  template <class... Values>
  Statement& bind(const Values&... values) {
    reset();
    int index = 0;
    (bindOne(++index, values), ...);
    return *this;
  }

  bool step();  ///< true while there is a row
  void finish() {
    while (step()) {
    }
  }

  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;  ///< text or blob
  bool isNull(int column) const;

 private:
  void reset();
  void bindOne(int index, std::int64_t value);
  void bindOne(int index, int value) { bindOne(index, std::int64_t{value}); }
  void bindOne(int index, double value);
  void bindOne(int index, std::string_view value);
  void bindOne(int index, const std::string& value) { bindOne(index, std::string_view(value)); }
  void bindOne(int index, const char* value) { bindOne(index, std::string_view(value)); }
  void bindOne(int index, Blob value);
  void check(int result) const;

  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };
  const Database& database_;
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

/// Takes the write lock at once, so that what was looked up inside stays true; undone unless committed.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) { database_.run("BEGIN IMMEDIATE"); }
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool isOpen_ = true;
};

}  // namespace kvasir
