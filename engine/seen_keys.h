#pragma once

#include <vector>

#include "engine/attention.h"

namespace kvasir {

/// Which of a group's keys in place each row of a KV head's queries sees, those of [begin, end): [group ·
/// tokens].
struct SeenKeys {
  std::vector<int> begins, ends;

  /// beginOf, endOf: of a row of the queries.
  template <class Begin, class End>
  SeenKeys(std::int64_t group, int rows, const Begin& beginOf, const End& endOf) {
    for (std::int64_t head = 0; head < group; ++head)
      for (int row = 0; row < rows; ++row) {
        begins.push_back(head == 0 ? beginOf(row) : begins[static_cast<std::size_t>(row)]);
        ends.push_back(head == 0 ? endOf(row) : ends[static_cast<std::size_t>(row)]);
      }
  }
};

/// Every row sees all keys.
inline SeenKeys allKeys(int rows, int count) {
  return {1, rows, [](int) { return 0; }, [count](int) { return count; }};
}

/// In places of the keys that are not packed, which are seen by all, from `first` of them on.
inline SeenKeys nearKeys(const AttendedGroups& groups, const Block& block, std::int64_t group, int first = 0) {
  const auto begin = [&, first](int row) {
    if (groups.window == 0) return 0;
    return std::max(0, countBefore(groups.near, block.first + row - groups.window + 1) - first);
  };
  const int own = groups.view.own - groups.near.packedCount() - first;
  return {group, block.tokens, begin, [own](int row) { return own + row + 1; }};
}

inline SeenKeys farKeys(const AttendedGroups& groups, const Block& block, std::int64_t group) {
  const auto end = [&](int row) {
    return groups.farFrom == 0 ? groups.far.count()
                               : countBefore(groups.far, block.first + row - groups.farFrom + 1);
  };
  return {group, block.tokens, [](int) { return 0; }, end};
}

}  // namespace kvasir
