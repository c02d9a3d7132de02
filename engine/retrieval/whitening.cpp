#include "engine/retrieval/whitening.h"

#include "engine/model/named_tensor.h"
#include "engine/model/trained_file.h"

namespace kvasir {
namespace {

constexpr TrainedFile kFile{"whitening", "whitening"};

}  // namespace

Whitening::Whitening(std::map<int, Layer> layers, int width) : layers_(std::move(layers)), width_(width) {
  std::vector<at::Tensor> numbers;
  for (const auto& [layer, own] : layers_) numbers.insert(numbers.end(), {own.mean, own.projection});
  id_ = idOf(numbers);
}

Whitening Whitening::copied() const {
  std::map<int, Layer> copies;
  for (const auto& [layer, own] : layers_) copies[layer] = {own.mean.clone(), own.projection.clone()};
  return {std::move(copies), width_};
}

std::vector<int> Whitening::layers() const {
  std::vector<int> layers;
  for (const auto& [layer, own] : layers_) layers.push_back(layer);
  return layers;
}

Whitening Whitening::none(const std::vector<int>& layers, int width) {
  std::map<int, Layer> plain;
  for (const int layer : layers) plain[layer] = {at::zeros({width}), at::eye(width)};
  return {std::move(plain), width};
}

std::vector<int> usualWhitenedLayers(const ModelShape& shape) {
  constexpr int kEvery = 3, kFew = 8;
  std::vector<int> seeing, chosen;
  for (int layer = 0; layer < shape.layers; ++layer)
    if (!shape.isLocal(layer)) seeing.push_back(layer);
  if (static_cast<int>(seeing.size()) <= kFew) return seeing;
  for (std::size_t i = 0; i < seeing.size(); ++i)
    if (i == 0 || i % kEvery == 1) chosen.push_back(seeing[i]);
  return chosen;
}

at::Tensor Whitening::entry(int layer, const at::Tensor& state) const {
  const Layer& own = layers_.at(layer);
  const at::Tensor whitened = at::mv(own.projection, state - own.mean);
  return whitened / whitened.norm().clamp_min(1e-12);
}

void Whitening::save(const std::filesystem::path& file, const ModelInfo& model,
                     const std::string& description) const {
  Safetensors contents = kFile.begin(model, {{"description", description}});
  for (const auto& [layer, own] : layers_) {
    contents.tensors["layer." + std::to_string(layer) + ".mean"] = named(own.mean);
    contents.tensors["layer." + std::to_string(layer) + ".projection"] = named(own.projection);
  }
  writeSafetensors(file, contents);
}

Whitening Whitening::load(const std::filesystem::path& file, const ModelInfo& model) {
  const Safetensors contents = kFile.read(file, model);
  std::map<int, Layer> layers;
  for (int layer = 0; layer < model.layers; ++layer) {
    const auto mean = contents.tensors.find("layer." + std::to_string(layer) + ".mean");
    const auto projection = contents.tensors.find("layer." + std::to_string(layer) + ".projection");
    if (mean == contents.tensors.end() || projection == contents.tensors.end()) continue;
    if (mean->second.shape != std::vector<std::int64_t>{model.width} ||
        projection->second.shape != std::vector<std::int64_t>{model.width, model.width})
      throw std::runtime_error(file.filename().string() + " does not fit the model's width.");
    layers[layer] = {tensorOf(mean->second), tensorOf(projection->second)};
  }
  if (layers.empty()) throw std::runtime_error(file.filename().string() + " holds no layer's whitening.");
  return {std::move(layers), model.width};
}

std::unique_ptr<Whitening> Whitening::find(const std::vector<std::filesystem::path>& folders,
                                           const ModelInfo& model) {
  const auto files = kFile.in(folders, model);
  return files.empty() ? nullptr : std::make_unique<Whitening>(load(files.front(), model));
}

std::string whiteningFileName(const ModelInfo& model) { return kFile.nameFor(model); }

void WhiteningSums::add(int layer, const at::Tensor& state) {
  Sums& sums = sums_[layer];
  const at::Tensor exact = state.to(at::kDouble);
  if (sums.count++ == 0) {
    sums.sum = exact.clone();
    sums.products = at::outer(exact, exact);
    return;
  }
  sums.sum.add_(exact);
  sums.products.addr_(exact, exact);
}

Whitening WhiteningSums::whitening(const std::vector<int>& layers, double shrinkage) const {
  std::map<int, Whitening::Layer> made;
  int width = 0;
  for (const int layer : layers) {
    const auto found = sums_.find(layer);
    if (found == sums_.end()) continue;
    const Sums& sums = found->second;
    width = static_cast<int>(sums.sum.size(0));
    const at::Tensor mean = sums.sum / sums.count;
    const at::Tensor covariance = sums.products / sums.count - at::outer(mean, mean);
    const double average = covariance.trace().item<double>() / width;
    const at::Tensor shrunk =
        covariance * (1 - shrinkage) + at::eye(width, at::kDouble) * (average * shrinkage);
    const auto [values, vectors] = at::linalg_eigh(shrunk);
    const at::Tensor roots = values.clamp_min(average * 1e-9).rsqrt();
    made[layer] = {mean.to(at::kFloat), at::mm(vectors * roots, vectors.t()).to(at::kFloat).contiguous()};
  }
  return {std::move(made), width};
}

}  // namespace kvasir
