#include "engine/retrieval/bookmarks.h"

#include "engine/model/named_tensor.h"
#include "engine/model/seeded.h"
#include "engine/model/trained_file.h"

namespace kvasir {
namespace {

constexpr TrainedFile kFile{"retriever", "retriever"};

struct Part {
  const char* name;
  at::Tensor Bookmarks::Layer::*tensor;
};
constexpr Part kParts[] = {{"chunk_query", &Bookmarks::Layer::chunkQuery},
                           {"question_query", &Bookmarks::Layer::questionQuery},
                           {"down", &Bookmarks::Layer::down},
                           {"up", &Bookmarks::Layer::up},
                           {"log_weight", &Bookmarks::Layer::logWeight}};

bool fits(const Bookmarks::Layer& layer, std::int64_t width) {
  const std::vector<std::int64_t> vector{width};
  return layer.chunkQuery.sizes() == vector && layer.questionQuery.sizes() == vector && layer.down.dim() == 2 &&
         layer.down.size(1) == width &&
         layer.up.sizes() == std::vector<std::int64_t>{width, layer.down.size(0)} &&
         layer.logWeight.numel() == 1;
}

}  // namespace

Bookmarks::Bookmarks(const Whitening& whitening, std::map<int, Layer> layers,
                     std::map<std::string, std::string> about)
    : whitening_(&whitening),
      layers_(std::move(layers)),
      about_(std::move(about)),
      places_(whitening.layers()) {
  std::vector<at::Tensor> numbers;
  for (const auto& [layer, own] : layers_)
    for (const Part& part : kParts)
      if ((own.*part.tensor).defined()) numbers.push_back(own.*part.tensor);
  id_ = whitening.id() + (numbers.empty() ? "" : "-" + idOf(numbers));
}

Bookmarks Bookmarks::untrained(const Whitening& whitening, int rank, std::uint64_t seed) {
  std::map<int, Layer> layers;
  std::mt19937_64 random(seed);
  const std::int64_t width = whitening.width();
  const float spread = 1 / std::sqrt(static_cast<float>(width));
  for (const int layer : whitening.layers())
    layers[layer] = {at::zeros({width}), at::zeros({width}), seededNormal(rank, width, spread, random),
                     at::zeros({width, rank}), at::zeros({})};
  return {whitening, std::move(layers), {}};
}

at::Tensor Bookmarks::entry(int layer, const at::Tensor& states, at::Tensor Layer::*query) const {
  const at::Tensor exact = states.to(at::kFloat);
  const auto own = layers_.find(layer);
  const Whitening::Layer& base = whitening_->layer(layer);
  if (own == layers_.end()) return whitening_->entry(layer, exact.mean(0));
  const Layer& trained = own->second;
  const at::Tensor gathered = at::mv(exact.t(), at::softmax(at::mv(exact, trained.*query), 0)) - base.mean;
  const at::Tensor key = at::mv(base.projection, gathered) + at::mv(trained.up, at::mv(trained.down, gathered));
  return key / key.norm().clamp_min(1e-12);
}

at::Tensor Bookmarks::chunkEntry(int layer, const at::Tensor& states) const {
  return entry(layer, states, &Layer::chunkQuery);
}
at::Tensor Bookmarks::questionEntry(int layer, const at::Tensor& states) const {
  return entry(layer, states, &Layer::questionQuery);
}

at::Tensor Bookmarks::weight(int layer) const {
  const auto own = layers_.find(layer);
  return own == layers_.end() ? at::ones({}) : own->second.logWeight.exp();
}

void Bookmarks::save(const std::filesystem::path& file, const ModelInfo& model) const {
  Safetensors contents = kFile.begin(model, about_);
  contents.metadata["whitening"] = whitening_->id();
  for (const auto& [layer, own] : layers_)
    for (const Part& part : kParts)
      contents.tensors["layer." + std::to_string(layer) + "." + part.name] = named(own.*part.tensor);
  writeSafetensors(file, contents);
}

Bookmarks Bookmarks::load(const std::filesystem::path& file, const ModelInfo& model,
                          const Whitening& whitening) {
  const std::string name = file.filename().string();
  const Safetensors contents = kFile.read(file, model);
  if (contents.value("whitening") != whitening.id())
    throw std::runtime_error(name + " was made with another whitening than the one found; train it again.");
  return from(contents, name, whitening);
}

Bookmarks Bookmarks::from(const Safetensors& contents, const std::string& name, const Whitening& whitening) {
  std::map<int, Layer> layers;
  for (const int layer : whitening.layers()) {
    Layer own;
    for (const Part& part : kParts) {
      const auto found = contents.tensors.find("layer." + std::to_string(layer) + "." + part.name);
      if (found == contents.tensors.end()) throw std::runtime_error(name + " is damaged: layers are missing.");
      own.*part.tensor = tensorOf(found->second);
    }
    if (!fits(own, whitening.width())) throw std::runtime_error(name + " does not fit the model's width.");
    layers[layer] = std::move(own);
  }
  std::map<std::string, std::string> about(contents.metadata.begin(), contents.metadata.end());
  return {whitening, std::move(layers), std::move(about)};
}

std::unique_ptr<Bookmarks> Bookmarks::find(const std::vector<std::filesystem::path>& folders,
                                           const ModelInfo& model, const Whitening& whitening) {
  for (const std::filesystem::path& file : kFile.in(folders, model)) {
    const Safetensors contents = kFile.read(file, model);
    if (contents.value("whitening") == whitening.id())
      return std::make_unique<Bookmarks>(from(contents, file.filename().string(), whitening));
  }
  return std::make_unique<Bookmarks>(whitening);
}

std::string retrieverFileName(const ModelInfo& model) { return kFile.nameFor(model); }

}  // namespace kvasir
