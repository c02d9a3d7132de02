#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/arguments.h"
#include "app/evaluation.h"
#include "engine/engine.h"
#include "importers/document.h"

namespace kvasir {

/// What `map` found for a question.
struct MapResult {
  const Document& document;  ///< need not hold words
  const Reading& reading;
  MapKind kind = MapKind::Both;
  EvidenceMap retrieved;
  std::optional<EvidenceMap> full;  ///< of dense attention, where the kind asks for it
  std::vector<int> marked;          ///< chunks
};

/// Layer by position in a .png, .svg or .pdf, as in the RetroLM paper's figure: dense attention above the
/// retriever's scores, on one axis with the document's sections and pages, marked chunks outlined. Throws a
/// sentence where it cannot.
void drawMap(const MapResult& result, const std::filesystem::path& file);

/// What one method gave at each length.
struct MethodCurve {
  std::string name;
  std::vector<LengthMeans> points;
};

/// Quality, recall, first-token seconds and KV bytes over the length of the document, a curve a method, in a
/// .png, .svg or .pdf. Throws a sentence where it cannot.
void drawCurves(const std::vector<MethodCurve>& curves, const std::filesystem::path& file);

}  // namespace kvasir
