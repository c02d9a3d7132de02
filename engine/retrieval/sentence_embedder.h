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

  /// A stretch of text in parts that follow each other, each by its pieces.
  struct Window {
    std::vector<int> pieces;
    std::vector<std::pair<std::size_t, std::size_t>> parts;  ///< of `pieces`, [begin, end)
    void add(const std::vector<int>& part) {
      parts.emplace_back(pieces.size(), pieces.size() + part.size());
      pieces.insert(pieces.end(), part.begin(), part.end());
    }
  };
  /// Pieces that a window has room for beside the marks around it, and those of a part, cut there.
  int mostInside() const { return kMostPieces - 2; }
  std::vector<int> piecesInside(std::string_view text) const;
  /// The mean state of each part's pieces, windows in turn, not normed: [parts of all windows, width]. A part
  /// without pieces, or none of whose pieces the window has room for, is zero.
  at::Tensor embedParts(
      std::span<const Window> windows, const std::function<void()>& breathe = [] {}) const;

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
  /// States of the last layer, [texts, pieces of the longest, width].
  at::Tensor statesOf(std::span<const std::vector<int>> texts) const;
  /// Calls `use` with batches of texts of about the same length, by their places, and their states.
  void inBatches(
      const std::vector<std::vector<int>>& texts, const std::function<void()>& breathe,
      const std::function<void(std::span<const std::size_t> places, const at::Tensor& states)>& use) const;
  at::Tensor normed(const at::Tensor& x, const Norm& norm) const;

  WordPiece words_;
  int width_ = 0, heads_ = 0;
  double epsilon_ = 1e-12;
  at::Tensor pieces_, positions_, type_;
  Norm embeddingNorm_;
  std::vector<Layer> layers_;
};

}  // namespace kvasir
