#pragma once

namespace kvasir {

/// While it lives, Ctrl-C and the system's wish to end (SIGINT, SIGTERM) are noted instead of ending the
/// program; the second one ends it at once. One at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
};

/// Whether one came since the guard was made.
bool isInterrupted();

}  // namespace kvasir
