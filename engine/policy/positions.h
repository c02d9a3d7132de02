#pragma once

#include <memory>

#include "engine/policy/policy.h"

namespace kvasir {

/// How a run of keys is placed for a block: near keys keep their true distance to every query; far keys get positions
/// of their own and meet queries rotated to `farQuery`.
struct Placement {
  bool isFar = false;
  int position = 0;  ///< of the run's first key, when far
  int step = 1;      ///< from one key of the run to the next: 1, or 0 to give all the same
};

/// The angle a key and a query get. Stateless.
class PositionScheme {
 public:
  virtual ~PositionScheme() = default;
  virtual Placement place(const Run& keys, const Block& block) const = 0;
  /// Where a query at a token stands when it meets far keys.
  virtual int farQuery(int token) const = 0;
  /// No near key is this far from a query, or further; 0: no bound.
  virtual int nearLimit() const = 0;
};

/// True distances at any length.
std::unique_ptr<PositionScheme> ropePositions(int budgetTokens);

/// True distances for layers that see only a window of the model's own.
std::unique_ptr<PositionScheme> windowPositions(int windowTokens);

/// Sinks stand at the start of the cache and the query at its end, whatever was evicted between (StreamingLLM §3.2).
std::unique_ptr<PositionScheme> cachePositions(int budgetTokens);

/// True distances inside the budget, one constant distance beyond it (InfLLM §3.2 puts all keys outside its local
/// window at one distance; here a retrieved chunk that is near enough keeps its own, so that a document within the
/// budget is attended to exactly).
std::unique_ptr<PositionScheme> clampedPositions(int budgetTokens);

}  // namespace kvasir
