#pragma once

#include "engine/generation.h"
#include "engine/reading.h"
#include "engine/retrieval/passages.h"

namespace kvasir {

/// MemoRAG (Qian et al. 2024, arXiv 2409.05591): a memory of the whole document, made before any question,
/// tells the model enough to write clues to an answer: short spans that it may rest on, and simpler questions.
/// Question and clues each find passages; these, in the document's order, are what the answer is generated
/// from.
///
/// Departures. The memory is the paper's in its role, not its making: theirs is a language model with trained
/// compression (Activation Beacon); here it is the reading itself, kept on disk chunk by chunk, of which a
/// budget is attended to in each layer, chosen by whitened hidden states. So it grows with the document, not
/// with its square, knows no longest text, holds every chunk rather than a digest of each, and the model that
/// remembers is the one that answers. The paper's draft answer as a further clue (optional there) is not
/// written. Each clue has three hits, as there; the question always searches too, and what room the hits leave
/// in the budget goes to its own next passages: clues of a small model may be of no use, and none may come at
/// all.
Answer answerFromClues(const LoadedModel& model, const ChunkedReading& reading, std::string_view question,
                       const Asking& asking);

/// Gives the `most` best passages that a clue found what score they have for it, where that is more than they
/// have. Both lists are of the same passages.
void addHits(const std::vector<ScoredPassage>& found, std::size_t most, std::vector<ScoredPassage>& passages);

}  // namespace kvasir
