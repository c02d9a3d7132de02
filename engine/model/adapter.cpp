#include "engine/model/adapter.h"

#include "engine/model/named_tensor.h"
#include "engine/model/seeded.h"
#include "engine/model/trained_file.h"

namespace kvasir {
namespace {

constexpr TrainedFile kFile{"adapter", "adapter"};

constexpr std::array<const char*, Adapter::kProjections> kNames = {"query_key_value", "output", "gate_up",
                                                                   "down"};

std::string nameOf(int layer, int projection, const char* part) {
  return "layer." + std::to_string(layer) + "." + kNames[static_cast<std::size_t>(projection)] + "." + part;
}

at::Tensor tensorOf(const Safetensors& contents, const std::string& name, const std::filesystem::path& file) {
  const auto found = contents.tensors.find(name);
  if (found == contents.tensors.end() || found->second.shape.size() != 2)
    throw std::runtime_error(file.filename().string() + " lacks " + name + "; train the adapter again.");
  return tensorOf(found->second);
}

WeightMatrix& projectionOf(LayerWeights& layer, Adapter::Projection projection) {
  return const_cast<WeightMatrix&>(kvasir::projectionOf(std::as_const(layer), projection));
}

}  // namespace

const WeightMatrix& projectionOf(const LayerWeights& layer, Adapter::Projection projection) {
  switch (projection) {
    case Adapter::QueryKeyValue:
      return layer.queryKeyValue;
    case Adapter::Output:
      return layer.output;
    case Adapter::GateUp:
      return layer.gateUp;
    default:
      return layer.down;
  }
}

Adapter Adapter::untrained(const ModelWeights& weights, int rank, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Layer> layers;
  for (const LayerWeights& layer : weights.layers) {
    Layer& changes = layers.emplace_back();
    for (int i = 0; i < kProjections; ++i) {
      const WeightMatrix& matrix = projectionOf(layer, static_cast<Projection>(i));
      const float spread = 1 / std::sqrt(static_cast<float>(matrix.columns()));
      changes[static_cast<std::size_t>(i)] = {seededNormal(rank, matrix.columns(), spread, random),
                                              at::zeros({matrix.rows(), rank}, at::kFloat)};
    }
  }
  return {std::move(layers), {}};
}

std::string Adapter::id() const {
  std::vector<at::Tensor> numbers;
  for (const Layer& layer : layers_)
    for (const Change& change : layer) numbers.insert(numbers.end(), {change.down, change.up});
  return idOf(numbers);
}

ModelWeights Adapter::applyTo(const ModelWeights& weights, DenseForm form) const {
  ModelWeights changed = weights;
  for (std::size_t layer = 0; layer < layers_.size(); ++layer)
    for (int i = 0; i < kProjections; ++i) {
      const Change& change = layers_[layer][static_cast<std::size_t>(i)];
      WeightMatrix& matrix = projectionOf(changed.layers[layer], static_cast<Projection>(i));
      matrix = matrix.changedBy({WeightMatrix(change.down, form), WeightMatrix(change.up, form)});
    }
  return changed;
}

void Adapter::save(const std::filesystem::path& file, const ModelInfo& model) const {
  Safetensors contents = kFile.begin(model, about_);
  for (std::size_t layer = 0; layer < layers_.size(); ++layer)
    for (int i = 0; i < kProjections; ++i) {
      const Change& change = layers_[layer][static_cast<std::size_t>(i)];
      contents.tensors[nameOf(static_cast<int>(layer), i, "down")] = named(change.down);
      contents.tensors[nameOf(static_cast<int>(layer), i, "up")] = named(change.up);
    }
  writeSafetensors(file, contents);
}

Adapter Adapter::load(const std::filesystem::path& file, const ModelInfo& model, const ModelWeights& weights) {
  const Safetensors contents = kFile.read(file, model);
  std::vector<Layer> layers;
  for (std::size_t layer = 0; layer < weights.layers.size(); ++layer) {
    Layer& changes = layers.emplace_back();
    for (int i = 0; i < kProjections; ++i) {
      const WeightMatrix& matrix = projectionOf(weights.layers[layer], static_cast<Projection>(i));
      Change& change = changes[static_cast<std::size_t>(i)];
      change.down = tensorOf(contents, nameOf(static_cast<int>(layer), i, "down"), file);
      change.up = tensorOf(contents, nameOf(static_cast<int>(layer), i, "up"), file);
      if (change.down.size(1) != matrix.columns() || change.up.size(0) != matrix.rows() ||
          change.down.size(0) != change.up.size(1) || change.down.size(0) < 1)
        throw std::runtime_error(file.filename().string() + " does not fit the model's projections.");
    }
  }
  return {std::move(layers), contents.metadata};
}

std::unique_ptr<Adapter> Adapter::find(const std::vector<std::filesystem::path>& folders,
                                       const ModelInfo& model, const ModelWeights& weights) {
  const auto files = kFile.in(folders, model);
  return files.empty() ? nullptr : std::make_unique<Adapter>(load(files.front(), model, weights));
}

std::string adapterFileName(const ModelInfo& model) { return kFile.nameFor(model); }

}  // namespace kvasir
