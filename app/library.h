#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/file_lock.h"
#include "app/sqlite.h"
#include "engine/listener.h"
#include "importers/document.h"

namespace kvasir {

/// A document of the library, without its text.
struct DocumentRecord {
  std::string id;  ///< of its format and text: the same content imported again has the same id
  std::string title, language, format;
  std::string file;        ///< where it was last seen, absolute
  std::string importedAt;  ///< UTC, ISO 8601
  double importSeconds = 0;
  std::int64_t pages = 0, textBytes = 0;
};

/// One reading of a document by one model with one method. `complete` is what was last known: the chunk file
/// decides.
struct ReadingRecord {
  std::string documentId, key, model, method;
  std::int64_t tokens = 0, tokensRead = 0, chunks = 0, bytes = 0;
  double seconds = 0;  ///< of all the calls that read it
  bool complete = false;
};

/// What tells at a glance that a file is still the one imported.
struct FileStamp {
  std::string path;  ///< absolute
  std::int64_t bytes = 0;
  std::int64_t modified = 0;  ///< in the file clock's own ticks
};
FileStamp stampOf(const std::filesystem::path& file);

/// The documents that were imported and the readings made of them: one SQLite file, and one file of chunks a
/// reading. Several processes may use one library; each object belongs to one thread. Failures are
/// std::runtime_error with a sentence. Every change is one transaction.
class Library {
 public:
  /// Makes the folder when it is missing.
  explicit Library(std::filesystem::path folder);

  const std::filesystem::path& folder() const { return folder_; }

  std::vector<DocumentRecord> list();
  /// By id, or by a beginning of at least four digits that only one document has.
  std::optional<DocumentRecord> find(std::string_view id);
  std::optional<DocumentRecord> findPath(const std::string& path);      ///< whatever the file holds now
  std::optional<DocumentRecord> findUnchanged(const FileStamp& stamp);  ///< same path, size and time
  std::optional<DocumentRecord> findContent(const std::string& fileHash);

  /// Keeps the document, or renews one of the same format and text; its readings stay. `listener` is called
  /// at each page and may throw: then nothing was added.
  DocumentRecord add(const Document& document, const FileStamp& stamp, const std::string& fileHash,
                     double importSeconds, Listener& listener);
  /// Another file with the content of a document that is there.
  void addFile(const std::string& id, const FileStamp& stamp, const std::string& fileHash);

  Document load(const std::string& id);              ///< all of it
  Document loadWithoutWords(const std::string& id);  ///< all but words and their boxes: quick
  std::vector<Word> words(const std::string& id, std::int32_t page);

  /// The document, its rows and its chunk files. Refuses while another process reads it.
  void remove(const std::string& id);

  std::filesystem::path readingFile(const std::string& id, const std::string& key) const;
  /// Hold it while writing that file. Throws a sentence when another process does.
  FileLock lockReading(const std::string& id, const std::string& key) const;
  void recordReading(const ReadingRecord& reading);
  std::vector<ReadingRecord> readings(const std::string& id);

 private:
  std::optional<DocumentRecord> findWhere(const char* condition, const std::string& value);
  std::string idFor(const std::string& hash);
  bool hasOtherPages(const std::string& id, const Document& document);
  void writePlaces(const std::string& id, const Document& document);
  void writeWords(const std::string& id, const Document& document, Listener& listener);

  std::filesystem::path folder_;
  Database database_;
};

}  // namespace kvasir
