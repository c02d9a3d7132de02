#pragma once

#include "engine/generation.h"
#include "engine/reading.h"

namespace kvasir {

/// Answers from the paragraphs that fit the question best, read anew beside each other. The question is first
/// asked of the reading, whose layers say which paragraphs these are; then they stand in a prompt of their own,
/// in the document's order. Of what the budget holds only the best is read again, and only what is worth half
/// of the best: a small model finds an answer in a few paragraphs that it reads alone, and loses it among
/// others. Departs from RetroLM (§3), which answers from the keys and values as they were kept, in that alone.
/// Wishes ("Summarize …", isQuestion), and documents that the budget holds whole, are answered from the
/// reading.
Answer answerFromReread(const LoadedModel& model, const ChunkedReading& reading, std::string_view question,
                        const Asking& asking);

}  // namespace kvasir
