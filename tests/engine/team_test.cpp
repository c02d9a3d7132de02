#include "engine/team.h"

#include <gtest/gtest.h>

#include <chrono>

namespace kvasir {
namespace {

/// How often each of [0, count) was worked on.
std::vector<std::atomic<int>> visits(Team& team, std::int64_t count, std::int64_t most) {
  std::vector<std::atomic<int>> seen(static_cast<std::size_t>(count));
  team.share(count, most, [&](std::int64_t begin, std::int64_t end) {
    EXPECT_LT(begin, end);
    const std::int64_t longest = team.threads() > 1 ? most : count;
    EXPECT_LE(end - begin, longest);
    for (std::int64_t i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
  });
  return seen;
}

TEST(Team, DoesEverythingOnceWhateverTheThreadsAndPieces) {
  for (const int threads : {1, 2, 3, 8}) {
    Team team(threads);
    EXPECT_EQ(team.threads(), threads);
    for (const std::int64_t count : {1, 2, 7, 64, 1000})
      for (const std::int64_t most : {1, 3, 64, 5000})
        for (const auto& times : visits(team, count, most))
          ASSERT_EQ(times, 1) << threads << " " << count << " " << most;
  }
}

TEST(Team, DoesNothingWhereThereIsNothing) {
  Team team(2);
  team.share(0, 1, [](std::int64_t, std::int64_t) { FAIL(); });
}

// Jobs in quick succession, so that threads come late to one and early to the next.
TEST(Team, HasDoneAllOfAJobWhenItReturns) {
  Team team(4);
  std::vector<std::int64_t> values(37);
  for (std::int64_t round = 1; round <= 20000; ++round) {
    team.share(37, 1 + round % 5, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) values[static_cast<std::size_t>(i)] = round * i;
    });
    for (std::int64_t i = 0; i < 37; ++i) ASSERT_EQ(values[static_cast<std::size_t>(i)], round * i);
  }
}

TEST(Team, WakesThreadsThatSleep) {
  Team team(2);
  using Clock = std::chrono::steady_clock;
  for (int round = 0; round < 3; ++round) {
    const auto later = Clock::now() + std::chrono::milliseconds(20);
    while (Clock::now() < later) continue;  // long enough for them to fall asleep
    std::atomic<int> here{0};
    std::atomic<bool> isLate{false};
    // Each piece waits for the other: one thread alone could not do both.
    team.share(2, 1, [&](std::int64_t, std::int64_t) {
      ++here;
      const auto end = Clock::now() + std::chrono::seconds(20);
      while (here < 2 && !isLate)
        if (Clock::now() > end) isLate = true;
    });
    EXPECT_FALSE(isLate);
  }
}

}  // namespace
}  // namespace kvasir
