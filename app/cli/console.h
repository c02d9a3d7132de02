#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <string_view>

#include "app/interrupt.h"
#include "app/progress_line.h"
#include "engine/listener.h"

namespace kvasir {

/// Where a command writes, and how it hears of work and of Ctrl-C: results to `out`, progress and remarks to
/// `err`.
class Console : public Listener {
 public:
  Console(std::ostream& out, std::ostream& err, ProgressStyle style)
      : out_(out), err_(err), line_(err, style), isSilent_(style == ProgressStyle::Silent) {}

  /// The stream for results; a progress line on the terminal makes way.
  std::ostream& out() {
    line_.clear();
    return out_;
  }
  /// A sentence that must be seen, on the error stream.
  void say(const std::string& sentence) {
    line_.clear();
    err_ << sentence << std::endl;
  }
  /// One that may be left out.
  void remark(const std::string& sentence) override {
    if (!isSilent_) say(sentence);
  }
  void setSubject(std::string subject) { line_.setSubject(std::move(subject)); }
  /// From here on answers are written as they come.
  void streamAnswers() { isStreaming_ = true; }
  bool hasStreamed() const { return hasStreamed_; }

  void progress(const Progress& progress) override {
    if (isInterrupted()) throw Cancelled();
    const bool isVisible = isStreaming_ && progress.stage == Stage::Answering;
    if (!isVisible) line_.show(progress);
  }
  void answerText(std::string_view text) override {
    if (!isStreaming_) return;
    out() << text << std::flush;
    hasStreamed_ = true;
  }

 private:
  std::ostream& out_;
  std::ostream& err_;
  ProgressLine line_;
  bool isSilent_ = false, isStreaming_ = false, hasStreamed_ = false;
};

}  // namespace kvasir
