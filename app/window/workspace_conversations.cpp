#include <algorithm>

#include <QDateTime>

#include "app/window/workspace.h"
#include "ui/panels/ask_panel.h"
#include "ui/panels/library_panel.h"
#include "ui/panels/main_window.h"

namespace kvasir {

void Workspace::setConversation(qint64 conversation, std::vector<ExchangePointer> exchanges) {
  conversation_ = conversation;
  exchanges_ = std::move(exchanges);
  for (const ExchangePointer& exchange : exchanges_) lastNumber_ = std::max(lastNumber_, exchange->number);
  // What is being answered is shown as such.
  if (running_)
    std::erase_if(exchanges_, [&](const ExchangePointer& e) { return e->number == running_->exchange; });
  pinned_.clear();
  blocked_.clear();
  showConversations();
  window_->ask()->setConversation(exchanges_);
  show(exchanges_.empty() ? nullptr : exchanges_.back());
}

void Workspace::showConversations() {
  std::vector<ConversationChoice> choices;
  for (const Conversation& conversation : conversations_)
    choices.push_back({conversation.id, conversation.title});
  window_->ask()->setConversations(choices, conversation_);
}

void Workspace::beginConversation() {
  if (home_.isEmpty()) return;
  setConversation(0, {});
  showRunning();
  window_->ask()->focusQuestion();
}

void Workspace::chooseConversation(qint64 conversation) {
  if (conversation == conversation_) return;
  setConversation(conversation, {});
  if (conversation != 0) session_->talk(conversation);
  showRunning();
}

void Workspace::renameConversation(qint64 conversation, const QString& title) {
  const auto named = std::find_if(conversations_.begin(), conversations_.end(),
                                  [&](const Conversation& c) { return c.id == conversation; });
  if (named == conversations_.end()) return;
  named->title = title;
  session_->nameConversation(conversation, title);
  showConversations();
}

void Workspace::endConversation(qint64 conversation) {
  if (running_ && running_->conversation == conversation) return tell(tr("Stop the answer first."));
  session_->dropConversation(conversation);
  if (retraced_ && retraced_->conversation == conversation) retraced_.reset();
  std::erase_if(conversations_, [&](const Conversation& c) { return c.id == conversation; });
  if (conversation != conversation_) return showConversations();  // another was shown while the dialog was open
  setConversation(0, {});
  if (!conversations_.empty()) chooseConversation(conversations_.front().id);
}

/// Numbers of conversations and exchanges are made here, so that what is asked can be kept, and its answer put
/// in its place, without waiting.
qint64 Workspace::nextNumber() {
  lastNumber_ = std::max(lastNumber_ + 1, QDateTime::currentMSecsSinceEpoch());
  return lastNumber_;
}

void Workspace::showScopes() {
  std::vector<ScopeChoice> choices;
  if (const LibraryRow* row = session_->row(home_)) {
    choices.push_back({tr("“%1” alone").arg(row->title), {home_}, QStringLiteral("document")});
    QStringList selected;
    for (const QString& key : window_->library()->selectedKeys()) {
      const LibraryRow* chosen = session_->row(key);
      if (chosen && chosen->isImported) selected << key;
    }
    if (selected.size() > 1)
      choices.push_back({tr("%n selected documents", "", static_cast<int>(selected.size())), selected,
                         QStringLiteral("selected")});
    std::map<QString, QStringList> collections;
    for (const LibraryRow& other : session_->rows()) {
      if (other.isImported && !other.collection.isEmpty()) collections[other.collection] << other.key;
    }
    for (const auto& [name, keys] : collections) {
      if (keys.size() > 1)
        choices.push_back({tr("Collection “%1” (%n documents)", "", static_cast<int>(keys.size())).arg(name),
                           keys, QStringLiteral("collection:") + name});
    }
  }
  window_->ask()->setScopes(std::move(choices));
}

QStringList Workspace::scope() const {
  const QStringList chosen = window_->ask()->scope();
  return chosen.isEmpty() ? QStringList{home_} : chosen;
}

void Workspace::showWaiting() {
  const QStringList documents = scope();
  const bool isHalfRead = std::any_of(documents.begin(), documents.end(), [&](const QString& id) {
    const LibraryRow* row = session_->row(id);
    return row && row->isImported && row->state != DocumentState::Ready;
  });
  window_->ask()->offerWaiting(isHalfRead && session_->readsInBackground(askSettings(documents)));
}

/// What is read in the background may be asked half read; else nothing but the question would have it read.
Extent Workspace::extentFor(const QStringList& documents, const AskSettings& settings) const {
  if (window_->ask()->waitsUntilRead()) return Extent::Whole;
  const bool isStopped = std::any_of(documents.begin(), documents.end(), [&](const QString& id) {
    const LibraryRow* row = session_->row(id);
    return row && row->state == DocumentState::Stopped && row->share > 0;
  });
  return isStopped || session_->readsInBackground(settings) ? Extent::AnyChunk : Extent::Whole;
}

}  // namespace kvasir
