#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/model/safetensors.h"

namespace kvasir {

constexpr int kEncoderWidth = 12;

/// A small random encoder of BERT's form in a folder, its vocabulary letters and pieces of letters.
std::filesystem::path writeEmbedder(const std::filesystem::path& folder);

/// Such an encoder written plainly, in double.
class PlainEncoder {
 public:
  using Vector = std::vector<double>;
  explicit PlainEncoder(const std::filesystem::path& folder);

  /// The last layer's state of each piece.
  std::vector<Vector> states(const std::vector<int>& pieces) const;
  /// Their mean, of length 1.
  Vector embed(const std::vector<int>& pieces) const;

 private:
  double at(const std::string& name, int row, int column) const;
  Vector apply(const Vector& in, const std::string& name, int out) const;
  Vector norm(const Vector& in, const std::string& name) const;
  std::vector<Vector> pass(const std::vector<Vector>& x, const std::string& layer) const;

  Safetensors weights_;
};

}  // namespace kvasir
