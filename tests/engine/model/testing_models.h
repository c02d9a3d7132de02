#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace kvasir {

/// A real model file in the folder KVASIR_MODELS names, else in the cache that setting up fills.
inline std::optional<std::filesystem::path> realModel(const std::string& fileName) {
  const auto variable = [](const char* name) -> std::filesystem::path {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  std::filesystem::path folder = variable("KVASIR_MODELS");
  if (folder.empty() && !variable("KVASIR_CACHE").empty()) folder = variable("KVASIR_CACHE") / "models";
  if (folder.empty()) folder = variable("HOME") / ".cache/kvasir/models";
  const std::filesystem::path path = folder / fileName;
  if (!std::filesystem::exists(path)) return std::nullopt;
  return path;
}

constexpr const char* kSmolModel = "SmolLM2-135M-Instruct.Q4_1.gguf";
constexpr const char* kGemmaModel = "gemma-3-270m-q4_k_m.gguf";

}  // namespace kvasir
