#pragma once

#include <vector>

#include <QString>

#include "ui/maps/evidence_rows.h"

namespace kvasir {

/// A sentence of an answer, [start, end) in the answer's QString, and the ranks of the evidence that says it.
struct SentenceMark {
  int start = 0, end = 0;
  std::vector<int> ranks;
};

/// Sentences in order; each is linked to at most two rows, those that share most of its words. Words that few
/// rows have count more. Sentences that no row supports have no ranks. Of many rows only the first 64 are
/// looked at, here and in isSupported.
std::vector<SentenceMark> marksOf(const QString& answer, const std::vector<EvidenceRow>& rows);

/// The sentence of the row's text that shares most words with `sentence`, in bytes of the document; the whole
/// row where none does.
TextRange placeInRow(const EvidenceRow& row, const QString& sentence);

/// Whether the passages can carry the answer: they hold a third of the question's words and half of what the
/// answer says. False also without passages. An empty answer is judged by the question alone.
bool isSupported(const QString& question, const QString& answer, const std::vector<EvidenceRow>& rows);

}  // namespace kvasir
