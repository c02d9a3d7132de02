#pragma once

#include <functional>
#include <optional>
#include <span>

#include "engine/generation.h"
#include "engine/reading.h"
#include "engine/retrieval/passages.h"

namespace kvasir {

/// LC-Boost (Qian et al. 2024, arXiv 2405.15318): a document that is too long for the model is gone through in
/// parts. At each step the model decides which part to look at (access), then what to do with it (utilise): go
/// on, append a note to those it has, or answer; until it answers, all parts were seen, or `maxSteps` were.
///
/// Departures. The paper prompts a large model and reads its decisions from what it writes. A small one does
/// not keep to a form, so every decision is taken by log-probabilities of fixed texts. Access: of the parts
/// that the retriever ranks first and the one after the last part seen (the paper's actions Retrieve and Move),
/// the one whose best passage makes the question itself likeliest. Utilise: of three fixed replies to one
/// question, the one whose probability the part raises most over the same prompt without it, since a model has
/// habits (domain-conditional PMI, Holtzman et al. 2021). The paper's Merge (notes rewritten as one) is not
/// there: notes stand below each other. The answer is generated from the parts that were kept, as far as the
/// budget goes, and the notes, not from the notes alone; where nothing was kept, from the retriever's best
/// passages. A document that fits the budget is one part: there is nothing to decide.
Answer answerFromParts(const LoadedModel& model, const ChunkedReading& reading, std::string_view question,
                       const Asking& asking);

/// A run of a document's chunks that is looked at together, [firstChunk, endChunk).
struct DocumentPart {
  int firstChunk = 0, endChunk = 0;
  float score = 0;  ///< the best of its passages'
  Run best = {};    ///< the passage that has it
  bool isSeen = false;
  std::optional<double> likelihood =
      {};  ///< log-probability of the question after its best passage, once known
};

/// Parts of `chunksEach` chunks, but the last.
std::vector<DocumentPart> partsOf(const std::vector<Run>& chunks, const std::vector<ScoredPassage>& passages,
                                  int chunksEach);
/// Parts to choose from next, by their place: the best `most` not yet seen, and, if it is not seen, the one
/// after `last` (-1: none was). Ascending.
std::vector<std::size_t> candidates(const std::vector<DocumentPart>& parts, int last, int most);

/// What stands in a prompt of the notes taken so far: the latest that there is room for, in the order they were
/// taken; nothing where none fits. tokensOf: of a text.
std::string latestNotes(const std::vector<std::string>& notes, int roomTokens,
                        const std::function<int(const std::string&)>& tokensOf);

}  // namespace kvasir
