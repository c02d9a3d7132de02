#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/sqlite.h"
#include "app/window/session_jobs.h"
#include "ui/document/document_view.h"
#include "ui/panels/exchange.h"

namespace kvasir {

/// What the window keeps beside the library: conversations with their evidence, collections, and the place
/// where each document was left. One SQLite file; every change is one transaction. Belongs to one thread;
/// failures are sentences.
class Conversations {
 public:
  explicit Conversations(std::filesystem::path file);

  /// Adds it, or renews the one of its number, and begins its conversation where there is none of that id.
  void keep(const Exchange& exchange);
  std::vector<Conversation> of(const std::string& document);    ///< the last one spoken in comes first
  std::vector<ExchangePointer> exchanges(qint64 conversation);  ///< oldest first; what is damaged is left out
  void name(qint64 conversation, const std::string& title);
  void drop(qint64 conversation);
  /// The conversations and the place of a document.
  void forget(const std::string& document);

  std::vector<std::pair<std::string, std::string>> collections();
  void collect(const std::string& document, const std::string& name);  ///< empty: in none

  std::optional<DocumentPlace> place(const std::string& document);
  void setPlace(const std::string& document, const DocumentPlace& place);

 private:
  Database database_;
};

}  // namespace kvasir
