#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/model/weights.h"

namespace kvasir {

/// Low-rank changes (LoRA) of every projection of a model, which act on the tokens of questions and answers,
/// and of prompts that are read for a question alone, if they were trained so; never on those of a reading.
/// What was read of a document is the model's own whatever adapter answers: a document is read once, and an
/// adapter can be changed without reading it again. Stage 2 of RetroLM (§3.3) adapts the whole model instead;
/// see ARCHITECTURE.md.
class Adapter {
 public:
  enum Projection { QueryKeyValue, Output, GateUp, Down, kProjections };
  struct Change {
    at::Tensor down;  ///< [rank, columns]
    at::Tensor up;    ///< [rows, rank], its scale included; rows as the engine stacks them
  };
  using Layer = std::array<Change, kProjections>;

  Adapter(std::vector<Layer> layers, std::map<std::string, std::string> about)
      : layers_(std::move(layers)), about_(std::move(about)) {}
  /// A start for training: `down` random, `up` zero, so that nothing is changed yet. The same for the same
  /// seed.
  static Adapter untrained(const ModelWeights& weights, int rank, std::uint64_t seed);

  const std::vector<Layer>& layers() const { return layers_; }
  /// Names its numbers.
  std::string id() const;
  /// What its file says of it: data, rank, figures.
  const std::map<std::string, std::string>& about() const { return about_; }

  /// Whether it was trained to act on the passages of a prompt too, before question and answer.
  bool actsOnPrompts() const {
    const auto found = about_.find("acts_on");
    return found != about_.end() && found->second == kPrompts;
  }
  static constexpr const char* kPrompts = "prompts";  ///< what its file then says at "acts_on"

  /// The same weights, changed. They share what they hold with those given.
  ModelWeights applyTo(const ModelWeights& weights, DenseForm form) const;

  void save(const std::filesystem::path& file, const ModelInfo& model) const;
  /// Throws a sentence for a damaged file or one of another model.
  static Adapter load(const std::filesystem::path& file, const ModelInfo& model, const ModelWeights& weights);
  /// The first file made for this model in the folders; null where there is none.
  static std::unique_ptr<Adapter> find(const std::vector<std::filesystem::path>& folders,
                                       const ModelInfo& model, const ModelWeights& weights);

 private:
  std::vector<Layer> layers_;
  std::map<std::string, std::string> about_;
};

/// The name a model's adapter has in a folder of retrievers.
std::string adapterFileName(const ModelInfo& model);

/// The projection of a layer that a change belongs to.
const WeightMatrix& projectionOf(const LayerWeights& layer, Adapter::Projection projection);

}  // namespace kvasir
