#include "engine/retrieval/passages.h"

#include <numeric>

#include "engine/retrieval/lexical_prior.h"
#include "engine/retrieval/sentence_embedder.h"

namespace kvasir {
namespace {

class DensePassages : public PassageRetriever {
 public:
  explicit DensePassages(const SentenceEmbedder& embedder) : embedder_(embedder) {}

  int indexFloats() const override { return embedder_.width(); }
  std::vector<float> index(std::span<const std::string> passages,
                           const std::function<void()>& breathe) const override {
    const at::Tensor entries = embedder_.embed(passages, breathe).contiguous();
    return {entries.const_data_ptr<float>(), entries.const_data_ptr<float>() + entries.numel()};
  }
  std::vector<float> scores(std::span<const std::string> passages, std::span<const float> index,
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

class LexicalPassages : public PassageRetriever {
 public:
  std::vector<float> scores(std::span<const std::string> passages, std::span<const float>,
                            std::string_view question) const override {
    return lexicalScores({passages.begin(), passages.end()}, question);
  }
};

class FusedPassages : public PassageRetriever {
 public:
  explicit FusedPassages(const SentenceEmbedder& embedder) : dense_(embedder) {}

  int indexFloats() const override { return dense_.indexFloats(); }
  std::vector<float> index(std::span<const std::string> passages,
                           const std::function<void()>& breathe) const override {
    return dense_.index(passages, breathe);
  }
  std::vector<float> scores(std::span<const std::string> passages, std::span<const float> index,
                            std::string_view question) const override {
    constexpr float kConstant = 60;
    std::vector<float> fused(passages.size());
    for (const std::vector<float>& scores :
         {dense_.scores(passages, index, question), lexical_.scores(passages, {}, question)}) {
      std::vector<std::size_t> order(scores.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
      for (std::size_t rank = 0; rank < order.size(); ++rank)
        if (scores[order[rank]] > 0)
          fused[order[rank]] += (kConstant + 1) / (kConstant + 1 + static_cast<float>(rank)) / 2;
    }
    return fused;
  }

 private:
  DensePassages dense_;
  LexicalPassages lexical_;
};

}  // namespace

std::unique_ptr<PassageRetriever> wholeDocument(const FindEmbedder&) { return nullptr; }
std::unique_ptr<PassageRetriever> densePassages(const FindEmbedder& embedder) {
  return std::make_unique<DensePassages>(embedder());
}
std::unique_ptr<PassageRetriever> lexicalPassages(const FindEmbedder&) {
  return std::make_unique<LexicalPassages>();
}
std::unique_ptr<PassageRetriever> fusedPassages(const FindEmbedder& embedder) {
  return std::make_unique<FusedPassages>(embedder());
}

}  // namespace kvasir
