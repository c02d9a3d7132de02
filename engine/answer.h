#pragma once

#include "engine/reading.h"

namespace kvasir {

/// Answers a question from a reading; see Engine::ask.
Answer answerQuestion(const LoadedModel& model, const ChunkedReading& reading, std::string_view question,
                      const AskSettings& settings, Listener& listener);

/// The same for an answer that was given; see Engine::retrace.
Answer retraceAnswer(const LoadedModel& model, const ChunkedReading& reading, std::string_view question,
                     std::string_view answer, const AskSettings& settings, Listener& listener);

/// Dense attention of question and answer over the chunks of a reading; see Engine::fullAttention.
FullAttention lookFully(const LoadedModel& model, const ChunkedReading& reading, std::string_view question,
                        std::string_view answer, Listener& listener);

/// What has been read, chunk by chunk. Documents that were joined are apart by a blank line.
struct ChunkTexts {
  std::vector<std::string> chunks;
  std::vector<std::size_t> tokenStarts;  ///< where each token begins in the chunks' texts, one behind the other
};
ChunkTexts chunkTexts(const LoadedModel& model, const ChunkedReading& reading);

/// The document's paragraphs, as far as it has been read, and how well their words fit the question.
std::vector<ScoredParagraph> questionParagraphs(const LoadedModel& model, const ChunkedReading& reading,
                                                std::string_view question);

/// Estimated share of the attention that fell on what was seen of the document, from what a tap recorded.
/// Chunks not attended are given the attention that their scores would have drawn, were exp(score) as good a
/// guide for them as it was, on average, for what was retrieved: mean over layers of 1 / (1 + estimate of what
/// was missed). A chunk seen in part counts as two, each with its share of exp(score): what was seen, which
/// drew the mass recorded, and what was hidden, which is missed; so where a policy picked the best of a chunk
/// the estimate is low rather than high. scale: of a score summed over `heads` query heads. Nothing where
/// something was hidden that no score knows: a chunk, or a part of one. Layers that see only a window of the
/// model's own are not counted: nothing is chosen for them.
std::optional<double> estimateCoverage(
    const EvidenceMap& map, int heads, float scale,
    const std::function<bool(int layer)>& isLocal = [](int) { return false; });

/// Goes on with ascending stretches of a document's text: a token of it, or one of the prompt's frame, which
/// has no text.
void addBytes(std::vector<std::pair<std::size_t, std::size_t>>& bytes, const StoredToken& token);

/// Some chunks of a reading, for a step that looked at them.
std::vector<AnswerStep::LookedAt> lookedAt(const std::vector<ChunkRange>& chunks, const std::vector<int>& some);

/// The chunks that drew most attention, at most `most`, best first.
std::vector<AnswerStep::LookedAt> mostAttended(const EvidenceMap& map, const std::vector<ChunkRange>& chunks,
                                               std::size_t most);

/// The scores that the last of the layers gave which have any: of chunks, NaN where none has.
std::span<const float> lastScores(const std::vector<float>& scores, int chunks);

/// Chunks worth showing, best first: by the score that the last of these layers gave where the method's scores
/// say how well a chunk answers, else by the attention they got.
std::vector<EvidenceChunk> rankEvidence(const EvidenceMap& map, const std::vector<ChunkRange>& chunks,
                                        Judge judge);

}  // namespace kvasir
