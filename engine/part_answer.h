#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/generation.h"
#include "engine/reading.h"
#include "engine/retrieval/passages.h"

namespace kvasir {

/// LC-Boost (Qian et al. 2024, arXiv 2405.15318): a document that is too long for the model is gone through in
/// parts. At each step the model decides which part to look at (access), then what to do with it (utilise): go
/// on, append a note to those it has, merge a note into them, or answer; until it answers, all parts were seen,
/// or as many as `maxSteps`, or else the number `steps`, says. Engine thread.
///
/// Of the paper's actions Retrieve and Move, Append, Merge and Answer are decided between here. Aggregation is
/// what a walk ends with that comes to no answer by itself. Task Understanding, a plan made before the first
/// step, is not there.
///
/// Departures. The paper prompts a large model and reads its decisions from what it writes. A small one does
/// not keep to a form, so every decision is taken by log-probabilities of fixed texts. Access: of the parts
/// that the retriever ranks first (Retrieve) and the one after the last part seen (Move), the one whose best
/// passage makes the question itself likeliest. Utilise: of three fixed replies to one question, the one whose
/// probability the part raises most over a prompt without it, since a model has habits (domain-conditional PMI,
/// Holtzman et al. 2021). Append or Merge: likewise, of two replies to a second question, once there are notes;
/// a rewriting that cannot stand for them (mergedNotes) is left, and the part has a note of its own. The answer
/// is generated from the parts that were kept, as far as the budget goes, and the notes, not from the notes
/// alone; where nothing was kept, from the retriever's best passages. A document that fits the budget is one
/// part: there is nothing to decide.
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

/// Tokens of a text.
using TokensOf = std::function<int(const std::string&)>;

/// How many of the notes taken so far, the latest ones, there is room for in a prompt.
std::size_t notesThatFit(const std::vector<std::string>& notes, int roomTokens, const TokensOf& tokensOf);
/// These as they stand in it, in the order they were taken; nothing where none fits.
std::string latestNotes(const std::vector<std::string>& notes, int roomTokens, const TokensOf& tokensOf);

/// LC-Boost's Merge: the notes once the model has rewritten the last `shown` of them, one at least, together
/// with a part; what it said becomes one note in their place. Nothing where that cannot stand for them: where
/// it has no line that says anything (cluesOf), says nothing that they do not, lacks more than half of the
/// words of one of them beside the question's, or has no room in a prompt.
std::optional<std::vector<std::string>> mergedNotes(const std::vector<std::string>& notes, std::size_t shown,
                                                    std::string_view said, std::string_view question,
                                                    int roomTokens, const TokensOf& tokensOf);

/// How a model writes down what a part says.
struct NoteTaking {
  std::function<bool()> tellsOfTheSame;    ///< whether the part does, as the notes do
  std::function<std::string()> rewriting;  ///< the notes and the part in one text
  std::function<std::string()> note;       ///< of the part alone
};
/// The notes with what a part says: merged with the last `shown`, or appended where there are none of these,
/// the part tells of something else, or a rewriting cannot stand for them.
std::vector<std::string> notesWith(const std::vector<std::string>& notes, std::size_t shown,
                                   const NoteTaking& taking, std::string_view question, int roomTokens,
                                   const TokensOf& tokensOf);

}  // namespace kvasir
