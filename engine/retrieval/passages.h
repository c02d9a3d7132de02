#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kvasir {

class SentenceEmbedder;

/// Scores the passages of a document for a question, so that only the best enter the prompt. Methods whose
/// model reads the whole document have none. Engine thread.
class PassageRetriever {
 public:
  virtual ~PassageRetriever() = default;

  /// How long a passage's index entry is, and the entries, row by row: made once, when the document is read.
  /// Zero: none.
  virtual int indexFloats() const { return 0; }
  virtual std::vector<float> index(std::span<const std::string> /*passages*/,
                                   const std::function<void()>& /*breathe*/) const {
    return {};
  }

  /// One score a passage, higher is better, 0 to 1. index: what `index` gave.
  virtual std::vector<float> scores(std::span<const std::string> passages, std::span<const float> index,
                                    std::string_view question) const = 0;
};

/// What a retriever is made of. The embedder is loaded when it is first wanted; throws a sentence where there
/// is none.
using FindEmbedder = std::function<const SentenceEmbedder&()>;

/// The whole document: no retriever.
std::unique_ptr<PassageRetriever> wholeDocument(const FindEmbedder& embedder);
/// Cosine of sentence embeddings (Karpukhin et al. 2020, §3, with one encoder for both sides).
std::unique_ptr<PassageRetriever> densePassages(const FindEmbedder& embedder);
/// Shared words: BM25, as lexicalScores has it.
std::unique_ptr<PassageRetriever> lexicalPassages(const FindEmbedder& embedder);
/// Reciprocal rank fusion of both (Cormack et al. 2009; k = 60), the best possible being 1.
std::unique_ptr<PassageRetriever> fusedPassages(const FindEmbedder& embedder);

}  // namespace kvasir
