#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <QString>
#include <QStringList>

#include "engine/engine.h"
#include "ui/text_range.h"

namespace kvasir {

/// One line of the evidence table.
struct EvidenceRow {
  int rank = 0, chunk = 0;  ///< rank from 1; chunk: index into the reading's chunks
  double score = 0;
  int layers = 0;          ///< how many layers attended to it
  double share = 0;        ///< of the attention, 0 to 1
  QString section, pages;  ///< as shown: "2.1 Methods", "17–18"
  QString text;
  TextRange range;
  QString document, title;  ///< its id, and its title where several documents were asked
  bool isPinned = false, isBlocked = false;
  std::optional<ScoreParts> parts = {};  ///< of the score; nothing where it has none
};

/// A place on the position axis.
struct AxisMark {
  int chunk = 0;
  QString label;  ///< section title or page
  int level = 1;  ///< sections: 1 is the highest; pages: 0
};

/// What the maps of one answer show. Positions are chunks; `firstTokens` gives each chunk's first token and has
/// one entry more than chunks, so maps can be drawn by token.
struct AnswerMaps {
  QString method;
  EvidenceMap retrieved;              ///< of the method that answered
  std::optional<FullAttention> full;  ///< over the same chunks, when it was verified; its looks may be unknown
  std::vector<int> firstTokens;
  std::vector<AxisMark> sections, pages;
  std::vector<int> goldChunks;    ///< marked by the user, or gold spans
  std::vector<AnswerLook> looks;  ///< of the question, then of the answer's tokens; empty: not known
  QStringList lookTexts;          ///< of each look: the token
};

/// Attention of each head of each layer to one chunk: rows of `heads` shares.
struct HeadMap {
  int chunk = 0, layers = 0, heads = 0;
  std::vector<float> mass;
};

}  // namespace kvasir
