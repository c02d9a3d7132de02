#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>

#include <QObject>

#include "app/open_document.h"
#include "app/window/conversations.h"
#include "app/window/evidence_of.h"
#include "app/window/session_jobs.h"

namespace kvasir {

/// Does a lane's jobs on the lane's thread, one at a time. Library, conversations and engine are opened there
/// at the first job that needs them.
class SessionWorker : public QObject {
  Q_OBJECT
 public:
  /// `stopped` names the job that is to be stopped, and outlives the worker.
  SessionWorker(std::filesystem::path library, const std::atomic<quint64>& stopped);
  ~SessionWorker() override;

  void run(quint64 number, const Job& job);

 Q_SIGNALS:
  void progressed(quint64 job, kvasir::Progress progress, double secondsLeft);
  void answerGrew(quint64 job, QString piece);
  void engineLoaded(QString device);
  void finished(quint64 job, std::shared_ptr<const kvasir::JobResult> result);
  void failed(quint64 job, QString sentence);
  void stopped(quint64 job);

 private:
  class JobListener;
  JobResult perform(const ListJob& job, Listener& listener);
  JobResult perform(const ImportJob& job, Listener& listener);
  JobResult perform(const ReadJob& job, Listener& listener);
  JobResult perform(const AskJob& job, Listener& listener);
  JobResult perform(const VerifyJob& job, Listener& listener);
  JobResult perform(const RetraceJob& job, Listener& listener);
  JobResult perform(const RemoveJob& job, Listener& listener);
  JobResult perform(const UnreadJob& job, Listener& listener);
  JobResult perform(const EngineJob& job, Listener& listener);
  JobResult perform(const LoadJob& job, Listener& listener);
  JobResult perform(const OpenJob& job, Listener& listener);
  JobResult perform(const TextJob& job, Listener& listener);
  JobResult perform(const TalkJob& job, Listener& listener);
  JobResult perform(const NameJob& job, Listener& listener);
  JobResult perform(const EndTalkJob& job, Listener& listener);
  JobResult perform(const KeepJob& job, Listener& listener);
  JobResult perform(const ForgetJob& job, Listener& listener);
  JobResult perform(const CollectJob& job, Listener& listener);
  JobResult perform(const PlaceJob& job, Listener& listener);
  JobResult perform(const CollectionsJob& job, Listener& listener);
  JobResult perform(const DevicesJob& job, Listener& listener);
  JobResult perform(const CheckJob& job, Listener& listener);
  JobResult perform(const FindJob& job, Listener& listener);

  Library& library();
  DocumentRecord record(const std::string& id);
  bool isUnchanged(const DocumentRecord& record, Listener& listener);
  Conversations& conversations();
  Engine& engine(Listener& listener);
  std::function<bool(const ReadingRecord&)> whatServes(const AskSettings& settings) const;
  /// The document of the last call is kept: questions come in rows.
  const OpenDocument& document(const std::string& id, Listener& listener);
  OpenReading reading(const std::string& id, const AskSettings& settings, Extent extent, Listener& listener);
  /// What a question is asked of: the documents, and their readings as one.
  struct Asked {
    std::vector<AskedDocument> documents;
    std::shared_ptr<const Reading> reading;
  };
  Asked asked(const std::vector<std::string>& ids, const AskSettings& settings, Extent extent,
              Listener& listener);
  Asked asked(const Exchange& exchange, Listener& listener);

  std::filesystem::path folder_;
  const std::atomic<quint64>& stop_;
  std::optional<Library> library_;
  std::optional<Conversations> conversations_;
  std::unique_ptr<Engine> engine_;
  EngineJob engineSettings_;
  std::optional<OpenDocument> document_;
};

}  // namespace kvasir
