#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "app/library.h"
#include "engine/engine.h"
#include "importers/document.h"
#include "ui/document/document_view.h"
#include "ui/panels/exchange.h"

namespace kvasir {

// What a session's thread can be asked to do, and what comes of it. All are values; what is large is shared and
// const.

/// The library's documents; read are those with a whole reading by `method`.
struct ListJob {
  std::string method;
};
struct ImportJob {
  std::string file;
};
struct ReadJob {
  std::string id;
  AskSettings settings;
};
struct AskJob {
  std::string id, question;
  AskSettings settings;
};
/// Full attention for an answer that was given.
struct VerifyJob {
  std::string id, question, answer;
  AskSettings settings;
};
struct RemoveJob {
  std::string id;
};
/// Another model, device or number of threads: the engine is loaded anew at the next need.
struct EngineJob {
  EngineSettings settings;
  std::string modelsFolder;
};
/// A document with words and boxes, its conversation, and the place where it was left.
struct OpenJob {
  std::string id;
};
struct KeepJob {
  std::shared_ptr<const Exchange> exchange;
};
struct ForgetJob {  ///< the conversation of a document
  std::string id;
};
struct CollectJob {
  std::string id, collection;
};
struct PlaceJob {
  std::string id;
  DocumentPlace place;
};
struct CollectionsJob {};
/// The files to import among these files and folders.
struct FindJob {
  std::vector<std::string> paths;
};

using Job = std::variant<ListJob, ImportJob, ReadJob, AskJob, VerifyJob, RemoveJob, EngineJob, OpenJob, KeepJob,
                         ForgetJob, CollectJob, PlaceJob, CollectionsJob, FindJob>;

struct ListedDocument {
  DocumentRecord record;
  bool isRead = false;
};
struct Listed {
  std::vector<ListedDocument> documents;
};
struct Imported {
  DocumentRecord record;
};
struct ReadToEnd {
  int tokens = 0;
  double seconds = 0;
  std::size_t bytesOnDisk = 0;
};
struct Answered {
  std::shared_ptr<const Exchange> exchange;
  std::size_t kvBytesInMemory = 0, kvBytesOnDisk = 0;
};
struct Verified {
  std::shared_ptr<const EvidenceMap> map;
};
struct Removed {};
struct Opened {
  DocumentRecord record;
  std::shared_ptr<const Document> document;
  std::vector<ExchangePointer> conversation;
  std::optional<DocumentPlace> place;
};
struct Kept {
  qint64 number = 0;
};
struct Collections {
  std::vector<std::pair<std::string, std::string>> byDocument;  ///< id, name
};
struct Found {
  std::vector<std::string> files;
};
struct Done {};

using JobResult = std::variant<Done, Listed, Imported, ReadToEnd, Answered, Verified, Removed, Opened, Kept,
                               Collections, Found>;

}  // namespace kvasir
