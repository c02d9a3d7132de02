#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/model/safetensors.h"

namespace kvasir {

/// What `kvasir-cli train` makes of a model: numbers in a file of their own, of use to that model alone.
struct TrainedFile {
  const char* training;  ///< as the command names it; a file's name begins with it
  const char* content;   ///< as the file's metadata and sentences about it name it

  /// The name a model's file has in a folder of retrievers.
  std::string nameFor(const ModelInfo& model) const;
  /// The model's files in those of the folders that have one, in their order.
  std::vector<std::filesystem::path> in(const std::vector<std::filesystem::path>& folders,
                                        const ModelInfo& model) const;
  /// What is to be written for the model, still without tensors.
  Safetensors begin(const ModelInfo& model, std::map<std::string, std::string> about) const;
  /// Throws a sentence for a file that is not sound, holds something else or was made for another model.
  Safetensors read(const std::filesystem::path& file, const ModelInfo& model) const;
};

}  // namespace kvasir
