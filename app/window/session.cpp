#include "app/window/session.h"

#include <QFileInfo>
#include <utility>

#include "app/text.h"

namespace kvasir {
namespace {

template <class Result>
std::shared_ptr<const Result> resultOf(const Outcome& outcome) {
  if (outcome.kind != Outcome::Kind::Finished) return nullptr;
  return {outcome.result, std::get_if<Result>(outcome.result.get())};
}

QString q(const std::string& text) { return QString::fromStdString(text); }

double shareOf(const Progress& progress) {
  return progress.total > 0 ? static_cast<double>(progress.done) / static_cast<double>(progress.total) : 0;
}

/// The document or file that a job is about; empty where it is about none.
QString keyOf(const Job& job) {
  if (const auto* import = std::get_if<ImportJob>(&job)) return q(import->file);
  if (const auto* read = std::get_if<ReadJob>(&job)) return q(read->id);
  if (const auto* ask = std::get_if<AskJob>(&job))
    return ask->ids.size() == 1 ? q(ask->ids.front()) : QString();
  return {};
}

bool isListOfAll(const Job& job) {
  const auto* list = std::get_if<ListJob>(&job);
  return list && list->ids.empty();
}

bool isReadOf(const Job& job, const QString& id) {
  const auto* read = std::get_if<ReadJob>(&job);
  return read && q(read->id) == id;
}

}  // namespace

Session::Session(const std::filesystem::path& library, QObject* parent)
    : QObject(parent),
      work_(new Lane(library, QStringLiteral("engine"), this)),
      imports_(new Lane(library, QStringLiteral("imports"), this)),
      desk_(new Lane(library, QStringLiteral("desk"), this)) {
  for (Lane* lane : {work_, imports_, desk_}) connectLane(lane);
}

Session::~Session() {
  // Here, while the slots they are connected to are whole.
  for (Lane* lane : {work_, imports_, desk_}) disconnect(lane, nullptr, this, nullptr);
  delete imports_;
  // What only shows something is shown to nobody any more; a large folder would hold up the end.
  desk_->stopWhere([](const Job& job) {
    return std::holds_alternative<FindJob>(job) || std::holds_alternative<OpenJob>(job) ||
           std::holds_alternative<TextJob>(job);
  });
  desk_->finish();
  // What was confirmed is done.
  work_->stopWhere([](const Job& job) {
    return !std::holds_alternative<RemoveJob>(job) && !std::holds_alternative<UnreadJob>(job);
  });
  work_->finish();
  delete work_;
  delete desk_;
}

void Session::connectLane(Lane* lane) {
  connect(lane, &Lane::started, this, &Session::onStarted);
  connect(lane, &Lane::progressed, this, &Session::onProgress);
  connect(lane, &Lane::ended, this, &Session::onEnded);
  connect(lane, &Lane::engineLoaded, this, [this](const QString& device) {
    listRows();
    Q_EMIT engineLoaded(device);
  });
  connect(lane, &Lane::answerGrew, this,
          [this](const Task& task, const QString& piece) { Q_EMIT answerGrew(task.number, piece); });
}

void Session::start(const AskSettings& readFor, Reading reading) {
  readFor_ = readFor;
  reading_ = reading;
  work_->add(ListJob{readFor, {}}, Urgency::Now);
}

void Session::setReading(const AskSettings& readFor, Reading reading) {
  work_->stopWhere([](const Job& job) {
    return std::holds_alternative<ReadJob>(job) || std::holds_alternative<LoadJob>(job);
  });
  start(readFor, reading);
  if (reading == Reading::InBackground && !rows().empty()) work_->add(LoadJob{}, Urgency::Background);
}

/// Looks up what rows there are anew. What was stopped or failed stays so until it is read.
void Session::listRows() {
  ListJob job{readFor_, {}};
  for (const LibraryRow& row : rows()) {
    if (row.isImported) job.ids.push_back(row.key.toStdString());
  }
  if (!job.ids.empty()) work_->add(std::move(job), Urgency::Now);
}

void Session::setEngine(const EngineJob& settings) { work_->add(settings, Urgency::Now); }

void Session::addFiles(const QStringList& paths) {
  FindJob job;
  for (const QString& path : paths) job.paths.push_back(QFileInfo(path).absoluteFilePath().toStdString());
  // A folder may be large: what is opened or kept meanwhile goes first.
  if (!job.paths.empty()) desk_->add(std::move(job), Urgency::Soon);
}

void Session::queueImport(const QString& path) {
  shelf_.addFile(path);
  imports_->add(ImportJob{path.toStdString()}, Urgency::Soon);
}

void Session::tryAgain(const QString& key) {
  const LibraryRow* row = shelf_.find(key);
  if (!row) return;
  if (row->isImported) {
    if (work_->find([&](const Job& job) { return isReadOf(job, key); })) return;
    shelf_.setState(key, DocumentState::Waiting);
    queueReading(key);
  } else {
    queueImport(key);
  }
  Q_EMIT rowsChanged();
}

void Session::stopWork(const QString& key) {
  for (Lane* lane : {work_, imports_})
    lane->stopWhere([&](const Job& job) { return !std::holds_alternative<AskJob>(job) && keyOf(job) == key; });
}

void Session::remove(const QString& id) {
  const LibraryRow* row = shelf_.find(id);
  if (!row) return;
  stopWork(id);
  if (row->isImported) {
    work_->add(RemoveJob{id.toStdString()}, Urgency::Now);
    return;
  }
  shelf_.remove(id);
  Q_EMIT rowsChanged();
}

void Session::unread(const QString& id) {
  const LibraryRow* row = shelf_.find(id);
  if (!row || row->readingBytes <= 0) return;
  stopWork(id);
  work_->add(UnreadJob{id.toStdString()}, Urgency::Now);
}

void Session::collect(const QString& id, const QString& name) {
  shelf_.setCollection(id, name);
  desk_->add(CollectJob{id.toStdString(), name.toStdString()}, Urgency::Now);
  Q_EMIT rowsChanged();
}

void Session::open(const QString& id) {
  // The last one wished for counts.
  desk_->stopWhere([](const Job& job) { return std::holds_alternative<OpenJob>(job); });
  desk_->add(OpenJob{id.toStdString()}, Urgency::Now);
  readFirst(id);
}

/// A reading that would begin anew goes on meanwhile.
void Session::readFirst(const QString& id) {
  const Task* running = work_->running();
  const auto* read = running ? std::get_if<ReadJob>(&running->job) : nullptr;
  const QString kept = read && readsInOneGo(read->settings.method) ? q(read->id) : QString();
  const QString before = std::exchange(shown_, id);
  const auto isFirst = [&](const Job& job) {
    return isReadOf(job, id) || (!kept.isEmpty() && isReadOf(job, kept));
  };
  work_->setUrgency(Urgency::Background,
                    [&](const Job& job) { return isReadOf(job, before) && !isFirst(job); });
  work_->setUrgency(Urgency::Shown, isFirst);
}

void Session::loadText(const QString& id) { desk_->add(TextJob{id.toStdString()}, Urgency::Now); }

quint64 Session::ask(const QStringList& ids, const QString& question, const AskSettings& settings,
                     Extent extent) {
  AskJob job{{}, question.toStdString(), settings, extent};
  for (const QString& id : ids) job.ids.push_back(id.toStdString());
  return work_->add(std::move(job), Urgency::Now);
}

bool Session::readsInBackground(const AskSettings& settings) const {
  return reading_ == Reading::InBackground && isReadAlike(settings);
}

/// Whether what is read for these settings is sure to serve those rows tell of.
bool Session::isReadAlike(const AskSettings& settings) const {
  return readAlike(settings.method, readFor_.method) && settings.budgetTokens == readFor_.budgetTokens;
}

void Session::stopQuestion(quint64 number) { work_->stop(number); }

quint64 Session::verify(const ExchangePointer& exchange) {
  return work_->add(VerifyJob{exchange}, Urgency::Now);
}
quint64 Session::retrace(const ExchangePointer& exchange) {
  return work_->add(RetraceJob{exchange}, Urgency::Now);
}

void Session::talk(qint64 conversation) { desk_->add(TalkJob{conversation}, Urgency::Now); }
void Session::nameConversation(qint64 conversation, const QString& title) {
  desk_->add(NameJob{conversation, title.toStdString()}, Urgency::Now);
}
void Session::dropConversation(qint64 conversation) { desk_->add(EndTalkJob{conversation}, Urgency::Now); }

void Session::keep(const ExchangePointer& exchange) { desk_->add(KeepJob{exchange}, Urgency::Now); }
void Session::forget(const QString& id) { desk_->add(ForgetJob{id.toStdString()}, Urgency::Now); }

void Session::keepPlace(const QString& id, const DocumentPlace& place) {
  desk_->add(PlaceJob{id.toStdString(), place}, Urgency::Now);
}

void Session::findDevices() { desk_->add(DevicesJob{}, Urgency::Now); }
void Session::checkDevices() { work_->add(CheckJob{}, Urgency::Now); }

bool Session::isReadingWanted(const QString& id) const {
  const LibraryRow* row = shelf_.find(id);
  return row && row->state == DocumentState::Waiting && reading_ == Reading::InBackground &&
         !work_->find([&](const Job& job) { return isReadOf(job, id); });
}

void Session::readSoon(const QString& id) {
  if (isReadingWanted(id)) queueReading(id);
}

void Session::queueReading(const QString& id) {
  work_->add(ReadJob{id.toStdString(), readFor_}, id == shown_ ? Urgency::Shown : Urgency::Background);
}

void Session::onStarted(const Task& task) {
  const QString key = keyOf(task.job);
  const bool isImport = std::holds_alternative<ImportJob>(task.job);
  if (!isImport && !std::holds_alternative<ReadJob>(task.job)) return;
  const LibraryRow* row = shelf_.find(key);
  if (!row) return;
  shelf_.setProgress(key, isImport ? DocumentState::Importing : DocumentState::Reading,
                     isImport ? 0 : row->share, -1);
  Q_EMIT rowsChanged();
}

void Session::onProgress(const Task& task, const Progress& progress, double secondsLeft) {
  Q_EMIT worked(progress);
  if (std::holds_alternative<AskJob>(task.job) || std::holds_alternative<VerifyJob>(task.job))
    Q_EMIT questionProgressed(task.number, progress, secondsLeft);
  const QString key = keyOf(task.job);
  if (key.isEmpty() || (progress.stage != Stage::Reading && progress.stage != Stage::Importing)) return;
  const auto state = progress.stage == Stage::Reading ? DocumentState::Reading : DocumentState::Importing;
  shelf_.setProgress(key, state, shareOf(progress), secondsLeft);
  Q_EMIT rowsChanged();
}

void Session::onEnded(const Task& task, const Outcome& outcome) {
  std::visit([&](const auto& job) { end(task, job, outcome); }, task.job);
  if (!work_->running() && !imports_->running()) Q_EMIT idle();
}

void Session::end(const Task&, const ListJob& job, const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::Failed) Q_EMIT told(outcome.sentence);
  const auto list = resultOf<Listed>(outcome);
  if (!list) return;
  if (job.ids.empty() && std::exchange(isListOld_, false)) {
    work_->add(job, Urgency::Now);
    return;
  }
  if (!job.ids.empty()) {
    shelf_.setRead(*list);
    for (const std::string& id : job.ids) readSoon(q(id));
    Q_EMIT rowsChanged();
    return;
  }
  shelf_.setListed(*list);
  desk_->add(CollectionsJob{}, Urgency::Now);
  for (const ListedDocument& document : list->documents) readSoon(q(document.record.id));
  Q_EMIT rowsChanged();
  Q_EMIT listed();
}

void Session::end(const Task&, const ImportJob& job, const Outcome& outcome) {
  const QString path = q(job.file);
  if (outcome.kind == Outcome::Kind::Failed) fail(path, outcome.sentence);
  if (outcome.kind == Outcome::Kind::Stopped) shelf_.setState(path, DocumentState::Stopped);
  if (outcome.kind == Outcome::Kind::Yielded) shelf_.setState(path, DocumentState::Waiting);
  if (const auto result = resultOf<Imported>(outcome)) {
    shelf_.imported(path, result->record);
    isListOld_ = isListOld_ || work_->find(isListOfAll);
    const QString id = q(result->record.id);
    readSoon(id);
    Q_EMIT rowsChanged();
    Q_EMIT imported(path, id);
    return;
  }
  Q_EMIT rowsChanged();
}

void Session::fail(const QString& key, const QString& sentence) {
  shelf_.fail(key, sentence);
  Q_EMIT documentFailed(key, sentence);
}

/// The state of a document after a job that read it.
void Session::endReading(const std::string& id, const Outcome& outcome) {
  const QString key = q(id);
  const LibraryRow* row = shelf_.find(key);
  const bool hasRun = row && row->state == DocumentState::Reading;
  if (outcome.kind == Outcome::Kind::Finished) shelf_.setState(key, DocumentState::Ready);
  if (outcome.kind == Outcome::Kind::Failed) fail(key, outcome.sentence);
  if (outcome.kind == Outcome::Kind::Stopped) shelf_.setState(key, DocumentState::Stopped);
  if (outcome.kind == Outcome::Kind::Yielded) shelf_.setState(key, DocumentState::Waiting);
  const bool isUndone = outcome.kind == Outcome::Kind::Stopped || outcome.kind == Outcome::Kind::Yielded;
  if (hasRun && isUndone && readsInOneGo(readFor_.method)) shelf_.setProgress(key, row->state, 0, -1);
  // What it takes on disk now.
  if (hasRun && outcome.kind != Outcome::Kind::Yielded) work_->add(ListJob{readFor_, {id}}, Urgency::Now);
  Q_EMIT rowsChanged();
  const bool isDone = outcome.kind == Outcome::Kind::Finished || outcome.kind == Outcome::Kind::Failed;
  const bool isMoreToCome = work_->find([](const Job& job) { return std::holds_alternative<ReadJob>(job); }) ||
                            imports_->find([](const Job&) { return true; });
  if (hasRun && isDone && !isMoreToCome) Q_EMIT readingEnded();
}

void Session::end(const Task&, const ReadJob& job, const Outcome& outcome) { endReading(job.id, outcome); }

void Session::end(const Task& task, const AskJob& job, const Outcome& outcome) {
  // A question may have had documents read, and for other settings than rows tell of: until the library has
  // been looked into they are as read as can be told.
  const bool isAlike = isReadAlike(job.settings);
  const bool isRead = isAlike && outcome.kind == Outcome::Kind::Finished && job.extent == Extent::Whole;
  for (const std::string& id : job.ids) {
    const LibraryRow* row = shelf_.find(q(id));
    if (!row || row->state != DocumentState::Reading) continue;
    shelf_.setProgress(q(id), isRead ? DocumentState::Ready : DocumentState::Waiting, isAlike ? row->share : 0,
                       -1);
    Q_EMIT rowsChanged();
  }
  work_->add(ListJob{readFor_, job.ids}, Urgency::Now);
  if (const auto answer = resultOf<Answered>(outcome)) Q_EMIT answered(task.number, answer);
  if (outcome.kind == Outcome::Kind::Stopped) Q_EMIT questionStopped(task.number);
  if (outcome.kind == Outcome::Kind::Failed) Q_EMIT questionFailed(task.number, outcome.sentence);
}

void Session::end(const Task&, const VerifyJob& job, const Outcome& outcome) {
  const auto result = resultOf<Verified>(outcome);
  Q_EMIT verified(job.exchange->number, result ? result->full : nullptr);
  if (outcome.kind == Outcome::Kind::Failed) Q_EMIT told(outcome.sentence);
}

void Session::end(const Task&, const RetraceJob& job, const Outcome& outcome) {
  const auto result = resultOf<Retraced>(outcome);
  Q_EMIT retraced(job.exchange->number, result ? result->exchange : nullptr);
  if (outcome.kind == Outcome::Kind::Failed) Q_EMIT told(outcome.sentence);
}

void Session::end(const Task&, const TalkJob&, const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::Failed) Q_EMIT told(outcome.sentence);
  if (const auto result = resultOf<Talk>(outcome)) Q_EMIT talked(result);
}

void Session::end(const Task&, const RemoveJob& job, const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::Failed) Q_EMIT told(outcome.sentence);
  if (outcome.kind != Outcome::Kind::Finished) return;
  shelf_.remove(q(job.id));
  Q_EMIT rowsChanged();
  Q_EMIT removed(q(job.id));
}

void Session::end(const Task&, const UnreadJob& job, const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::Failed) Q_EMIT told(outcome.sentence);
  stopWork(q(job.id));  // a list that came before may have had it read again
  shelf_.setProgress(q(job.id), DocumentState::Stopped, 0, -1);  // until the list tells what is left
  work_->add(ListJob{readFor_, {job.id}}, Urgency::Now);
  Q_EMIT rowsChanged();
}

void Session::end(const Task&, const OpenJob& job, const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::Failed) {
    if (shown_ == q(job.id)) readFirst(opened_);
    Q_EMIT openFailed(q(job.id), outcome.sentence);
  }
  if (const auto result = resultOf<Opened>(outcome)) {
    opened_ = q(job.id);
    Q_EMIT opened(result);
  }
}

void Session::end(const Task&, const TextJob& job, const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::Failed) Q_EMIT textFailed(q(job.id), outcome.sentence);
  if (const auto result = resultOf<LoadedText>(outcome)) Q_EMIT textLoaded(q(job.id), result->document);
}

void Session::end(const Task&, const CollectionsJob&, const Outcome& outcome) {
  const auto result = resultOf<Collections>(outcome);
  if (!result) return;
  shelf_.setCollections(*result);
  Q_EMIT rowsChanged();
}

void Session::end(const Task&, const DevicesJob&, const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::Failed) Q_EMIT told(outcome.sentence);
  if (const auto result = resultOf<Devices>(outcome)) Q_EMIT devicesFound(result);
}

void Session::end(const Task&, const CheckJob&, const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::Failed) Q_EMIT told(outcome.sentence);
  if (const auto result = resultOf<Checked>(outcome)) Q_EMIT devicesChecked(result);
}

void Session::end(const Task&, const FindJob&, const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::Failed) Q_EMIT addFailed(outcome.sentence);
  const auto result = resultOf<Found>(outcome);
  if (!result) return;
  if (result->files.empty()) Q_EMIT addFailed(tr("There are no documents in what was added."));
  if (result->isCut) {
    Q_EMIT told(tr("Only the first %1 documents were added; add the others folder by folder.")
                    .arg(q(withCommas(static_cast<std::int64_t>(result->files.size())))));
  }
  for (const std::string& file : result->files) queueImport(q(file));
  Q_EMIT rowsChanged();
}

template <class Other>
void Session::end(const Task&, const Other&, const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::Failed) Q_EMIT told(outcome.sentence);
}

}  // namespace kvasir
