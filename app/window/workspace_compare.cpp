#include <algorithm>
#include <utility>

#include "app/window/workspace.h"
#include "ui/maps/compare_panel.h"
#include "ui/maps/map_panel.h"
#include "ui/panels/ask_panel.h"
#include "ui/panels/main_window.h"

namespace kvasir {
namespace {

/// The evidence on one axis: several documents stand behind each other.
void placeEvidence(const Exchange& exchange, CompareEntry& entry) {
  std::vector<std::size_t> starts = {0};
  for (std::size_t chunk = 0; chunk < exchange.chunks.size(); ++chunk) {
    const std::size_t document =
        exchange.chunkDocuments.empty() ? 0 : static_cast<std::size_t>(exchange.chunkDocuments[chunk]);
    while (starts.size() <= document) starts.push_back(entry.documentBytes);
    entry.documentBytes = std::max(entry.documentBytes, starts[document] + exchange.chunks[chunk].end);
  }
  for (const EvidenceRow& row : exchange.evidence) {
    const auto place = documentsOf(exchange).indexOf(row.document);
    const std::size_t start = place < 0 || static_cast<std::size_t>(place) >= starts.size()
                                  ? 0
                                  : starts[static_cast<std::size_t>(place)];
    if (row.share > 0) entry.evidence.push_back({{row.range.start + start, row.range.end + start}, row.share});
  }
}

}  // namespace

/// The question of the answer shown, or else the one in the box, by each of the methods.
void Workspace::compare(const QStringList& methods) {
  if (home_.isEmpty() || comparing_.isRunning() || methods.isEmpty()) return;
  const bool isWhole = shown_ && shown_->asked.isEmpty();
  const QString question = isWhole ? shown_->question : shown_ ? shown_->asked : window_->ask()->question();
  if (question.isEmpty()) return tell(tr("Ask a question first; then it can be compared."));
  comparing_ = {};
  const QStringList documents = shown_ ? documentsOf(*shown_) : scope();
  for (const QString& method : methods) {
    AskSettings settings = askSettings(documents);
    settings.method = method.toStdString();
    settings.pinnedChunks.clear();  // chunks of one method need not be those of another
    settings.blockedChunks.clear();
    CompareEntry entry;
    entry.method = method;
    entry.isRunning = entry.isWaiting = true;
    comparing_.entries.push_back(std::move(entry));
    comparing_.exchanges.emplace_back();
    comparing_.numbers.push_back(session_->ask(documents, question, settings));
  }
  compare_->setBusy(true);
  compare_->setEntries(comparing_.entries);
}

/// Says which of the methods is at work, and at what; false where the question is none of them.
bool Workspace::showCompareProgress(quint64 question, const QString& doing) {
  const auto place = std::find(comparing_.numbers.begin(), comparing_.numbers.end(), question);
  if (place == comparing_.numbers.end()) return false;
  const auto index = static_cast<std::size_t>(place - comparing_.numbers.begin());
  compare_->setStage(tr("%1 of %2, %3: %4")
                         .arg(index + 1)
                         .arg(comparing_.numbers.size())
                         .arg(comparing_.entries[index].method, doing));
  if (std::exchange(comparing_.entries[index].isWaiting, false)) compare_->setEntries(comparing_.entries);
  return true;
}

/// Puts in what became of one of the questions; false where it is none of them.
bool Workspace::noteCompared(quint64 question, const ExchangePointer& exchange, const QString& failure) {
  const auto place = std::find(comparing_.numbers.begin(), comparing_.numbers.end(), question);
  if (place == comparing_.numbers.end()) return false;
  const auto index = static_cast<std::size_t>(place - comparing_.numbers.begin());
  CompareEntry& entry = comparing_.entries[index];
  entry.isRunning = false;
  entry.failure = failure;
  if (exchange) {
    Exchange numbered = *exchange;
    numbered.number = nextNumber();
    comparing_.exchanges[index] = std::make_shared<const Exchange>(std::move(numbered));
    entry.hasMaps = exchange->maps != nullptr;
    entry.kvBytes = static_cast<std::size_t>(exchange->kvBytesInMemory);
    entry.answer = exchange->answer;
    entry.totalSeconds = exchange->totalSeconds;
    entry.firstTokenSeconds = exchange->firstTokenSeconds;
    placeEvidence(*exchange, entry);
  }
  compare_->setEntries(comparing_.entries);
  compare_->setStage({});
  compare_->setBusy(comparing_.isRunning());
  if (!comparing_.isRunning()) Q_EMIT workEnded();
  return true;
}

/// Maps and evidence of one method; "Show evidence" in the conversation leads back.
void Workspace::showCompared(int entry) {
  if (entry < 0 || static_cast<std::size_t>(entry) >= comparing_.exchanges.size()) return;
  const ExchangePointer& exchange = comparing_.exchanges[static_cast<std::size_t>(entry)];
  if (!exchange) return;
  show(exchange);
  window_->showLowerView(maps_);
}

void Workspace::stopComparing() {
  for (std::size_t i = 0; i < comparing_.numbers.size(); ++i)
    if (comparing_.entries[i].isRunning) session_->stopQuestion(comparing_.numbers[i]);
}

/// Its evidence and marks are places in a document that is not there any more.
void Workspace::endComparing() {
  stopComparing();
  comparing_ = {};
  compare_->setEntries({});
  compare_->setStage({});
  compare_->setBusy(false);
}

}  // namespace kvasir
