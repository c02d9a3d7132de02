#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <QString>
#include <QStringList>

#include "ui/maps/evidence_rows.h"

namespace kvasir {

/// A question and its answer, as a conversation shows and keeps it.
struct Exchange {
  qint64 number = 0;  ///< later ones have higher numbers
  qint64 conversation = 0;
  QString document;       ///< id of the one whose conversation it stands in
  QStringList documents;  ///< ids of those asked, where that is not it alone
  QString question;       ///< as it was typed
  QString asked;          ///< as the model got it, where that differs; else empty
  QString answer;
  QString note;       ///< what was special about it: "Without the passage of p. 17: …"
  QStringList steps;  ///< on the way to the answer, a line each; none where it came at once
  QString when;       ///< UTC, ISO 8601
  QString method;
  int budgetTokens = 0, attendedTokens = 0, documentTokens = 0, answerTokens = 0;
  int readTokens = 0;                             ///< of documentTokens, when it was asked; 0: not known
  qint64 kvBytesInMemory = 0, kvBytesOnDisk = 0;  ///< for the answer, and of the documents; 0: not known
  std::optional<double> coverage;
  double logProbability = 0, firstTokenSeconds = 0, totalSeconds = 0;
  bool isUnanswered = false;  ///< kept when it was asked; its answer never came
  bool isStopped = false;     ///< by the user
  bool isCut = false;         ///< by the longest answer allowed
  std::vector<int> pinned, blocked;
  int leftOut = -1;  ///< a chunk that this answer alone was not to see
  std::vector<EvidenceRow> evidence;
  std::vector<TextRange> chunks;    ///< of every chunk asked, in its document
  std::vector<int> chunkDocuments;  ///< of every chunk, index into `documents`; empty: all of `document`
  std::shared_ptr<const AnswerMaps> maps;
};

using ExchangePointer = std::shared_ptr<const Exchange>;

/// Ids of the documents that were asked.
inline QStringList documentsOf(const Exchange& exchange) {
  return exchange.documents.isEmpty() ? QStringList{exchange.document} : exchange.documents;
}

/// Id of the document that a chunk is of; empty where there is no such chunk.
inline QString documentOf(const Exchange& exchange, std::size_t chunk) {
  if (exchange.chunkDocuments.empty()) return exchange.document;
  return chunk < exchange.chunkDocuments.size() ? exchange.documents.value(exchange.chunkDocuments[chunk])
                                                : QString();
}

/// The share of the documents that had been read when they were asked, 0 to 1.
inline double shareRead(const Exchange& exchange) {
  if (exchange.readTokens <= 0 || exchange.documentTokens <= 0) return 1;
  return static_cast<double>(exchange.readTokens) / exchange.documentTokens;
}

}  // namespace kvasir
