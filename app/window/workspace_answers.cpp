#include <algorithm>

#include <QDateTime>
#include <QLocale>

#include "app/window/evidence_of.h"
#include "app/window/follow_up.h"
#include "app/window/word_difference.h"
#include "app/window/workspace.h"
#include "ui/document/document_view.h"
#include "ui/maps/evidence_panel.h"
#include "ui/maps/map_panel.h"
#include "ui/maps/map_sheets.h"
#include "ui/panels/answer_marks.h"
#include "ui/panels/ask_panel.h"
#include "ui/panels/library_rows.h"
#include "ui/panels/main_window.h"

namespace kvasir {
namespace {

std::vector<int> asVector(const std::set<int>& chunks) { return {chunks.begin(), chunks.end()}; }

QString readFurther() {
  return Workspace::tr("The document has been read further since this answer; ask again to see all of it.");
}

QString looksAtAll() {
  return Workspace::tr(
      "Full attention over the whole document is being computed for this answer; the map shows it when it is "
      "done.");
}

QString goesOverAgain() {
  return Workspace::tr("The answer is gone over once more, to see where each of its tokens looked.");
}

/// The passages of an answer that was given from these alone, put before the model anew; 0: it was not.
int passagesReadAnew(const Exchange& exchange) {
  const std::string name = exchange.method.toStdString();
  for (const MethodInfo& method : listMethods()) {
    if (method.name != tableRowOf(name) || method.answers == "reading") continue;
    return static_cast<int>(std::count_if(exchange.evidence.begin(), exchange.evidence.end(),
                                          [](const EvidenceRow& row) { return row.layers > 0; }));
  }
  return 0;
}

/// Below 0: not known.
double shareOf(const Progress& progress) {
  return progress.total > 0 ? static_cast<double>(progress.done) / static_cast<double>(progress.total) : -1;
}

QString stageText(const Progress& progress, double secondsLeft) {
  const QString left = secondsLeft < 0 ? QString() : Workspace::tr(", %1 left").arg(asClock(secondsLeft));
  const int percent = static_cast<int>(std::max(shareOf(progress), 0.0) * 100);
  switch (progress.stage) {
    case Stage::Loading:
      return Workspace::tr("Loading the model");
    case Stage::Importing:
      return Workspace::tr("Importing the document");
    case Stage::Reading:
      return Workspace::tr("Reading the document before it can be asked: %1 % read%2").arg(percent).arg(left);
    case Stage::Retrieving:
      return Workspace::tr("Looking for passages");
    case Stage::Answering:
      return Workspace::tr("Answering");
    case Stage::Training:
      break;  // the command line's
  }
  return {};
}

/// The question is read, and then the answer gone over, token by token.
QString verifyingText(const Progress& progress, const QString& doing) {
  if (progress.stage == Stage::Loading || progress.stage == Stage::Reading) return doing;
  if (progress.total <= 0) return Workspace::tr("Full attention is being computed.");
  return Workspace::tr("Full attention is being computed: %1 of %2 tokens of the answer are done.")
      .arg(QLocale().toString(static_cast<qlonglong>(progress.done)),
           QLocale().toString(static_cast<qlonglong>(progress.total)));
}

ExchangePointer shared(Exchange exchange) { return std::make_shared<const Exchange>(std::move(exchange)); }

}  // namespace

/// Pins and blocks are chunks of the documents of the answer shown, and go with questions of the same.
AskSettings Workspace::askSettings(const QStringList& documents) const {
  AskSettings settings;
  settings.method = window_->ask()->method().toStdString();
  settings.budgetTokens = window_->ask()->budget();
  settings.maxTokens = preferences_.settings.answerTokens;
  if (!shown_ || documentsOf(*shown_) != documents) return settings;
  settings.pinnedChunks = asVector(pinned_);
  settings.blockedChunks = asVector(blocked_);
  return settings;
}

void Workspace::ask(const QString& question) {
  Running running;
  running.question = question;
  if (window_->ask()->isFollowUp()) running.asked = followUpOf(exchanges_, question);
  running.documents = scope();
  running.settings = askSettings(running.documents);
  running.extent = extentFor(running.documents, running.settings);
  run(std::move(running));
}

void Workspace::askAgain(qint64 number) {
  const ExchangePointer exchange = find(number);
  if (!exchange) return;
  Running running;
  running.question = exchange->question;
  running.asked = exchange->asked;
  running.documents = documentsOf(*exchange);
  running.settings = askSettings(running.documents);
  running.extent = extentFor(running.documents, running.settings);
  run(std::move(running));
}

void Workspace::askWithMoreBudget() {
  if (!shown_ || running_) return;
  window_->ask()->setBudget(2 * std::max(window_->ask()->budget(), shown_->budgetTokens));
  askAgain(shown_->number);
}

void Workspace::askWithout(int chunk) {
  if (!shown_ || running_) return;
  const auto row = std::find_if(shown_->evidence.begin(), shown_->evidence.end(),
                                [&](const EvidenceRow& r) { return r.chunk == chunk; });
  Running running;
  running.question = shown_->question;
  running.asked = shown_->asked;
  running.documents = documentsOf(*shown_);
  running.settings = askSettings(running.documents);
  running.leftOut = chunk;
  running.extent = shareRead(*shown_) < 1 ? Extent::AnyChunk : Extent::Whole;
  running.settings.method = shown_->method.toStdString();
  running.settings.budgetTokens = shown_->budgetTokens;
  running.settings.pinnedChunks = shown_->pinned;
  running.settings.blockedChunks = shown_->blocked;
  running.settings.blockedChunks.push_back(chunk);
  running.without = shown_;
  const bool isKnown = row != shown_->evidence.end();
  running.withoutPlace = isKnown && !row->pages.isEmpty()
                             ? tr("passage %1 (page %2)").arg(row->rank).arg(row->pages)
                         : isKnown ? tr("passage %1").arg(row->rank)
                                   : tr("chunk %1").arg(chunk);
  running.note = tr("Without %1.").arg(running.withoutPlace);
  run(std::move(running));
}

void Workspace::run(Running running) {
  if (home_.isEmpty() || running_ || running.question.trimmed().isEmpty()) return;
  const LibraryRow* row = session_->row(home_);
  running.document = home_;
  running.title = row ? row->title : QString();
  if (conversation_ == 0) {
    conversation_ = nextNumber();
    conversations_.insert(conversations_.begin(), {conversation_, running.question});
    showConversations();
  }
  running.conversation = conversation_;
  stopLooking();
  const QString& asked = running.asked.isEmpty() ? running.question : running.asked;
  running.number = session_->ask(running.documents, asked, running.settings, running.extent);
  if (running.question == window_->ask()->question()) window_->ask()->setQuestion({});
  running.exchange = nextNumber();
  running.when = QDateTime::currentDateTimeUtc().toString(Qt::ISODate);
  Exchange unanswered = askedOf(running);
  unanswered.isUnanswered = true;
  session_->keep(shared(std::move(unanswered)));
  running_ = std::move(running);
  showRunning();
}

/// What the panel shows of the question being answered: all of it beside its own document, else that there is
/// one.
void Workspace::showRunning() {
  AskPanel* panel = window_->ask();
  if (panel->isAnswering()) panel->endAnswer();
  if (home_.isEmpty()) return panel->setObstacle(tr("Open a document to ask it."));
  const bool isOther = running_ && running_->conversation != conversation_;
  panel->setObstacle(isOther ? tr("A question about “%1” is being answered.").arg(running_->title) : QString());
  if (!running_ || isOther) return;
  panel->beginAnswer(running_->question, running_->asked, running_->note);
  if (!running_->text.isEmpty()) panel->appendAnswer(running_->text);
  panel->setStage(tr("Waiting"), -1);
}

void Workspace::onProgress(quint64 question, const Progress& progress, double secondsLeft) {
  const QString doing = stageText(progress, secondsLeft);
  if (question == verifying_) return maps_->setVerifying(verifyingText(progress, doing));
  if (showCompareProgress(question, doing)) return;
  if (!running_ || running_->number != question || !window_->ask()->isAnswering()) return;
  window_->ask()->setStage(doing, progress.stage == Stage::Answering ? -1 : shareOf(progress));
}

void Workspace::onAnswer(quint64 question, const Answered& answered) {
  if (noteCompared(question, answered.exchange, {})) return;
  if (!running_ || running_->number != question) return;
  const Exchange asked = askedOf(*running_);
  Exchange exchange = *answered.exchange;
  exchange.number = asked.number;
  exchange.conversation = asked.conversation;
  exchange.document = asked.document;
  exchange.documents = asked.documents;
  exchange.question = asked.question;
  exchange.asked = asked.asked;
  exchange.when = asked.when;
  exchange.leftOut = asked.leftOut;
  exchange.blocked = asked.blocked;
  exchange.note = running_->without ? differenceNote(*running_, exchange) : running_->note;
  const double seconds = exchange.totalSeconds - exchange.firstTokenSeconds;
  if (exchange.answerTokens > 1 && seconds > 0) status_.tokensPerSecond = (exchange.answerTokens - 1) / seconds;
  endAnswer(std::move(exchange));
  Q_EMIT workEnded();
}

QString Workspace::differenceNote(const Running& running, const Exchange& exchange) const {
  const Exchange& before = *running.without;
  if (exchange.chunks != before.chunks) return readFurther();  // not the passage alone made the difference
  const auto number = [](double value) { return QString::number(value, 'f', 2); };
  return tr("Without %1: the answer's log-probability is %2 instead of %3 (%4 instead of %5 a token). %6")
      .arg(running.withoutPlace, number(exchange.logProbability), number(before.logProbability),
           number(exchange.logProbability / std::max(exchange.answerTokens, 1)),
           number(before.logProbability / std::max(before.answerTokens, 1)),
           describe(differenceOf(before.answer, exchange.answer)));
}

void Workspace::onStopped(quint64 question) {
  if (noteCompared(question, nullptr, tr("Stopped."))) return;
  if (!running_ || running_->number != question) return;
  Exchange exchange = askedOf(*running_);
  exchange.answer = running_->text.trimmed();
  exchange.isStopped = true;
  endAnswer(std::move(exchange));
}

/// The exchange as far as it is known before there is an answer.
Exchange Workspace::askedOf(const Running& running) const {
  Exchange exchange;
  exchange.number = running.exchange;
  exchange.conversation = running.conversation;
  exchange.document = running.document;
  if (running.documents != QStringList{running.document}) exchange.documents = running.documents;
  exchange.question = running.question;
  exchange.asked = running.asked;
  exchange.note = running.note;
  exchange.when = running.when;
  exchange.method = QString::fromStdString(running.settings.method);
  exchange.budgetTokens = running.settings.budgetTokens;
  exchange.pinned = running.settings.pinnedChunks;
  // The note says what was left out; the next question has it again.
  exchange.blocked = running.without ? running.without->blocked : running.settings.blockedChunks;
  exchange.leftOut = running.leftOut;
  return exchange;
}

void Workspace::onFailed(quint64 question, const QString& sentence) {
  if (noteCompared(question, nullptr, sentence)) return;
  if (!running_ || running_->number != question) return;
  Exchange exchange = askedOf(*running_);
  exchange.isUnanswered = true;
  exchange.note = sentence;
  endAnswer(std::move(exchange));
  tell(sentence);
  Q_EMIT workEnded();
}

/// Keeps the exchange, and shows it where its document is open.
void Workspace::endAnswer(Exchange exchange) {
  const ExchangePointer kept = shared(std::move(exchange));
  running_.reset();
  session_->keep(kept);
  const bool isShown = kept->conversation == conversation_;
  if (isShown) exchanges_.push_back(kept);
  window_->ask()->setConversation(exchanges_);
  showRunning();
  if (isShown) show(kept);
  if (isShown && !kept->isStopped && !kept->isUnanswered) window_->ask()->announceAnswer();
  // What a stopped answer rested on is seen by going over it once more; not while the window closes.
  if (kept->isStopped && !isShutDown_) retrace(kept);
}

/// Puts the changed exchange in the place of the one before; whether that is the one shown.
bool Workspace::renew(const ExchangePointer& before, const ExchangePointer& changed) {
  const bool isShown = shown_ == before;
  for (auto* exchanges : {&exchanges_, &comparing_.exchanges})
    std::replace(exchanges->begin(), exchanges->end(), ExchangePointer(before), changed);
  if (isShown) shown_ = changed;
  return isShown;
}

ExchangePointer Workspace::find(qint64 number) const {
  for (const auto* exchanges : {&exchanges_, &comparing_.exchanges}) {
    const auto found = std::find_if(exchanges->begin(), exchanges->end(),
                                    [&](const ExchangePointer& e) { return e && e->number == number; });
    if (found != exchanges->end()) return *found;
  }
  return nullptr;
}

void Workspace::show(const ExchangePointer& exchange) {
  shown_ = exchange;
  texts_.clear();
  window_->ask()->setShown(exchange ? exchange->number : 0);
  window_->setAnswered(exchange != nullptr);
  focus_.clear();
  headsWished_.reset();
  if (exchange) {
    pinned_ = {exchange->pinned.begin(), exchange->pinned.end()};
    blocked_ = {exchange->blocked.begin(), exchange->blocked.end()};
  }
  document_->light(Light::Hovered, {});
  document_->light(Light::Marked, marked_);
  showRows();
  showMaps();
  showStatus();
}

void Workspace::showStatus() {
  status_.firstTokenSeconds = shown_ ? shown_->firstTokenSeconds : 0;
  status_.kvBytesInMemory = shown_ ? shown_->kvBytesInMemory : 0;
  status_.kvBytesOnDisk = shown_ ? shown_->kvBytesOnDisk : 0;
  status_.attendedTokens = shown_ ? shown_->attendedTokens : 0;
  status_.budgetTokens = shown_ && shown_->attendedTokens > 0 ? shown_->budgetTokens : 0;
  status_.coverage = shown_ ? shown_->coverage : std::nullopt;
  status_.isCoverageExact = shown_ && shown_->maps && shown_->maps->full;
  status_.isCoverageAtMost = false;
  status_.passagesReadAnew = shown_ ? passagesReadAnew(*shown_) : 0;
  status_.canUseMore = shown_ && !shown_->isStopped && shown_->attendedTokens > 0 &&
                       shown_->attendedTokens < shown_->documentTokens;
  if (status_.isCoverageExact) {
    const auto checked = checkedCoverage(shown_->maps->full->map, shown_->maps->retrieved);
    status_.coverage = checked ? std::optional(checked->share) : std::nullopt;
    status_.isCoverageAtMost = checked && checked->isAtMost;
  }
  window_->strip()->setValues(status_);
}

void Workspace::showHeads(int chunk) {
  if (!shown_ || !shown_->maps) return;
  const EvidenceMap& map = shown_->maps->retrieved;
  if (chunk < 0 || chunk >= map.chunks) return;
  if (map.headMass.empty()) {
    headsWished_ = chunk;
    return retrace(shown_);
  }
  if (std::optional<HeadMap> heads = headsOf(map, chunk)) maps_->setHeads(std::move(*heads));
}

void Workspace::verify() {
  if (!shown_ || !shown_->maps || verifying_ != 0) return;
  if (running_) return tell(tr("A question is being answered; verify when it is done, or stop it."));
  window_->tell(looksAtAll());
  maps_->setVerifying(tr("Full attention is being computed."));
  verifying_ = session_->verify(shown_);
}

/// Ends what only looks again at an answer: a question goes before it.
void Workspace::stopLooking() {
  for (const quint64 work : {verifying_, retracing_})
    if (work != 0) session_->stopQuestion(work);
}

void Workspace::onVerified(qint64 number, std::shared_ptr<const FullAttention> full) {
  verifying_ = 0;
  untell(looksAtAll());
  maps_->setVerifying({});
  if (full) Q_EMIT workEnded();
  const ExchangePointer exchange = find(number);
  if (!full || !exchange || !exchange->maps) return;
  if (full->map.chunks != exchange->maps->retrieved.chunks) return tell(readFurther());
  auto maps = std::make_shared<AnswerMaps>(*exchange->maps);
  maps->full = *full;
  Exchange verified = *exchange;
  verified.maps = maps;
  if (!renew(exchange, shared(std::move(verified)))) return;
  showMaps();
  showStatus();
  window_->showLowerView(maps_);
}

void Workspace::showLooks() {
  if (shown_ && (!shown_->maps || shown_->maps->looks.empty())) retrace(shown_);
}

/// Has the answer looked at again: for its evidence where it was stopped, for what is not kept of it where it
/// is of an earlier day. Stopped before anything was said, it rests on nothing.
void Workspace::retrace(const ExchangePointer& exchange) {
  if (!exchange || running_ || retracing_ != 0) return;
  if (exchange->isStopped && exchange->answer.isEmpty()) return;
  if (!exchange->isStopped) window_->tell(goesOverAgain());
  retraced_ = exchange;
  retracing_ = session_->retrace(exchange);
}

void Workspace::onRetraced(qint64 number, const std::shared_ptr<const Exchange>& result) {
  retracing_ = 0;
  untell(goesOverAgain());
  const std::optional<int> heads = std::exchange(headsWished_, std::nullopt);
  const ExchangePointer asked = std::exchange(retraced_, nullptr), found = find(number);
  const ExchangePointer& exchange = found ? found : asked;  // another conversation may be shown
  if (!result || !exchange) return;
  const bool isNew = !exchange->maps;
  if (!isNew && exchange->chunks != result->chunks) return tell(readFurther());
  Exchange seen = *exchange;
  auto maps = std::make_shared<AnswerMaps>(*result->maps);
  if (exchange->maps) maps->full = exchange->maps->full;
  seen.maps = maps;
  if (isNew) {
    seen.evidence = result->evidence;
    seen.chunks = result->chunks;
    seen.chunkDocuments = result->chunkDocuments;
    seen.documentTokens = result->documentTokens;
    seen.readTokens = result->readTokens;
    seen.attendedTokens = result->attendedTokens;
    seen.coverage = result->coverage;
    seen.logProbability = result->logProbability;
    seen.answerTokens = result->answerTokens;
    seen.kvBytesInMemory = result->kvBytesInMemory;
    seen.kvBytesOnDisk = result->kvBytesOnDisk;
  }
  const ExchangePointer renewed = shared(std::move(seen));
  const bool isShown = renew(exchange, renewed);
  if (isNew) {
    session_->keep(renewed);
    window_->ask()->setConversation(exchanges_);
  }
  if (!isShown) return;
  if (isNew) showRows();
  showMaps();
  showStatus();
  if (heads) showHeads(*heads);
}

}  // namespace kvasir
