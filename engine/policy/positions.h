#pragma once

#include <memory>

#include "engine/model/rope.h"
#include "engine/numbers.h"
#include "engine/policy/policy.h"

namespace kvasir {

/// How a run of keys is placed for a block: near keys keep their true distance to every query; far keys get
/// positions of their own and meet queries rotated to `farQuery`.
struct Placement {
  bool isFar = false;
  int position = 0;  ///< of the run's first key, when far
  int step = 1;      ///< from one key of the run to the next: 1, or 0 to give all the same
  int group = 1;     ///< when far: so many neighbours share a position
};

/// The angle a key and a query get. Stateless.
class PositionScheme {
 public:
  /// What holds for every block.
  struct Rules {
    RopeStretch stretch = RopeStretch::None;
    int farFrom =
        0;  ///< pair by pair: keys so far from a query, or further, meet it as far keys; 0: `place` decides
    bool closesUp = false;  ///< near keys stand in a row before the block's chunk, whatever was left out
    int scale = 0;          ///< of the stretch at any length; 0: what the text's length takes
    StretchNumbers numbers = {};
  };

  explicit PositionScheme(Rules rules) : rules_(rules) {}
  virtual ~PositionScheme() = default;
  const Rules& rules() const { return rules_; }
  /// With farFrom, asked of the keys that are far from the block's last query.
  virtual Placement place(const Run& keys, const Block& block) const = 0;
  /// Where a query at a token stands when it meets far keys.
  virtual int farQuery(int token) const = 0;
  /// No near key is this far from a query, or further; 0: no bound.
  virtual int nearLimit() const = 0;

 private:
  Rules rules_;
};

/// How far keys may be from a query: as far as the budget goes, and no farther than texts were that the model
/// was trained on. trainedTokens: 0 where that is not known.
inline int reachOf(int budgetTokens, int trainedTokens) {
  return trainedTokens > 0 ? std::min(budgetTokens, trainedTokens) : budgetTokens;
}

// Makers of schemes. reachTokens: as `reachOf` has it; those that see a whole text leave it out. numbers: of
// the row.

/// True distances at any length.
std::unique_ptr<PositionScheme> ropePositions(int reachTokens, const Numbers& numbers);

/// Frequencies stretched for texts beyond the trained length: PI, NTK-aware, YaRN, LongRoPE
/// (engine/model/rope.h). Departures: unless the number `scale` fixes it, as the papers do, the scale follows
/// the text in powers of two, as the dynamic variants do, which take the exact ratio. What was read at a
/// smaller scale stays as it was computed, but meets later queries at theirs. NTK-aware has YaRN's sharpening,
/// which it was published without (`sharpening=0`): attention over more keys than were trained is flatter.
std::unique_ptr<PositionScheme> interpolatedPositions(int reachTokens, const Numbers& numbers);
std::unique_ptr<PositionScheme> ntkPositions(int reachTokens, const Numbers& numbers);
std::unique_ptr<PositionScheme> yarnPositions(int reachTokens, const Numbers& numbers);
std::unique_ptr<PositionScheme> longRopePositions(int reachTokens, const Numbers& numbers);

/// SelfExtend (§3.2, eq. 3 and 4): true distances up to a window; beyond it keys and queries stand at their
/// positions divided by the number `group`, queries moved so that both meet at the window's end.
std::unique_ptr<PositionScheme> groupedPositions(int reachTokens, const Numbers& numbers);

/// LM-Infinite (§3.2): the first tokens, and those of the middle, keep their distance up to a ceiling, the
/// reach, and stand there however far they are; the paper's ceiling is the trained length. Departure: it sets
/// in for a block of queries as one.
std::unique_ptr<PositionScheme> ceilingPositions(int reachTokens, const Numbers& numbers);

/// True distances for layers that see only a window of the model's own.
std::unique_ptr<PositionScheme> windowPositions(int windowTokens);

/// Sinks stand at the start of the cache and the query at its end, whatever was evicted between (StreamingLLM
/// §3.2). A larger budget than the reach has no positions: `requireBudget` refuses it.
std::unique_ptr<PositionScheme> cachePositions(int reachTokens, const Numbers& numbers);

/// All that is seen stands in a row, the query at its end: positions are assigned anew over what the cache
/// holds (Activation Beacon §3.1). No key is farther than the reach, and a larger budget is refused as there.
std::unique_ptr<PositionScheme> closedPositions(int reachTokens, const Numbers& numbers);

/// True distances inside the reach, one constant distance beyond it (InfLLM §3.2 puts all keys outside its
/// local window at one distance; here a retrieved chunk that is near enough keeps its own, so that a document
/// within the budget is attended to exactly).
std::unique_ptr<PositionScheme> clampedPositions(int reachTokens, const Numbers& numbers);

}  // namespace kvasir
