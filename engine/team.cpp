#include "engine/team.h"

#include <algorithm>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace kvasir {
namespace {

constexpr int kLooks = 1500;  // for work, before sleeping
constexpr int kYieldAfter = 200;

/// Lets the processor's other half run for a moment.
void rest() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

constexpr std::uint64_t kPieces = 0xffffffffu;

}  // namespace

Team::Team(int threads) {
  for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { serve(); });
}

Team::~Team() {
  ends_ = true;
  ++calls_;
  calls_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

bool Team::hasPieces() const { return (state_.load() & kPieces) != 0; }

bool Team::takePiece() {
  std::uint64_t state = state_.load();
  do {
    if ((state & kPieces) == 0) return false;
  } while (!state_.compare_exchange_weak(state, state - 1));
  const std::int64_t piece = job_.pieces() - static_cast<std::int64_t>(state & kPieces);
  job_.call(job_.work, piece * job_.most, std::min(job_.count, (piece + 1) * job_.most));
  ++done_;
  return true;
}

void Team::run(const Job& job) {
  job_ = job;
  done_ = 0;
  state_ = ((state_.load() >> 32) + 1) << 32 | static_cast<std::uint64_t>(job.pieces());
  if (asleep_.load() > 0) {
    ++calls_;
    calls_.notify_all();
  }
  while (takePiece()) continue;
  for (int looks = 0; done_.load() < job.pieces(); ++looks) {
    if (looks < kYieldAfter)
      rest();
    else
      std::this_thread::yield();  // who has the last piece may be waiting for this processor
  }
}

void Team::serve() {
  while (!ends_) {
    for (int looks = 0; looks < kLooks && !ends_; ++looks) {
      while (takePiece()) looks = 0;
      rest();
    }
    const std::uint32_t calls = calls_.load();
    ++asleep_;
    if (!hasPieces() && !ends_) calls_.wait(calls);
    --asleep_;
  }
}

}  // namespace kvasir
