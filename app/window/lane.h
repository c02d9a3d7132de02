#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include <QObject>
#include <QThread>

#include "app/window/session_jobs.h"

namespace kvasir {

class SessionWorker;

/// Each goes before those behind it, and stops them where they run; what was stopped is taken up again later.
/// Shown: work in the background for what the user looks at.
enum class Urgency { Now, Soon, Shown, Background };

struct Task {
  quint64 number = 0;
  Urgency urgency = Urgency::Now;
  Job job;
};

struct Outcome {
  enum class Kind { Finished, Failed, Stopped, Yielded };
  Kind kind = Kind::Finished;
  std::shared_ptr<const JobResult> result;
  QString sentence;  ///< of a failure
};

/// One thread and the jobs that wait for it. Lives on the window's thread, and emits there.
class Lane : public QObject {
  Q_OBJECT
 public:
  Lane(const std::filesystem::path& library, const QString& name, QObject* parent);
  /// Stops what runs and forgets what waits, then ends the thread. With `finish()` before it, all jobs are done
  /// first.
  ~Lane() override;
  void finish();

  quint64 add(Job job, Urgency urgency);
  /// Of jobs that wait or run: those that wait take their places anew among the others.
  void setUrgency(Urgency urgency, const std::function<bool(const Job&)>& isMeant);
  /// Ends in Outcome::Stopped, soon for a job that runs, at once for one that waits.
  void stop(quint64 number);
  void stopWhere(const std::function<bool(const Job&)>& isMeant);
  const Task* running() const { return running_ ? &*running_ : nullptr; }
  const Task* find(const std::function<bool(const Job&)>& isMeant) const;

 Q_SIGNALS:
  void started(const Task& task);
  void progressed(const Task& task, const Progress& progress, double secondsLeft);
  void answerGrew(const Task& task, const QString& piece);
  void engineLoaded(const QString& device);
  void ended(const Task& task, const Outcome& outcome);

 private:
  void insert(Task task, bool isFirst);
  void yieldToUrgent();
  bool isLoadingFor(const Job& next) const;
  void next();
  void post(const Task& task);
  void end(quint64 number, Outcome outcome);
  void connectWorker();

  QThread thread_;
  SessionWorker* worker_;  // on the thread, which deletes it
  std::atomic<quint64> stop_{0};
  std::deque<Task> waiting_;
  std::optional<Task> running_;
  Stage stage_ = Stage::Importing;  // of what runs, as it last told
  bool isYielding_ = false;
  bool isFinishing_ = false;
  quint64 last_ = 0;
};

}  // namespace kvasir
