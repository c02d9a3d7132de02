#pragma once

#include "engine/generation.h"
#include "engine/reading.h"
#include "engine/retrieval/passages.h"

namespace kvasir {

/// MemoRAG (Qian et al. 2024, arXiv 2409.05591): a memory of the whole document, made before any question,
/// tells the model enough to write clues to an answer: short spans that it may rest on, simpler questions, and,
/// with the number `draft`, a draft of the answer itself. Question and clues each find passages; these, in the
/// document's order, are what the answer is generated from. Engine thread.
///
/// Departures. The memory is the paper's in its role, not its making: theirs is a language model with trained
/// compression (Activation Beacon); here it is the reading itself, kept on disk chunk by chunk, of which a
/// budget is attended to in each layer, chosen by whitened hidden states. So it grows with the document, not
/// with its square, knows no longest text, holds every chunk rather than a digest of each, and the model that
/// remembers is the one that answers. Each clue has three hits, as there; the question always searches too, and
/// what room the hits leave in the budget goes to its own next passages: clues of a small model may be of no
/// use, and none may come at all. No draft is written unless it is wished, as in their program (memorag.py,
/// `use_memory_answer`): it costs as much as a list of clues. There the draft is told to the model that answers
/// as well; here it only searches, since a model believes what it has written.
Answer answerFromClues(const LoadedModel& model, const ChunkedReading& reading, std::string_view question,
                       const Asking& asking);

/// Gives the `most` best passages that a clue found what score they have for it, where that is more than they
/// have. Both lists are of the same passages.
void addHits(const std::vector<ScoredPassage>& found, std::size_t most, std::vector<ScoredPassage>& passages);

/// Whether a draft of an answer is something to search by: a word at least, unlike clues, since answers are
/// short, and not only the question's words again.
bool isWorthSearching(std::string_view draft, std::string_view question);

}  // namespace kvasir
