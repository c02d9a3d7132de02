#include "engine/model/beacons.h"

#include "engine/model/named_tensor.h"
#include "engine/model/seeded.h"
#include "engine/model/trained_file.h"

namespace kvasir {
namespace {

constexpr TrainedFile kFile{"beacon", "beacons"};

std::string nameOf(std::size_t layer, const char* part) {
  return "layer." + std::to_string(layer) + ".query_key_value." + part;
}

}  // namespace

Beacons::Beacons(at::Tensor embedding, std::vector<Adapter::Change> layers,
                 std::map<std::string, std::string> about)
    : embedding_(std::move(embedding)), layers_(std::move(layers)), about_(std::move(about)) {
  std::vector<at::Tensor> numbers = {embedding_};
  for (const Adapter::Change& change : layers_) numbers.insert(numbers.end(), {change.down, change.up});
  id_ = idOf(numbers);
}

Beacons Beacons::untrained(const ModelWeights& weights, TokenId token, int rank, std::uint64_t seed) {
  at::Tensor embedding = at::empty({weights.embedding.columns()}, at::kFloat);
  weights.embedding.row(token, embedding.data_ptr<float>());
  std::vector<Adapter::Change> layers;
  std::mt19937_64 random(seed);
  for (const LayerWeights& layer : weights.layers) {
    if (rank == 0) break;
    const WeightMatrix& matrix = layer.queryKeyValue;
    const float spread = 1 / std::sqrt(static_cast<float>(matrix.columns()));
    layers.push_back(
        {seededNormal(rank, matrix.columns(), spread, random), at::zeros({matrix.rows(), rank}, at::kFloat)});
  }
  return {std::move(embedding), std::move(layers), {}};
}

BeaconWeights Beacons::weightsOver(const ModelWeights& weights, const ModelShape& shape, DenseForm form) const {
  BeaconWeights made{embedding_ * shape.embeddingScale, {}};
  for (std::size_t layer = 0; layer < weights.layers.size(); ++layer) {
    const WeightMatrix& own = weights.layers[layer].queryKeyValue;
    made.queryKeyValue.push_back(layers_.empty() ? own
                                                 : own.changedBy({WeightMatrix(layers_[layer].down, form),
                                                                  WeightMatrix(layers_[layer].up, form)}));
  }
  return made;
}

void Beacons::save(const std::filesystem::path& file, const ModelInfo& model) const {
  Safetensors contents = kFile.begin(model, about_);
  contents.tensors["embedding"] = named(embedding_);
  for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
    contents.tensors[nameOf(layer, "down")] = named(layers_[layer].down);
    contents.tensors[nameOf(layer, "up")] = named(layers_[layer].up);
  }
  writeSafetensors(file, contents);
}

Beacons Beacons::load(const std::filesystem::path& file, const ModelInfo& model, const ModelWeights& weights) {
  const Safetensors contents = kFile.read(file, model);
  const std::string name = file.filename().string();
  const auto tensor = [&](const std::string& part, std::int64_t dimensions) {
    const auto found = contents.tensors.find(part);
    if (found == contents.tensors.end() || std::ssize(found->second.shape) != dimensions)
      throw std::runtime_error(name + " lacks " + part + "; train the beacons again.");
    return tensorOf(found->second);
  };
  at::Tensor embedding = tensor("embedding", 1);
  bool fits = embedding.size(0) == weights.embedding.columns();
  std::vector<Adapter::Change> layers;
  for (std::size_t layer = 0; layer < weights.layers.size(); ++layer) {
    const WeightMatrix& matrix = weights.layers[layer].queryKeyValue;
    const Adapter::Change& change =
        layers.emplace_back(tensor(nameOf(layer, "down"), 2), tensor(nameOf(layer, "up"), 2));
    fits = fits && change.down.size(1) == matrix.columns() && change.up.size(0) == matrix.rows() &&
           change.down.size(0) == change.up.size(1) && change.down.size(0) > 0;
  }
  if (!fits) throw std::runtime_error(name + " does not fit the model's projections.");
  return {std::move(embedding), std::move(layers), contents.metadata};
}

std::unique_ptr<Beacons> Beacons::find(const std::vector<std::filesystem::path>& folders,
                                       const ModelInfo& model, const ModelWeights& weights) {
  const auto files = kFile.in(folders, model);
  return files.empty() ? nullptr : std::make_unique<Beacons>(load(files.front(), model, weights));
}

std::string beaconFileName(const ModelInfo& model) { return kFile.nameFor(model); }

}  // namespace kvasir
