#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "importers/document.h"
#include "ui/panels/exchange.h"

namespace kvasir {

/// A document that was asked. The document need not hold words.
struct AskedDocument {
  std::string id, title;
  std::shared_ptr<const Document> document;
};

/// What an exchange keeps and shows of an answer from these documents, in the order they were joined in. Chunks
/// that were pinned or blocked stand in the evidence too, behind what was found, so that this can be undone.
Exchange exchangeOf(const std::vector<AskedDocument>& documents, const std::string& question,
                    const Reading& reading, const AskSettings& settings, Answer answer);

/// Text, section and pages of a row's range, which is of this document.
void fillPlace(const Document& document, EvidenceRow& row);

/// Where each layer looked in these documents, with their sections and pages.
std::shared_ptr<AnswerMaps> mapsOf(const std::vector<AskedDocument>& documents, const Reading& reading,
                                   EvidenceMap map);

/// What full attention says of the chunks that were attended.
struct CheckedCoverage {
  double share = 0;       ///< of full attention to the document that fell on them, mean over layers
  bool isAtMost = false;  ///< some that draw attention were seen in part, or may have been, and count as whole
};
std::optional<CheckedCoverage> checkedCoverage(const EvidenceMap& full, const EvidenceMap& retrieved);

}  // namespace kvasir
