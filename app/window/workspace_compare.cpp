#include <algorithm>

#include "app/window/workspace.h"
#include "ui/maps/compare_panel.h"
#include "ui/panels/ask_panel.h"
#include "ui/panels/main_window.h"

namespace kvasir {

/// The question of the answer shown, or else the one in the box, by each of the methods.
void Workspace::compare(const QStringList& methods) {
  if (!open_ || !comparing_.numbers.empty() || methods.isEmpty()) return;
  const bool isWhole = shown_ && shown_->asked.isEmpty();
  const QString question = isWhole ? shown_->question : shown_ ? shown_->asked : window_->ask()->question();
  if (question.isEmpty()) return tell(tr("Ask a question first; then it can be compared."));
  comparing_ = {};
  for (const QString& method : methods) {
    AskSettings settings = askSettings();
    settings.method = method.toStdString();
    settings.pinnedChunks.clear();  // chunks of one method need not be those of another
    settings.blockedChunks.clear();
    CompareEntry entry;
    entry.method = method;
    entry.isRunning = true;
    entry.documentBytes = open_->document->text.size();
    comparing_.entries.push_back(std::move(entry));
    comparing_.numbers.push_back(session_->ask(QString::fromStdString(open_->record.id), question, settings));
  }
  compare_->setBusy(true);
  compare_->setEntries(comparing_.entries);
}

/// Puts in what became of one of the questions; false where it is none of them.
bool Workspace::noteCompared(quint64 question, const Exchange* exchange, std::size_t kvBytes,
                             const QString& failure) {
  const auto place = std::find(comparing_.numbers.begin(), comparing_.numbers.end(), question);
  if (place == comparing_.numbers.end()) return false;
  CompareEntry& entry = comparing_.entries[static_cast<std::size_t>(place - comparing_.numbers.begin())];
  entry.isRunning = false;
  entry.failure = failure;
  entry.kvBytes = kvBytes;
  if (exchange) {
    entry.answer = exchange->answer;
    entry.totalSeconds = exchange->totalSeconds;
    entry.firstTokenSeconds = exchange->firstTokenSeconds;
    for (const EvidenceRow& row : exchange->evidence) {
      if (row.share > 0) entry.evidence.push_back({row.range, row.share});
    }
  }
  compare_->setEntries(comparing_.entries);
  const bool isDone = std::none_of(comparing_.entries.begin(), comparing_.entries.end(),
                                   [](const CompareEntry& e) { return e.isRunning; });
  if (isDone) {
    comparing_ = {};
    compare_->setBusy(false);
  }
  return true;
}

void Workspace::stopComparing() {
  for (const quint64 number : std::vector(comparing_.numbers)) session_->stopQuestion(number);
}

}  // namespace kvasir
