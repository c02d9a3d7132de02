#pragma once

#include <string>
#include <vector>

#include "engine/listener.h"

namespace kvasir {

/// What a training tells of itself: its steps in order, whatever is read within.
struct HeardSteps : Listener {
  void progress(const Progress& progress) override {
    isInOrder = isInOrder && progress.stage == Stage::Training && progress.done >= last && progress.total > 0;
    last = progress.done;
  }
  bool isInOrder = true;
  std::int64_t last = 0;
};

/// The sentences it says beside.
struct HeardRemarks : Listener {
  void remark(const std::string& sentence) override { said.push_back(sentence); }
  std::vector<std::string> said;
};

}  // namespace kvasir
