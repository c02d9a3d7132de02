#pragma once

namespace kvasir {

/// While it lives, Ctrl-C and the system's wish to end (SIGINT, SIGTERM) are noted instead of ending the
/// program, so that listeners can stop the work; the second one ends it at once. Where the work does not stop
/// in time, as in a product of a very large model, the program says `sentence` and ends with status 1: what it
/// keeps is whole at every moment. One at a time.
class InterruptGuard {
 public:
  /// The sentence must outlive the guard.
  explicit InterruptGuard(const char* sentence);
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  /// The work has stopped, so there is nothing to wait for.
  void disarm();
};

/// Whether one came since the guard was made.
bool isInterrupted();

}  // namespace kvasir
