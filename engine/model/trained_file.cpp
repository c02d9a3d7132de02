#include "engine/model/trained_file.h"

#include <stdexcept>
#include <utility>

namespace kvasir {

std::string TrainedFile::nameFor(const ModelInfo& model) const {
  return std::string(training) + "-" + model.fingerprint + ".safetensors";
}

std::vector<std::filesystem::path> TrainedFile::in(const std::vector<std::filesystem::path>& folders,
                                                   const ModelInfo& model) const {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const std::filesystem::path& folder : folders)
    if (auto file = folder / nameFor(model); std::filesystem::exists(file, error))
      files.push_back(std::move(file));
  return files;
}

Safetensors TrainedFile::begin(const ModelInfo& model, std::map<std::string, std::string> about) const {
  Safetensors contents;
  contents.metadata = std::move(about);
  contents.metadata["kind"] = content;
  contents.metadata["model"] = model.fingerprint;
  contents.metadata["model_name"] = model.name;
  return contents;
}

Safetensors TrainedFile::read(const std::filesystem::path& file, const ModelInfo& model) const {
  Safetensors contents = readSafetensors(file);
  const std::string name = file.filename().string();
  if (contents.value("kind") != content) throw std::runtime_error(name + " holds no " + content + ".");
  if (contents.value("model") != model.fingerprint)
    throw std::runtime_error(name + " was made for " + contents.value("model_name") + ", not for " +
                             model.name + "; kvasir-cli train " + training + " makes one.");
  return contents;
}

}  // namespace kvasir
