#include "engine/training/frozen_states.h"

#include <nlohmann/json.hpp>

#include "engine/model/named_tensor.h"

namespace kvasir {
namespace {

using Json = nlohmann::json;

constexpr const char* kEnding = ".safetensors";

std::string tensorName(const char* kind, int layer) { return kind + std::to_string(layer); }

/// Rows of all parts behind each other, [rows, width] by layer, and how many each part has.
void pack(const std::map<int, std::vector<at::Tensor>>& parts, const char* kind, Safetensors& file) {
  std::vector<std::int64_t> rows;
  for (const auto& [layer, own] : parts) {
    if (own.empty()) continue;
    rows.clear();
    for (const at::Tensor& part : own) rows.push_back(part.size(0));
    file.tensors[tensorName(kind, layer)] = named(at::cat(own));
  }
  file.metadata[kind] = Json(rows).dump();
}

std::map<int, std::vector<at::Tensor>> unpack(const Safetensors& file, const char* kind,
                                              const std::vector<int>& layers) {
  const auto rows = Json::parse(file.metadata.at(kind)).get<std::vector<std::int64_t>>();
  std::map<int, std::vector<at::Tensor>> parts;
  for (const int layer : layers) {
    auto& own = parts[layer];
    if (!rows.empty()) own = tensorOf(file.tensors.at(tensorName(kind, layer))).split_with_sizes(rows);
  }
  return parts;
}

void save(const RetrieverContext& context, const std::filesystem::path& path) {
  Safetensors file;
  std::vector<int> layers;
  for (const auto& [layer, parts] : context.chunks) layers.push_back(layer);
  file.metadata["layers"] = Json(layers).dump();
  file.metadata["gold"] = Json(context.isGold).dump();
  file.metadata["documents"] = Json(context.documents).dump();
  pack(context.chunks, "chunks", file);
  pack(context.questions, "questions", file);
  writeSafetensors(path, file);
}

RetrieverContext load(const std::filesystem::path& path) {
  const Safetensors file = readSafetensors(path);
  RetrieverContext context;
  const auto layers = Json::parse(file.metadata.at("layers")).get<std::vector<int>>();
  context.chunks = unpack(file, "chunks", layers);
  context.questions = unpack(file, "questions", layers);
  context.isGold = Json::parse(file.metadata.at("gold")).get<std::vector<std::vector<char>>>();
  context.documents = Json::parse(file.metadata.at("documents")).get<std::vector<int>>();
  return context;
}

}  // namespace

RetrieverContext RetrieverContext::asking(const std::vector<std::size_t>& places) const {
  RetrieverContext some{chunks, {}, {}, documents};
  for (const std::size_t place : places) {
    some.isGold.push_back(isGold[place]);
    for (const auto& [layer, own] : questions) some.questions[layer].push_back(own[place]);
  }
  return some;
}

RetrieverContext FrozenStates::of(const std::string& name,
                                  const std::function<RetrieverContext()>& hear) const {
  const std::filesystem::path path = folder_ / (name + kEnding);
  std::error_code error;
  if (std::filesystem::exists(path, error)) try {
      return load(path);
    } catch (const std::exception&) {  // damaged: heard again
    }
  std::filesystem::create_directories(folder_);
  save(hear(), path);
  return load(path);
}

int FrozenStates::keepOnly(const std::set<std::string>& names) const {
  std::error_code error;
  std::vector<std::filesystem::path> others;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    const std::filesystem::path& path = entry.path();
    if (path.extension() != kEnding || !names.contains(path.stem().string())) others.push_back(path);
  }
  int removed = 0;
  for (const std::filesystem::path& path : others) removed += std::filesystem::remove(path, error);
  return removed;
}

void FrozenStates::remove() const {
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
}

}  // namespace kvasir
