#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "app/library.h"
#include "engine/devices.h"
#include "engine/engine.h"
#include "importers/document.h"
#include "ui/document/document_view.h"
#include "ui/panels/exchange.h"

namespace kvasir {

// What a session's thread can be asked to do, and what comes of it. All are values; what is large is shared and
// const.

/// The library's documents, or `ids` alone where there are any; read are those with a whole reading that serves
/// the settings. As long as no engine is loaded, one by a method that reads alike counts as such.
struct ListJob {
  AskSettings settings;
  std::vector<std::string> ids;
};
struct ImportJob {
  std::string file;
};
struct ReadJob {
  std::string id;
  AskSettings settings;
};
/// Of one document or several as one. `extent`: whether they are read to their ends first, or asked as far as
/// they are read.
struct AskJob {
  std::vector<std::string> ids;
  std::string question;
  AskSettings settings;
  Extent extent = Extent::Whole;
};
/// Full attention for an answer that was given.
struct VerifyJob {
  std::shared_ptr<const Exchange> exchange;
};
/// Evidence, maps, heads and the looks of single tokens, of an answer that was given.
struct RetraceJob {
  std::shared_ptr<const Exchange> exchange;
};
struct RemoveJob {
  std::string id;
};
struct UnreadJob {  ///< deletes what was read of a document; the document stays
  std::string id;
};
/// Another model, device or number of threads: the engine is loaded anew at the next need.
struct EngineJob {
  EngineSettings settings;
  std::string modelsFolder;
};
struct LoadJob {};  ///< loads the engine now
/// A document with words and boxes, its last conversation, and the place where it was left.
struct OpenJob {
  std::string id;
};
struct TextJob {  ///< a document without words and boxes
  std::string id;
};
struct TalkJob {  ///< what was said in a conversation
  qint64 conversation = 0;
};
struct NameJob {  ///< a conversation's title
  qint64 conversation = 0;
  std::string title;
};
struct EndTalkJob {  ///< deletes a conversation
  qint64 conversation = 0;
};
struct KeepJob {
  std::shared_ptr<const Exchange> exchange;
};
struct ForgetJob {  ///< the conversations of a document
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
struct DevicesJob {};  ///< what there is to compute on
struct CheckJob {};    ///< of every kernel; on the engine's thread, because it changes what kernels use
/// The files to import among these files and folders.
struct FindJob {
  std::vector<std::string> paths;
};

using Job = std::variant<ListJob, ImportJob, ReadJob, AskJob, VerifyJob, RetraceJob, RemoveJob, UnreadJob,
                         EngineJob, LoadJob, OpenJob, TextJob, TalkJob, NameJob, EndTalkJob, KeepJob, ForgetJob,
                         CollectJob, PlaceJob, CollectionsJob, DevicesJob, CheckJob, FindJob>;

struct ListedDocument {
  DocumentRecord record;
  bool isRead = false;
  double shareRead = 0;
  std::int64_t readingBytes = 0;  ///< on disk, of all its readings
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
};
struct Verified {
  std::shared_ptr<const FullAttention> full;
};
struct Retraced {
  std::shared_ptr<const Exchange> exchange;
};
struct Removed {};
struct Conversation {
  qint64 id = 0;
  QString title;  ///< given by the user, else its first question
};
struct Talk {
  qint64 conversation = 0;
  std::vector<ExchangePointer> exchanges;
};
struct Opened {
  DocumentRecord record;
  std::shared_ptr<const Document> document;
  std::vector<Conversation> conversations;    ///< the last one spoken in comes first
  std::vector<ExchangePointer> conversation;  ///< of the first of them
  std::optional<DocumentPlace> place;
  QString complaint;  ///< why its file is not to be drawn, a sentence; empty: it is
};
struct LoadedText {
  std::shared_ptr<const Document> document;
};
struct Collections {
  std::vector<std::pair<std::string, std::string>> byDocument;  ///< id, name
};
struct Found {
  std::vector<std::string> files;
  bool isCut = false;  ///< there are more
};
struct Checked {
  std::vector<DeviceCheck> checks;
  std::string complaint;  ///< of the checks
};
struct Done {};

using JobResult = std::variant<Done, Listed, Imported, ReadToEnd, Answered, Verified, Retraced, Removed, Opened,
                               LoadedText, Talk, Collections, Devices, Checked, Found>;

}  // namespace kvasir
