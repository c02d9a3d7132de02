#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/numbers.h"
#include "engine/retrieval/token_text.h"

namespace kvasir {

class SentenceEmbedder;

/// What may enter a prompt, and how well it fits the question: 0 to 1, higher is better.
struct ScoredPassage {
  Run tokens;
  Run judged;  ///< the tokens that the score speaks of; the others come along so that they can be understood
  float score = 0;
};

/// Finds the passages of a document that fit a question, so that only the best enter the prompt. Methods whose
/// model reads the whole document have none. Engine thread.
class PassageRetriever {
 public:
  virtual ~PassageRetriever() = default;

  /// How long a chunk's index entry is, and the entries of some chunks, row by row: made once, when the
  /// document is read; the same whatever other chunks are asked for. Zero: none.
  virtual int indexFloats() const { return 0; }
  virtual std::vector<float> index(const TokenText& /*text*/, Run /*chunks*/,
                                   const std::function<void()>& /*breathe*/) const {
    return {};
  }

  /// Passages that together hold all of the text's chunks, in the document's order. index: entries of these
  /// chunks, zero where `index` has not come yet.
  virtual std::vector<ScoredPassage> find(const TokenText& text, std::span<const float> index,
                                          std::string_view question) const = 0;
};

/// The chunk that a token is in; after the last one where there is none.
int chunkOf(const std::vector<Run>& chunks, int token);

/// Of each chunk the best score of what is judged of it; 0 where nothing is.
std::vector<float> chunkScores(const std::vector<Run>& chunks, const std::vector<ScoredPassage>& passages);

/// Those that have a score, best first, so many at most.
std::vector<std::size_t> bestPassages(const std::vector<ScoredPassage>& passages, std::size_t most);

/// What a retriever is made of. The embedder is loaded when it is first wanted; throws a sentence where there
/// is none.
using FindEmbedder = std::function<const SentenceEmbedder&()>;

/// The whole document: no retriever.
std::unique_ptr<PassageRetriever> wholeDocument(const FindEmbedder& embedder, const Numbers& numbers);
/// Cosine of sentence embeddings (Karpukhin et al. 2020, §3, with one encoder for both sides).
std::unique_ptr<PassageRetriever> densePassages(const FindEmbedder& embedder, const Numbers& numbers);
/// Shared words: BM25, as lexicalScores has it.
std::unique_ptr<PassageRetriever> lexicalPassages(const FindEmbedder& embedder, const Numbers& numbers);
/// Reciprocal rank fusion of both (Cormack et al. 2009; the number `rank` is their k), the best possible
/// being 1.
std::unique_ptr<PassageRetriever> fusedPassages(const FindEmbedder& embedder, const Numbers& numbers);

}  // namespace kvasir
