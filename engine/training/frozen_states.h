#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/torch.h"

namespace kvasir {

/// A text and its questions as the frozen model met them: normed hidden states, layer by layer.
struct RetrieverContext {
  std::map<int, std::vector<at::Tensor>> chunks;     ///< by layer: [tokens, width] of each chunk
  std::map<int, std::vector<at::Tensor>> questions;  ///< by layer: [tokens, width] of each question
  std::vector<std::vector<char>> isGold;             ///< by question and chunk
  std::vector<int> documents;                        ///< of each chunk; -1 where it is of none

  /// The same text with some of its questions, by their places.
  RetrieverContext asking(const std::vector<std::size_t>& places) const;
};

/// Contexts kept in files, so that a training reads each text once, however often it visits it and however
/// often it is ended and goes on: 2 bytes a token, layer and column. Values are rounded to bfloat16, the first
/// time as well, so that what is learned does not depend on what was kept.
class FrozenStates {
 public:
  /// folder: made when it is needed.
  explicit FrozenStates(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// The context of this name, heard now if no sound file holds it. Throws a sentence if the disk is full.
  RetrieverContext of(const std::string& name, const std::function<RetrieverContext()>& hear) const;
  /// Removes the files of all other names, and what was not written to its end; tells how many.
  int keepOnly(const std::set<std::string>& names) const;
  /// Once the training is over.
  void remove() const;

 private:
  std::filesystem::path folder_;
};

}  // namespace kvasir
