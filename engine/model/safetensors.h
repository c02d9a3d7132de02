#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace kvasir {

/// One tensor of float32 values, row by row.
struct NamedTensor {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

/// What a safetensors file holds, of the types F32 and BF16, all given as float32; whole numbers (I64) are
/// passed over.
struct Safetensors {
  std::map<std::string, std::string> metadata;
  std::map<std::string, NamedTensor> tensors;

  /// Of the metadata; empty where there is none.
  std::string value(const std::string& key) const;
};

/// Throws a sentence for a file that is not whole and sound: every length is checked before it is used.
Safetensors readSafetensors(const std::filesystem::path& file);

enum class StoredAs { Bfloat16, Float32 };

/// Writes the values, rounded to bfloat16 unless asked otherwise, under another name first, so that a file of
/// this name is always whole.
void writeSafetensors(const std::filesystem::path& file, const Safetensors& contents,
                      StoredAs form = StoredAs::Bfloat16);

}  // namespace kvasir
