#pragma once

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

}  // namespace kvasir
