#include "app/open_document.h"

#include <stdexcept>
#include <utility>

#include "app/sha256.h"
#include "app/stopwatch.h"
#include "app/text.h"
#include "importers/importer.h"

namespace kvasir {
namespace {

namespace fs = std::filesystem;

OpenDocument withText(Library& library, DocumentRecord record, double importSeconds = 0) {
  Document document = library.loadWithoutWords(record.id);
  return {std::move(record), std::move(document), importSeconds};
}

Document importWithProgress(const fs::path& file, Listener& listener) {
  return importFile(file, [&](int done, int total) { listener.progress({Stage::Importing, done, total, 0}); });
}

OpenDocument openFile(Library& library, const fs::path& file, Listener& listener) {
  const FileStamp stamp = stampOf(file);
  if (auto known = library.findUnchanged(stamp)) return withText(library, *known);
  const std::string hash = sha256OfFile(file, [&](std::int64_t, std::int64_t) {
    listener.progress({Stage::Importing, 0, 0, 0});
  });
  if (auto known = library.findContent(hash)) {
    library.addFile(known->id, stamp, hash);
    return withText(library, *known);
  }
  const Stopwatch watch;
  const Document document = importWithProgress(file, listener);
  DocumentRecord record = library.add(document, stamp, hash, watch.seconds(), listener);
  return withText(library, std::move(record), watch.seconds());
}

/// The row a reading has before and after it was read.
ReadingRecord recordFor(Engine& engine, Library& library, const std::string& id, const std::string& key,
                        const ReadSettings& settings) {
  for (ReadingRecord& reading : library.readings(id)) {
    if (reading.key == key) return std::move(reading);
  }
  ReadingRecord record;
  record.documentId = id;
  record.key = key;
  record.model = engine.model().name;
  record.method = settings.method;
  return record;
}

void noteProgress(ReadingRecord& record, const fs::path& file) {
  std::error_code error;
  const auto bytes = fs::file_size(file, error);
  record.bytes = error ? 0 : static_cast<std::int64_t>(bytes);
}

void noteReading(ReadingRecord& record, const Reading& reading) {
  record.tokens = reading.tokens();
  record.tokensRead = reading.tokensRead();
  record.chunks = static_cast<std::int64_t>(reading.chunks().size());
  record.bytes = static_cast<std::int64_t>(reading.bytesOnDisk());
  record.complete = record.tokens == record.tokensRead;
}

/// Opens what has been read. Of what is whole the library knows it from then on.
std::shared_ptr<const Reading> openRead(Engine& engine, Library& library, const std::string& id,
                                        const ReadSettings& settings, Extent extent) {
  const std::string key = engine.readingKey(settings);
  auto reading = engine.open(library.readingFile(id, key), settings, extent);
  if (!reading || reading->tokensRead() < reading->tokens()) return reading;
  ReadingRecord record = recordFor(engine, library, id, key, settings);
  if (record.complete) return reading;
  noteReading(record, *reading);
  library.recordReading(record);
  return reading;
}

/// Ends reading once something is whole.
class FirstStep : public Listener {
 public:
  struct Done {};
  explicit FirstStep(Listener& listener) : listener_(listener) {}
  void progress(const Progress& progress) override {
    listener_.progress(progress);
    if (progress.stage == Stage::Reading && progress.done > 0) throw Done();
  }

 private:
  Listener& listener_;
};

}  // namespace

OpenDocument openDocument(Library& library, const std::string& name, Listener& listener) {
  const fs::path file = pathOf(name);
  std::error_code error;
  if (fs::is_regular_file(file, error)) return openFile(library, file, listener);
  if (auto known = library.findPath(stampOf(file).path)) return withText(library, *known);
  if (auto known = library.find(name)) return withText(library, *known);
  if (fs::is_directory(file, error)) throw std::runtime_error(name + " is a folder; name the files in it.");
  throw std::runtime_error("There is no file " + name + ", and no document of the library has such an id; " +
                           "`kvasir-cli library` lists what there is.");
}

Document readDocument(const fs::path& library, const std::string& name, Listener& listener) {
  std::error_code error;
  if (!fs::is_regular_file(pathOf(name), error)) {
    Library known(library);
    return openDocument(known, name, listener).document;
  }
  return importWithProgress(pathOf(name), listener);
}

OpenReading openReading(Engine& engine, Library& library, const OpenDocument& document,
                        const ReadSettings& settings, Listener& listener) {
  const std::string& id = document.record.id;
  if (auto reading = openRead(engine, library, id, settings, Extent::Whole)) return {std::move(reading), 0};

  const std::string key = engine.readingKey(settings);
  const fs::path file = library.readingFile(id, key);
  const FileLock lock = library.lockReading(id, key);
  ReadingRecord record = recordFor(engine, library, id, key, settings);
  record.complete = false;
  library.recordReading(record);
  const Stopwatch watch;
  const double before = record.seconds;
  try {
    const std::string dense = engine.denseKey(settings);
    auto reading = engine.read(document.document.text, settings, file, listener,
                               dense.empty() ? fs::path() : library.readingFile(id, dense));
    record.seconds = before + watch.seconds();
    noteReading(record, *reading);
    library.recordReading(record);
    return {std::move(reading), watch.seconds()};
  } catch (...) {
    record.seconds = before + watch.seconds();
    noteProgress(record, file);
    library.recordReading(record);
    throw;
  }
}

OpenReading openBeginning(Engine& engine, Library& library, const OpenDocument& document,
                          const ReadSettings& settings, Listener& listener) {
  const std::string& id = document.record.id;
  if (auto reading = openRead(engine, library, id, settings, Extent::AnyChunk)) return {std::move(reading), 0};
  const Stopwatch watch;
  try {
    FirstStep first(listener);
    return openReading(engine, library, document, settings, first);
  } catch (const FirstStep::Done&) {
    if (auto reading = openRead(engine, library, id, settings, Extent::AnyChunk))
      return {std::move(reading), watch.seconds()};
  }
  return openReading(engine, library, document, settings, listener);
}

}  // namespace kvasir
