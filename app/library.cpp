#include "app/library.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <span>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "app/library_schema.h"
#include "app/sha256.h"
#include "app/text.h"
#include "app/word_packing.h"

namespace kvasir {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kIdDigits = 12;
constexpr std::size_t kFewestDigits = 4;
constexpr std::size_t kKeyDigits = 16;

constexpr const char* kDocumentColumns =
    "SELECT d.id, d.title, d.language, d.format, d.imported_at, d.import_seconds,"
    " (SELECT path FROM files WHERE document_id = d.id ORDER BY seen_at DESC, path LIMIT 1),"
    " (SELECT count(*) FROM pages WHERE document_id = d.id),"
    " (SELECT length(text) FROM texts WHERE document_id = d.id) FROM documents d ";

DocumentRecord recordOf(const Statement& row) {
  DocumentRecord record;
  record.id = row.text(0);
  record.title = row.text(1);
  record.language = row.text(2);
  record.format = row.text(3);
  record.importedAt = row.text(4);
  record.importSeconds = row.real(5);
  record.file = row.text(6);
  record.pages = row.integer(7);
  record.textBytes = row.integer(8);
  return record;
}

/// Milliseconds too, so that the file seen last can be told.
std::string timeNow() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto part =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm utc{};
#ifdef _WIN32
  gmtime_s(&utc, &seconds);
#else
  gmtime_r(&seconds, &utc);
#endif
  char text[40];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  const std::string milliseconds = std::to_string(part);
  return std::string(text, length) + "." + std::string(3 - milliseconds.size(), '0') + milliseconds + "Z";
}

/// Adds the words of a row (page, packed).
void appendWords(const Database& database, const Statement& row, std::vector<Word>& words) {
  try {
    const std::vector<Word> more = unpackWords(row.text(1), static_cast<std::int32_t>(row.integer(0)));
    words.insert(words.end(), more.begin(), more.end());
  } catch (const std::runtime_error& error) {
    database.failAsDamaged(error.what());
  }
}

fs::path makeFolder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder / "readings", error);
  if (error) {
    throw std::runtime_error("The library folder " + utf8Of(folder) + " cannot be made (" + error.message() +
                             "); choose another with --library.");
  }
  return folder / "library.sqlite";
}

}  // namespace

FileStamp stampOf(const fs::path& file) {
  std::error_code error;
  fs::path whole = fs::absolute(file, error);
  if (!error) whole = fs::weakly_canonical(whole, error);
  FileStamp stamp;
  stamp.path = utf8Of(error ? file : whole);
  stamp.bytes = static_cast<std::int64_t>(fs::file_size(file, error));
  stamp.modified = fs::last_write_time(file, error).time_since_epoch().count();
  return stamp;
}

Library::Library(fs::path folder) : folder_(std::move(folder)), database_(makeFolder(folder_)) {
  migrateLibrary(database_);
}

std::vector<DocumentRecord> Library::list() {
  Statement rows = database_.prepare(std::string(kDocumentColumns) + "ORDER BY d.imported_at, d.id");
  std::vector<DocumentRecord> records;
  while (rows.step()) records.push_back(recordOf(rows));
  return records;
}

std::optional<DocumentRecord> Library::findWhere(const char* condition, const std::string& value) {
  Statement rows = database_.prepare(std::string(kDocumentColumns) + condition);
  rows.bind(value);
  if (!rows.step()) return std::nullopt;
  return recordOf(rows);
}

std::optional<DocumentRecord> Library::find(std::string_view id) {
  const bool isDigits = id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!isDigits || id.size() < kFewestDigits) return std::nullopt;
  if (auto exact = findWhere("WHERE d.id = ?1", std::string(id))) return exact;
  Statement rows = database_.prepare("SELECT id FROM documents WHERE substr(id, 1, ?2) = ?1");
  rows.bind(id, static_cast<std::int64_t>(id.size()));
  if (!rows.step()) return std::nullopt;
  const std::string found = rows.text(0);
  if (rows.step()) {
    throw std::runtime_error("Several documents begin with " + std::string(id) +
                             "; give more of the id, as `kvasir-cli library` shows it.");
  }
  return findWhere("WHERE d.id = ?1", found);
}

std::optional<DocumentRecord> Library::findPath(const std::string& path) {
  return findWhere("WHERE d.id = (SELECT document_id FROM files WHERE path = ?1)", path);
}

std::optional<DocumentRecord> Library::findUnchanged(const FileStamp& stamp) {
  Statement rows =
      database_.prepare("SELECT document_id FROM files WHERE path = ?1 AND bytes = ?2 AND modified = ?3");
  rows.bind(stamp.path, stamp.bytes, stamp.modified);
  if (!rows.step()) return std::nullopt;
  return findWhere("WHERE d.id = ?1", rows.text(0));
}

std::optional<DocumentRecord> Library::findContent(const std::string& fileHash) {
  return findWhere("WHERE d.id = (SELECT document_id FROM files WHERE hash = ?1 LIMIT 1)", fileHash);
}

/// The first digits of the hash: twelve, or as many more as keep two contents apart.
std::string Library::idFor(const std::string& hash) {
  Statement other = database_.prepare("SELECT 1 FROM documents WHERE id = ?1 AND hash <> ?2");
  for (std::size_t digits = kIdDigits; digits < hash.size(); ++digits) {
    if (!other.bind(hash.substr(0, digits), hash).step()) return hash.substr(0, digits);
  }
  return hash;
}

/// Whether the library holds that document, with pages that lie elsewhere in its text or have another size.
bool Library::hasOtherPages(const std::string& id, const Document& document) {
  Statement pages =
      database_.prepare("SELECT start, width, height FROM pages WHERE document_id = ?1 ORDER BY number");
  pages.bind(id);
  std::size_t same = 0;
  for (; pages.step(); ++same) {
    if (same == document.pages.size()) return true;
    const Page& page = document.pages[same];
    if (pages.integer(0) != static_cast<std::int64_t>(page.start) ||
        std::abs(pages.real(1) - page.width) > 0.1 || std::abs(pages.real(2) - page.height) > 0.1)
      return true;
  }
  return same > 0 && same < document.pages.size();
}

DocumentRecord Library::add(const Document& document, const FileStamp& stamp, const std::string& fileHash,
                            double importSeconds, Listener& listener) {
  Sha256 sum;
  sum.add(document.format);
  sum.add(std::string_view("\0", 1));
  sum.add(document.text);
  std::string hash = sum.hex();

  Transaction transaction(database_);
  if (hasOtherPages(idFor(hash), document)) {
    // The same text on other pages, as with another cover: a document of its own.
    Sha256 withPages;
    withPages.add(hash);
    for (const Page& page : document.pages)
      withPages.add(" " + std::to_string(page.start) + " " + std::to_string(page.width) + " " +
                    std::to_string(page.height));
    hash = withPages.hex();
  }
  const std::string id = idFor(hash);
  database_
      .prepare(
          "INSERT INTO documents VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET"
          " title = ?3, language = ?4, imported_at = ?6, import_seconds = ?7")
      .bind(id, hash, document.title, document.language, document.format, timeNow(), importSeconds)
      .finish();
  database_.prepare("INSERT OR IGNORE INTO texts VALUES (?1, ?2)").bind(id, Blob{document.text}).finish();
  for (const char* table : {"pages", "words", "sections", "anchors"}) {
    database_.prepare(std::string("DELETE FROM ") + table + " WHERE document_id = ?1").bind(id).finish();
  }
  writePlaces(id, document);
  writeWords(id, document, listener);
  addFile(id, stamp, fileHash);
  transaction.commit();
  return *find(id);
}

void Library::writePlaces(const std::string& id, const Document& document) {
  Statement page = database_.prepare("INSERT INTO pages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  std::int64_t number = 0;
  for (const Page& p : document.pages) {
    page.bind(id, number++, p.label, p.width, p.height, static_cast<std::int64_t>(p.start),
              static_cast<std::int64_t>(p.end))
        .finish();
  }
  Statement section = database_.prepare("INSERT INTO sections VALUES (?1, ?2, ?3, ?4, ?5)");
  number = 0;
  for (const Section& s : document.sections) {
    section.bind(id, number++, s.title, s.level, static_cast<std::int64_t>(s.start)).finish();
  }
  Statement anchor = database_.prepare("INSERT INTO anchors VALUES (?1, ?2, ?3, ?4)");
  number = 0;
  for (const Anchor& a : document.anchors) {
    anchor.bind(id, number++, static_cast<std::int64_t>(a.start), a.location).finish();
  }
}

void Library::writeWords(const std::string& id, const Document& document, Listener& listener) {
  Statement insert = database_.prepare("INSERT INTO words VALUES (?1, ?2, ?3, ?4)");
  const std::span<const Word> words(document.words);
  const auto pages = static_cast<std::int64_t>(document.pages.size());
  const Progress imported = {Stage::Importing, pages, pages, 0};  // the listener is asked only whether to stop
  for (std::size_t first = 0; first < words.size();) {
    const std::int32_t page = words[first].page;
    if (page < 0 || static_cast<std::size_t>(page) >= document.pages.size()) {
      throw std::runtime_error("A word of the document stands on a page that it does not have.");
    }
    std::size_t end = first;
    while (end < words.size() && words[end].page == page) ++end;
    const std::string packed = packWords(words.subspan(first, end - first));
    insert.bind(id, static_cast<std::int64_t>(first), page, Blob{packed}).finish();
    listener.progress(imported);
    first = end;
  }
}

void Library::addFile(const std::string& id, const FileStamp& stamp, const std::string& fileHash) {
  database_.prepare("INSERT OR REPLACE INTO files VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
      .bind(stamp.path, id, fileHash, stamp.bytes, stamp.modified, timeNow())
      .finish();
}

Document Library::loadWithoutWords(const std::string& id) {
  Statement row = database_.prepare(
      "SELECT title, language, format, text FROM documents JOIN texts ON document_id = id WHERE id = ?1");
  if (!row.bind(id).step()) throw std::runtime_error("The library has no document " + id + ".");
  Document document;
  document.title = row.text(0);
  document.language = row.text(1);
  document.format = row.text(2);
  document.text = row.text(3);
  Statement page = database_.prepare(
      "SELECT label, width, height, start, \"end\" FROM pages WHERE document_id = ?1 ORDER BY number");
  for (page.bind(id); page.step();) {
    document.pages.push_back({page.text(0), static_cast<float>(page.real(1)), static_cast<float>(page.real(2)),
                              static_cast<std::size_t>(page.integer(3)),
                              static_cast<std::size_t>(page.integer(4))});
  }
  Statement section =
      database_.prepare("SELECT title, level, start FROM sections WHERE document_id = ?1 ORDER BY number");
  for (section.bind(id); section.step();) {
    document.sections.push_back(
        {section.text(0), static_cast<int>(section.integer(1)), static_cast<std::size_t>(section.integer(2))});
  }
  Statement anchor =
      database_.prepare("SELECT start, location FROM anchors WHERE document_id = ?1 ORDER BY number");
  for (anchor.bind(id); anchor.step();) {
    document.anchors.push_back({static_cast<std::size_t>(anchor.integer(0)), anchor.text(1)});
  }
  return document;
}

Document Library::load(const std::string& id) {
  Document document = loadWithoutWords(id);
  Statement rows = database_.prepare("SELECT page, packed FROM words WHERE document_id = ?1 ORDER BY first");
  for (rows.bind(id); rows.step();) appendWords(database_, rows, document.words);
  return document;
}

std::vector<Word> Library::words(const std::string& id, std::int32_t page) {
  std::vector<Word> words;
  Statement rows =
      database_.prepare("SELECT page, packed FROM words WHERE document_id = ?1 AND page = ?2 ORDER BY first");
  for (rows.bind(id, page); rows.step();) appendWords(database_, rows, words);
  return words;
}

void Library::remove(const std::string& id) {
  std::vector<FileLock> locks;
  for (const ReadingRecord& reading : readings(id)) locks.push_back(lockReading(id, reading.key));
  // Files before rows: if this is cut short, what is left is a document that has to be read again.
  for (const auto& entry : fs::directory_iterator(folder_ / "readings")) {
    const std::string name = utf8Of(entry.path().filename());
    if (!name.starts_with(id + "-") || name.ends_with(".lock")) continue;
    std::error_code error;
    fs::remove(entry.path(), error);
    if (error) throw std::runtime_error(utf8Of(entry.path()) + " cannot be deleted: " + error.message() + ".");
  }
  Transaction transaction(database_);
  database_.prepare("DELETE FROM documents WHERE id = ?1").bind(id).finish();
  transaction.commit();
}

fs::path Library::readingFile(const std::string& id, const std::string& key) const {
  return folder_ / "readings" / (id + "-" + sha256Of(key).substr(0, kKeyDigits) + ".kv");
}

FileLock Library::lockReading(const std::string& id, const std::string& key) const {
  auto lock = FileLock::tryLock(readingFile(id, key).replace_extension(".lock"));
  if (!lock) {
    throw std::runtime_error(
        "Another Kvasir is reading this document now; wait until it is done, or stop it, and "
        "try again.");
  }
  return std::move(*lock);
}

void Library::recordReading(const ReadingRecord& reading) {
  database_.prepare("INSERT OR REPLACE INTO readings VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")
      .bind(reading.documentId, reading.key, utf8Of(readingFile(reading.documentId, reading.key).filename()),
            reading.model, reading.method, reading.tokens, reading.tokensRead, reading.chunks, reading.bytes,
            reading.seconds, reading.complete ? 1 : 0)
      .finish();
}

std::vector<ReadingRecord> Library::readings(const std::string& id) {
  Statement rows = database_.prepare(
      "SELECT document_id, key, model, method, tokens, tokens_read, chunks, bytes, seconds, complete FROM "
      "readings"
      " WHERE document_id = ?1 ORDER BY model, method, key");
  std::vector<ReadingRecord> records;
  for (rows.bind(id); rows.step();) {
    records.push_back({rows.text(0), rows.text(1), rows.text(2), rows.text(3), rows.integer(4), rows.integer(5),
                       rows.integer(6), rows.integer(7), rows.real(8), rows.integer(9) != 0});
  }
  return records;
}

}  // namespace kvasir
