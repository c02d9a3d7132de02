#pragma once

#include <chrono>
#include <functional>
#include <ostream>
#include <string>

#include "engine/listener.h"

namespace kvasir {

/// "Reading  43 %  1,210 tokens/s  0:41 left"; parts that are not known are left out. secondsLeft < 0: not
/// known.
std::string describe(const Progress& progress, double secondsLeft);

enum class ProgressStyle { Rewritten, Lines, Silent };

/// Shows progress as one line: rewritten in place on a terminal, else a line of its own every few seconds.
class ProgressLine {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;

  ProgressLine(std::ostream& stream, ProgressStyle style, Clock clock = std::chrono::steady_clock::now);

  void show(const Progress& progress);
  /// What the work is about ("book.pdf", "row 3 of 60"), put before the line.
  void setSubject(std::string subject) { subject_ = std::move(subject); }
  /// Takes a rewritten line away, so that something else can be written.
  void clear();

 private:
  using Time = std::chrono::steady_clock::time_point;
  double secondsLeft(const Progress& progress, Time now) const;
  bool isDue(const Progress& progress, Time now) const;

  std::ostream& stream_;
  ProgressStyle style_;
  Clock clock_;
  std::string subject_;
  std::string shownSubject_;
  std::string shownLine_;  ///< the last one, where lines are not rewritten
  Stage stage_ = Stage::Loading;
  std::int64_t firstDone_ = 0, lastDone_ = 0;
  Time stageStart_{}, lastShown_{};
  bool isStarted_ = false;
  std::size_t width_ = 0;  ///< of what stands on the terminal now
};

}  // namespace kvasir
