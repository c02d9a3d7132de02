#include "app/window/lane.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "app/window/session_worker.h"

namespace kvasir {

Lane::Lane(const std::filesystem::path& library, const QString& name, QObject* parent)
    : QObject(parent), worker_(new SessionWorker(library, stop_)) {
  thread_.setObjectName(name);
  worker_->moveToThread(&thread_);
  connect(&thread_, &QThread::finished, worker_, &QObject::deleteLater);
  connectWorker();
  thread_.start();
}

Lane::~Lane() {
  if (running_ && !isFinishing_) stop_.store(running_->number);
  // In the thread's own queue, so that it comes behind what was posted.
  QMetaObject::invokeMethod(
      worker_, [] { QThread::currentThread()->quit(); }, Qt::QueuedConnection);
  thread_.wait();
}

void Lane::finish() {
  isFinishing_ = true;
  for (const Task& task : waiting_) post(task);
  waiting_.clear();
}

void Lane::connectWorker() {
  connect(worker_, &SessionWorker::progressed, this,
          [this](quint64 job, const Progress& progress, double left) {
            if (!running_ || running_->number != job) return;
            stage_ = progress.stage;
            Q_EMIT progressed(*running_, progress, left);
            yieldToUrgent();
          });
  connect(worker_, &SessionWorker::answerGrew, this, [this](quint64 job, const QString& piece) {
    if (running_ && running_->number == job) Q_EMIT answerGrew(*running_, piece);
  });
  connect(worker_, &SessionWorker::engineLoaded, this, &Lane::engineLoaded);
  connect(worker_, &SessionWorker::finished, this,
          [this](quint64 job, std::shared_ptr<const JobResult> result) {
            end(job, {Outcome::Kind::Finished, std::move(result), {}});
          });
  connect(worker_, &SessionWorker::failed, this, [this](quint64 job, const QString& sentence) {
    end(job, {Outcome::Kind::Failed, nullptr, sentence});
  });
  connect(worker_, &SessionWorker::stopped, this, [this](quint64 job) {
    end(job, {Outcome::Kind::Stopped, nullptr, {}});
  });
}

quint64 Lane::add(Job job, Urgency urgency) {
  Task task{++last_, urgency, std::move(job)};
  const quint64 number = task.number;
  insert(std::move(task), false);
  yieldToUrgent();
  next();
  return number;
}

void Lane::setUrgency(Urgency urgency, const std::function<bool(const Job&)>& isMeant) {
  if (running_ && isMeant(running_->job)) running_->urgency = urgency;
  for (Task& task : std::exchange(waiting_, {})) {
    if (isMeant(task.job)) task.urgency = urgency;
    insert(std::move(task), false);
  }
  yieldToUrgent();
}

void Lane::yieldToUrgent() {
  if (!running_ || waiting_.empty() || waiting_.front().urgency >= running_->urgency) return;
  if (stop_.load() == running_->number || isLoadingFor(waiting_.front().job)) return;
  isYielding_ = true;
  stop_.store(running_->number);
}

/// Whether a model is being loaded that `next` needs too.
bool Lane::isLoadingFor(const Job& next) const {
  return stage_ == Stage::Loading &&
         (std::holds_alternative<ReadJob>(next) || std::holds_alternative<AskJob>(next));
}

void Lane::insert(Task task, bool isFirst) {
  const auto place = std::find_if(waiting_.begin(), waiting_.end(), [&](const Task& other) {
    return isFirst ? other.urgency >= task.urgency : other.urgency > task.urgency;
  });
  waiting_.insert(place, std::move(task));
}

void Lane::next() {
  if (running_ || waiting_.empty()) return;
  running_ = std::move(waiting_.front());
  waiting_.pop_front();
  isYielding_ = false;
  stage_ = Stage::Importing;
  stop_.store(0);
  post(*running_);
  Q_EMIT started(*running_);
}

void Lane::post(const Task& task) {
  QMetaObject::invokeMethod(
      worker_, [worker = worker_, number = task.number, job = task.job] { worker->run(number, job); },
      Qt::QueuedConnection);
}

void Lane::stop(quint64 number) {
  if (running_ && running_->number == number) {
    isYielding_ = false;
    stop_.store(number);
    return;
  }
  const auto found =
      std::find_if(waiting_.begin(), waiting_.end(), [&](const Task& task) { return task.number == number; });
  if (found == waiting_.end()) return;
  const Task task = std::move(*found);
  waiting_.erase(found);
  Q_EMIT ended(task, {Outcome::Kind::Stopped, nullptr, {}});
}

void Lane::stopWhere(const std::function<bool(const Job&)>& isMeant) {
  std::vector<quint64> numbers;
  if (running_ && isMeant(running_->job)) numbers.push_back(running_->number);
  for (const Task& task : waiting_) {
    if (isMeant(task.job)) numbers.push_back(task.number);
  }
  for (const quint64 number : numbers) stop(number);
}

const Task* Lane::find(const std::function<bool(const Job&)>& isMeant) const {
  if (running_ && isMeant(running_->job)) return &*running_;
  const auto found =
      std::find_if(waiting_.begin(), waiting_.end(), [&](const Task& task) { return isMeant(task.job); });
  return found == waiting_.end() ? nullptr : &*found;
}

void Lane::end(quint64 number, Outcome outcome) {
  if (!running_ || running_->number != number) return;
  const Task task = std::move(*running_);
  running_.reset();
  if (outcome.kind == Outcome::Kind::Stopped && isYielding_) {
    outcome.kind = Outcome::Kind::Yielded;
    insert(task, true);
  }
  Q_EMIT ended(task, outcome);
  next();
}

}  // namespace kvasir
