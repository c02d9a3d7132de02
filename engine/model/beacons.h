#pragma once

#include "engine/model/adapter.h"

namespace kvasir {

/// Beacons as a pass runs them: what differs for them from the model's own.
struct BeaconWeights {
  at::Tensor embedding;                     ///< [width], scaled as the model's are
  std::vector<WeightMatrix> queryKeyValue;  ///< by layer, as LayerWeights has it
};

/// What is trained of the method "beacon" (Activation Beacon §3.1): an embedding, and projections of a beacon
/// to query, key and value in each layer. Departure: these are the model's own with a change of low rank, so
/// that the file is small and the start is the model; the paper trains whole copies. Untrained, a beacon is the
/// token that ends an answer, as in the authors' code, and changes nothing.
class Beacons {
 public:
  Beacons(at::Tensor embedding, std::vector<Adapter::Change> layers, std::map<std::string, std::string> about);
  /// A start for training, the same for the same seed; rank 0: the model's own projections.
  static Beacons untrained(const ModelWeights& weights, TokenId token, int rank, std::uint64_t seed);

  const at::Tensor& embedding() const { return embedding_; }  ///< [width], as rows of the model's are
  /// Of the stacked projections, by layer; none where nothing is changed.
  const std::vector<Adapter::Change>& layers() const { return layers_; }
  const std::map<std::string, std::string>& about() const { return about_; }
  /// The same for the same numbers: what was read with other ones says nothing to these.
  const std::string& id() const { return id_; }

  BeaconWeights weightsOver(const ModelWeights& weights, const ModelShape& shape, DenseForm form) const;

  void save(const std::filesystem::path& file, const ModelInfo& model) const;
  /// Throws a sentence for a damaged file or one of another model.
  static Beacons load(const std::filesystem::path& file, const ModelInfo& model, const ModelWeights& weights);
  /// The first made for this model in the folders; null where there is none.
  static std::unique_ptr<Beacons> find(const std::vector<std::filesystem::path>& folders,
                                       const ModelInfo& model, const ModelWeights& weights);

 private:
  at::Tensor embedding_;
  std::vector<Adapter::Change> layers_;
  std::map<std::string, std::string> about_;
  std::string id_;
};

/// The name a model's beacons have in a folder of retrievers.
std::string beaconFileName(const ModelInfo& model);

}  // namespace kvasir
