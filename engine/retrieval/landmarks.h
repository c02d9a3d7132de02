#pragma once

#include "engine/retrieval/passages.h"

namespace kvasir {

/// Chunking-free retrieval after Landmark Embedding (Luo et al. 2024, arXiv 2402.11573): no chunk is embedded,
/// but each sentence as it stands in the continuous text, in windows that slide over it; and a span is found by
/// its last sentence, so that all that leads up to it comes along.
///
/// Departures, since nothing is trained. The paper's encoder is a language model with a landmark token at each
/// sentence's end, whose state is the sentence's embedding; here it is the sentence embedder that `rag` has,
/// which sees to both sides, and a sentence is the mean of its pieces' states over the windows that hold it:
/// one window is around the sentences that end in a chunk, as long as the embedder takes, and those around the
/// chunk before and the chunk after count too. The paper's position-aware objective weighs the sentences of a
/// gold span in the loss, each less than the one after it, so that the last learns to speak for the span; here
/// such weights, at each step back multiplied by the number `before`, pool the scores of the sentences that a
/// span runs through. The prompt gets, best first, the spans of up to a chunk's length that end with a
/// sentence.
std::unique_ptr<PassageRetriever> landmarkPassages(const FindEmbedder& embedder, const Numbers& numbers);

/// The sentences that have landmarks.
struct LandmarkText {
  std::vector<Run> sentences;
  std::vector<int> chunks;  ///< by sentence: the one that it ends in, or what there would be one more
};
LandmarkText landmarkText(const TokenText& text);

/// The span that ends with a sentence: its first sentence.
int spanStart(const std::vector<Run>& sentences, int last);
/// How well it fits, from the scores of all sentences: each counts `before` times what the next does.
float spanScore(const std::vector<float>& scores, int first, int last, float before);

/// Entries of the index that a chunk has room for; no more sentences end in one.
constexpr int kLandmarksEach = 16;

}  // namespace kvasir
