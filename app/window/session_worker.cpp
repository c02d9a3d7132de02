#include "app/window/session_worker.h"

#include <algorithm>
#include <fstream>
#include <new>
#include <utility>

#include <QFileInfo>

#include "app/places.h"
#include "app/sha256.h"
#include "app/stopwatch.h"
#include "app/text.h"
#include "app/window/evidence_of.h"
#include "importers/importer.h"

namespace kvasir {
namespace {

constexpr double kTellSeconds = 0.1;        // progress is told so often at most
constexpr double kPieceSeconds = 0.03;      // and pieces of an answer
constexpr std::size_t kMostFiles = 10'000;  // of folders added at once
constexpr double kLeastTimed = 0.5;         // no time left is told before so many seconds

QString asText(std::string_view text) {
  return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

std::string lowerSuffix(const std::filesystem::path& file) {
  return QString::fromStdString(utf8Of(file.extension())).toLower().toStdString();
}

bool isKnownFormat(const std::filesystem::path& file) {
  const std::string suffix = lowerSuffix(file);
  return std::any_of(importers().begin(), importers().end(), [&](const Importer& importer) {
    return std::find(importer.suffixes.begin(), importer.suffixes.end(), suffix) != importer.suffixes.end();
  });
}

QString titleOf(const DocumentRecord& record) {
  const QString title = QString::fromStdString(record.title);
  return title.trimmed().isEmpty() ? asText(utf8Of(pathOf(record.file).stem())) : title;
}

/// The settings that an answer was given with.
AskSettings settingsOf(const Exchange& exchange) {
  AskSettings settings;
  settings.method = exchange.method.toStdString();
  settings.budgetTokens = exchange.budgetTokens;
  settings.pinnedChunks = exchange.pinned;
  settings.blockedChunks = exchange.blocked;
  if (exchange.leftOut >= 0) settings.blockedChunks.push_back(exchange.leftOut);
  return settings;
}

/// How far what an answer was asked of has to be read to look at it again. What a stopped one had seen may not
/// be known yet; it never waits for more.
Extent extentOf(const Exchange& exchange) {
  const bool isUnknown = exchange.isStopped && exchange.readTokens <= 0;
  return isUnknown || shareRead(exchange) < 1 ? Extent::AnyChunk : Extent::Whole;
}

/// The question as the model got it.
std::string askedOf(const Exchange& exchange) {
  return (exchange.asked.isEmpty() ? exchange.question : exchange.asked).toStdString();
}

}  // namespace

/// Hears of one job: stops it when asked to, and tells the window of it, not more often than the window can
/// show.
class SessionWorker::JobListener : public Listener {
 public:
  JobListener(SessionWorker& worker, quint64 job) : worker_(worker), job_(job) {}

  void progress(const Progress& progress) override {
    stopIfAsked();
    flushPieces(kPieceSeconds);
    if (isFirst_ || progress.stage != stage_) {
      isFirst_ = false;
      stage_ = progress.stage;
      firstDone_ = progress.done;
      stageWatch_ = Stopwatch();
    } else if (told_.seconds() < kTellSeconds) {
      return;
    }
    told_ = Stopwatch();
    Q_EMIT worker_.progressed(job_, progress, secondsLeft(progress));
  }

  void answerText(std::string_view text) override {
    pieces_ += asText(text);
    flushPieces(kPieceSeconds);
    stopIfAsked();
  }

  void flushPieces(double atLeastSeconds) {
    if (pieces_.isEmpty() || pieceTold_.seconds() < atLeastSeconds) return;
    pieceTold_ = Stopwatch();
    Q_EMIT worker_.answerGrew(job_, std::exchange(pieces_, {}));
  }

 private:
  void stopIfAsked() const {
    if (worker_.stop_.load(std::memory_order_relaxed) == job_) throw Cancelled();
  }

  double secondsLeft(const Progress& progress) const {
    const double passed = stageWatch_.seconds();
    const auto done = static_cast<double>(progress.done - firstDone_);
    if (progress.total <= 0 || done <= 0 || passed < kLeastTimed) return -1;
    return passed / done * static_cast<double>(progress.total - progress.done);
  }

  SessionWorker& worker_;
  quint64 job_;
  bool isFirst_ = true;
  Stage stage_ = Stage::Loading;
  std::int64_t firstDone_ = 0;
  Stopwatch stageWatch_, told_, pieceTold_;
  QString pieces_;
};

SessionWorker::SessionWorker(std::filesystem::path library, const std::atomic<quint64>& stopped)
    : folder_(std::move(library)), stop_(stopped) {}

SessionWorker::~SessionWorker() = default;

void SessionWorker::run(quint64 number, const Job& job) {
  JobListener listener(*this, number);
  try {
    auto result = std::make_shared<const JobResult>(
        std::visit([&](const auto& what) { return perform(what, listener); }, job));
    listener.flushPieces(0);
    Q_EMIT finished(number, std::move(result));
  } catch (const Cancelled&) {
    listener.flushPieces(0);
    Q_EMIT stopped(number);
  } catch (const std::bad_alloc&) {
    Q_EMIT failed(number,
                  tr("There is not enough memory for this; close other programs, or use a smaller budget."));
  } catch (const std::exception& error) {
    listener.flushPieces(0);
    Q_EMIT failed(number, QString::fromUtf8(error.what()));
  }
}

Library& SessionWorker::library() {
  if (!library_) library_.emplace(folder_);
  return *library_;
}

DocumentRecord SessionWorker::record(const std::string& id) {
  const auto found = library().find(id);
  if (!found) throw std::runtime_error("The library has no such document any more.");
  return *found;
}

/// Whether the document's file is still the one that was read. One that cannot be looked into counts as such:
/// what is wrong with it is said where it is drawn.
bool SessionWorker::isUnchanged(const DocumentRecord& record, Listener& listener) {
  const std::filesystem::path file = pathOf(record.file);
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error) || !std::ifstream(file)) return true;
  const FileStamp stamp = stampOf(file);
  if (const auto known = library().findUnchanged(stamp); known && known->id == record.id) return true;
  const std::string hash = sha256OfFile(file, [&](std::int64_t, std::int64_t) {
    listener.progress({Stage::Importing, 0, 0, 0});
  });
  const auto known = library().findContent(hash);
  if (!known || known->id != record.id) return false;
  library().addFile(record.id, stamp, hash);  // so that it is told at a glance the next time
  return true;
}

Conversations& SessionWorker::conversations() {
  library();  // makes the folder
  if (!conversations_) conversations_.emplace(folder_ / "conversations.sqlite");
  return *conversations_;
}

Engine& SessionWorker::engine(Listener& listener) {
  if (engine_) return *engine_;
  EngineSettings settings = engineSettings_.settings;
  std::vector<std::filesystem::path> folders = modelFolders();
  if (!engineSettings_.modelsFolder.empty())
    folders.insert(folders.begin(), pathOf(engineSettings_.modelsFolder));
  settings.model = findModel(settings.model, folders);
  settings.retrievers = retrieverFolders();
  settings.embedders = folders;
  settings.kernelFolders = backendFolders();
  engine_ = std::make_unique<Engine>(settings, listener);
  const std::string name = engine_->deviceName();
  const QString device = !name.empty()             ? QString::fromStdString(name)
                         : engine_->threads() == 1 ? tr("processor, 1 thread")
                                                   : tr("processor, %1 threads").arg(engine_->threads());
  Q_EMIT engineLoaded(QString::fromStdString(engine_->model().name) + QStringLiteral(" · ") + device);
  return *engine_;
}

const OpenDocument& SessionWorker::document(const std::string& id, Listener& listener) {
  if (!document_ || document_->record.id != id) document_ = openDocument(library(), id, listener);
  return *document_;
}

OpenReading SessionWorker::reading(const std::string& id, const AskSettings& settings, Extent extent,
                                   Listener& listener) {
  const OpenDocument& open = document(id, listener);
  Engine& loaded = engine(listener);
  const ReadSettings read = loaded.readSettingsFor(settings);
  return extent == Extent::Whole ? openReading(loaded, library(), open, read, listener)
                                 : openBeginning(loaded, library(), open, read, listener);
}

SessionWorker::Asked SessionWorker::asked(const std::vector<std::string>& ids, const AskSettings& settings,
                                          Extent extent, Listener& listener) {
  Asked asked;
  std::vector<std::shared_ptr<const Reading>> readings;
  for (const std::string& id : ids) {
    readings.push_back(reading(id, settings, extent, listener).reading);
    asked.documents.push_back({document_->record.id, titleOf(document_->record).toStdString(),
                               std::make_shared<const Document>(document_->document)});
  }
  asked.reading = readings.size() == 1 ? readings.front() : engine_->join(readings);
  return asked;
}

/// What an answer that was given was asked of, as far as that is read now.
SessionWorker::Asked SessionWorker::asked(const Exchange& exchange, Listener& listener) {
  std::vector<std::string> ids;
  for (const QString& id : documentsOf(exchange)) ids.push_back(id.toStdString());
  return asked(ids, settingsOf(exchange), extentOf(exchange), listener);
}

/// Tells readings that serve the settings: by their keys, or as long as no engine is loaded by their methods.
std::function<bool(const ReadingRecord&)> SessionWorker::whatServes(const AskSettings& settings) const {
  if (!engine_)
    return [method = settings.method](const auto& reading) { return readAlike(reading.method, method); };
  try {
    return [key = engine_->readingKey(engine_->readSettingsFor(settings))](const auto& reading) {
      return reading.key == key;
    };
  } catch (const std::runtime_error&) {  // a budget that the method refuses
    return [](const auto&) { return false; };
  }
}

JobResult SessionWorker::perform(const ListJob& job, Listener&) {
  const auto serves = whatServes(job.settings);
  Listed listed;
  std::vector<DocumentRecord> records;
  for (const std::string& id : job.ids) {
    if (auto found = library().find(id)) records.push_back(std::move(*found));
  }
  if (job.ids.empty()) records = library().list();
  for (DocumentRecord& record : records) {
    const std::vector<ReadingRecord> readings = library().readings(record.id);
    bool isRead = false;
    double share = 0;
    std::int64_t bytes = 0;
    for (const ReadingRecord& reading : readings) {
      bytes += reading.bytes;
      if (!serves(reading)) continue;
      isRead = isRead || reading.complete;
      if (reading.tokens > 0)
        share = std::max(share, static_cast<double>(reading.tokensRead) / static_cast<double>(reading.tokens));
    }
    listed.documents.push_back({std::move(record), isRead, share, bytes});
  }
  return listed;
}

JobResult SessionWorker::perform(const ImportJob& job, Listener& listener) {
  document_ = openDocument(library(), job.file, listener);
  return Imported{document_->record};
}

JobResult SessionWorker::perform(const ReadJob& job, Listener& listener) {
  const OpenReading read = reading(job.id, job.settings, Extent::Whole, listener);
  return ReadToEnd{read.reading->tokens(), read.seconds, read.reading->bytesOnDisk()};
}

JobResult SessionWorker::perform(const AskJob& job, Listener& listener) {
  const Asked of = asked(job.ids, job.settings, job.extent, listener);
  Answer answer = engine_->ask(*of.reading, job.question, job.settings, listener);
  return Answered{std::make_shared<const Exchange>(
      exchangeOf(of.documents, job.question, *of.reading, job.settings, std::move(answer)))};
}

JobResult SessionWorker::perform(const VerifyJob& job, Listener& listener) {
  const Asked of = asked(*job.exchange, listener);
  return Verified{std::make_shared<const FullAttention>(engine_->fullAttention(
      *of.reading, askedOf(*job.exchange), job.exchange->answer.toStdString(), listener))};
}

JobResult SessionWorker::perform(const RetraceJob& job, Listener& listener) {
  const Asked of = asked(*job.exchange, listener);
  const AskSettings settings = settingsOf(*job.exchange);
  Answer answer = engine_->retrace(*of.reading, askedOf(*job.exchange), job.exchange->answer.toStdString(),
                                   settings, listener);
  return Retraced{std::make_shared<const Exchange>(
      exchangeOf(of.documents, askedOf(*job.exchange), *of.reading, settings, std::move(answer)))};
}

JobResult SessionWorker::perform(const RemoveJob& job, Listener&) {
  document_.reset();
  library().remove(job.id);
  conversations().forget(job.id);
  conversations().collect(job.id, {});
  return Removed{};
}

JobResult SessionWorker::perform(const UnreadJob& job, Listener&) {
  for (ReadingRecord& reading : library().readings(job.id)) {
    const FileLock lock = library().lockReading(job.id, reading.key);
    const std::filesystem::path file = library().readingFile(job.id, reading.key);
    std::error_code error;
    std::filesystem::remove(file, error);
    if (error) throw std::runtime_error(utf8Of(file) + " cannot be deleted: " + error.message() + ".");
    reading.tokensRead = reading.chunks = reading.bytes = 0;
    reading.seconds = 0;
    reading.complete = false;
    library().recordReading(reading);
  }
  return Done{};
}

JobResult SessionWorker::perform(const EngineJob& job, Listener&) {
  engine_.reset();
  engineSettings_ = job;
  return Done{};
}

JobResult SessionWorker::perform(const LoadJob&, Listener& listener) {
  engine(listener);
  return Done{};
}

JobResult SessionWorker::perform(const OpenJob& job, Listener& listener) {
  Opened opened;
  opened.record = record(job.id);
  if (!isUnchanged(opened.record, listener)) {
    opened.complaint =
        tr("%1 has changed since it was read: its old words are shown. Add it again to ask the new one.")
            .arg(QFileInfo(QString::fromStdString(opened.record.file)).fileName());
  }
  opened.document = std::make_shared<const Document>(library().load(opened.record.id));
  opened.conversations = conversations().of(opened.record.id);
  if (!opened.conversations.empty())
    opened.conversation = conversations().exchanges(opened.conversations.front().id);
  opened.place = conversations().place(opened.record.id);
  return opened;
}

JobResult SessionWorker::perform(const TextJob& job, Listener&) {
  return LoadedText{std::make_shared<const Document>(library().loadWithoutWords(record(job.id).id))};
}

JobResult SessionWorker::perform(const TalkJob& job, Listener&) {
  return Talk{job.conversation, conversations().exchanges(job.conversation)};
}

JobResult SessionWorker::perform(const NameJob& job, Listener&) {
  conversations().name(job.conversation, job.title);
  return Done{};
}

JobResult SessionWorker::perform(const EndTalkJob& job, Listener&) {
  conversations().drop(job.conversation);
  return Done{};
}

JobResult SessionWorker::perform(const KeepJob& job, Listener&) {
  conversations().keep(*job.exchange);
  return Done{};
}

JobResult SessionWorker::perform(const ForgetJob& job, Listener&) {
  conversations().forget(job.id);
  return Done{};
}

JobResult SessionWorker::perform(const CollectJob& job, Listener&) {
  conversations().collect(job.id, job.collection);
  return Done{};
}

JobResult SessionWorker::perform(const PlaceJob& job, Listener&) {
  conversations().setPlace(job.id, job.place);
  return Done{};
}

JobResult SessionWorker::perform(const DevicesJob&, Listener&) { return findDevices({backendFolders()}); }

JobResult SessionWorker::perform(const CheckJob&, Listener&) {
  Checked checked{checkDevices(findDevices({backendFolders()})), {}};
  checked.complaint = complaintOf(checked.checks);
  return checked;
}

JobResult SessionWorker::perform(const FindJob& job, Listener& listener) {
  namespace fs = std::filesystem;
  Found found;
  for (const std::string& path : job.paths) {
    std::error_code error;
    if (!fs::is_directory(pathOf(path), error)) {
      found.files.push_back(path);
      continue;
    }
    const auto options = fs::directory_options::skip_permission_denied;
    for (fs::recursive_directory_iterator entry(pathOf(path), options, error), end; !error && entry != end;
         entry.increment(error)) {
      listener.progress({Stage::Importing, 0, 0, 0});
      std::error_code unknown;
      if (!entry->is_regular_file(unknown) || !isKnownFormat(entry->path())) continue;
      found.isCut = found.files.size() >= kMostFiles;
      if (found.isCut) return found;
      found.files.push_back(utf8Of(entry->path()));
    }
  }
  return found;
}

JobResult SessionWorker::perform(const CollectionsJob&, Listener&) {
  return Collections{conversations().collections()};
}

}  // namespace kvasir
