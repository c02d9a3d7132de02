#include "engine/retrieval/passages.h"

#include <numeric>

#include "engine/retrieval/lexical_prior.h"
#include "engine/retrieval/sentence_embedder.h"

namespace kvasir {
namespace {

std::vector<std::string> textsOf(const TokenText& text, std::span<const Run> passages) {
  std::vector<std::string> texts;
  for (const Run& run : passages) texts.emplace_back(text.textOf(run));
  return texts;
}

/// Passages that are chunks up to the ends of their sentences, one score each.
class ChunkPassages : public PassageRetriever {
 public:
  std::vector<ScoredPassage> find(const TokenText& text, std::span<const float> index,
                                  std::string_view question) const override {
    const std::vector<Run> passages = chunkPassages(text);
    const std::vector<float> scores = scoresOf(textsOf(text, passages), index, question);
    std::vector<ScoredPassage> found;
    for (std::size_t i = 0; i < passages.size(); ++i) found.push_back({passages[i], text.chunks[i], scores[i]});
    return found;
  }

  virtual std::vector<float> scoresOf(const std::vector<std::string>& passages, std::span<const float> index,
                                      std::string_view question) const = 0;
};

class DensePassages : public ChunkPassages {
 public:
  explicit DensePassages(const SentenceEmbedder& embedder) : embedder_(embedder) {}

  int indexFloats() const override { return embedder_.width(); }
  std::vector<float> index(const TokenText& text, Run chunks,
                           const std::function<void()>& breathe) const override {
    const std::vector<Run> passages = chunkPassages(text);
    const std::vector<std::string> texts =
        textsOf(text, std::span(passages).subspan(static_cast<std::size_t>(chunks.begin),
                                                  static_cast<std::size_t>(chunks.end - chunks.begin)));
    const at::Tensor entries = embedder_.embed(texts, breathe).contiguous();
    return {entries.const_data_ptr<float>(), entries.const_data_ptr<float>() + entries.numel()};
  }
  std::vector<float> scoresOf(const std::vector<std::string>& passages, std::span<const float> index,
                              std::string_view question) const override {
    const std::string asked(question);
    const at::Tensor entries =
        at::from_blob(const_cast<float*>(index.data()),
                      {static_cast<std::int64_t>(passages.size()), embedder_.width()}, at::kFloat);
    const at::Tensor cosines = at::mv(entries, embedder_.embed({&asked, 1})[0]).contiguous();
    return {cosines.const_data_ptr<float>(), cosines.const_data_ptr<float>() + cosines.numel()};
  }

 private:
  const SentenceEmbedder& embedder_;
};

class LexicalPassages : public ChunkPassages {
 public:
  std::vector<float> scoresOf(const std::vector<std::string>& passages, std::span<const float>,
                              std::string_view question) const override {
    return lexicalScores(passages, question);
  }
};

class FusedPassages : public ChunkPassages {
 public:
  FusedPassages(const SentenceEmbedder& embedder, double rank)
      : dense_(embedder), rank_(static_cast<float>(rank)) {}

  int indexFloats() const override { return dense_.indexFloats(); }
  std::vector<float> index(const TokenText& text, Run chunks,
                           const std::function<void()>& breathe) const override {
    return dense_.index(text, chunks, breathe);
  }
  std::vector<float> scoresOf(const std::vector<std::string>& passages, std::span<const float> index,
                              std::string_view question) const override {
    std::vector<float> fused(passages.size());
    for (const std::vector<float>& scores :
         {dense_.scoresOf(passages, index, question), lexical_.scoresOf(passages, {}, question)}) {
      std::vector<std::size_t> order(scores.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
      for (std::size_t rank = 0; rank < order.size(); ++rank)
        if (scores[order[rank]] > 0)
          fused[order[rank]] += (rank_ + 1) / (rank_ + 1 + static_cast<float>(rank)) / 2;
    }
    return fused;
  }

 private:
  DensePassages dense_;
  LexicalPassages lexical_;
  float rank_;
};

}  // namespace

int chunkOf(const std::vector<Run>& chunks, int token) {
  return static_cast<int>(std::ranges::upper_bound(chunks, token, {}, &Run::end) - chunks.begin());
}

std::vector<float> chunkScores(const std::vector<Run>& chunks, const std::vector<ScoredPassage>& passages) {
  std::vector<float> scores(chunks.size());
  for (const ScoredPassage& passage : passages) {
    for (auto chunk = static_cast<std::size_t>(chunkOf(chunks, passage.judged.begin));
         chunk < chunks.size() && chunks[chunk].begin < passage.judged.end; ++chunk)
      scores[chunk] = std::max(scores[chunk], passage.score);
  }
  return scores;
}

std::vector<std::size_t> bestPassages(const std::vector<ScoredPassage>& passages, std::size_t most) {
  std::vector<std::size_t> order(passages.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater(), [&](std::size_t i) { return passages[i].score; });
  std::erase_if(order, [&](std::size_t i) { return passages[i].score <= 0; });
  order.resize(std::min(order.size(), most));
  return order;
}

std::unique_ptr<PassageRetriever> wholeDocument(const FindEmbedder&, const Numbers&) { return nullptr; }
std::unique_ptr<PassageRetriever> densePassages(const FindEmbedder& embedder, const Numbers&) {
  return std::make_unique<DensePassages>(embedder());
}
std::unique_ptr<PassageRetriever> lexicalPassages(const FindEmbedder&, const Numbers&) {
  return std::make_unique<LexicalPassages>();
}
std::unique_ptr<PassageRetriever> fusedPassages(const FindEmbedder& embedder, const Numbers& numbers) {
  return std::make_unique<FusedPassages>(embedder(), numbers["rank"]);
}

}  // namespace kvasir
