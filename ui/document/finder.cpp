#include "ui/document/finder.h"

#include <QElapsedTimer>

namespace kvasir {
namespace {

constexpr std::size_t kSliceBytes = 64 * 1024;
constexpr int kLongestTurn = 8;  // milliseconds of the event loop

}  // namespace

Finder::Finder(QObject* parent) : QObject(parent) {
  connect(&timer_, &QTimer::timeout, this, &Finder::searchOn);
}

void Finder::setDocument(std::shared_ptr<const Document> document) {
  find({}, 0);
  document_ = std::move(document);
}

void Finder::find(const QString& query, std::size_t from) {
  timer_.stop();
  from_ = from;
  current_.reset();
  hasQuery_ = document_ != nullptr && !query.simplified().isEmpty();
  search_ = hasQuery_ ? TextSearch(document_->text, query) : TextSearch();
  if (hasQuery_) timer_.start(0);
  Q_EMIT matchesChanged();
  Q_EMIT currentChanged();
}

void Finder::searchOn() {
  QElapsedTimer clock;
  clock.start();
  while (!search_.isFinished() && clock.elapsed() < kLongestTurn) search_.step(kSliceBytes);
  if (search_.isFinished()) timer_.stop();
  settle();
  Q_EMIT matchesChanged();
}

/// The first match from the reader's place on, as soon as it is known.
void Finder::settle() {
  const auto& found = search_.matches();
  if (current_ || found.empty()) return;
  if (found.back().start < from_ && !search_.isFinished()) return;
  current_ = firstFrom(found, from_);
  Q_EMIT currentChanged();
}

void Finder::step(int direction) {
  const std::size_t count = search_.matches().size();
  if (count == 0) return;
  if (!current_) {
    current_ = firstFrom(search_.matches(), from_);
  } else {
    current_ = (*current_ + (direction > 0 ? 1 : count - 1)) % count;
  }
  Q_EMIT currentChanged();
}

}  // namespace kvasir
