#pragma once

#include <QObject>
#include <QTimer>
#include <memory>
#include <optional>

#include "importers/document.h"
#include "ui/document/text_search.h"

namespace kvasir {

/// Searches a document in the pauses of the event loop.
class Finder : public QObject {
  Q_OBJECT
 public:
  explicit Finder(QObject* parent = nullptr);

  void setDocument(std::shared_ptr<const Document> document);
  /// Starts anew; `from` is the byte whose next match becomes the current one.
  void find(const QString& query, std::size_t from);
  void step(int direction);  ///< to the next match or the one before, around the ends

  const std::vector<TextRange>& matches() const { return search_.matches(); }
  std::optional<std::size_t> current() const { return current_; }
  bool isSearching() const { return timer_.isActive(); }
  bool hasQuery() const { return hasQuery_; }

 Q_SIGNALS:
  void matchesChanged();
  void currentChanged();

 private:
  void searchOn();
  void settle();

  std::shared_ptr<const Document> document_;
  TextSearch search_;
  QTimer timer_;
  std::size_t from_ = 0;
  bool hasQuery_ = false;
  std::optional<std::size_t> current_;
};

}  // namespace kvasir
