#pragma once

#include "engine/generation.h"
#include "engine/reading.h"

namespace kvasir {

/// Whether a method's model reads only the passages that a retriever finds, at each question anew.
inline bool readsPassages(const Method& method) { return method.passages.make != wholeDocument; }

/// What each chunk brings into a prompt: its tokens, and those around it up to the ends of their sentences, so
/// that passages overlap; nothing of a prompt's frame, and nothing beyond it. tokens, chunks: as a reading has
/// them.
std::vector<Run> passagesOf(const LoadedModel& model, const std::vector<StoredToken>& tokens,
                            const std::vector<Run>& chunks);
/// Their texts.
std::vector<std::string> passageTexts(const LoadedModel& model, const std::vector<StoredToken>& tokens,
                                      const std::vector<Run>& passages);

/// Indexes what a file's tokens say, for a method that reads passages: no keys and values, one entry a chunk in
/// its first layer.
void indexPassages(const LoadedModel& model, const Method& method, ChunkFile& file, Listener& listener);
/// What such a file's head says beside its key.
ChunkFileHeader passageFileHeader(const LoadedModel& model, const Method& method, int chunks);

/// Answers from the best passages that fit the budget with the question and the answer, in the order of the
/// document.
Answer answerFromPassages(const LoadedModel& model, const ChunkedReading& reading, std::string_view question,
                          const Asking& asking);

}  // namespace kvasir
