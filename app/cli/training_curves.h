#pragma once

#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "app/cli/console.h"
#include "engine/engine.h"

namespace kvasir {

/// Losses step by step: on the console from check to check, and, where they are wanted, in a table and a
/// picture, which is drawn anew at each check. Of a training that went on from a checkpoint the table goes on
/// too, and the picture with it.
class TrainingCurves {
 public:
  /// Empty names: no table, no picture. Throws a sentence where one of them cannot be written.
  TrainingCurves(const std::filesystem::path& table, std::filesystem::path picture, Console& console);
  void add(const TrainingStep& step);

  std::optional<double> best() const;  ///< loss on the texts held out, of the steps that are known
  int last() const { return steps_.empty() ? 0 : steps_.back().step; }

 private:
  void takeUp(const std::filesystem::path& table);
  void put(const TrainingStep& step);
  void write(const TrainingStep& step);
  void tell(const TrainingStep& step);
  void draw();

  Console& console_;
  std::filesystem::path picture_;
  std::ofstream table_;
  std::set<std::string> rows_;  ///< that the table had when it was taken up
  std::vector<TrainingStep> steps_;
  double sum_ = 0;  ///< of losses since the last check
  int count_ = 0;
  bool isDrawn_ = true;  ///< the picture, so far as there is one
};

}  // namespace kvasir
