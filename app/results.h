#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "app/library.h"
#include "engine/engine.h"
#include "importers/document.h"

namespace kvasir {

/// An answer and what it took. The document need not hold words.
struct AskResult {
  const Document& document;
  const Answer& answer;
  AskSettings settings;
  int documentTokens = 0;
  double loadSeconds = 0, readSeconds = 0, totalSeconds = 0;  ///< total: of the whole call
  std::uint64_t kvBytesOnDisk = 0, peakBytes = 0;
};

/// A passage's place as it is shown: pages counted from 1 as in the file, and their printed labels where those
/// differ.
struct PassagePlace {
  int firstPage = 0, lastPage = 0;  ///< 0: the document has no pages
  std::string label;                ///< "xii", "xii–xiii"; empty where the labels are the numbers
  std::string section;   ///< titles from the highest level down, "Part 1 › Chapter 2"; may be empty
  std::string location;  ///< of a book without pages: the anchor before it; may be empty
};
PassagePlace placeOf(const Document& document, std::size_t start, std::size_t end);

/// The fields of `ask`'s contract, and some beside them.
nlohmann::ordered_json toJson(const AskResult& result);

/// For people: what the answer rested on, then the best `shown` passages, two lines each.
std::string describeEvidence(const AskResult& result, int shown);

/// For people, one line: what a step was, what was said or decided, and the pages it looked at, if the document
/// has any.
std::string describeStep(const Document& document, const AnswerStep& step);
/// What the method did on the way to the answer, a line a step; nothing where the answer came at once.
std::string describeSteps(const AskResult& result);

/// A document of the library with its readings.
nlohmann::ordered_json toJson(const DocumentRecord& document, const std::vector<ReadingRecord>& readings);

/// One line, without line breaks; bytes that are not UTF-8 become U+FFFD.
std::string asLine(const nlohmann::ordered_json& json);

}  // namespace kvasir
