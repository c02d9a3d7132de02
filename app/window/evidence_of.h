#pragma once

#include "engine/engine.h"
#include "importers/document.h"
#include "ui/panels/exchange.h"

namespace kvasir {

/// What an exchange keeps and shows of an answer. The document need not hold words. Chunks that were pinned or
/// blocked stand in the evidence too, behind what was found, so that this can be undone.
Exchange exchangeOf(const std::string& id, const std::string& question, const Document& document,
                    const Reading& reading, const AskSettings& settings, Answer answer);

/// The maps of an answer over the document's chunks, with its sections and pages on their axis.
std::shared_ptr<AnswerMaps> mapsOf(const Document& document, const Reading& reading, EvidenceMap map);

/// The share of full attention to the document that fell on attended chunks, mean over layers.
std::optional<double> exactCoverage(const EvidenceMap& full, const EvidenceMap& retrieved);

}  // namespace kvasir
