#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/retrieval/whitening.h"

namespace kvasir {

struct Safetensors;

/// What stands for a chunk in retrieval (RetroLM §3.2: a bookmark token behind each chunk, with query, key and
/// value projections of its own in every layer, its key the chunk's index entry, its query what retrieves). In
/// each of some layers a bookmark attends to its chunk's normed hidden states by a query of its own; what it
/// gathers goes through the layer's whitening and a low-rank change of it, and at unit length is its key.
/// Questions are gathered by a query of their own and go through the same projection. Departures: a bookmark is
/// made anew in each layer from the chunk's states, with no state of its own that runs through the layers;
/// query and key projection are one vector a layer; keys and queries are tied. Untrained it gathers evenly, and
/// its keys are the whitening's closed form.
class Bookmarks {
 public:
  struct Layer {
    at::Tensor chunkQuery, questionQuery;  ///< [width]; undefined: gathers evenly
    at::Tensor down, up;                   ///< [rank, width], [width, rank]; undefined: no change
    at::Tensor logWeight;                  ///< []: of the layer in a score; undefined: 0
  };

  /// The whitening must outlive it.
  explicit Bookmarks(const Whitening& whitening) : Bookmarks(whitening, {}, {}) {}
  Bookmarks(const Whitening& whitening, std::map<int, Layer> layers, std::map<std::string, std::string> about);
  /// A start for training, the same for the same seed: nothing is changed yet.
  static Bookmarks untrained(const Whitening& whitening, int rank, std::uint64_t seed);

  int width() const { return whitening_->width(); }
  const std::vector<int>& layers() const { return places_; }
  bool has(int layer) const { return whitening_->has(layer); }
  /// The same for the same numbers: entries made by other ones say nothing to these.
  const std::string& id() const { return id_; }
  std::map<int, Layer>& trained() { return layers_; }

  /// states: [tokens, width] of a chunk or of a question, any float type. Gives [width] of length 1. Can be
  /// differentiated.
  at::Tensor chunkEntry(int layer, const at::Tensor& states) const;
  at::Tensor questionEntry(int layer, const at::Tensor& states) const;
  /// A layer's part in a score, above 0: [].
  at::Tensor weight(int layer) const;

  void save(const std::filesystem::path& file, const ModelInfo& model) const;
  /// Throws a sentence for a damaged file, or one made for another model or whitening.
  static Bookmarks load(const std::filesystem::path& file, const ModelInfo& model, const Whitening& whitening);
  /// The first made for this model and whitening in the folders; those that gather evenly where there are none.
  static std::unique_ptr<Bookmarks> find(const std::vector<std::filesystem::path>& folders,
                                         const ModelInfo& model, const Whitening& whitening);

 private:
  /// name: the file's, for sentences.
  static Bookmarks from(const Safetensors& contents, const std::string& name, const Whitening& whitening);
  at::Tensor entry(int layer, const at::Tensor& states, at::Tensor Layer::*query) const;

  const Whitening* whitening_;
  std::map<int, Layer> layers_;
  std::map<std::string, std::string> about_;
  std::vector<int> places_;
  std::string id_;
};

/// The name a model's bookmarks have in a folder of retrievers.
std::string retrieverFileName(const ModelInfo& model);

}  // namespace kvasir
