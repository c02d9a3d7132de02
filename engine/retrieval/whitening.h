#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "engine/engine.h"
#include "engine/model/model_shape.h"
#include "engine/torch.h"

namespace kvasir {

/// The closed-form index entry of a chunk: the mean of its hidden states at a layer's normed input, less the
/// mean over many texts, divided by their spread in every direction (the inverse square root of the covariance,
/// shrunk towards a multiple of the identity), at unit length. Directions all texts share, which hide what a
/// chunk is about, weigh no more than the others then. Unsupervised: made from plain text of any kind. After
/// RetroLM §3.2's idea of an entry of its own in each layer; the entry itself is not the paper's.
class Whitening {
 public:
  struct Layer {
    at::Tensor mean;        ///< [width]
    at::Tensor projection;  ///< [width, width], symmetric
  };

  Whitening(std::map<int, Layer> layers, int width);
  /// For a model that none was made for: states as they are, whose plain cosines find less.
  static Whitening none(const std::vector<int>& layers, int width);

  int width() const { return width_; }
  /// The same for the same numbers, in hexadecimal digits: entries made by one whitening say nothing to
  /// another.
  const std::string& id() const { return id_; }
  bool has(int layer) const { return layers_.contains(layer); }
  const Layer& layer(int layer) const { return layers_.at(layer); }
  std::vector<int> layers() const;  ///< ascending
  /// The same in tensors of its own, which gradients may pass through where this is called outside inference
  /// mode.
  Whitening copied() const;
  /// state: [width]. Gives [width] of length 1.
  at::Tensor entry(int layer, const at::Tensor& state) const;

  void save(const std::filesystem::path& file, const ModelInfo& model, const std::string& description) const;
  /// Throws a sentence for a damaged file or one of another model.
  static Whitening load(const std::filesystem::path& file, const ModelInfo& model);
  /// The first file made for this model in the folders; null where there is none.
  static std::unique_ptr<Whitening> find(const std::vector<std::filesystem::path>& folders,
                                         const ModelInfo& model);

 private:
  std::map<int, Layer> layers_;
  int width_;
  std::string id_;
};

/// The layers that get entries unless said otherwise: of those that see the whole text the first two and every
/// third; where they are few, all of them.
std::vector<int> usualWhitenedLayers(const ModelShape& shape);

/// The name a model's whitening has in a folder of retrievers.
std::string whiteningFileName(const ModelInfo& model);

/// Sums hidden states up to a covariance, layer by layer.
class WhiteningSums {
 public:
  void add(int layer, const at::Tensor& state);  ///< [width]
  int count() const { return sums_.empty() ? 0 : sums_.begin()->second.count; }
  /// shrinkage: 0 takes the covariance as it is, 1 a multiple of the identity.
  Whitening whitening(const std::vector<int>& layers, double shrinkage) const;

 private:
  struct Sums {
    int count = 0;
    at::Tensor sum, products;  ///< [width], [width, width], float64
  };
  std::map<int, Sums> sums_;
};

}  // namespace kvasir
