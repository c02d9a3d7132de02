#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <QString>

#include "ui/maps/evidence_rows.h"

namespace kvasir {

/// A question and its answer, as a conversation shows and keeps it.
struct Exchange {
  qint64 number = 0;  ///< in the conversations' file; 0: not kept yet
  QString document;   ///< its id
  QString question;   ///< as it was typed
  QString asked;      ///< as the model got it, where that differs; else empty
  QString answer;
  QString note;  ///< what was special about it: "Without the passage of p. 17: …"
  QString when;  ///< UTC, ISO 8601
  QString method;
  int budgetTokens = 0, attendedTokens = 0, documentTokens = 0, answerTokens = 0;
  std::optional<double> coverage;
  double logProbability = 0, firstTokenSeconds = 0, totalSeconds = 0;
  bool isStopped = false;  ///< by the user
  bool isCut = false;      ///< by the longest answer allowed
  std::vector<int> pinned, blocked;
  std::vector<EvidenceRow> evidence;
  std::vector<TextRange> chunks;  ///< of every chunk of the reading
  std::shared_ptr<const AnswerMaps> maps;
};

using ExchangePointer = std::shared_ptr<const Exchange>;

}  // namespace kvasir
