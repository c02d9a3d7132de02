#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/arguments.h"
#include "app/evaluation.h"
#include "app/needle_results.h"
#include "engine/engine.h"
#include "importers/document.h"

namespace kvasir {

/// Throws a sentence where no picture can be written into a file of this name; asked before the work. An empty
/// name: none is wished for.
void checkPicture(const std::filesystem::path& file);

/// What `map` found for a question.
struct MapResult {
  const Document& document;  ///< need not hold words
  const Reading& reading;
  MapKind kind = MapKind::Both;
  bool isBeside = false;  ///< of both: at the left and at the right
  EvidenceMap retrieved;
  std::optional<FullAttention> full;  ///< where the kind asks for it
  std::vector<int> marked;            ///< chunks
};

/// Layer by position in a .png, .svg or .pdf, as in the RetroLM paper's figure: dense attention above the
/// retriever's scores, or at their left, with the document's sections and pages, marked chunks outlined. Throws
/// a sentence where it cannot.
void drawMap(const MapResult& result, const std::filesystem::path& file);

/// Quality, recall, first-token seconds and KV bytes over the length of the document, a curve a method, in a
/// .png, .svg or .pdf. Throws a sentence where it cannot.
void drawCurves(const std::vector<MethodCurve>& curves, const std::filesystem::path& file);

/// What `compare` measured of a method at a budget.
struct MethodCost {
  std::string method;
  int budgetTokens = 0;
  double firstTokenSeconds = 0, kvBytes = 0;  ///< on disk and in memory
  int attendedTokens = 0;
};

/// First-token seconds, KV bytes and attended tokens over the budget, a curve a method, in a .png, .svg or
/// .pdf. Throws a sentence where it cannot.
void drawCosts(const std::vector<MethodCost>& costs, const std::filesystem::path& file);

/// What `bench` measured of a method.
struct MethodSpeed {
  std::string method;
  BenchResult result;
};

/// Tokens per second and seconds over the length of what is read, tokens per second over what stands before
/// what is generated, a curve a method, in a .png, .svg or .pdf. Throws a sentence where it cannot.
void drawSpeeds(const std::vector<MethodSpeed>& speeds, const std::filesystem::path& file);

/// The losses of a training step by step, those on texts held out, and what the retriever finds of these, in a
/// .png, .svg or .pdf. Throws a sentence where it cannot.
void drawTraining(const std::vector<TrainingStep>& steps, const std::filesystem::path& file);

/// Length by depth, for each method a grid of the answers and one of the chunks, coloured by share, in a .png,
/// .svg or .pdf. Throws a sentence where it cannot.
void drawNeedles(const std::vector<NeedleGrid>& grids, const std::filesystem::path& file);

}  // namespace kvasir
