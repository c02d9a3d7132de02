#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "engine/retrieval/word_piece.h"
#include "engine/torch.h"

namespace kvasir {

/// A BERT encoder whose mean output, normed to length 1, stands for a text (Reimers and Gurevych 2019):
/// all-MiniLM-L6-v2 and models of its form, in float32. Engine thread; immutable once loaded.
class SentenceEmbedder {
 public:
  /// Of a folder with config.json, tokenizer.json and model.safetensors. Throws a sentence for anything else.
  static std::unique_ptr<SentenceEmbedder> load(const std::filesystem::path& folder);

  int width() const { return width_; }

  /// [texts, width]; what a text has beyond `kMostPieces` pieces does not count. `breathe` is called between
  /// batches and may throw to stop.
  at::Tensor embed(
      std::span<const std::string> texts, const std::function<void()>& breathe = [] {}) const;

  static constexpr int kMostPieces = 256;

 private:
  struct Linear {
    at::Tensor weight, bias;
  };
  struct Norm {
    at::Tensor weight, bias;
  };
  struct Layer {
    Linear query, key, value, output, up, down;
    Norm afterAttention, afterFeedForward;
  };
  explicit SentenceEmbedder(WordPiece words) : words_(std::move(words)) {}
  at::Tensor embedBatch(std::span<const std::vector<int>> texts) const;
  at::Tensor normed(const at::Tensor& x, const Norm& norm) const;

  WordPiece words_;
  int width_ = 0, heads_ = 0;
  double epsilon_ = 1e-12;
  at::Tensor pieces_, positions_, type_;
  Norm embeddingNorm_;
  std::vector<Layer> layers_;
};

}  // namespace kvasir
