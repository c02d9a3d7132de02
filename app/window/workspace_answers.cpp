#include <algorithm>

#include <QDateTime>

#include "app/window/evidence_of.h"
#include "app/window/follow_up.h"
#include "app/window/word_difference.h"
#include "app/window/workspace.h"
#include "ui/document/document_view.h"
#include "ui/maps/evidence_panel.h"
#include "ui/maps/map_panel.h"
#include "ui/panels/answer_marks.h"
#include "ui/panels/ask_panel.h"
#include "ui/panels/library_rows.h"
#include "ui/panels/main_window.h"
#include "ui/panels/notice_bar.h"

namespace kvasir {
namespace {

constexpr int kLitPassages = 12;  // on the pages; where all are lit, none is

std::vector<int> asVector(const std::set<int>& chunks) { return {chunks.begin(), chunks.end()}; }

ExchangePointer shared(Exchange exchange) { return std::make_shared<const Exchange>(std::move(exchange)); }

}  // namespace

AskSettings Workspace::askSettings() const {
  AskSettings settings;
  settings.method = window_->ask()->method().toStdString();
  settings.budgetTokens = window_->ask()->budget();
  settings.maxTokens = preferences_.settings.answerTokens;
  settings.pinnedChunks = asVector(pinned_);
  settings.blockedChunks = asVector(blocked_);
  return settings;
}

void Workspace::ask(const QString& question) {
  Running running;
  running.question = question;
  if (window_->ask()->isFollowUp() && !exchanges_.empty())
    running.asked = followUpOf(*exchanges_.back(), question);
  running.settings = askSettings();
  run(std::move(running));
}

void Workspace::askAgain(qint64 number) {
  const ExchangePointer exchange = find(number);
  if (!exchange) return;
  Running running;
  running.question = exchange->question;
  running.asked = exchange->asked;
  running.settings = askSettings();
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
  running.settings = askSettings();
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
  if (!open_ || running_ || running.question.trimmed().isEmpty()) return;
  running.document = QString::fromStdString(open_->record.id);
  running.title = QString::fromStdString(open_->record.title);
  const QString& asked = running.asked.isEmpty() ? running.question : running.asked;
  running.number = session_->ask(running.document, asked, running.settings);
  if (running.question == window_->ask()->question()) window_->ask()->setQuestion({});
  running_ = std::move(running);
  showRunning();
}

/// What the panel shows of the question being answered: all of it beside its own document, else that there is
/// one.
void Workspace::showRunning() {
  AskPanel* panel = window_->ask();
  if (panel->isAnswering()) panel->endAnswer();
  if (!open_) return panel->setObstacle(tr("Open a document to ask it."));
  const bool isOther = running_ && running_->document != QString::fromStdString(open_->record.id);
  panel->setObstacle(isOther ? tr("A question about “%1” is being answered.").arg(running_->title) : QString());
  if (!running_ || isOther) return;
  panel->beginAnswer(running_->question, running_->note);
  if (!running_->text.isEmpty()) panel->appendAnswer(running_->text);
  panel->setStage(tr("Waiting"), -1);
}

void Workspace::onProgress(quint64 question, const Progress& progress, double secondsLeft) {
  if (!running_ || running_->number != question || !window_->ask()->isAnswering()) return;
  const double share =
      progress.total > 0 ? static_cast<double>(progress.done) / static_cast<double>(progress.total) : -1;
  const QString left = secondsLeft < 0 ? QString() : tr(", %1 left").arg(asClock(secondsLeft));
  const int percent = static_cast<int>(std::max(share, 0.0) * 100);
  switch (progress.stage) {
    case Stage::Loading:
      return window_->ask()->setStage(tr("Loading the model"), share);
    case Stage::Importing:
      return window_->ask()->setStage(tr("Importing the document"), share);
    case Stage::Reading:
      return window_->ask()->setStage(
          tr("Reading the document before it can be asked: %1 % read%2").arg(percent).arg(left), share);
    case Stage::Retrieving:
      return window_->ask()->setStage(tr("Looking for passages"), share);
    case Stage::Answering:
      return window_->ask()->setStage(tr("Answering"), -1);
    case Stage::Training:
      return;  // the command line's
  }
}

void Workspace::onAnswer(quint64 question, const Answered& answered) {
  if (noteCompared(question, answered.exchange.get(), answered.kvBytesInMemory, {})) return;
  if (!running_ || running_->number != question) return;
  Exchange exchange = *answered.exchange;
  exchange.question = running_->question;
  exchange.asked = running_->asked;
  // The note says what was left out; the next question has it again.
  if (running_->without) exchange.blocked = running_->without->blocked;
  exchange.note = running_->without ? differenceNote(*running_, exchange) : running_->note;
  status_.kvBytesInMemory = static_cast<std::int64_t>(answered.kvBytesInMemory);
  status_.kvBytesOnDisk = static_cast<std::int64_t>(answered.kvBytesOnDisk);
  const double seconds = exchange.totalSeconds - exchange.firstTokenSeconds;
  if (exchange.answerTokens > 1 && seconds > 0) status_.tokensPerSecond = (exchange.answerTokens - 1) / seconds;
  endAnswer(std::move(exchange));
}

QString Workspace::differenceNote(const Running& running, const Exchange& exchange) const {
  const Exchange& before = *running.without;
  const auto number = [](double value) { return QString::number(value, 'f', 2); };
  return tr("Without %1: the answer's log-probability is %2 instead of %3 (%4 instead of %5 a token). %6")
      .arg(running.withoutPlace, number(exchange.logProbability), number(before.logProbability),
           number(exchange.logProbability / std::max(exchange.answerTokens, 1)),
           number(before.logProbability / std::max(before.answerTokens, 1)),
           describe(differenceOf(before.answer, exchange.answer)));
}

void Workspace::onStopped(quint64 question) {
  if (noteCompared(question, nullptr, 0, tr("Stopped."))) return;
  if (!running_ || running_->number != question) return;
  Exchange exchange;
  exchange.document = running_->document;
  exchange.question = running_->question;
  exchange.asked = running_->asked;
  exchange.answer = running_->text;
  exchange.note = running_->note;
  exchange.method = QString::fromStdString(running_->settings.method);
  exchange.budgetTokens = running_->settings.budgetTokens;
  exchange.isStopped = true;
  endAnswer(std::move(exchange));
}

void Workspace::onFailed(quint64 question, const QString& sentence) {
  if (noteCompared(question, nullptr, 0, sentence)) return;
  if (!running_ || running_->number != question) return;
  const QString asked = running_->question;
  running_.reset();
  showRunning();
  if (window_->ask()->question().isEmpty()) window_->ask()->setQuestion(asked);
  tell(sentence);
}

/// Keeps the exchange, and shows it where its document is open.
void Workspace::endAnswer(Exchange exchange) {
  exchange.number = --provisional_;
  exchange.when = QDateTime::currentDateTimeUtc().toString(Qt::ISODate);
  const ExchangePointer kept = shared(std::move(exchange));
  running_.reset();
  session_->keep(kept);
  const bool isOpen = open_ && kept->document == QString::fromStdString(open_->record.id);
  if (isOpen) exchanges_.push_back(kept);
  window_->ask()->setConversation(exchanges_);
  showRunning();
  if (isOpen && !kept->isStopped) show(kept);
}

void Workspace::onKept(qint64 before, qint64 number) {
  const ExchangePointer exchange = find(before);
  if (!exchange) return;
  Exchange numbered = *exchange;
  numbered.number = number;
  if (renew(exchange, std::move(numbered))) window_->ask()->setShown(number);
  window_->ask()->setConversation(exchanges_);
}

/// Puts the changed exchange in the place of the one before; whether that is the one shown.
bool Workspace::renew(const ExchangePointer& before, Exchange changed) {
  const bool isShown = shown_ == before;
  const ExchangePointer renewed = shared(std::move(changed));
  std::replace(exchanges_.begin(), exchanges_.end(), ExchangePointer(before), renewed);
  if (isShown) shown_ = renewed;
  return isShown;
}

ExchangePointer Workspace::find(qint64 number) const {
  const auto found = std::find_if(exchanges_.begin(), exchanges_.end(),
                                  [&](const ExchangePointer& exchange) { return exchange->number == number; });
  return found == exchanges_.end() ? nullptr : *found;
}

void Workspace::show(const ExchangePointer& exchange) {
  shown_ = exchange;
  window_->ask()->setShown(exchange ? exchange->number : 0);
  window_->setAnswered(exchange != nullptr);
  focus_.clear();
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

void Workspace::showRows() {
  std::vector<EvidenceRow> rows = shown_ ? shown_->evidence : std::vector<EvidenceRow>();
  std::vector<TextRange> lit;
  for (EvidenceRow& row : rows) {
    row.isPinned = pinned_.contains(row.chunk);
    row.isBlocked = blocked_.contains(row.chunk);
    if (row.layers > 0 && row.rank <= kLitPassages) lit.push_back(row.range);
  }
  document_->light(Light::Evidence, lit);
  evidence_->setRows(std::move(rows));
}

void Workspace::showMaps() {
  if (!shown_ || !shown_->maps) return maps_->setMaps(nullptr);
  if (marked_.empty()) return maps_->setMaps(shown_->maps);
  auto maps = std::make_shared<AnswerMaps>(*shown_->maps);
  for (const TextRange& range : marked_) {
    for (std::size_t chunk = 0; chunk < shown_->chunks.size(); ++chunk) {
      const TextRange& place = shown_->chunks[chunk];
      if (place.start < range.end && range.start < place.end)
        maps->goldChunks.push_back(static_cast<int>(chunk));
    }
  }
  maps_->setMaps(maps);
}

void Workspace::showStatus() {
  status_.firstTokenSeconds = shown_ ? shown_->firstTokenSeconds : 0;
  status_.attendedTokens = shown_ ? shown_->attendedTokens : 0;
  status_.budgetTokens = shown_ ? shown_->budgetTokens : 0;
  status_.coverage = shown_ ? shown_->coverage : std::nullopt;
  status_.isCoverageExact = shown_ && shown_->maps && shown_->maps->full;
  status_.canUseMore = shown_ && !shown_->isStopped && shown_->attendedTokens < shown_->documentTokens;
  if (status_.isCoverageExact) status_.coverage = exactCoverage(*shown_->maps->full, shown_->maps->retrieved);
  window_->strip()->setValues(status_);
}

void Workspace::showHeads(int chunk) {
  if (!shown_ || !shown_->maps) return;
  const EvidenceMap& map = shown_->maps->retrieved;
  HeadMap heads{chunk, map.layers, map.heads, {}};
  const std::size_t chunks = static_cast<std::size_t>(map.chunks);
  if (map.headMass.empty() || chunk < 0 || static_cast<std::size_t>(chunk) >= chunks)
    return tell(tr("The heads of an earlier answer are not kept; ask the question again to see them."));
  for (std::size_t row = 0; row < map.headMass.size() / chunks; ++row)
    heads.mass.push_back(map.headMass[row * chunks + static_cast<std::size_t>(chunk)]);
  maps_->setHeads(std::move(heads));
}

void Workspace::verify() {
  if (!shown_ || shown_->isStopped || running_) return;
  window_->tell(
      tr("Full attention over the whole document is being computed for this answer; the map shows it when it "
         "is done."));
  session_->verify(*shown_);
}

void Workspace::onVerified(qint64 number, std::shared_ptr<const EvidenceMap> map) {
  window_->notice()->hide();
  const ExchangePointer exchange = find(number);
  if (!map || !exchange || !exchange->maps) return;
  auto maps = std::make_shared<AnswerMaps>(*exchange->maps);
  maps->full = *map;
  Exchange verified = *exchange;
  verified.maps = maps;
  if (!renew(exchange, std::move(verified))) return;
  showMaps();
  showStatus();
  window_->showLowerView(maps_);
}

void Workspace::reveal(int chunk) {
  if (!shown_ || chunk < 0 || static_cast<std::size_t>(chunk) >= shown_->chunks.size()) return;
  const TextRange& range = shown_->chunks[static_cast<std::size_t>(chunk)];
  focus_ = {range};
  document_->light(Light::Hovered, focus_);
  document_->reveal(range);
}

void Workspace::followMark(qint64 number, int rank, const QString& sentence) {
  const ExchangePointer exchange = find(number);
  if (!exchange) return;
  if (exchange != shown_) show(exchange);
  for (const EvidenceRow& row : exchange->evidence) {
    if (row.rank != rank) continue;
    focus_ = {placeInRow(row, sentence)};
    document_->light(Light::Hovered, focus_);
    document_->reveal(focus_.front());
    evidence_->highlight(row.chunk);
    maps_->highlight(row.chunk);
    return;
  }
}

void Workspace::lightChunk(std::optional<int> chunk) {
  const bool isKnown =
      chunk && shown_ && *chunk >= 0 && static_cast<std::size_t>(*chunk) < shown_->chunks.size();
  document_->light(Light::Hovered,
                   isKnown ? std::vector{shown_->chunks[static_cast<std::size_t>(*chunk)]} : focus_);
}

std::optional<int> Workspace::chunkAt(std::size_t byte) const {
  if (!shown_) return std::nullopt;
  const auto after = std::upper_bound(shown_->chunks.begin(), shown_->chunks.end(), byte,
                                      [](std::size_t b, const TextRange& chunk) { return b < chunk.start; });
  if (after == shown_->chunks.begin() || byte >= std::prev(after)->end) return std::nullopt;
  return static_cast<int>(after - shown_->chunks.begin()) - 1;
}

void Workspace::pin(int chunk, bool isPinned) {
  if (isPinned) blocked_.erase(chunk);
  isPinned ? (void)pinned_.insert(chunk) : (void)pinned_.erase(chunk);
  showRows();
}

void Workspace::block(int chunk, bool isBlocked) {
  if (isBlocked) pinned_.erase(chunk);
  isBlocked ? (void)blocked_.insert(chunk) : (void)blocked_.erase(chunk);
  showRows();
}

void Workspace::mark(const TextRange& range) {
  const auto same = std::find(marked_.begin(), marked_.end(), range);
  same == marked_.end() ? marked_.push_back(range) : (void)marked_.erase(same);
  document_->light(Light::Marked, marked_);
  showMaps();
}

}  // namespace kvasir
