#include "app/progress_line.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "app/text.h"

namespace kvasir {
namespace {

using namespace std::chrono_literals;

constexpr auto kRewriteEvery = 100ms;
constexpr auto kLineEvery = 3s;
constexpr double kSurestAfterSeconds = 1;  // a rate measured over less says little

const char* nameOf(Stage stage) {
  switch (stage) {
    case Stage::Loading:
      return "Loading the model";
    case Stage::Importing:
      return "Importing";
    case Stage::Reading:
      return "Reading";
    case Stage::Retrieving:
      return "Retrieving";
    case Stage::Answering:
      return "Answering";
    case Stage::Training:
      return "Training";
  }
  return "";
}

/// An answer may end at any token before its limit, so no share of it can be told.
bool hasShare(const Progress& progress) { return progress.total > 0 && progress.stage != Stage::Answering; }

double secondsBetween(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

std::string describe(const Progress& progress, double secondsLeft) {
  std::string line = nameOf(progress.stage);
  if (hasShare(progress)) {
    const double share =
        std::clamp(static_cast<double>(progress.done) / static_cast<double>(progress.total), 0.0, 1.0);
    const std::string percent = std::to_string(static_cast<int>(share * 100));
    line += "  " + std::string(3 - std::min<std::size_t>(3, percent.size()), ' ') + percent + " %";
  } else if (progress.done > 0) {
    line += "  " + withCommas(progress.done) + (progress.stage == Stage::Answering ? " tokens" : "");
  }
  if (progress.tokensPerSecond > 0)
    line += "  " + withCommas(std::llround(progress.tokensPerSecond)) + " tokens/s";
  if (secondsLeft >= 0) line += "  " + asDuration(secondsLeft) + " left";
  return line;
}

ProgressLine::ProgressLine(std::ostream& stream, ProgressStyle style, Clock clock)
    : stream_(stream), style_(style), clock_(std::move(clock)) {}

/// By the rate since this stage began here: a reading that goes on from an earlier one has much done at the
/// start.
double ProgressLine::secondsLeft(const Progress& progress, Time now) const {
  const auto left = static_cast<double>(progress.total - progress.done);
  if (!hasShare(progress) || left < 0) return -1;
  if (progress.tokensPerSecond > 0) return left / progress.tokensPerSecond;
  const double elapsed = secondsBetween(stageStart_, now);
  const auto gained = static_cast<double>(progress.done - firstDone_);
  if (elapsed < kSurestAfterSeconds || gained <= 0) return -1;
  return left * elapsed / gained;
}

bool ProgressLine::isDue(const Progress& progress, Time now) const {
  if (style_ == ProgressStyle::Rewritten) return width_ == 0 || now - lastShown_ >= kRewriteEvery;
  const bool isRead = progress.stage == Stage::Reading && progress.total > 0 && progress.done == progress.total;
  return now - lastShown_ >= kLineEvery || isRead;
}

void ProgressLine::show(const Progress& progress) {
  if (style_ == ProgressStyle::Silent) return;
  const Time now = clock_();
  if (!isStarted_ || progress.stage != stage_ || progress.done < lastDone_ || subject_ != shownSubject_) {
    if (!isStarted_) lastShown_ = now;
    isStarted_ = true;
    stage_ = progress.stage;
    shownSubject_ = subject_;
    firstDone_ = progress.done;
    stageStart_ = now;
  }
  lastDone_ = progress.done;
  if (!isDue(progress, now)) return;
  lastShown_ = now;
  const std::string line =
      (subject_.empty() ? "" : subject_ + ": ") + describe(progress, secondsLeft(progress, now));
  if (style_ == ProgressStyle::Lines) {
    if (line != shownLine_) stream_ << line << std::endl;
    shownLine_ = line;
    return;
  }
  const std::size_t width = CodePointIndex(line).size();
  stream_ << '\r' << line << std::string(width_ > width ? width_ - width : 0, ' ') << std::flush;
  width_ = width;
}

void ProgressLine::clear() {
  if (width_ == 0) return;
  stream_ << '\r' << std::string(width_, ' ') << '\r' << std::flush;
  width_ = 0;
}

}  // namespace kvasir
