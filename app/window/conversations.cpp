#include "app/window/conversations.h"

#include <cassert>
#include <stdexcept>

#include "app/window/exchange_store.h"

namespace kvasir {
namespace {

constexpr std::int64_t kVersion = 2;

// An exchange's text and evidence are JSON; its maps and chunks are packed numbers.
constexpr const char* kTables = R"sql(
CREATE TABLE exchanges (number INTEGER PRIMARY KEY, document_id TEXT NOT NULL, body TEXT NOT NULL, maps BLOB NOT NULL);
CREATE INDEX exchanges_by_document ON exchanges (document_id, number);
CREATE TABLE collections (document_id TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE places (document_id TEXT PRIMARY KEY, page INTEGER NOT NULL, top REAL NOT NULL, zoom REAL NOT NULL,
  fit INTEGER NOT NULL)
  WITHOUT ROWID;
)sql";

// A document has several conversations. Those of before become one each.
constexpr const char* kSeveral = R"sql(
CREATE TABLE conversations (id INTEGER PRIMARY KEY, document_id TEXT NOT NULL, title TEXT NOT NULL);
ALTER TABLE exchanges ADD COLUMN conversation INTEGER NOT NULL DEFAULT 0;
INSERT INTO conversations (document_id, title) SELECT DISTINCT document_id, '' FROM exchanges;
UPDATE exchanges SET conversation =
  (SELECT id FROM conversations WHERE conversations.document_id = exchanges.document_id);
CREATE INDEX exchanges_by_conversation ON exchanges (conversation, number);
)sql";

void migrate(Database& database) {
  Transaction transaction(database);
  std::int64_t version = 0;
  {
    Statement statement = database.prepare("PRAGMA user_version");
    if (statement.step()) version = statement.integer(0);
  }
  if (version > kVersion)
    throw std::runtime_error("The conversations were written by a later version of Kvasir; use that version.");
  if (version < 1) database.run(kTables);
  if (version < 2) database.run(kSeveral);
  if (version < kVersion) database.run("PRAGMA user_version = " + std::to_string(kVersion));
  transaction.commit();
}

}  // namespace

Conversations::Conversations(std::filesystem::path file) : database_(std::move(file)) { migrate(database_); }

void Conversations::keep(const Exchange& exchange) {
  assert(exchange.number > 0 && "an exchange without a number");
  const std::string maps = packMaps(exchange);
  const std::string id = exchange.document.toStdString();
  const std::int64_t number = exchange.number, conversation = exchange.conversation;
  Transaction transaction(database_);
  database_.prepare("INSERT OR IGNORE INTO conversations VALUES (?1, ?2, '')").bind(conversation, id).finish();
  database_
      .prepare(
          "INSERT OR REPLACE INTO exchanges (number, document_id, body, maps, conversation) "
          "VALUES (?1, ?2, ?3, ?4, ?5)")
      .bind(number, id, bodyOf(exchange), Blob{maps}, conversation)
      .finish();
  transaction.commit();
}

std::vector<Conversation> Conversations::of(const std::string& document) {
  Statement rows = database_.prepare(
      "SELECT id, title, (SELECT body FROM exchanges WHERE conversation = id ORDER BY number LIMIT 1) FROM "
      "conversations "
      "WHERE document_id = ?1 ORDER BY (SELECT max(number) FROM exchanges WHERE conversation = id) DESC, id "
      "DESC");
  std::vector<Conversation> found;
  for (rows.bind(document); rows.step();) {
    Conversation conversation{rows.integer(0), QString::fromStdString(rows.text(1))};
    if (conversation.title.isEmpty()) {
      if (const auto first = parseBody(rows.text(2))) conversation.title = first->question;
    }
    found.push_back(std::move(conversation));
  }
  return found;
}

std::vector<ExchangePointer> Conversations::exchanges(qint64 conversation) {
  Statement rows = database_.prepare(
      "SELECT number, body, maps, document_id FROM exchanges WHERE conversation = ?1 ORDER BY number");
  std::vector<ExchangePointer> exchanges;
  for (rows.bind(std::int64_t{conversation}); rows.step();) {
    auto exchange = parseBody(rows.text(1));
    if (!exchange) continue;
    exchange->number = rows.integer(0);
    exchange->conversation = conversation;
    exchange->document = QString::fromStdString(rows.text(3));
    for (EvidenceRow& row : exchange->evidence) {
      if (row.document.isEmpty()) row.document = exchange->document;
    }
    unpackMaps(rows.text(2), *exchange);
    exchanges.push_back(std::make_shared<const Exchange>(std::move(*exchange)));
  }
  return exchanges;
}

void Conversations::name(qint64 conversation, const std::string& title) {
  database_.prepare("UPDATE conversations SET title = ?2 WHERE id = ?1")
      .bind(std::int64_t{conversation}, title)
      .finish();
}

void Conversations::drop(qint64 conversation) {
  Transaction transaction(database_);
  database_.prepare("DELETE FROM exchanges WHERE conversation = ?1").bind(std::int64_t{conversation}).finish();
  database_.prepare("DELETE FROM conversations WHERE id = ?1").bind(std::int64_t{conversation}).finish();
  transaction.commit();
}

void Conversations::forget(const std::string& document) {
  Transaction transaction(database_);
  for (const char* table : {"exchanges", "conversations", "places"})
    database_.prepare(std::string("DELETE FROM ") + table + " WHERE document_id = ?1").bind(document).finish();
  transaction.commit();
}

std::vector<std::pair<std::string, std::string>> Conversations::collections() {
  Statement rows = database_.prepare("SELECT document_id, name FROM collections");
  std::vector<std::pair<std::string, std::string>> found;
  while (rows.step()) found.emplace_back(rows.text(0), rows.text(1));
  return found;
}

void Conversations::collect(const std::string& document, const std::string& name) {
  Transaction transaction(database_);
  database_.prepare("DELETE FROM collections WHERE document_id = ?1").bind(document).finish();
  if (!name.empty()) database_.prepare("INSERT INTO collections VALUES (?1, ?2)").bind(document, name).finish();
  transaction.commit();
}

std::optional<DocumentPlace> Conversations::place(const std::string& document) {
  Statement row = database_.prepare("SELECT page, top, zoom, fit FROM places WHERE document_id = ?1");
  if (!row.bind(document).step()) return std::nullopt;
  const std::int64_t fit = row.integer(3);
  const bool isFit = fit >= 0 && fit <= static_cast<int>(Fit::Page);
  return DocumentPlace{static_cast<int>(row.integer(0)), row.real(1), row.real(2),
                       isFit ? static_cast<Fit>(fit) : Fit::None};
}

void Conversations::setPlace(const std::string& document, const DocumentPlace& place) {
  database_.prepare("INSERT OR REPLACE INTO places VALUES (?1, ?2, ?3, ?4, ?5)")
      .bind(document, place.page, place.top, place.zoom, static_cast<int>(place.fit))
      .finish();
}

}  // namespace kvasir
